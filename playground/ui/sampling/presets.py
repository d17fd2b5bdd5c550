"""Sets of sampling values to start from, what a lane changed of them, and the same as llama.cpp flags."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.settings.field import Field, SettingError
from playground.settings.sampling import (
    DEFAULT_ORDER,
    FIELDS,
    check_order,
    neutral_values,
    usual_order,
)
from playground.ui.editor_popup import escaped
from playground.workspace.lane import Lane


@dataclass(frozen=True)
class Preset:
    """A complete set of values."""

    key: str
    label: str
    values: Mapping[str, Any]
    help: str


def presets_of(lane: Lane) -> list[Preset]:
    """llama.cpp's defaults, what the model file asks for (if it does), and everything off."""
    defaults = FIELDS.defaults()
    made = [Preset("defaults", "llama.cpp defaults", defaults, "The values of llama.cpp’s own tools.")]
    if lane.engine.info is not None:
        own = _accepted(lane.engine.info.default_sampling)
        if own:
            words = "Sampling values that the model’s makers put into its file; the rest as in llama.cpp."
            made.append(Preset("model", "From the model file", defaults | own, words))
    words = "Every sampler off: the model’s own probabilities."
    made.append(Preset("neutral", "Neutral, all off", defaults | neutral_values(), words))
    return made


def _accepted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the table knows and accepts: a model file is a stranger."""
    made = {}
    for name, value in values.items():
        try:
            made[name] = FIELDS[name].check(value)
        except SettingError:
            continue
    return made


def changed_names(lane: Lane, preset: Preset) -> list[str]:
    """Names of the fields that differ from the preset, and ``samplers`` if the order does."""
    names = [row.name for row in FIELDS.fields if lane.sampling.get(row.name, row.default) != preset.values[row.name]]
    if usual_order(lane.samplers) != list(DEFAULT_ORDER):
        names.append("samplers")
    return names


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
