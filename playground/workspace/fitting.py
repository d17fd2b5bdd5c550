"""Which engines have to go for a model to be loaded, or what it has to wait for. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from playground.fit.estimate import Needs

Standing: TypeAlias = Literal[
    "hidden",  # loaded, nobody uses it and no lane shows it
    "idle",  # loaded, nobody uses it
    "busy",  # writes, is waited for, or is held by a benchmark: never unloaded
    "loading",  # takes what it was promised
    "leaving",  # its memory is about to come back
]


@dataclass(frozen=True, slots=True)
class Other:
    """Another engine. Sizes in bytes."""

    id: int
    standing: Standing
    gives: int = 0
    """What comes back when its process ends."""
    promised: int = 0
    """What it may still take."""
    used: int = 0
    """Grows with each use: the smallest was used longest ago."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next."""

    kind: Literal["load", "unload", "wait", "refuse"]
    engines: tuple[int, ...] = ()
    """Those to unload, or to wait for."""
    free: int = 0
    """Bytes that there are or will be, with all that can be unloaded."""


def decide(needs: Needs | None, free: int, others: Sequence[Other]) -> Plan:
    """``needs`` is None where nothing is known: llama.cpp decides then. ``free``: bytes the machine has now."""
    if needs is None or needs.whole <= free - sum(other.promised for other in others):
        return Plan("load", free=free)
    moving = tuple(other.id for other in others if other.standing in ("loading", "leaving"))
    if moving:
        return Plan("wait", moving, free)
    idle = sorted(
        (other for other in others if other.standing in ("hidden", "idle")),
        key=lambda other: (other.standing == "idle", other.used),
    )
    at_most = free + sum(other.gives for other in idle)
    for wanted in (needs.whole, needs.private):
        # What runs only while its file is read again and again is worth making room for, too.
        if wanted <= free:
            return Plan("load", free=free)
        if wanted <= at_most:
            return Plan("unload", _fewest(idle, wanted - free), at_most)
    busy = [other for other in others if other.standing == "busy"]
    if needs.private <= at_most + sum(other.gives for other in busy):
        return Plan("wait", tuple(other.id for other in busy), at_most)
    return Plan("refuse", free=at_most)


def _fewest(idle: Sequence[Other], missing: int) -> tuple[int, ...]:
    """Those used longest ago until it is enough, without the ones that then turn out not to be needed."""
    chosen: list[Other] = []
    for other in idle:
        if missing <= 0:
            break
        chosen.append(other)
        missing -= other.gives
    for other in reversed(chosen[:-1]):
        if missing + other.gives <= 0:
            chosen.remove(other)
            missing += other.gives
    return tuple(other.id for other in chosen)
