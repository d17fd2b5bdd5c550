"""``playground models quantize``: another quant of a model, made by llama.cpp's own quantizer."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playground.cli.errors import ENGINE_FAILED, INTERRUPTED, OK, CliError
from playground.cli.models_here import find_any
from playground.cli.output import Status, clean
from playground.models.digest import GivenUp
from playground.models.gguf import size_text
from playground.models.library import ModelFile
from playground.paths import Paths, find_paths
from playground.quantize.messages import Working
from playground.quantize.plan import CantQuantize, Plan, Wish, make_plan
from playground.quantize.predict import MARGIN, Estimate
from playground.quantize.process import Quantizer, make, predict_exactly
from playground.quantize.table import FILE_TYPES, NoSuchType, file_type

EXAMPLES = """\
  playground models quantize starter Q4_0
  playground models quantize qwen3-bf16 Q4_K_M --imatrix qwen3.imatrix.gguf
  playground models quantize mixtral Q3_K_M --tensor-type ffn_down_exps=q5_k
  playground models quantize starter --list
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("model", metavar="PATH|NAME", help="A GGUF file, a part of a model’s name, or “starter”.")
    parser.add_argument("type", nargs="?", metavar="TYPE", default="", help="What to make: Q4_K_M, Q8_0, … see --list.")
    parser.add_argument(
        "--list", action="store_true", help="Show all types and the size each would have; make nothing."
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="The new file. (default: beside the old one)")
    parser.add_argument("--imatrix", metavar="FILE", help="Importance matrix: which weights matter.")
    parser.add_argument(
        "--tensor-type", metavar="PATTERN=TYPE", action="append", default=[],
        help="Type of the tensors whose names match; may be given several times, the first match counts.",
    )  # fmt: skip
    parser.add_argument("--output-tensor-type", metavar="TYPE", default="", help="Type of the output tensor.")
    parser.add_argument("--token-embedding-type", metavar="TYPE", default="", help="Type of the token table.")
    parser.add_argument("--leave-output-tensor", action="store_true", help="Leave the output tensor as it is.")
    parser.add_argument("--pure", action="store_true", help="One type for all tensors, no mixture.")
    parser.add_argument("-t", "--threads", metavar="N", type=int, default=0, help="(default: all cores)")
    parser.add_argument("--dry-run", action="store_true", help="Only say what would come out.")
    parser.add_argument("--json", action="store_true", help="The result as one JSON line.")


def run(given: argparse.Namespace) -> int:
    """Quantize; the exit code."""
    paths = find_paths()
    if not given.type and not given.list:
        raise CliError("Say which type to make, as Q4_K_M; --list shows them all.")
    model = find_any(paths, given.model)
    try:
        if given.list:
            return _list(given, paths, model)
        todo = make_plan(paths, model, _wish(given))
        for warning in todo.warnings:
            print(f"playground: {clean(warning)}", file=sys.stderr)
        if given.dry_run:
            return _foretell(given, todo)
        return _make(given, todo)
    except (CantQuantize, NoSuchType) as error:
        code = ENGINE_FAILED if isinstance(error, CantQuantize) and error.while_working else 2
        raise CliError(str(error), code) from None
    except GivenUp:
        return INTERRUPTED


def _wish(given: argparse.Namespace) -> Wish:
    pairs = []
    for text in given.tensor_type:
        pattern, equals, kind = text.rpartition("=")
        if not equals or not pattern or not kind:
            raise CliError(f"--tensor-type is PATTERN=TYPE such as ffn_down=q6_k, not “{text}”.")
        pairs.append((pattern, kind))
    if given.threads < 0 or given.threads > 1024:
        raise CliError(f"--threads is a number from 1 to 1,024, not {given.threads}.")
    return Wish(
        file_type(given.type),
        Path(given.imatrix).expanduser() if given.imatrix else None,
        pairs,
        given.output_tensor_type,
        given.token_embedding_type,
        given.leave_output_tensor,
        given.pure,
        Path(given.output).expanduser() if given.output else None,
        given.threads,
    )


def _make(given: argparse.Namespace, todo: Plan) -> int:
    status = Status()

    def show(event: Working) -> None:
        status.show(f"{todo.wish.to.name}: {event.done / max(1, event.total):.0%} · {event.tensor}")

    quantizer = Quantizer(todo.order(), show)
    try:
        with _cancelled_by_ctrl_c(quantizer):
            end = make(todo, quantizer)
    finally:
        status.clear()
    size = todo.target.stat().st_size
    if given.json:
        print(json.dumps({"path": str(todo.target), "size": size, "seconds": round(end.seconds, 3)}))
    else:
        print(f"{clean(str(todo.target))}\n{size_text(size)} in {end.seconds:.1f} s")
        if end.n_fallback:
            rows = "1 tensor has" if end.n_fallback == 1 else f"{end.n_fallback} tensors have"
            print(f"{rows} rows that don’t fit this type’s blocks; a nearby type was used.", file=sys.stderr)
    return OK


def _foretell(given: argparse.Namespace, todo: Plan) -> int:
    planned = predict_exactly(todo)
    facts: dict[str, Any] = {"path": str(todo.target), "tensor_bytes": planned.size, "types": planned.types}
    facts |= {"n_fallback": planned.n_fallback, "needs_imatrix": planned.needs_imatrix}
    if given.json:
        print(json.dumps(facts))
        return OK
    types = ", ".join(f"{count} × {name}" for name, count in sorted(planned.types.items(), key=lambda item: -item[1]))
    print(f"{clean(str(todo.target))}\n{size_text(planned.size)} of weights: {types}")
    if planned.needs_imatrix:
        print("It needs an importance matrix (--imatrix).")
    return OK


def _list(given: argparse.Namespace, paths: Paths, model: ModelFile) -> int:
    for row in FILE_TYPES:
        try:
            size, about = make_plan(paths, model, Wish(row, target=_nowhere(paths.models))).size, row.help
        except CantQuantize as error:
            size, about = Estimate(0, 0, 0), str(error)
        if given.json:
            print(json.dumps({"type": row.name, "size": size.size, "low": size.low, "high": size.high, "help": about}))
        else:
            mark = f"±{MARGIN:.0%}".replace("%", " %") if row.mixture else ""
            print(f"{row.name:<10}{size_text(size.size) if size.size else '–':>9} {mark:<4}  {about}")
    return OK


def _nowhere(folder: Path) -> Path:
    """A name that no file has: for plans that nobody carries out."""
    return folder / ".none" / "none.gguf"


@contextmanager
def _cancelled_by_ctrl_c(quantizer: Quantizer) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda *_: quantizer.cancel())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
