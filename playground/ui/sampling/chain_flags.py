"""A chain's order with one stage moved, and a lane's sampling as llama.cpp flags."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from playground.settings.field import Field
from playground.settings.sampling import FIELDS, check_order
from playground.ui.editor_popup import escaped


def moved(order: Sequence[str], name: str, place: int) -> list[str]:
    """The order with one stage at another place; places count without it."""
    rest = [other for other in order if other != name]
    place = min(max(place, 0), len(rest))
    return [*rest[:place], name, *rest[place:]]


def command_line(values: Mapping[str, Any], order: Sequence[str]) -> str:
    """All values that are not llama.cpp's defaults as flags of its tools, and the chain's order."""
    parts: list[str] = []
    for row in FIELDS.fields:
        value = values.get(row.name, row.default)
        if value != row.default and row.flags and row.name != "infill":
            parts += _flag(row, value)
    names = check_order(order)
    return " ".join([*parts, "--samplers", shlex.quote(";".join(names))])


def _flag(row: Field, value: Any) -> list[str]:
    flag = next((name for name in row.flags if name.startswith("--")), row.flags[0])
    if row.kind == "bool":
        return [flag] if value else []
    if row.kind == "list":
        if not value:
            return [flag, "none"] if row.name == "dry_sequence_breakers" else []
        return [part for entry in value for part in (flag, shlex.quote(escaped(entry)))]
    if row.kind == "choice":
        return [flag, "0" if value == "off" else str(value)]
    if row.kind == "text":
        return [flag, shlex.quote(value)]
    return [flag, f"{value:g}" if row.kind == "float" else str(value)]
