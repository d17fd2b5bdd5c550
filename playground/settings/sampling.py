"""Every sampler of llama.cpp's chain: its fields, its place, its defaults.

Defaults are those of ``common_params_sampling`` in llama.cpp's ``common/common.h``;
names and flags those of its command-line tools.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.settings.field import Field, SettingError, Table

_COMMON = "llama.cpp’s default (common/common.h)"
_APP = "our default"


@dataclass(frozen=True, slots=True)
class Sampler:
    """One stage of the chain."""

    name: str
    """llama.cpp's name, as in ``--samplers``."""
    label: str
    fields: tuple[Field, ...]
    """The first is its main slider; the others refine it."""
    help: str
    optional: bool = False
    """Not in llama.cpp's default order."""
    replaces: str = ""
    """In words, what it takes the place of when it is on."""

    def is_on(self, values: Mapping[str, Any]) -> bool:
        """Whether the stage changes anything with these values."""
        main = self.fields[0]
        return not main.is_off(values.get(main.name, main.default))


def _f(name: str, label: str, default: Any, text: str, flag: str, **more: Any) -> Field:
    kind = more.pop("kind", "float")
    return Field(name, label, kind, default, text, more.pop("source", _COMMON), flags=tuple(flag.split()), **more)


_SEEDS = 4294967295
_BIAS = re.compile(r"\s*(\d{1,10})\s*([+-])\s*(inf|\d+\.?\d*|\.\d+)\s*", re.IGNORECASE)

# fmt: off
CHAIN: tuple[Sampler, ...] = (
    Sampler(
        "penalties",
        "Penalties",
        (
            _f("penalty_repeat", "Repeat penalty", 1.0, "Makes tokens that were used lately less likely; above 1.3 text turns odd.",
               "--repeat-penalty", low=0.01, high=10, slider=(1, 1.5), step=0.01, off=1.0),
            _f("penalty_last_n", "Repeat last N", 64, "How many tokens back the three penalties look; −1 is the whole context.",
               "--repeat-last-n", kind="int", low=-1, high=1048576, slider=(0, 4096), special={-1: "whole context"}, unit="tokens"),
            _f("penalty_present", "Presence penalty", 0.0, "One fixed step down for every token that occurred at all.",
               "--presence-penalty", low=-2, high=2, slider=(-2, 2), step=0.01, off=0.0),
            _f("penalty_freq", "Frequency penalty", 0.0, "A step down for every time a token occurred.",
               "--frequency-penalty", low=-2, high=2, slider=(-2, 2), step=0.01, off=0.0),
        ),
        "Discourages tokens that were written before.",
    ),
    Sampler(
        "dry",
        "DRY",
        (
            _f("dry_multiplier", "DRY multiplier", 0.0, "Punishes continuing a sequence that was already written; 0.8 is a common start.",
               "--dry-multiplier", low=0, high=100, slider=(0, 5), step=0.01, off=0.0),
            _f("dry_base", "DRY base", 1.75, "How fast the penalty grows with the length of the repetition.",
               "--dry-base", low=1, high=8, slider=(1, 4), step=0.01),
            _f("dry_allowed_length", "DRY allowed length", 2, "Repetitions up to this many tokens are free.",
               "--dry-allowed-length", kind="int", low=1, high=1024, slider=(1, 20), unit="tokens"),
            _f("dry_penalty_last_n", "DRY last N", 64, "How many tokens back DRY looks; −1 is the whole context, 0 switches it off.",
               "--dry-penalty-last-n", kind="int", low=-1, high=1048576, slider=(0, 4096), special={-1: "whole context"}, unit="tokens"),
            _f("dry_sequence_breakers", "DRY breakers", ["\n", ":", '"', "*"], "A repetition is not followed across these strings.",
               "--dry-sequence-breaker", kind="list", max_length=40),
        ),
        "“Don’t repeat yourself”: stops loops of whole phrases.",
    ),
    Sampler(
        "top_n_sigma",
        "Top-n-sigma",
        (_f("top_n_sigma", "Top-n-sigma", -1.0, "Keeps tokens whose logit is within n standard deviations of the best.",
            "--top-nsigma --top-n-sigma", low=0, high=100, slider=(0, 5), step=0.05, off=-1.0),),
        "Cuts by the spread of the logits; holds at high temperature.",
    ),
    Sampler(
        "top_k",
        "Top-k",
        (_f("top_k", "Top-k", 40, "Keeps only the k likeliest tokens.", "--top-k", kind="int", low=0, high=1000000, slider=(0, 200), off=0),),
        "A fixed number of candidates.",
    ),
    Sampler(
        "typ_p",
        "Typical-p",
        (_f("typ_p", "Typical-p", 1.0, "Keeps tokens whose surprise is near the expected one.", "--typical --typical-p",
            low=0, high=1, slider=(0, 1), step=0.01, off=1.0),),
        "Cuts both the too obvious and the too odd.",
    ),
    Sampler(
        "top_p",
        "Top-p",
        (_f("top_p", "Top-p", 0.95, "Keeps the likeliest tokens that together reach probability p.", "--top-p",
            low=0, high=1, slider=(0, 1), step=0.01, off=1.0),),
        "As many candidates as the model’s certainty needs.",
    ),
    Sampler(
        "min_p",
        "Min-p",
        (_f("min_p", "Min-p", 0.05, "Drops tokens less likely than p times the best one.", "--min-p",
            low=0, high=1, slider=(0, 1), step=0.01, off=0.0),),
        "A floor that moves with the best candidate. It runs before temperature.",
    ),
    Sampler(
        "xtc",
        "XTC",
        (
            _f("xtc_probability", "XTC probability", 0.0, "How often the likeliest candidates are thrown out on purpose.",
               "--xtc-probability", low=0, high=1, slider=(0, 1), step=0.01, off=0.0),
            _f("xtc_threshold", "XTC threshold", 0.1, "Only tokens at least this likely can be thrown out; above 0.5 nothing is.",
               "--xtc-threshold", low=0, high=1, slider=(0, 0.5), step=0.01),
        ),
        "Excludes top choices: less predictable prose.",
    ),
    Sampler(
        "temperature",
        "Temperature",
        (
            _f("temp", "Temperature", 0.8, "Below 1 sharpens, above 1 flattens the probabilities; 0 always takes the best token.",
               "--temp --temperature", low=0, high=100, slider=(0, 2), step=0.01, off=1.0),
            _f("dynatemp_range", "Dynamic range", 0.0, "Lets the temperature move by this much with the model’s uncertainty.",
               "--dynatemp-range", low=0, high=100, slider=(0, 5), step=0.01, off=0.0),
            _f("dynatemp_exponent", "Dynamic exponent", 1.0, "How uncertainty maps to temperature.",
               "--dynatemp-exp", low=0, high=10, slider=(0, 5), step=0.01),
        ),
        "How bold the draw is.",
    ),
    Sampler(
        "infill",
        "Infill",
        (_f("infill", "Infill", False, "For fill-in-the-middle models: prefers ending over starting words it can’t finish.",
            "--infill", kind="bool", off=False, source=_APP),),
        "Only for fill-in-the-middle; after top-k and top-p.",
        optional=True,
    ),
    Sampler(
        "adaptive_p",
        "Adaptive-p",
        (
            _f("adaptive_target", "Adaptive-p target", -1.0, "Draws tokens whose probability is near this target on average.",
               "--adaptive-target", low=0, high=1, slider=(0, 1), step=0.01, off=-1.0),
            _f("adaptive_decay", "Adaptive-p decay", 0.9, "How long the average remembers.", "--adaptive-decay",
               low=0, high=0.99, slider=(0, 0.99), step=0.01),
        ),
        "Chooses the token itself, at the end of the chain.",
        optional=True,
        replaces="the random draw",
    ),
    Sampler(
        "mirostat",
        "Mirostat",
        (
            _f("mirostat", "Mirostat", "off", "Steers the surprise of the text to a target; takes the place of the chain.",
               "--mirostat", kind="choice", choices=("off", "1", "2"), off="off"),
            _f("mirostat_tau", "Mirostat target (tau)", 5.0, "The surprise aimed at, in bits.", "--mirostat-ent",
               low=0, high=20, slider=(0, 10), step=0.1),
            _f("mirostat_eta", "Mirostat rate (eta)", 0.1, "How fast it corrects itself.", "--mirostat-lr",
               low=0, high=1, slider=(0, 1), step=0.01),
        ),
        "With temperature only; the other samplers rest.",
        optional=True,
        replaces="every sampler but logit bias and temperature",
    ),
)
# fmt: on
"""Every stage, in llama.cpp's default order; the optional ones after it."""

SAMPLERS: Mapping[str, Sampler] = {stage.name: stage for stage in CHAIN}

DEFAULT_ORDER: tuple[str, ...] = tuple(stage.name for stage in CHAIN if not stage.optional)

ORDERABLE: tuple[str, ...] = tuple(stage.name for stage in CHAIN if stage.name != "mirostat")
"""What ``--samplers`` may name. Mirostat replaces the chain and has no place in it."""

# fmt: off
LENGTH_AND_LUCK: tuple[Field, ...] = (
    _f("max_tokens", "Max tokens", -1, "Where an answer is cut at the latest.", "-n --predict --n-predict", kind="int",
       low=1, high=1048576, special={-1: "until done"}, unit="tokens"),
    _f("seed", "Seed", -1, "The same seed, settings and prompt draw the same tokens.", "-s --seed", kind="int",
       low=0, high=_SEEDS - 1, special={-1: "random"}),
    _f("repeatable", "Repeatable", False, "The same bits every time: each answer reads the whole conversation anew, alone, without flash attention. Slower.",
       "--repeatable", kind="bool", source=_APP),
    _f("stop", "Stop strings", [], "The answer ends before the first of these.", "-r --reverse-prompt", kind="list",
       max_length=200, source=_APP),
    _f("min_keep", "Min keep", 0, "Cutting samplers leave at least this many candidates.", "--min-keep", kind="int",
       low=0, high=1000, source=_COMMON),
    _f("ignore_eos", "Ignore end of turn", False, "Keeps writing past the model’s own end.", "--ignore-eos", kind="bool"),
    _f("logit_bias", "Logit bias", [], "Token id and a bias, “15043+1.5” or “15043-inf”: more or less likely by that much.", "-l --logit-bias",
       kind="list", max_length=40),
    _f("grammar", "Grammar", "", "A GBNF grammar that the answer must follow.", "--grammar", kind="text", max_length=200_000),
    _f("json_schema", "JSON schema", "", "A JSON schema that the answer must follow; a grammar is made of it. Remote references aren’t fetched.",
       "-j --json-schema", kind="text", max_length=200_000),
)
# fmt: on

FIELDS = Table("sampling", (*(row for stage in CHAIN for row in stage.fields), *LENGTH_AND_LUCK))
"""All sampling fields by name."""


def check_order(names: Sequence[str]) -> list[str]:
    """A chain order with each name once, else SettingError. Empty: llama.cpp's default order."""
    order = list(names) or list(DEFAULT_ORDER)
    for name in order:
        if name not in ORDERABLE:
            raise SettingError(f"There is no sampler called “{name}”. Known: {', '.join(ORDERABLE)}.")
    if len(set(order)) != len(order):
        raise SettingError("Each sampler can stand in the chain only once.")
    return order


def usual_order(order: Sequence[str]) -> list[str]:
    """The order without the optional stages, which stand in it only while they are on."""
    return [name for name in check_order(order) if not SAMPLERS[name].optional]


def with_optional(order: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    """The order with each optional stage in it exactly while it is on.

    Infill goes behind top-k and top-p as in llama.cpp's own infill chain, adaptive-p to the end.
    """
    made = check_order(order)
    for stage in CHAIN:
        if not stage.optional or stage.name == "mirostat":
            continue
        if not stage.is_on(values):
            made = [name for name in made if name != stage.name]
        elif stage.name not in made:
            cuts = [made.index(name) for name in ("top_k", "top_p") if name in made]
            made.insert(max(cuts) + 1 if stage.name == "infill" and cuts else len(made), stage.name)
    return made


def bias_entry(token: int, bias: float) -> str:
    """A logit bias as llama.cpp writes it: “15043+1.5”, “15043-inf”."""
    return f"{token}-inf" if bias == float("-inf") else f"{token}{bias:+.6f}".rstrip("0").rstrip(".")


def read_bias(entry: str) -> tuple[int, float]:
    """Token id and bias of such an entry. Raises SettingError."""
    found = _BIAS.fullmatch(entry)
    if not found:
        raise SettingError(f"A logit bias is a token id and a number, like “15043+1.5” or “15043-inf”; not “{entry}”.")
    return int(found[1]), float(found[2] + found[3])


def neutral_values() -> dict[str, Any]:
    """Every sampler at the value where it does nothing."""
    return {row.name: row.off for stage in CHAIN for row in stage.fields if row.off is not None}


def stages_in_force(values: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    """The stages that will really change something, in order; Mirostat replaces the others."""
    if values.get("mirostat", "off") != "off":
        return ["temperature", "mirostat"]
    return [name for name in check_order(order) if name in SAMPLERS and _acts(name, values)]


def _acts(name: str, values: Mapping[str, Any]) -> bool:
    return any(
        row.off is not None and not row.is_off(values.get(row.name, row.default)) for row in SAMPLERS[name].fields
    )
