"""``playground models``: models found, looked at and kept, each verb one row of a table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from playground.cli.ending import run_to_end
from playground.cli.errors import OK, CliError
from playground.cli.parser import Formatter, Parser


@dataclass(frozen=True, slots=True)
class Verb:
    """A row: ``playground models NAME``."""

    name: str
    help: str
    """One sentence for the list of verbs."""
    module: str
    """Below `playground.cli`; imported only when its verb is given. See `VerbModule`."""


class VerbModule(Protocol):
    """What a verb's module has."""

    EXAMPLES: str
    """Lines below “examples:” in its help."""

    def build(self, parser: argparse.ArgumentParser) -> None:
        """Add its arguments."""

    def run(self, given: argparse.Namespace) -> int:
        """Do it; the exit code. Raises CliError."""


VERBS: tuple[Verb, ...] = (
    Verb("search", "Find models on the Hugging Face Hub.", "models_search"),
    Verb("show", "What a model on the Hub is, and which of its files this machine can run.", "models_show"),
    Verb("account", "Whose access token the Hub is sent, and where it is kept; sign in and out.", "models_account"),
    Verb("shelf", "A few good open-weight models of each size.", "models_shelf"),
    Verb("get", "Download a model from the Hub, checked by its digest.", "models_get"),
    Verb("list", "The models on this machine, wherever they lie.", "models_list"),
    Verb("inspect", "All that a model’s file says of itself.", "models_inspect"),
    Verb("verify", "Read a model’s file whole and compare its digest with the published one.", "models_verify"),
    Verb("quantize", "Make another quant of a model.", "models_quantize"),
    Verb("rm", "Put a model that we made or fetched into the trash.", "models_rm"),
)

EXIT_CODES = "exit codes: 0 done, 1 the Hub, the disk or the engine failed, 2 bad input or no such model, 130 Ctrl+C"


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code."""
    return run_to_end(lambda: _run(list(argv)))


def _run(words: list[str]) -> int:
    verb = next((verb for verb in VERBS if words[:1] == [verb.name]), None)
    if verb is None:
        return _none_of_them(words)
    module = cast(VerbModule, import_module(f"playground.cli.{verb.module}"))
    parser = Parser(
        prog=f"playground models {verb.name}",
        description=verb.help,
        epilog=f"examples:\n{module.EXAMPLES}\n{EXIT_CODES}",
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    module.build(parser)
    return module.run(parser.parse_args(words[1:]))


def _none_of_them(words: list[str]) -> int:
    listed = "\n".join(f"  {verb.name:<10}{verb.help}" for verb in VERBS)
    parser = Parser(
        prog="playground models",
        usage="playground models VERB [options]",
        description="Find models, and look after those that are here.",
        epilog=f"verbs:\n{listed}\n\nEach has its own --help.\n{EXIT_CODES}",
        formatter_class=Formatter,
        allow_abbrev=False,
    )
    parser.add_argument("verb", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.verb:
        known = ", ".join(verb.name for verb in VERBS)
        raise CliError(f"There is no “playground models {given.verb}”; there are: {known}.")
    parser.print_help()
    return OK
