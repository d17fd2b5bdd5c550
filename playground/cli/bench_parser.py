"""The flags of ``playground bench``: llama-bench's, with those of the loading table, each taking a list."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from playground.bench import plan
from playground.bench.report import FORMATS
from playground.cli import flags
from playground.cli.parser import Formatter, Parser
from playground.protocol.commands import BenchTest
from playground.settings import load
from playground.settings.field import Field, SettingError

_EPILOG = """\
examples:
  playground bench                              pp512 and tg128 of the starter model
  playground bench -m qwen -d 0,1024,4096       how speed falls with the context's depth
  playground bench -t 1-8*2 -fa 0,1 -o md       every combination, as a Markdown table
  playground bench -p 0 -n 64 -pg 512,128 -r 3 -o json > speed.json
  playground bench --history -m smollm          earlier results, each against the one before

exit codes: 0 measured, 1 the engine or the output failed, 2 bad input or model, 130 stopped with Ctrl+C
"""


def build() -> Parser:
    """The parser."""
    parser = Parser(
        prog="playground bench",
        usage="playground bench [options]",
        description="Measure how fast models read prompts and write on this machine, as llama-bench does. "
        "Several values between commas are measured in every combination; 1-8*2 is 1,2,4,8.",
        epilog=_EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("what")
    group.add_argument(
        "-m", "--model", metavar="PATH|NAME", action="append",
        help="A GGUF file, or a part of the name of a model that the app knows; may be given several times. "
        "(default: the starter model)",
    )  # fmt: skip
    group.add_argument("-p", "--n-prompt", metavar="N", default="512", help="Tokens of a prompt. (default: 512)")
    group.add_argument("-n", "--n-gen", metavar="N", default="128", help="Tokens to write. (default: 128)")
    group.add_argument(
        "-pg", metavar="PP,TG", action="append", default=[],
        help="A prompt and its answer timed together; may be given several times.",
    )  # fmt: skip
    group.add_argument(
        "-d", "--n-depth", metavar="N", default="0",
        help="Tokens that are in the context before the timed ones. (default: 0)",
    )  # fmt: skip
    group.add_argument("-r", "--repetitions", metavar="N", default="5", help="Repeats of each test. (default: 5)")
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", choices=FORMATS, default="table", help="What to print. (default: table)")
    group.add_argument("-q", "--quiet", action="store_true", help="No progress on the terminal.")
    group.add_argument("--no-history", action="store_true", help="Don’t keep the results.")
    group.add_argument(
        "--history", metavar="N", nargs="?", const="20", help="Measure nothing; print the last N runs. (default: 20)"
    )
    _add_loading(parser.add_argument_group("loading"))
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """A command line. Raises CliError."""
    parser = build()
    return parser.parse_args(flags.attach_values(parser, argv))


def tests_of(given: argparse.Namespace) -> list[BenchTest]:
    """What to measure. Raises PlanError."""
    found = plan.every(
        plan.numbers(given.n_prompt, "-p"),
        plan.numbers(given.n_gen, "-n"),
        [plan.pair(text) for text in given.pg],
        plan.numbers(given.n_depth, "-d"),
    )
    if not found:
        raise plan.PlanError("There is nothing to measure: give -p, -n or -pg a length above 0.")
    return found


def repeats_of(text: str) -> int:
    """Raises PlanError."""
    values = plan.numbers(text, "-r")
    if len(values) != 1 or not 1 <= values[0] <= 1000:
        raise plan.PlanError(f"-r is one number from 1 to 1,000, not “{text}”.")
    return values[0]


def runs_of(text: str) -> int:
    """How many of the kept runs to show. Raises PlanError."""
    values = plan.numbers(text, "--history")
    if len(values) != 1 or values[0] < 1:
        raise plan.PlanError(f"--history is one number of runs from 1, not “{text}”.")
    return values[0]


def loading_of(given: argparse.Namespace) -> dict[str, list[Any]]:
    """The given load options, each with its values. Raises SettingError, PlanError."""
    words = vars(given)
    return {row.name: _values(row, words[row.name]) for row in load.FIELDS.fields if words.get(row.name) is not None}


def _add_loading(group: argparse._ArgumentGroup) -> None:
    for row in load.FIELDS.fields:
        if not row.flags:
            continue
        text = flags.help_of(row)
        if row.name == "n_ctx":
            text = "Tokens the context holds. (default: as many as the longest test needs)"
        elif row.name == "n_seq_max":
            text = "Sequences of the context. (default: 1)"
        if row.kind == "bool":
            group.add_argument(*row.flags, dest=row.name, metavar="0,1", nargs="?", const="1", help=text)
            off = [f"--no-{flag[2:]}" for flag in row.flags if flag.startswith("--")]
            group.add_argument(*off, dest=row.name, action="store_const", const="0", help=argparse.SUPPRESS)
        else:
            group.add_argument(*row.flags, dest=row.name, metavar=flags.metavar_of(row), help=text)


_WORDS: Mapping[str, str] = {"0": "off", "1": "on", "-1": "auto"}
"""llama-bench's numbers for choices such as flash attention."""


def _values(row: Field, text: str) -> list[Any]:
    if row.kind == "int":
        parts = text.split(",")
        values: list[Any] = []
        for part in parts:
            special = part.strip() in (*map(str, row.special), *row.special.values())
            values += [row.parse(part)] if special else map(row.check, plan.numbers(part, row.label))
    else:
        values = [_one(row, part.strip()) for part in text.split(",")]
    return list(dict.fromkeys(values))


def _one(row: Field, part: str) -> Any:
    word = _WORDS.get(part, part)
    if row.kind == "choice" and word in row.choices:
        return word
    try:
        return row.parse(part)
    except ValueError as error:
        raise SettingError(str(error)) from None
