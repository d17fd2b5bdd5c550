"""The engines' memory over time as arrays ready to be drawn. Plain numpy, no Qt.

Samples come only while an engine works. A pause without any sample is drawn as a short gap, not at
its length, so the axis counts seconds that were measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.translate import later, tr
from playground.ui.plots.tracks import KEPT_ROWS, Floats, Layer, Mark, Picture, Span, Track, Tracks, recent
from playground.workspace.lane import EngineFacts
from playground.workspace.memory_parts import PARTS, split_rows
from playground.workspace.words import format_seconds

PAUSE_S = 2.0
"""Longer without a sample is a pause."""
PAUSE_SHOWN_S = 0.5
"""A pause's length on the axis."""
_GREW = later("{name}: the context grew from {old:,} to {new:,} tokens")
_SHRANK = later("{name}: the context shrank from {old:,} to {new:,} tokens")


class Stack:
    """Makes the picture of some engines; while they only go on, no more is computed than what came."""

    def __init__(self, tracks: Tracks) -> None:
        self._tracks = tracks
        self._key: object = None
        """What the kept arrays depend on, but for how many samples there are."""
        self._known: list[int] = []
        """How many of each engine's samples they have."""
        self._last_ns = 0
        self._n = 0
        self._kept: list[Floats] = []
        """Times, x and what `_pile` gives; with room at their ends."""
        self._pauses: list[Mark] = []

    def picture(self, hidden: Collection[str] = ()) -> Picture:
        """Stack everything on one time axis; parts or engines in ``hidden`` are left out of the stack."""
        tracks = self._tracks.all
        if not tracks:
            self._key = None
            return Picture(np.zeros(0))
        rows = [recent(track.facts.memory.rows.view) for track in tracks]
        key = (
            frozenset(hidden),
            *((id(t.facts), t.letters, t.ended_ns, t.facts.info, int(r["t_ns"][0])) for t, r in _pairs(tracks, rows)),
        )
        if key != self._key or not self._go_on(rows, hidden):
            self._begin(rows, hidden)
        self._key, self._known = key, [len(mine) for mine in rows]
        self._last_ns = max(int(mine["t_ns"][-1]) for mine in rows)
        times, x, base, total, limit, swap, *edges = (array[: self._n] for array in self._kept)
        layers: list[Layer] = []
        for track, part in _layers(tracks, hidden):
            high = edges.pop(0)
            layers.append(Layer(track.letters, part, base, high, edges.pop(0) if part == "kv" else None))
            base = high
        marks = self._pauses + _events(self._tracks, rows, times, x)
        return Picture(x, layers, total, limit, swap, marks, _spans(self._tracks, times, x), times)

    def _begin(self, rows: list[NDArray[Any]], hidden: Collection[str]) -> None:
        tracks = self._tracks.all
        # A stable sort merges runs that are sorted already, several times as fast as np.unique.
        times = np.sort(np.concatenate([_times(track, mine) for track, mine in _pairs(tracks, rows)]), kind="stable")
        times = times[1:][np.diff(times) > 0]  # without the edge before the very first sample
        x, self._pauses = _measured(times)
        self._kept, self._n = [times, x, *_pile(tracks, rows, times, hidden)], len(times)

    def _go_on(self, rows: list[NDArray[Any]], hidden: Collection[str]) -> bool:
        """Add what came to the kept arrays; False where that begins before them."""
        fresh = [int(mine["t_ns"][known]) for mine, known in zip(rows, self._known, strict=True) if len(mine) > known]
        if not fresh:
            return True
        tracks, times, x = self._tracks.all, self._kept[0], self._kept[1]
        # What was known of the machine ended with the last sample.
        begin = min(*fresh, self._last_ns + 1)
        at = int(np.searchsorted(times[: self._n], begin))
        if not at:
            return False
        # Of each engine the samples from there on, and the one before, which holds until then.
        late = [mine[max(0, bisect_left(mine["t_ns"], begin) - 1) :] for mine in rows]
        edges = [_edges(track, int(mine["t_ns"][0])) for track, mine in _pairs(tracks, rows)]
        new = np.sort(np.concatenate([*(mine["t_ns"] for mine in late), *edges]), kind="stable")
        new = np.concatenate([times[at - 1 : at], new[new >= begin]])
        new = new[np.append(True, np.diff(new) > 0)]
        further, pauses = _measured(new, float(x[at - 1]))
        self._pauses = [mark for mark in self._pauses if mark.x < x[at - 1]] + pauses
        added = [new[1:], further[1:], *_pile(tracks, late, new[1:], hidden)]
        self._n = at + len(new) - 1
        self._kept = [_put(array, at, values) for array, values in zip(self._kept, added, strict=True)]
        return True


def _put(array: Floats, at: int, values: Floats) -> Floats:
    """Write values into an array, which is another one where it has no room."""
    end = at + len(values)
    if end > len(array):
        longer = np.empty(end + end // 2, array.dtype)
        longer[:at] = array[:at]
        array = longer
    array[at:end] = values
    return array


def _pairs(tracks: list[Track], rows: list[NDArray[Any]]) -> zip[tuple[Track, NDArray[Any]]]:
    return zip(tracks, rows, strict=True)


def make_picture(tracks: Tracks, hidden: Collection[str] = ()) -> Picture:
    """The picture of some engines, once."""
    return Stack(tracks).picture(hidden)


def _layers(tracks: list[Track], hidden: Collection[str]) -> list[tuple[Track, str]]:
    """From below: whose, and which part."""
    ordered = sorted((track for track in tracks if track.letters not in hidden), key=lambda track: track.letters)
    return [(track, part) for track in ordered for part in PARTS if part not in hidden]


def _pile(
    tracks: list[Track], rows: list[NDArray[Any]], times: NDArray[np.int64], hidden: Collection[str]
) -> list[Floats]:
    """In GB: zero, all resident memory, the limit, swap; then of each layer its upper edge.

    The KV cache’s edge is followed by how far it is filled.
    """
    zero, total = np.zeros(len(times), np.float32), np.zeros(len(times), np.float32)
    seen, edges, base = {id(track): part for track, part in _layers(tracks, hidden)}, [], zero
    for track, mine in sorted(_pairs(tracks, rows), key=lambda pair: pair[0].letters):
        at = _held(track, mine, times)
        total += _or_nothing(mine["rss"] / 1e9)[at]
        if id(track) not in seen:
            continue
        for part, series in zip(PARTS, split_rows(track.facts.info, mine), strict=True):
            if part not in hidden:
                high = _or_nothing(series / 1e9)[at]
                edges.append(base + high)
                if part == "kv":
                    edges.append(base + high * _or_nothing(filled(track.facts, mine))[at])
                    base = edges[-2]
                else:
                    base = edges[-1]
    free, swap = _of_machine(rows, times, "available", "swap_used")
    return [zero, total, total + free, swap, *edges]


def filled(facts: EngineFacts, rows: NDArray[Any]) -> Floats:
    """How much of the KV cache tokens fill, from 0 to 1."""
    room = facts.info.n_ctx if facts.info is not None else 0
    return np.minimum(1.0, rows["kv_used"] / max(1, room))


def _times(track: Track, rows: NDArray[Any]) -> NDArray[np.int64]:
    """A track's own points; its begin and its end are two, so that the area rises and falls straight."""
    return np.concatenate([rows["t_ns"], _edges(track, int(rows["t_ns"][0]))])


def _edges(track: Track, first_ns: int) -> list[int]:
    return [first_ns - 1] if track.alive else [first_ns - 1, track.ended_ns - 1, track.ended_ns]


def _measured(times: NDArray[np.int64], begin: float = 0.0) -> tuple[Floats, list[Mark]]:
    """Measured seconds of these times, the first at ``begin``; and the pauses."""
    steps = np.diff(times) / 1e9
    cut = steps > PAUSE_S
    x = np.cumsum(np.concatenate([[begin], np.where(cut, PAUSE_SHOWN_S, steps)]))
    middles = x[:-1][cut] + PAUSE_SHOWN_S / 2
    pauses = (format_seconds(float(length)) for length in steps[cut])
    words = (tr("{pause} without a sample: nothing was computed", pause=pause) for pause in pauses)
    return x, [Mark(float(at), text) for at, text in zip(middles, words, strict=True)]


def _newest(own: NDArray[np.int64], times: NDArray[np.int64]) -> NDArray[np.intp]:
    """For each of ``times`` the last index of ``own`` that is not later; -1 before the first.

    All of ``own`` are among ``times``, but for one before them.
    """
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


def _events(tracks: Tracks, rows: list[NDArray[Any]], times: NDArray[np.int64], x: Floats) -> list[Mark]:
    found: list[Mark] = []
    for track, mine in _pairs(tracks.all, rows):
        first = int(mine["t_ns"][0])
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
