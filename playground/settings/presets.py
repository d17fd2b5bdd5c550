"""Sets of sampling values to start from: built in, from a model's file, and of the user's own, kept as JSON.

A preset file is readable and can be shared; it names only what differs from llama.cpp's defaults::

    {"preset": 1, "name": "Dry prose", "note": "…", "source": "…",
     "values": {"dry_multiplier": 0.8}, "samplers": ["dry", "min_p", "temperature"]}

A file may be a stranger's: it is bounded, and what the table refuses is told, never taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.settings.field import SettingError
from playground.settings.sampling import (
    CHAIN,
    DEFAULT_ORDER,
    FIELDS,
    check_order,
    neutral_values,
    usual_order,
    with_optional,
)
from playground.translate import later, tr

VERSION = 1
MOST_BYTES = 1_000_000
"""A preset's file is never larger: a grammar has at most 200,000 characters."""
_LONGEST_NAME = 60
_LONGEST_NOTE = 500
NOT_KEPT = ("seed", "repeatable")
"""What belongs to one answer rather than to a way of drawing."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A complete set of values."""

    key: str
    """``defaults``, ``model``, ``known:…``, or ``own:`` and the file's name."""
    label: str
    values: Mapping[str, Any]
    help: str
    samplers: Sequence[str] = field(default_factory=lambda: list(DEFAULT_ORDER))
    source: str = ""
    """Where the values come from: words or an address."""

    @property
    def own(self) -> bool:
        """Whether it is a file of the user's."""
        return self.key.startswith("own:")

    @property
    def applied(self) -> dict[str, Any]:
        """The values that a lane takes over: of a built-in one the chain's and what it names, of an own one all."""
        if self.own:
            return {name: value for name, value in self.values.items() if name not in NOT_KEPT}
        chain = {row.name for stage in CHAIN for row in stage.fields}
        return {name: value for name, value in self.values.items() if name in chain or value != FIELDS[name].default}


# fmt: off
_KNOWN: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
    ("greedy", later("Always the likeliest token"), {"temp": 0.0}, later("No luck at all: the same prompt gives the same answer."), "llama.cpp, tools/cli/README.md: temperature 0"),
    ("qwen3-thinking", later("Qwen3, thinking"), {"temp": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.0}, later("What Qwen’s makers advise while the model thinks."), "https://huggingface.co/Qwen/Qwen3-8B (Best Practices)"),
    ("qwen3", later("Qwen3, not thinking"), {"temp": 0.7, "top_k": 20, "top_p": 0.8, "min_p": 0.0}, later("What Qwen’s makers advise without thinking."), "https://huggingface.co/Qwen/Qwen3-8B (Best Practices)"),
    ("gemma3", "Gemma 3", {"temp": 1.0, "top_k": 64, "top_p": 0.95, "min_p": 0.0}, later("What Google ships with Gemma 3."), "https://huggingface.co/google/gemma-3-4b-it (generation_config.json)"),
    ("deepseek-r1", "DeepSeek-R1", {"temp": 0.6, "top_k": 0, "top_p": 0.95, "min_p": 0.0}, later("What DeepSeek advises against endless repetition."), "https://huggingface.co/deepseek-ai/DeepSeek-R1 (Usage Recommendations)"),
    ("min-p", later("Hot, held by min-p"), {"temp": 1.5, "top_k": 0, "top_p": 1.0, "min_p": 0.1}, later("Bold, and still coherent: min-p cuts before temperature flattens."), "Nguyen et al., Min-p Sampling, arXiv 2407.01082"),
    ("xtc-dry", later("Prose: XTC and DRY"), {"temp": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.02, "xtc_probability": 0.5, "xtc_threshold": 0.1, "dry_multiplier": 0.8, "dry_penalty_last_n": -1}, later("Less predictable words, no phrases that come again."), "https://github.com/oobabooga/text-generation-webui/pull/6335 (XTC’s author)"),
)
# fmt: on


def built_in(model_values: Mapping[str, Any] | None = None) -> list[Preset]:
    """llama.cpp's defaults, what the model's file asks for (if it does), everything off, and the known ones."""
    defaults = FIELDS.defaults()
    words = tr("The values of llama.cpp’s own tools.")
    made = [Preset("defaults", tr("llama.cpp defaults"), defaults, words, source="llama.cpp, common/common.h")]
    if own := accepted(model_values or {}):
        words = tr("Sampling values that the model’s makers put into its file; the rest as in llama.cpp.")
        made.append(Preset("model", tr("From the model file"), defaults | own, words, source="general.sampling.*"))
    words = tr("Every sampler off: the model’s own probabilities.")
    made.append(Preset("neutral", tr("Neutral, all off"), defaults | neutral_values(), words))
    for key, label, values, text, source in _KNOWN:
        made.append(Preset(f"known:{key}", tr(label), defaults | values, tr(text), source=tr(source)))
    return made


def accepted(values: Mapping[str, Any]) -> dict[str, Any]:
    """Only what the table knows and accepts: a model file is a stranger."""
    made = {}
    for name, value in values.items():
        try:
            made[name] = FIELDS[name].check(value)
        except SettingError:
            continue
    return made


def changed_names(values: Mapping[str, Any], order: Sequence[str], preset: Preset) -> list[str]:
    """Names of the fields that differ from the preset, and ``samplers`` if the order does."""
    names = [row.name for row in FIELDS.fields if values.get(row.name, row.default) != preset.values[row.name]]
    if usual_order(order) != usual_order(preset.samplers):
        names.append("samplers")
    return names


def preset_of(name: str, values: Mapping[str, Any], order: Sequence[str], note: str = "", source: str = "") -> Preset:
    """A lane's values under a name; without what belongs to one answer. Raises SettingError."""
    kept = FIELDS.complete({key: value for key, value in values.items() if key not in NOT_KEPT})
    title = checked_name(name)
    chain = with_optional(check_order(order), kept)
    return Preset("own:", title, kept, note[:_LONGEST_NOTE], chain, source[:_LONGEST_NOTE])


def checked_name(name: str) -> str:
    """A preset's name, one line, not too long. Raises SettingError."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not plain:
        raise SettingError(tr("A preset needs a name."))
    if len(plain) > _LONGEST_NAME:
        raise SettingError(
            tr(
                "A preset’s name has at most {longest_name} characters, not {plain}.",
                longest_name=_LONGEST_NAME,
                plain=len(plain),
            )
        )
    return plain


def to_text(preset: Preset) -> str:
    """The preset as it is kept and shared."""
    defaults = FIELDS.defaults()
    told = {"preset": VERSION, "name": preset.label, "note": preset.help, "source": preset.source}
    changed = {name: value for name, value in preset.values.items() if value != defaults[name]}
    content = {name: value for name, value in told.items() if value}
    content |= {"values": changed, "samplers": list(preset.samplers)}
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def from_text(text: str, key: str = "own:", name: str = "") -> Preset:
    """The preset of a file. ``name`` stands in for a missing one. Raises SettingError with a sentence."""
    if len(text) > MOST_BYTES:
        raise SettingError(tr("This file is too large to be a preset."))
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingError(
            tr("This isn’t a preset: line {lineno} is not JSON ({msg}).", lineno=error.lineno, msg=error.msg)
        ) from None
    except (ValueError, RecursionError):
        raise SettingError(tr("This isn’t a preset: it can’t be read as JSON.")) from None
    if not isinstance(content, dict) or not isinstance(content.get("values"), dict):
        raise SettingError(tr("This isn’t a preset: it has no “values”."))
    version = content.get("preset", VERSION)
    if version != VERSION:
        raise SettingError(
            tr(
                "This preset has the format {version}; this version of the app reads format {known}.",
                version=f"{version!r:.20}",
                known=VERSION,
            )
        )
    order = content.get("samplers", [])
    if not isinstance(order, list) or not all(isinstance(one, str) for one in order):
        raise SettingError(tr("The preset’s “samplers” are not a list of names."))
    words = {part: str(content.get(part, "")) for part in ("name", "note", "source")}
    made = preset_of(words["name"] or name, content["values"], order, words["note"], words["source"])
    return Preset(key, made.label, made.values, made.help, made.samplers, made.source)


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a comparison."""

    name: str
    label: str
    shown: tuple[str, ...]
    """The value in each preset."""
    differs: bool


def compare(presets: Sequence[Preset]) -> list[Difference]:
    """All settings of several presets beside each other, those that differ first."""
    rows = []
    for row in FIELDS.fields:
        if row.name in NOT_KEPT:
            continue
        values = [preset.values[row.name] for preset in presets]
        rows.append(Difference(row.name, row.label, tuple(map(row.show, values)), any(v != values[0] for v in values)))
    orders = [" › ".join(usual_order(preset.samplers)) for preset in presets]
    rows.append(Difference("samplers", tr("Chain order"), tuple(orders), len(set(orders)) > 1))
    return sorted(rows, key=lambda one: not one.differs)
