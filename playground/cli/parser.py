"""The parser of ``playground chat``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from playground.cli import flags, prompt_cache
from playground.cli.errors import CliError
from playground.settings import load, sampling

_EPILOG = """\
examples:
  playground chat "Write a Python function that reverses a string."
  playground chat                           an interactive chat; /help lists its commands
  playground chat -m ggml-org/gemma-3-1b-it-GGUF:Q4_K_M "Hello"
  playground chat -m model.gguf --temp 0 --seed 1 -n 200 "Count to ten."
  git diff | playground chat -m qwen -sys "Write a commit message."
  playground chat --json --temp 0 "Hello" | jq .text

exit codes: 0 answered, 1 the engine or the output failed, 2 bad input or model, 130 stopped with Ctrl+C
"""


class Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are CliErrors: one sentence, no usage wall."""

    def error(self, message: str) -> NoReturn:
        """Raise CliError."""
        sentence = message[:1].upper() + message[1:]
        raise CliError(f"{sentence.rstrip('.')}. See “{self.prog} --help”.")


def build() -> Parser:
    """The parser with a flag for every row of the tables."""
    parser = Parser(
        prog="playground chat",
        usage="playground chat [options] [PROMPT]",
        description="Chat with a local model in the terminal.",
        epilog=_EPILOG,
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "prompt",
        nargs="*",
        metavar="PROMPT",
        help="What to ask; “-” reads standard input. Without it: a chat.",
    )
    _add_model(parser)
    _add_prompt(parser)
    _add_output(parser)
    for stage in sampling.CHAIN:
        flags.add_table(parser.add_argument_group(f"sampling: {stage.label}", stage.help), stage.fields)
    group = parser.add_argument_group("sampling: length and luck")
    flags.add_table(group, sampling.LENGTH_AND_LUCK)
    group.add_argument("--grammar-file", metavar="FILE", help="Read the grammar from a file.")
    group.add_argument(
        "--samplers",
        metavar="ORDER",
        help=f"Order of the chain, names between semicolons. (default: {';'.join(sampling.DEFAULT_ORDER)}; "
        f"also: {', '.join(name for name in sampling.ORDERABLE if name not in sampling.DEFAULT_ORDER)})",
    )
    group = parser.add_argument_group("loading")
    flags.add_table(group, load.FIELDS.fields)
    group.add_argument(
        "--no-governor", action="store_true", help="Keep the thread count while other programs need the cores."
    )
    prompt_cache.add_flags(group)
    return parser


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """A command line's flags and words. Raises CliError."""
    parser, words = build(), list(argv)
    end = words.index("--") if "--" in words else len(words)
    given = parser.parse_intermixed_args(flags.attach_values(parser, words[:end]))
    given.prompt += words[end + 1 :]
    return given


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument(
        "-m",
        "--model",
        metavar="PATH|NAME|REPO",
        help="A GGUF file, a part of the name of a model that the app knows, or “owner/name:quant” on the Hub. "
        "(default: the starter model)",
    )
    group.add_argument("-y", "--yes", action="store_true", help="Don’t ask before more than 100 MB are downloaded.")


def _add_prompt(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("prompt")
    group.add_argument("-f", "--file", metavar="FILE", help="A text to put before PROMPT, or in its place.")
    group.add_argument(
        "-sys",
        "--system-prompt",
        metavar="TEXT",
        default="",
        help="How the model should behave; stands before all turns.",
    )
    group.add_argument(
        "--no-template",
        action="store_true",
        help="Complete the text as it is, without the model’s chat template.",
    )
    group.add_argument(
        "--thinking",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="Let a model that can think first do so or not; default: as its template says.",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="One JSON line for each event, each token among them.")
    group.add_argument("-q", "--quiet", action="store_true", help="Only the answer; no progress, no figures.")
    group.add_argument("--version", action="store_true", help="Show the version and exit.")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Wider columns; the default that argparse would append to boolean flags is in the help already."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help
