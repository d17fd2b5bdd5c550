"""What a model needs, what there is, and what would fit instead. Reads headers: not for the window's thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.settings.field import SettingError
from playground.settings.load import FIELDS
from playground.workspace.lane import ModelRef

if TYPE_CHECKING:  # what fits is asked after the window's first picture
    from playground.fit.advice import Offer
    from playground.fit.estimate import Model, Needs, Options

_MOST_SMALLER = 2


@dataclass(frozen=True, slots=True)
class Advice:
    """The numbers of a load that doesn't fit."""

    needs: Needs | None
    free: int
    """Bytes, with what idle engines would give back."""
    offers: tuple[Offer, ...] = ()
    smaller: tuple[ModelRef, ...] = ()
    """The same model in a smaller quant that fits, the largest first."""


def read_model(path: str) -> Model | None:
    """A model's headers as far as memory goes; None where they can't be read, which the engine says better."""
    from playground.models.gguf import GgufError  # not before the window's first picture
    from playground.models.split import read_whole_header

    try:
        return read_whole_header(path).fit()
    except (GgufError, OSError):
        return None


def options_of(values: Mapping[str, Any]) -> Options:
    """Complete load options from those that differ. Odd ones, from an old chat, are the engine's to refuse."""
    from playground.fit.estimate import Options

    try:
        return Options.of(FIELDS.complete(values))
    except SettingError:
        return Options()


def advise(model: Model, options: Options, free: int, quants: Sequence[ModelRef], *, whole: bool = False) -> Advice:
    """What would fit in ``free`` bytes; ``quants`` are other files of the same model, the largest first.

    ``whole``: without reading its file again and again.
    """
    from playground.fit.advice import judge, offers

    good = ("fits",) if whole else ("fits", "tight")
    smaller: list[ModelRef] = []
    for ref in quants:
        other = read_model(ref.path)
        if other is not None and judge(other, options, free).kind in good:
            smaller.append(ref)
        if len(smaller) == _MOST_SMALLER:
            break
    return Advice(
        judge(model, options, free).needs, free, tuple(offers(model, options, free, whole=whole)), tuple(smaller)
    )


def other_quants(models: Sequence[ModelRef], path: str) -> list[ModelRef]:
    """Smaller files of the same model, the largest first."""
    this = next((model for model in models if model.path == path), None)
    if this is None:
        return []
    found = [model for model in models if model.name == this.name and 0 < model.size < this.size]
    return sorted(found, key=lambda model: -model.size)
