"""From the sampling table's values to a list of stages, each with the arguments of its constructor.

The order is that of llama.cpp's ``common/sampling.cpp``: logit bias first, then the chain, then the
one that draws. Two equal stages are the same sampler, so a tweak can keep what has a memory
(penalties, DRY, Mirostat's mu, the random number generator).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from playground.engine.json_schema import to_grammar
from playground.engine.tokens import Vocab
from playground.settings.field import SettingError
from playground.settings.sampling import FIELDS, check_order, read_bias, stages_in_force
from playground.translate import tr

_MIROSTAT_M = 100


class Stage(NamedTuple):
    """A sampler and what it is made with."""

    name: str
    arguments: tuple[Any, ...] = ()


class Plan(NamedTuple):
    """A whole chain."""

    stages: tuple[Stage, ...]
    grammar: str
    history: int
    """How many past tokens its stages want to know."""


def checked(values: Mapping[str, Any], samplers: Sequence[str]) -> dict[str, Any]:
    """The values with their defaults, all valid. Raises SettingError with a sentence."""
    check_order(samplers)
    complete = FIELDS.complete(values)
    if "\0" in complete["grammar"] or any("\0" in text for text in complete["dry_sequence_breakers"]):
        raise SettingError(tr("A grammar or a DRY breaker can’t contain a zero character."))
    if complete["json_schema"].strip():
        if complete["grammar"].strip():
            raise SettingError(
                tr("There is a grammar and a JSON schema; an answer can follow only one. Empty the other.")
            )
        complete["grammar"] = to_grammar(complete["json_schema"])
    return complete


def plan(values: Mapping[str, Any], samplers: Sequence[str], seed: int, n_ctx: int, vocab: Vocab) -> Plan:
    """The chain for checked values. Raises SettingError."""
    acting = stages_in_force(values, check_order(samplers))
    middle = [stage for name in acting if (stage := _stage(name, values, seed, n_ctx, vocab))]
    if "temperature" in acting and values["temp"] <= 0:
        # Exactly greedy: what only cuts or throws candidates out must not take the best one away.
        middle = [stage for stage in middle if stage.name in ("penalties", "dry")] + [Stage("greedy")]
    else:
        # Whoever draws stands last, wherever the order names it.
        middle.sort(key=lambda stage: stage.name in ("adaptive_p", "mirostat_1", "mirostat_2"))
        if not middle or middle[-1].name not in ("adaptive_p", "mirostat_1", "mirostat_2"):
            middle.append(Stage("dist", (seed,)))
    bias = _bias(values, vocab)
    stages = ([Stage("logit_bias", bias)] if bias else []) + middle
    wanted = [stage.arguments[0] for stage in stages if stage.name in ("penalties", "dry")]
    return Plan(tuple(stages), values["grammar"], max(wanted, default=0))


def _stage(name: str, v: Mapping[str, Any], seed: int, n_ctx: int, vocab: Vocab) -> Stage | None:
    """One stage; None where it would do nothing. The first argument of penalties and DRY is their reach."""
    keep = v["min_keep"]
    match name:
        case "penalties":
            reach = _reach(v["penalty_last_n"], n_ctx)
            penalties = (v["penalty_repeat"], v["penalty_freq"], v["penalty_present"])
            return Stage(name, (reach, *penalties)) if reach else None
        case "dry":
            reach = _reach(v["dry_penalty_last_n"], n_ctx)
            breakers = tuple(text for text in v["dry_sequence_breakers"] if text)
            strength = (v["dry_multiplier"], v["dry_base"], v["dry_allowed_length"])
            return Stage(name, (reach, *strength, breakers)) if reach and v["dry_multiplier"] else None
        case "top_n_sigma" | "top_k":
            return Stage(name, (v[name],))
        case "typ_p" | "top_p" | "min_p":
            return Stage(name, (v[name], keep))
        case "xtc":
            return Stage(name, (v["xtc_probability"], v["xtc_threshold"], keep, seed))
        case "temperature":
            if v["mirostat"] != "off":
                return Stage("temp", (v["temp"],))
            return Stage("temp_ext", (v["temp"], v["dynatemp_range"], v["dynatemp_exponent"]))
        case "infill":
            return Stage(name)
        case "adaptive_p":
            return Stage(name, (v["adaptive_target"], v["adaptive_decay"], seed))
        case "mirostat" if v["mirostat"] == "1":
            return Stage("mirostat_1", (seed, v["mirostat_tau"], v["mirostat_eta"], _MIROSTAT_M))
        case "mirostat":
            return Stage("mirostat_2", (seed, v["mirostat_tau"], v["mirostat_eta"]))
    raise SettingError(tr("There is no sampler called “{name}”.", name=name))


def _reach(last_n: int, n_ctx: int) -> int:
    """Tokens looked back; −1 is the whole context."""
    return n_ctx if last_n < 0 else min(last_n, n_ctx)


def _bias(values: Mapping[str, Any], vocab: Vocab) -> tuple[tuple[int, float], ...]:
    """The user's biases, the model's own forbidden tokens, and the end tokens when they are ignored."""
    biases: dict[int, float] = {}
    for entry in values["logit_bias"]:
        token, bias = _parse_bias(entry, vocab.size)
        biases[token] = biases.get(token, 0.0) + bias
    forbidden = set(vocab.suppressed)
    if values["ignore_eos"]:
        forbidden |= vocab.eog
    biases |= dict.fromkeys(sorted(forbidden), float("-inf"))
    return tuple(biases.items())


def _parse_bias(entry: str, n_vocab: int) -> tuple[int, float]:
    token, bias = read_bias(entry)
    if token >= n_vocab:
        raise SettingError(
            tr(
                "There is no token {token} in this model’s vocabulary; the last is {n_vocab}.",
                token=token,
                n_vocab=n_vocab - 1,
            )
        )
    if bias == float("inf"):
        raise SettingError(tr("The bias of token {token} can’t be infinite; use a number like +100.", token=token))
    return token, bias
