"""The interactive chat: a line, an answer, and commands that begin with a slash."""

from __future__ import annotations

import sys
from collections.abc import Callable

from playground.cli import flags
from playground.cli.errors import OK, CliError, EngineGone
from playground.cli.output import is_terminal
from playground.cli.talk import Talk
from playground.settings import load, sampling
from playground.settings.field import SettingError

_PROMPT, _MORE = "> ", ". "
_TABLES = (sampling.FIELDS, load.FIELDS)


class Interactive:
    """Reads lines until Ctrl+D or ``/exit``."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._done = False
        self._commands: dict[str, tuple[Callable[[str], None], str]] = {
            "help": (self._help, "this list"),
            "exit": (self._exit, "leave; Ctrl+D does the same"),
            "clear": (self._clear, "forget all turns and start anew"),
            "regen": (self._regenerate, "answer the last turn again"),
            "continue": (self._continue, "go on with the last answer"),
            "system": (self._system, "TEXT: how the model should behave; without a text, show it"),
            "set": (self._set, "NAME VALUE: change a setting (/set temp 0.5); without a value, show it"),
            "samplers": (self._samplers, "A;B;C: order of the chain; without names, show it"),
        }

    def run(self) -> int:
        """Chat; the exit code."""
        _line_editing()
        self._talk.load()
        _tell("Type a message. /help lists the commands, Ctrl+C stops an answer, Ctrl+D leaves.")
        while not self._done:
            try:
                line = _read_line()
            except KeyboardInterrupt:
                _tell("\nCtrl+D leaves.")
                continue
            if line is None:
                _tell("")
                break
            self._take(line)
        return OK

    def _take(self, line: str) -> None:
        try:
            if line.startswith("/") and not line.startswith("//"):
                self._command(line[1:])
            elif line.strip():
                self._reload_if_gone()
                self._talk.ask(line.removeprefix("/") if line.startswith("//") else line)
        except EngineGone as error:
            _tell(f"{error}\nThe model is loaded again with your next message.")
        except (CliError, SettingError) as error:
            _tell(str(error))
        except KeyboardInterrupt:
            # A second Ctrl+C: the engine doesn't react, so it goes.
            self._talk.session.close()
            _tell("\nStopped. The model is loaded again with your next message.")

    def _reload_if_gone(self) -> None:
        if not self._talk.session.alive:
            self._talk.load()

    def _command(self, text: str) -> None:
        word, _, rest = text.strip().partition(" ")
        action, _help = self._commands.get(word.lower(), (None, ""))
        if action is None:
            raise CliError(f"There is no command “/{word}”; /help lists them. Begin with // to send a slash.")
        action(rest.strip())

    def _help(self, _rest: str) -> None:
        for name, (_, text) in self._commands.items():
            _tell(f"  /{name:<10}{text}")
        _tell("  A line that ends in \\ goes on in the next one.")

    def _exit(self, _rest: str) -> None:
        self._done = True

    def _clear(self, _rest: str) -> None:
        self._talk.turns.clear()
        _tell("Forgotten.")

    def _regenerate(self, _rest: str) -> None:
        if not self._talk.take_back():
            raise CliError("There is nothing to answer yet.")
        self._reload_if_gone()
        self._talk.answer()

    def _continue(self, _rest: str) -> None:
        if not self._talk.turns:
            raise CliError("There is nothing to go on with yet.")
        self._reload_if_gone()
        self._talk.answer()

    def _system(self, rest: str) -> None:
        if rest:
            self._talk.settings.system = rest
        _tell(self._talk.settings.system or "No system prompt.")

    def _set(self, rest: str) -> None:
        name, _, value = rest.replace("=", " ", 1).partition(" ")
        if not name:
            self._show_changed()
            return
        table, row = flags.find(_TABLES, name)
        values = self._talk.settings.sampling if table is sampling.FIELDS else self._talk.settings.load
        if value.strip():
            given = value.strip()
            parsed = flags.parse(row, [given] if row.kind == "list" else given)
            changed = parsed != values[row.name]
            values[row.name] = parsed
            if changed and table is load.FIELDS:
                self._talk.load()
        _tell(f"{row.label}: {row.show(values[row.name])}")

    def _show_changed(self) -> None:
        settings = self._talk.settings
        rows = [(row, settings.sampling[row.name]) for row in sampling.FIELDS.fields]
        rows += [(row, settings.load[row.name]) for row in load.FIELDS.fields]
        changed = [f"  {row.name} = {row.show(value)}" for row, value in rows if value != row.default]
        _tell("\n".join(changed) or "Everything is at its default; “playground chat --help” lists all settings.")

    def _samplers(self, rest: str) -> None:
        if rest:
            self._talk.settings.samplers = sampling.check_order(flags.parse_order(rest))
        _tell(" → ".join(self._talk.settings.samplers or sampling.DEFAULT_ORDER))


def _read_line() -> str | None:
    """What was typed, with continued lines; None at its end."""
    lines: list[str] = []
    while True:
        try:
            line = _input(_MORE if lines else _PROMPT)
        except EOFError:
            return "\n".join(lines) if lines else None
        if not line.endswith("\\"):
            return "\n".join([*lines, line])
        lines.append(line[:-1])


def _input(prompt: str) -> str:
    if is_terminal(sys.stdout):
        return input(prompt)
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return input()


def _line_editing() -> None:
    try:
        import readline  # noqa: F401 — being imported is its effect on input()
    except ImportError:
        pass


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
