"""Whether a model fits into the memory there is, and what would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from playground.fit.estimate import Model, Needs, Options

Kind: TypeAlias = Literal["fits", "tight", "refused", "unknown"]
LEAST_CTX = 512
"""A smaller context isn't worth offering."""
SMALL_CACHE = ("q8_0", "q4_0")
_STEP = 256
_SPARE = 64_000_000
"""Bytes that stay free in what is offered: figures move between now and the load."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is needed against what is there."""

    kind: Kind
    """``tight``: it runs, but parts of the file are read again and again while it writes."""
    needs: Needs | None
    free: int
    """Bytes that were free, those included that idle engines would give back."""

    @property
    def missing(self) -> int:
        """Bytes to free before it can be loaded."""
        return max(0, self.needs.private - self.free) if self.needs else 0


@dataclass(frozen=True, slots=True)
class Offer:
    """Load options with which it would fit."""

    changes: dict[str, Any]
    needs: Needs


def judge(model: Model, options: Options, free: int) -> Verdict:
    """Whether it fits. The model's own context (0) is cut to what fits when it is loaded, so a small one counts."""
    if not options.n_ctx:
        options = options.with_(n_ctx=min(4096, model.n_ctx(options)))
    needs = model.needs(options)
    if needs is None:
        return Verdict("unknown", None, free)
    if needs.private > free:
        return Verdict("refused", needs, free)
    return Verdict("tight" if needs.whole > free else "fits", needs, free)


def largest_n_ctx(model: Model, options: Options, free: int, *, whole: bool = False) -> int:
    """The largest context that fits, up to what the model was made for; 0 when not even the least does."""
    low, high = 0, model.n_ctx(options.with_(n_ctx=0)) // _STEP
    while low < high:
        middle = (low + high + 1) // 2
        needs = model.needs(options.with_(n_ctx=middle * _STEP))
        if needs is not None and _takes(needs, whole) <= free:
            low = middle
        else:
            high = middle - 1
    return low * _STEP if low * _STEP >= LEAST_CTX else 0


def offers(model: Model, options: Options, free: int, *, whole: bool = False) -> list[Offer]:
    """What to load it with instead, the smallest change first: another cache type, then a smaller context.

    ``whole``: so that all of the file stays in memory, too.
    """
    room, found = free - _SPARE, list[Offer]()
    wanted = options.with_(n_ctx=model.n_ctx(options))
    best: dict[str, Any] = {}
    if options.flash_attn != "off":
        for kind in SMALL_CACHE:
            smaller = wanted.with_(cache_type_k=kind, cache_type_v=kind)
            needs = model.needs(smaller)
            if needs is None or needs.cache >= (model.needs(wanted) or needs).cache:
                continue
            best = {"cache_type_k": kind, "cache_type_v": kind}
            if _takes(needs, whole) <= room:
                found.append(Offer(best, needs))
                break
    for changes in ({}, best) if best and not found else ({},):
        n_ctx = _round(largest_n_ctx(model, wanted.with_(**changes), room, whole=whole))
        if LEAST_CTX <= n_ctx < wanted.n_ctx:
            needs = model.needs(wanted.with_(**changes, n_ctx=n_ctx))
            if needs is not None:
                found.append(Offer({**changes, "n_ctx": n_ctx}, needs))
    return found


def _takes(needs: Needs, whole: bool) -> int:
    return needs.whole if whole else needs.private


def _round(n_ctx: int) -> int:
    """A figure that people know, where that costs less than a quarter."""
    power = 1 << max(0, n_ctx.bit_length() - 1)
    for known in (power + power // 2, power):
        if known <= n_ctx and known * 4 >= n_ctx * 3:
            return known
    return n_ctx // 1024 * 1024 if n_ctx >= 4096 else n_ctx
