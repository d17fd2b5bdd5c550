"""``playground chat``: one answer, or a conversation in the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from playground import __version__
from playground.cli import flags, parser, prompt_cache
from playground.cli.ending import run_to_end
from playground.cli.errors import OK, CliError
from playground.cli.find_model import find_model
from playground.cli.interactive import Interactive
from playground.cli.output import JsonOutput, Output, TextOutput, is_terminal
from playground.cli.session import Session
from playground.cli.talk import Settings, Talk, refuse_empty
from playground.settings import load, sampling

MAX_PROMPT = 16 * 1024 * 1024
"""Bytes of a prompt from a file or a pipe: more than any context holds."""


def main(argv: Sequence[str], prog: str = "playground chat") -> int:
    """Run the command; the exit code. Nothing but its one sentence comes out of an error."""
    return run_to_end(lambda: _run(argv))


def _run(argv: Sequence[str]) -> int:
    given = parser.parse(argv)
    if given.version:
        print(f"playground {__version__}")
        return OK
    settings = read_settings(given)
    prompt = _read_prompt(given)
    if prompt is None and given.json:
        raise CliError("--json needs a prompt.")
    model = find_model(given.model, given.yes, given.quiet or given.json)
    output: Output = JsonOutput() if given.json else TextOutput(given.quiet)
    path, cache = Path(model.path).absolute(), prompt_cache.of(given)
    with Session(path, settings.load, governed=not given.no_governor, cache=cache) as session:
        talk = Talk(session, output, settings, model.name)
        if prompt is None:
            return Interactive(talk).run()
        talk.load()
        return talk.ask(prompt)


def read_settings(given: argparse.Namespace) -> Settings:
    """Settings from the command line. Raises SettingError, CliError."""
    values = flags.collect(given, sampling.FIELDS)
    if given.grammar_file:
        values["grammar"] = sampling.FIELDS["grammar"].check(read_text(given.grammar_file))
    return Settings(
        sampling=sampling.FIELDS.complete(values),
        samplers=sampling.check_order(flags.parse_order(given.samplers)) if given.samplers is not None else [],
        load=load.FIELDS.complete(flags.collect(given, load.FIELDS)),
        system=given.system_prompt,
        use_template=not given.no_template,
        thinking=given.thinking,
    )


def _read_prompt(given: argparse.Namespace) -> str | None:
    """The prompt; None if someone is there to be asked for it."""
    words = " ".join(given.prompt)
    if words == "-" or (not words and not given.file and not is_terminal(sys.stdin)):
        words = _read_stdin()
    elif not words and not given.file:
        return refuse_empty(words) if given.prompt else None
    parts = [read_text(given.file)] if given.file else []
    return refuse_empty("\n\n".join([*parts, words] if words else parts))


def _read_stdin() -> str:
    if sys.stdin is None:
        return ""
    return _decode(sys.stdin.buffer.read(MAX_PROMPT + 1), "Standard input")


def read_text(path: str) -> str:
    """A text file. Raises CliError."""
    try:
        with Path(path).expanduser().open("rb") as file:
            return _decode(file.read(MAX_PROMPT + 1), f"“{path}”")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CliError(f"“{path}” could not be read: {reason}.") from None


def _decode(data: bytes, what: str) -> str:
    if len(data) > MAX_PROMPT:
        raise CliError(f"{what} holds more than {MAX_PROMPT // 1024 // 1024} MB, too much for a prompt.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CliError(f"{what} is no text in UTF-8.") from None
