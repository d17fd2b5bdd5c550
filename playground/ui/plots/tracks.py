"""The engines' memory over time as arrays ready to be drawn. Plain numpy, no Qt.

Samples come only while an engine works. A pause without any sample is drawn as a short gap, not at
its length, so the axis counts seconds that were measured.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.translate import later, tr
from playground.workspace.lane import EngineFacts, Lane, Spell
from playground.workspace.memory_parts import PARTS, Parts, split, split_rows
from playground.workspace.words import format_seconds

Floats: TypeAlias = NDArray[Any]
"""Figures in GB have 32 bits: half the memory to walk through at every picture."""

PAUSE_S = 2.0
"""Longer without a sample is a pause."""
PAUSE_SHOWN_S = 0.5
"""A pause's length on the axis."""
KEPT_ROWS = 6000
"""Newest samples of an engine that are drawn: 25 minutes of writing."""
KEPT_ENDED = 4
"""Ended engines whose history stays in sight."""

_GREW = later("{name}: the context grew from {old:,} to {new:,} tokens")
_SHRANK = later("{name}: the context shrank from {old:,} to {new:,} tokens")
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


def make_picture(tracks: Tracks, hidden: Collection[str] = ()) -> Picture:
    """Stack everything on one time axis; parts or engines in ``hidden`` are left out of the stack."""
    if not tracks.all:
        return Picture(np.zeros(0))
    rows = {id(track): track.facts.memory.rows.view[-KEPT_ROWS:] for track in tracks.all}
    # A stable sort merges runs that are sorted already, several times as fast as np.unique.
    times = np.sort(np.concatenate([_times(track, rows[id(track)]) for track in tracks.all]), kind="stable")
    times = times[1:][np.diff(times) > 0]  # without the edge before the very first sample
    x, marks = _measured(times)
    layers: list[Layer] = []
    base, total = np.zeros(len(times), np.float32), np.zeros(len(times), np.float32)
    for track in sorted(tracks.all, key=lambda track: track.letters):
        mine = rows[id(track)]
        at = _held(track, mine, times)
        total += _or_nothing(mine["rss"] / 1e9)[at]
        for part, series in zip(PARTS, split_rows(track.facts.info, mine), strict=True):
            if part not in hidden and track.letters not in hidden:
                high = _or_nothing(series / 1e9)[at]
                used = base + high * _or_nothing(filled(track.facts, mine))[at] if part == "kv" else None
                layers.append(Layer(track.letters, part, base, base + high, used))
                base = layers[-1].high
    marks += _events(tracks, rows, times, x)
    free, swap = _of_machine(rows.values(), times, "available", "swap_used")
    return Picture(x, layers, total, total + free, swap, marks, _spans(tracks, times, x), times)


def filled(facts: EngineFacts, rows: NDArray[Any]) -> Floats:
    """How much of the KV cache tokens fill, from 0 to 1."""
    room = facts.info.n_ctx if facts.info is not None else 0
    return np.minimum(1.0, rows["kv_used"] / max(1, room))


def _times(track: Track, rows: NDArray[Any]) -> NDArray[np.int64]:
    """A track's own points; its begin and its end are two, so that the area rises and falls straight."""
    own = rows["t_ns"]
    edges = [own[:1] - 1] if track.alive else [own[:1] - 1, [track.ended_ns - 1, track.ended_ns]]
    return np.concatenate([own, *edges])


def _measured(times: NDArray[np.int64]) -> tuple[Floats, list[Mark]]:
    steps = np.diff(times) / 1e9
    cut = steps > PAUSE_S
    x = np.concatenate([[0.0], np.cumsum(np.where(cut, PAUSE_SHOWN_S, steps))])
    middles = x[:-1][cut] + PAUSE_SHOWN_S / 2
    pauses = (format_seconds(float(length)) for length in steps[cut])
    words = (tr("{pause} without a sample: nothing was computed", pause=pause) for pause in pauses)
    return x, [Mark(float(at), text) for at, text in zip(middles, words, strict=True)]


def _newest(own: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each of ``times`` the last index of ``own`` (all among them) that is not later; -1 before the first."""
    return np.cumsum(np.bincount(np.searchsorted(times, own), minlength=len(times))) - 1


def _held(track: Track, rows: NDArray[Any], times: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each point the newest sample before it, as an idle engine keeps its memory; -1 where it didn't run."""
    at = _newest(np.ascontiguousarray(rows["t_ns"]), times)
    if not track.alive:
        at[times >= track.ended_ns] = -1
    return at


def _or_nothing(values: Floats) -> Floats:
    """With a zero at the end, where index -1 finds it."""
    found: Floats = np.append(values.astype(np.float32), np.float32(0.0))
    return found


def _of_machine(all_rows: Collection[NDArray[Any]], times: NDArray[np.int64], *columns: str) -> list[Floats]:
    """What all engines' samples say of the machine, GB."""
    stamps = np.concatenate([rows["t_ns"] for rows in all_rows])
    order = np.argsort(stamps, kind="stable")
    stamps = stamps[order]
    at = order[np.maximum(_newest(stamps, times), 0)]
    late = int(np.searchsorted(times, stamps[-1], side="right"))
    found = []
    for column in columns:
        values: Floats = (np.concatenate([rows[column] for rows in all_rows]) / 1e9).astype(np.float32)[at]
        values[late:] = np.nan  # after an engine's end what it gave back isn't in any sample yet
        found.append(values)
    return found


def _spans(tracks: Tracks, times: NDArray[np.int64], x: Floats) -> list[Span]:
    found: list[Span] = []
    for track in tracks.all:
        for spell in track.facts.spells:
            end = spell.end_ns or track.ended_ns or int(times[-1])
            if end >= times[0]:
                edges = np.interp([spell.begin_ns, end], times, x)
                found.append(Span(float(edges[0]), float(edges[1]), spell.words))
    return found


def _events(tracks: Tracks, rows: dict[int, NDArray[Any]], times: NDArray[np.int64], x: Floats) -> list[Mark]:
    found: list[Mark] = []
    for track in tracks.all:
        first = int(rows[id(track)]["t_ns"][0])
        name = f"{' '.join(track.letters)} {track.name}".strip()
        if first > times[0] and len(track.facts.memory.rows) <= KEPT_ROWS:
            found.append(Mark(float(x[np.searchsorted(times, first)]), *_loaded(tracks, track, name)))
        if not track.alive:
            found.append(
                Mark(
                    float(x[np.searchsorted(times, track.ended_ns)]),
                    tr("{name} ended, memory given back", name=name),
                    tr("ended"),
                )
            )
    return found


def _loaded(tracks: Tracks, track: Track, name: str) -> tuple[str, str]:
    """A load's text and word: after one of the same model with another context, that."""
    info = track.facts.info
    before = [t for t in tracks.all if t.ended_ns and t.letters == track.letters and t is not track]
    old = before[-1].facts.info if before else None
    if info is None or old is None or old.path != info.path or old.n_ctx == info.n_ctx:
        return tr("{name} was loaded", name=name), tr("loaded")
    grew = info.n_ctx > old.n_ctx
    words = _GREW if grew else _SHRANK
    return tr(words, name=name, old=old.n_ctx, new=info.n_ctx), tr("{n:,} tokens", n=info.n_ctx)
