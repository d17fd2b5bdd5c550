"""Results as curves over the context's depth, as a plot draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playground.bench.report import cells_of, option_words, varied
from playground.bench.result import Result
from playground.translate import tr

Kind: TypeAlias = Literal["prompt", "writing"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One test at several depths, all else being equal."""

    kind: Kind
    label: str
    """“pp512”, or “pp512 · 4 threads” where a run has several of it."""
    points: tuple[Result, ...]
    """By depth, shallow ones first."""


def curves(results: Sequence[Result]) -> list[Curve]:
    """Every test that only reads or only writes; one curve for each length, model and set of options."""
    groups: dict[tuple[object, ...], list[Result]] = {}
    for result in results:
        if not (result.n_prompt and result.n_gen):
            key = (result.n_prompt, result.n_gen, *result.model_key, *result.options_key)
            groups.setdefault(key, []).append(result)
    names = [_length(group[0]) for group in groups.values()]
    made = []
    for group in groups.values():
        first, name = group[0], _length(group[0])
        label = name if names.count(name) == 1 else " · ".join([name, *_differences(first, results)])
        points = tuple(sorted(group, key=lambda result: result.n_depth))
        made.append(Curve("prompt" if first.n_prompt else "writing", label, points))
    return made


def _length(result: Result) -> str:
    return f"pp{result.n_prompt}" if result.n_prompt else f"tg{result.n_gen}"


def _differences(result: Result, others: Sequence[Result]) -> list[str]:
    """What tells this result from the others of its run, in words."""
    cells = cells_of(result)
    words = [f"{result.model_name} {result.quant}"] if len({other.model_key for other in others}) > 1 else []
    if len({(other.n_threads, other.n_threads_batch) for other in others}) > 1:
        words.append(tr("{threads} threads", threads=cells["threads"]))
    several = [name for name in varied(others) if len({getattr(other, name) for other in others}) > 1]
    return words + [option_words(result, name) for name in several]
