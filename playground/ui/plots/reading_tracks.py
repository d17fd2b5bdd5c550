"""The readings that are switched on, as lines on the memory plot's axis. Plain numpy, no Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from playground.gauges.probe import MACHINE
from playground.settings.readings import Joined, Reading, Sampled, tracks
from playground.translate import tr
from playground.ui.plots.stacking import PAUSE_S
from playground.ui.plots.tracks import Floats, Picture, Tracks, recent
from playground.workspace.lane import Lane

if TYPE_CHECKING:
    from playground.workspace.gauges import Gauges

_LEAST_TOP = 1e-9


@dataclass(frozen=True, slots=True)
class Line:
    """One engine's values, or the machine's; NaN where there was a pause."""

    letters: str
    """Empty: the machine's."""
    x: Floats
    """Measured seconds."""
    y: Floats


@dataclass(frozen=True, slots=True)
class ReadingTrack:
    """One small plot."""

    label: str
    unit: str
    digits: int
    top: float
    """Upper end of its axis."""
    lines: tuple[Line, ...]
    tip: str

    def words(self, x: float | None = None) -> str:
        """The values at a measured second, or the newest: “A 52 B 41 %”; a dash where there is none."""
        found = []
        for line in self.lines:
            value = _at(line, x)
            shown = "–" if np.isnan(value) else f"{value:,.{self.digits}f}"
            found.append(f"{line.letters} {shown}" if line.letters and len(self.lines) > 1 else shown)
        return f"{'  '.join(found) or '–'} {self.unit}".rstrip()


def offered(gauges: Gauges, stack: Tracks) -> list[tuple[Reading, str]]:
    """Readings that can be switched on here, each with a sentence where that doesn't help; others aren't told of."""
    found = []
    for row in tracks():
        assert row.track is not None
        source = row.track.source
        missing = (gauges.missing or {}).get(source.reading if isinstance(source, Joined) else row.name)
        if isinstance(source, Sampled) and source.needs and not _has(stack, source.needs):
            continue
        if missing is None or missing.why:
            found.append((row, tr(missing.why) if missing is not None else ""))
    return found


def make_tracks(gauges: Gauges, stack: Tracks, lanes: Sequence[Lane], picture: Picture) -> list[ReadingTrack]:
    """The small plots under a picture of memory, for the readings that are on and told here."""
    if not gauges.on or not len(picture.x):
        return []
    return [
        _track(row, gauges, stack, lanes, picture)
        for row, why in offered(gauges, stack)
        if row.name in gauges.on and not why
    ]


def _track(row: Reading, gauges: Gauges, stack: Tracks, lanes: Sequence[Lane], picture: Picture) -> ReadingTrack:
    assert row.track is not None
    source = row.track.source
    if isinstance(source, Sampled):
        lines = _sampled(source, stack, picture)
    elif isinstance(source, Joined):
        t_ns, values = _values(gauges, source.reading, MACHINE)
        made = source.make(t_ns, values, _token_times(lanes)) if len(t_ns) else values
        lines = [_line("", t_ns, made, picture)]
    else:
        lines = _probed(row, gauges, stack, picture)
    highest = max((float(np.nanmax(line.y)) for line in lines if np.isfinite(line.y).any()), default=0.0)
    top = row.track.top or max(_LEAST_TOP, highest * 1.1)
    return ReadingTrack(tr(row.label), row.unit, row.track.digits, top, tuple(lines), tr(row.track.help))


def _sampled(source: Sampled, stack: Tracks, picture: Picture) -> list[Line]:
    lines = []
    for track in sorted(stack.alive, key=lambda track: track.letters):
        rows = recent(track.facts.memory.rows.view)
        n_ctx = track.facts.info.n_ctx if track.facts.info is not None else 0
        lines.append(_line(track.letters, rows["t_ns"], source.make(rows, n_ctx), picture))
    return lines


def _probed(row: Reading, gauges: Gauges, stack: Tracks, picture: Picture) -> list[Line]:
    if row.role != "lane":
        return [_line("", *_values(gauges, row.name, MACHINE), picture)]
    alive = sorted(stack.alive, key=lambda track: track.letters)
    return [_line(t.letters, *_values(gauges, row.name, t.facts.pid), picture) for t in alive]


def _values(gauges: Gauges, name: str, key: int) -> tuple[NDArray[np.int64], Floats]:
    rows = gauges.series.get((name, key))
    if rows is None:
        return np.zeros(0, np.int64), np.zeros(0)
    return rows.view["t_ns"], rows.view["value"]


def _line(letters: str, t_ns: NDArray[np.int64], values: Any, picture: Picture) -> Line:
    """On the picture's axis; a pause breaks the line."""
    inside = t_ns >= picture.times[0]
    t_ns, values = t_ns[inside], np.asarray(values, np.float64)[inside]
    if not len(t_ns):
        return Line(letters, np.zeros(0), np.zeros(0))
    x = np.interp(t_ns, picture.times, picture.x)
    breaks = np.flatnonzero(np.diff(t_ns) > PAUSE_S * 1e9) + 1
    return Line(letters, np.insert(x, breaks, x[breaks]), np.insert(values, breaks, np.nan))


def _token_times(lanes: Sequence[Lane]) -> NDArray[np.int64]:
    times = [lane.answer.tokens.view["t_ns"] for lane in lanes]
    return np.sort(np.concatenate(times)) if times else np.zeros(0, np.int64)


def _at(line: Line, x: float | None) -> float:
    known = np.flatnonzero(np.isfinite(line.y))
    if x is not None:
        known = known[: int(np.searchsorted(line.x[known], x, "right"))]
    return float(line.y[known[-1]]) if len(known) else float("nan")


def _has(stack: Tracks, column: str) -> bool:
    return any(bool(track.last[column]) for track in stack.all)
