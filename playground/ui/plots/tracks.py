"""Which engines the memory plot shows, and what a picture of it consists of. Plain numpy, no Qt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.workspace.lane import EngineFacts, Lane, Spell
from playground.workspace.memory_parts import PARTS, Parts, split

Floats: TypeAlias = NDArray[Any]
"""Figures in GB have 32 bits: half the memory to walk through at every picture."""

KEPT_ROWS, BLOCK = 6000, 500
"""Newest samples of an engine that are drawn: 25 minutes of writing. The oldest go in blocks, see `recent`."""
KEPT_ENDED = 4
"""Ended engines whose history stays in sight."""

_OFF = frozenset({"empty", "failed", "unloaded"})


@dataclass(slots=True)
class Track:
    """One engine and the lanes that it serves."""

    facts: EngineFacts
    letters: str
    name: str
    ended_ns: int = 0
    _split: tuple[object, Parts | None] = (None, None)
    """The parts of the sample that was asked about last."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return not self.ended_ns

    @property
    def last(self) -> Any:
        """Its newest sample."""
        return self.facts.memory.rows.view[-1]

    def value(self, key: str) -> int:
        """Bytes now: of a part, or of the whole engine when the key is none."""
        if key not in PARTS:
            return int(self.last["rss"])
        sample = (len(self.facts.memory.rows), self.facts.info)
        known, parts = self._split
        if parts is None or known != sample:
            parts = split(self.facts.info, self.last)
            self._split = (sample, parts)
        return int(getattr(parts, key))


class Tracks:
    """Follows which engines the lanes have; ended ones stay a while, so that memory is seen to come back."""

    def __init__(self) -> None:
        self.all: list[Track] = []

    @property
    def alive(self) -> list[Track]:
        """Engines that run, in the order of their lanes."""
        return sorted((track for track in self.all if track.alive), key=lambda track: track.letters)

    def follow(self, lanes: Sequence[Lane]) -> None:
        """Take in what the lanes show now."""
        serving: dict[int, list[Lane]] = {}
        for lane in lanes:
            if lane.state not in _OFF and len(lane.engine.memory.rows):
                serving.setdefault(id(lane.engine), []).append(lane)
        for track in self.all:
            mine = serving.pop(id(track.facts), None)
            if mine is not None:
                track.letters, track.name, track.ended_ns = _letters(mine), _name(mine[0]), 0
            elif track.alive:
                track.ended_ns = max(time.perf_counter_ns(), int(track.last["t_ns"]) + 1)
        self.all += [Track(mine[0].engine, _letters(mine), _name(mine[0])) for mine in serving.values()]
        ended = [track for track in self.all if not track.alive]
        for track in ended[:-KEPT_ENDED]:
            self.all.remove(track)

    def stamp(self) -> tuple[Any, ...]:
        """Differs when anything that is drawn does."""
        return tuple(
            (id(t.facts), t.letters, t.ended_ns, len(t.facts.memory.rows), t.facts.info is None, len(t.facts.spells))
            for t in self.all
        )

    def used(self) -> int:
        """Resident bytes of all running engines."""
        return sum(int(track.last["rss"]) for track in self.alive)

    def newest(self, column: str) -> int:
        """A figure of the whole machine, by the newest sample; 0 before the first."""
        newest = max((track.last for track in self.all), key=lambda row: int(row["t_ns"]), default=None)
        return int(newest[column]) if newest is not None else 0

    def available(self) -> int:
        """Bytes the machine could give, by the newest sample."""
        return self.newest("available")

    def spell(self) -> Spell | None:
        """What makes tokens slow now, where memory is the reason."""
        lasting = [t.facts.spells[-1] for t in self.alive if t.facts.spells and not t.facts.spells[-1].end_ns]
        return max(lasting, key=lambda spell: spell.begin_ns, default=None)


def _letters(lanes: Sequence[Lane]) -> str:
    return "".join(sorted(lane.letter for lane in lanes))


def _name(lane: Lane) -> str:
    if lane.model is not None:
        return lane.model.quant or lane.model.name
    return lane.engine.info.quant if lane.engine.info is not None else ""


def recent(rows: NDArray[Any]) -> NDArray[Any]:
    """Of all samples those that are drawn. Which is the first changes seldom: until then a picture only grows."""
    over = len(rows) - KEPT_ROWS
    return rows[-(-over // BLOCK) * BLOCK :] if over > 0 else rows


@dataclass(frozen=True, slots=True)
class Layer:
    """One area of the stack, in GB."""

    letters: str
    part: str
    low: Floats
    high: Floats
    used: Floats | None = None
    """Of the KV cache: up to where tokens fill it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, at a measured second."""

    x: float
    text: str
    word: str = ""
    """What stands beside it where there is room."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time that memory made tokens slow, in measured seconds."""

    x0: float
    x1: float
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: all arrays have one value per point of ``x``, in measured seconds."""

    x: Floats
    layers: list[Layer] = field(default_factory=list)
    total: Floats = field(default_factory=lambda: np.zeros(0))
    """Resident memory of all engines, hidden parts included, GB."""
    limit: Floats = field(default_factory=lambda: np.zeros(0))
    """In use and free together, GB; NaN where nothing was sampled any more."""
    swap: Floats = field(default_factory=lambda: np.zeros(0))
    """The machine's swap in use, GB; NaN as `limit`."""
    marks: list[Mark] = field(default_factory=list)
    """Loads, ends, larger contexts, and where time was cut out."""
    spans: list[Span] = field(default_factory=list)
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    """When the points were sampled, ns."""

    @property
    def span(self) -> float:
        """Measured seconds in all."""
        return float(self.x[-1]) if len(self.x) else 0.0


def by_parts(tracks: Tracks) -> bool:
    """The legend names one engine's parts, or several engines."""
    return len(tracks.alive) <= 1


def many(picture: Picture) -> bool:
    """Whether several engines stand on each other, which then need their letters."""
    return len({layer.letters for layer in picture.layers}) > 1
