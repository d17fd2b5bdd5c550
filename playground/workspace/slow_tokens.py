"""Tokens that took much longer than the others, and why, as far as that is known. Pure.

Only what was measured is told: a token whose time went into decoding, with nothing else going on, has no reason.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

from playground.translate import tr
from playground.workspace.series import Answer, Rows
from playground.workspace.words import format_bytes, format_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOWER, STILL = 1.75, 1.5
"""Times the usual latency: a token that took longer stands out, and does so still when the usual has risen."""
MOST = 100
"""The slowest are explained; a plot has no room for more."""
_FEW = 12
"""Tokens that tell what is usual."""
_SHARE = 0.4
"""Of the time above the usual: a part of a token's time that has so much of it is a reason."""
_DROP = 0.85
"""Of the usual frequency: less is a drop."""
_READ_BYTES, _FAULTS = 1_000_000, 16
"""Read from the disk meanwhile: worth a word."""


class SlowTokens:
    """Of one answer, live or kept; what was explained once is kept."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.known: dict[int, str] = {}
        """Why each of the slow tokens was slow, by index; the same object as long as nothing changed."""
        self._settled: dict[int, str] = {}

    def take(self, n: int, usual_ms: float, memory: Rows, clock: Rows | None = None) -> dict[int, str]:
        """Look at the first ``n`` tokens; ``usual_ms``: their median.

        ``memory``: the engine's samples; ``clock``: the processors' frequency in GHz, where that is read.
        """
        import numpy as np

        if n < _FEW or usual_ms <= 0:
            return self.known
        rows, samples = self.answer.tokens.view[:n], memory.view if len(memory) else None
        gaps = rows["gap_ns"]
        slow = np.flatnonzero(gaps > SLOWER * usual_ms * 1e6)
        kept = [index for index in self.known if index < n and gaps[index] > STILL * usual_ms * 1e6]
        known = set(kept)
        fresh = np.array([index for index in slow.tolist() if index and index not in known], np.intp)
        room = max(0, MOST - len(kept))
        if len(fresh) > room:
            fresh = fresh[np.argsort(gaps[fresh])[len(fresh) - room :]]
        told_to = int(samples["t_ns"][-1]) if samples is not None else 0
        ticks = clock.view if clock is not None and len(clock) else None
        found: dict[int, str] = {}
        for index in sorted([*kept, *fresh.tolist()]):
            words = self._settled.get(index)
            if words is None:
                words = "; ".join(reasons(self.answer, rows, index, int(usual_ms * 1e6), samples, ticks))
                # Memory is sampled a while after the token; marks come at once.
                if self.answer.finished_ns or int(rows["t_ns"][index]) < told_to:
                    self._settled[index] = words
            if words:
                found[index] = words
        if found != self.known:
            self.known = found
        return self.known


def reasons(
    answer: Answer,
    rows: NDArray[Any],
    index: int,
    usual_ns: int,
    samples: NDArray[Any] | None = None,
    clock: NDArray[Any] | None = None,
) -> list[str]:
    """What made a token slow, the surest first; empty where nothing is known."""
    row, before = rows[index], rows[index - 1]
    above = int(row["gap_ns"]) - usual_ns
    found = []
    if int(row["wait_ns"]) >= _SHARE * above:
        found.append(tr("waited {time} for other lanes", time=format_ms(int(row["wait_ns"]))))
    if int(row["n_past"]) <= int(before["n_past"]):
        found.append(tr("the context was shortened"))
    begin, end = int(row["t_ns"]) - int(row["gap_ns"]), int(row["t_ns"])
    marks = [mark.text for mark in answer.marks if mark.index == index or begin < mark.t_ns <= end]
    found += marks
    if int(row["n_batch"]) > int(before["n_batch"]) and not marks:
        found.append(tr("another lane joined"))
    if samples is not None:
        found += _of_memory(samples, begin, end)
    if clock is not None:
        found += _of_clock(clock, begin, end)
    if int(row["sample_ns"]) >= _SHARE * above:
        found.append(tr("sampling took {time}", time=format_ms(int(row["sample_ns"]))))
    rest = int(row["gap_ns"]) - int(row["decode_ns"]) - int(row["sample_ns"]) - int(row["wait_ns"])
    if rest >= _SHARE * above:
        found.append(tr("text and commands took {time}", time=format_ms(rest)))
    return found


def _of_clock(clock: NDArray[Any], begin: int, end: int) -> list[str]:
    """Whether the processors ran slower than they usually do, by the values around a token."""
    times = clock["t_ns"]
    around = clock["value"][max(0, bisect_right(times, begin) - 1) : bisect_left(times, end) + 1]
    if not len(around) or int(times[-1]) < begin or int(times[0]) > end:
        return []
    now, usual = float(around.min()), float(sorted(clock["value"].tolist())[len(clock) // 2])
    if now >= _DROP * usual:
        return []
    return [tr("the processors ran at {now} instead of {usual} GHz", now=f"{now:.1f}", usual=f"{usual:.1f}")]


def _of_memory(samples: NDArray[Any], begin: int, end: int) -> list[str]:
    """What the disk and swap did between the samples around a token."""
    times = samples["t_ns"]
    first, last = bisect_right(times, begin) - 1, bisect_left(times, end)
    if first < 0 or last >= len(samples):
        return []
    one, other = samples[first], samples[last]
    read, faults = int(other["read_bytes"] - one["read_bytes"]), int(other["major_faults"] - one["major_faults"])
    found = []
    if int(other["swap"]) > int(one["swap"]):
        found.append(tr("memory was moved to swap"))
    if read >= _READ_BYTES:
        found.append(tr("{size} were read from the disk", size=format_bytes(read)))
    elif faults >= _FAULTS:
        found.append(tr("{n} pages were read from the disk", n=faults))
    return found
