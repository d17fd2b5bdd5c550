"""Command-line flags out of the setting tables: one row, one flag; nothing is listed twice."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from playground.settings.field import Field, SettingError, Table

_METAVARS = {"float": "X", "int": "N", "text": "TEXT", "list": "TEXT"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'"}
_ESCAPED_LISTS = ("stop", "dry_sequence_breakers")


def add_table(group: argparse._ArgumentGroup, rows: Iterable[Field]) -> None:
    """Give an argument group a flag for every row. Absent flags leave nothing in the namespace."""
    for row in rows:
        if not row.flags:
            continue
        more: dict[str, Any] = {"dest": row.name, "default": argparse.SUPPRESS}
        if row.kind == "bool":
            group.add_argument(*row.flags, action=argparse.BooleanOptionalAction, help=help_of(row), **more)
        else:
            more["action"] = "append" if row.kind == "list" else "store"
            group.add_argument(*row.flags, metavar=metavar_of(row), help=help_of(row), **more)


def collect(namespace: argparse.Namespace, table: Table) -> dict[str, Any]:
    """The values that were given, each parsed and checked by its row. Raises SettingError."""
    given = vars(namespace)
    return {row.name: parse(row, given[row.name]) for row in table.fields if row.name in given}


def parse(row: Field, given: Any) -> Any:
    """One flag's value. Raises SettingError."""
    if isinstance(given, bool):
        return row.check(given)
    if row.kind == "list":
        return _parse_list(row, given)
    # llama.cpp's tools write 0 where this table says “off”.
    return row.parse("off" if row.kind == "choice" and given == "0" and "off" in row.choices else given)


def parse_order(text: str) -> list[str]:
    """``--samplers``: names between semicolons or commas, llama.cpp's other spellings included."""
    names = [name.strip().lower().replace("-", "_") for name in text.replace(",", ";").split(";")]
    return [_SPELLINGS.get(name, name) for name in names if name]


_SPELLINGS = {
    "temp": "temperature",
    "typical_p": "typ_p",
    "typical": "typ_p",
    "typ": "typ_p",
    "nucleus": "top_p",
}


def find(tables: Iterable[Table], name: str) -> tuple[Table, Field]:
    """A row by its name, flag or label: “temp”, “top-k”, “Top-k”. Raises SettingError."""
    wanted = _plain(name)
    for table in tables:
        for row in table.fields:
            if wanted in {_plain(known) for known in (row.name, row.label, *row.flags)}:
                return table, row
    raise SettingError(f"There is no setting called “{name}”.")


def attach_values(parser: argparse.ArgumentParser, argv: Sequence[str]) -> list[str]:
    """Write ``--flag value`` as ``--flag=value``, so that a value may begin with a dash: ``-n -1``."""
    actions = parser._option_string_actions
    result: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        action = actions.get(word)
        if action is not None and action.nargs is None and rest and rest[0] not in actions:
            word = f"{word}={rest.pop(0)}"
        result.append(word)
    return result


def _plain(name: str) -> str:
    return name.strip().lstrip("-").lower().replace("-", "_").replace(" ", "_")


def help_of(row: Field) -> str:
    """A flag's help: its row's words, range and default."""
    facts = [] if row.kind in ("bool", "choice", "text", "list") else [row.range_text()]
    facts += [f"{value} = {word}" for value, word in row.special.items()]
    if row.off is not None and row.off not in row.special and row.kind not in ("bool", "choice"):
        facts.append(f"{row.off:g} = off")
    if row.kind == "list":
        facts.append("may be given several times")
    facts.append(f"default: {row.show(row.default)}")
    return f"{row.help} ({'; '.join(facts)})".replace("%", "%%")


def metavar_of(row: Field) -> str:
    """What stands for a flag's value."""
    return "{" + ",".join(row.choices) + "}" if row.kind == "choice" else _METAVARS[row.kind]


def _parse_list(row: Field, given: Sequence[str]) -> list[str]:
    if row.default and list(given) == ["none"]:
        return []
    entries = [_unescape(entry) for entry in given] if row.name in _ESCAPED_LISTS else given
    return list(row.check([entry for entry in entries if entry]))


def _unescape(text: str) -> str:
    r"""``\n`` and its like, as llama.cpp's tools take them."""
    parts: list[str] = []
    letters = iter(text)
    for letter in letters:
        if letter != "\\":
            parts.append(letter)
            continue
        after = next(letters, "")
        parts.append(_ESCAPES.get(after, "\\" + after))
    return "".join(parts)
