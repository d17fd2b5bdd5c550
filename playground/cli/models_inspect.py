"""``playground models inspect``: all that a GGUF file says of itself."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from playground.cli.errors import OK, CliError
from playground.cli.models_here import find_any
from playground.cli.models_hub import table
from playground.cli.output import clean
from playground.models.gguf import ArrayInfo, GgufError, size_text
from playground.models.inspect import Inspected, inspect
from playground.paths import find_paths

EXAMPLES = """\
  playground models inspect starter
  playground models inspect qwen3 --tensors
  playground models inspect starter --template > template.jinja
  playground models inspect starter --json | jq .tokenizer
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("model", metavar="PATH|NAME", help="A GGUF file, a part of a model’s name, or “starter”.")
    parser.add_argument("--tensors", action="store_true", help="Each tensor with type, shape and size.")
    parser.add_argument("--template", action="store_true", help="Only the chat template, as it is.")
    parser.add_argument("--json", action="store_true", help="Everything as one JSON line.")


def run(given: argparse.Namespace) -> int:
    """Inspect; the exit code."""
    model = find_any(find_paths(), given.model, broken=True)
    try:
        seen = inspect(Path(model.path))
    except GgufError as error:
        raise CliError(str(error)) from None
    if given.json:
        print(json.dumps(_as_json(seen)))
    elif given.template:
        if not seen.templates:
            raise CliError(f"{model.label} has no chat template.")
        print(seen.templates.get("default") or next(iter(seen.templates.values())))
    else:
        _print(seen, tensors=given.tensors)
    return OK


def _print(seen: Inspected, *, tensors: bool) -> None:
    header = seen.header
    print(clean(header.path))
    print(
        f"{size_text(header.size)} · GGUF {header.version} · {header.n_tensors:,} tensors · "
        f"{header.n_params:,} parameters · {seen.bits_per_weight:.2f} bits each\n"
    )
    for pair in seen.metadata:
        print(clean(f"{pair.key} = {pair.value}"))
    print()
    types = [[share.type, f"{share.count:,}", size_text(share.size), f"{share.bits:.2f}"] for share in seen.types]
    print("\n".join(table([["type", "tensors", "size", "bits"], *types], {1, 2, 3})))
    print()
    print("\n".join(table([["part", "size"], *([name, size_text(size)] for name, size in seen.groups)], {1})))
    if tensors:
        print()
        rows = [[clean(t.name), t.type, " × ".join(map(str, t.shape)), size_text(t.size)] for t in seen.tensors]
        print("\n".join(table([["tensor", "type", "shape", "size"], *rows], {3})))


def _plain(value: str | int | float) -> str | int | float:
    """JSON knows no infinity and nothing that is no number."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _as_json(seen: Inspected) -> dict[str, Any]:
    header, tokenizer = seen.header, seen.tokenizer
    metadata = {key: _plain(value) for key, value in header.metadata.items() if not isinstance(value, ArrayInfo)}
    lists = {
        pair.key: {"type": pair.type.removesuffix(" list"), "count": pair.length}
        for pair in seen.metadata
        if pair.type.endswith(" list")
    }
    return {
        "path": header.path,
        "size": header.size,
        "n_params": header.n_params,
        "bits_per_weight": round(seen.bits_per_weight, 4),
        "metadata": metadata,
        "lists": lists,
        "types": {share.type: {"count": share.count, "size": share.size} for share in seen.types},
        "parts": dict(seen.groups),
        "tensors": [{"name": t.name, "type": t.type, "shape": t.shape, "size": t.size} for t in seen.tensors],
        "tokenizer": tokenizer
        and {
            "model": tokenizer.model,
            "pre": tokenizer.pre,
            "n_tokens": tokenizer.n_tokens,
            "n_merges": tokenizer.n_merges,
            "special": tokenizer.special,
            "flags": tokenizer.flags,
        },
        "templates": seen.templates,
    }
