"""What the latency plot shows of an answer, as numbers. Pure numpy, no Qt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, floor
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.translate import later, tr
from playground.workspace.series import Answer, rolling_tok_s
from playground.workspace.words import format_ms, format_rate

Axis: TypeAlias = Literal["token", "time", "first"]
"""What is counted along x: tokens, seconds since the send, or seconds since the first token."""
Floats: TypeAlias = NDArray[np.float64]
RATE_WINDOW = 16
MEAN_WINDOW = 8
_MOST_TEXT = 24
_WORTH_NS = 50_000
"""A part of a token's time that is shorter is not worth a word."""


@dataclass(frozen=True, slots=True)
class Stats:
    """Of an answer's latencies, in milliseconds.

    ``p99`` and ``largest``, which set the height of the axis, leave out the first token: its
    latency is that of the prompt's last piece.
    """

    n: int = 0
    median: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    largest: float = 0.0


def quantiles(values: Floats, *shares: float) -> list[float]:
    """As ``numpy.percentile``, which takes ten times as long over a few values."""
    places = [share * (len(values) - 1) for share in shares]
    lower = [int(place) for place in places]
    upper = [min(low + 1, len(values) - 1) for low in lower]
    ordered = np.partition(values, sorted({*lower, *upper}))
    pairs = zip(places, lower, upper, strict=True)
    return [float(ordered[low] + (ordered[high] - ordered[low]) * (place - low)) for place, low, high in pairs]


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer up to its token ``n``: growing while live, fixed while the plot is paused."""

    letter: str
    answer: Answer
    n: int
    busy: bool = False

    @property
    def rows(self) -> NDArray[Any]:
        """The tokens shown."""
        return self.answer.tokens.view[: self.n]

    @property
    def ms(self) -> Floats:
        """Latency of each token."""
        return self.rows["gap_ns"] / 1e6

    @property
    def origin_ns(self) -> int:
        """Where the time axis begins: when the turn was sent."""
        answer = self.answer
        if answer.asked_ns or answer.started_ns:
            return answer.asked_ns or answer.started_ns
        first = self.rows[0] if self.n else None
        return int(first["t_ns"] - first["gap_ns"]) if first is not None else 0

    @property
    def first_s(self) -> float:
        """Seconds from the send to the first token; 0 while there is none or it is not known."""
        return self.seconds(int(self.rows["t_ns"][0])) if self.n and self.answer.asked_ns else 0.0

    @property
    def begun(self) -> bool:
        """Whether there is anything to see."""
        return self.n > 0 or bool(self.answer.started_ns and not self.answer.finished_ns)

    def zero_ns(self, axis: Axis) -> int:
        """Where an axis that counts seconds has its zero."""
        if axis != "first":
            return self.origin_ns
        return int(self.rows["t_ns"][0]) if self.n else self.answer.prompt_ns or self.origin_ns

    def seconds(self, t_ns: int, axis: Axis = "time") -> float:
        """A moment on an axis that counts seconds."""
        return (t_ns - self.zero_ns(axis)) / 1e9

    def x(self, axis: Axis, index: int) -> float:
        """Where a token stands."""
        return float(index + 1) if axis == "token" else self.seconds(int(self.rows["t_ns"][index]), axis)

    def end(self, axis: Axis) -> float:
        """Where the answer ends for now."""
        if self.n:
            return self.x(axis, self.n - 1)
        return max(0.0, self.seconds(self.answer.prompt_ns or self.answer.started_ns)) if axis == "time" else 0.0

    def prompt(self, axis: Axis = "time") -> tuple[float, float] | None:
        """The time in which the prompt was read, on an axis that counts seconds."""
        answer = self.answer
        if not answer.started_ns:
            return None
        end = int(self.rows["t_ns"][0]) if self.n else max(answer.prompt_ns, answer.started_ns)
        return self.seconds(answer.started_ns, axis), self.seconds(end, axis)

    def between(self, axis: Axis, low: float, high: float) -> slice:
        """The tokens that stand between two places of the axis, and one more at each side."""
        if axis == "token":
            start, stop = int(low) - 1, int(high) + 1
        else:
            times, origin = self.rows["t_ns"], self.zero_ns(axis)
            # numpy's search would first copy the whole column out of the rows.
            start = bisect_left(times, origin + int(low * 1e9))
            stop = bisect_left(times, origin + int(high * 1e9))
        return slice(max(0, start - 1), min(self.n, max(0, stop + 1)))

    def inside(self, axis: Axis, low: float, high: float) -> slice:
        """The tokens that stand between two places of the axis, and no others."""
        if axis == "token":
            start, stop = ceil(low - 1e-6) - 1, floor(high + 1e-6)
        else:
            times, zero = self.rows["t_ns"], self.zero_ns(axis)
            # Seconds are rounded: a token that is pointed at is meant.
            start, stop = bisect_left(times, zero + low * 1e9 - 1e3), bisect_right(times, zero + high * 1e9 + 1e3)
        start = min(max(0, start), self.n)
        return slice(start, min(self.n, max(start, stop)))

    def xs(self, axis: Axis, part: slice) -> Floats:
        """Where these tokens stand."""
        if axis == "token":
            return np.arange(part.start + 1, part.stop + 1, dtype=np.float64)
        return (self.rows["t_ns"][part] - self.zero_ns(axis)) * 1e-9

    def xs_at(self, axis: Axis, index: NDArray[np.intp]) -> Floats:
        """Where single tokens stand."""
        if axis == "token":
            return index.astype(np.float64) + 1
        return (self.rows["t_ns"][index] - self.zero_ns(axis)) * 1e-9

    def rate(self, part: slice) -> Floats:
        """Rolling tokens a second of these tokens."""
        back = max(0, part.start - RATE_WINDOW)
        times = np.ascontiguousarray(self.rows["t_ns"][back : part.stop])
        return rolling_tok_s(times, RATE_WINDOW)[part.start - back :]

    def mean(self, part: slice) -> Floats:
        """Mean latency of the last eight tokens at each of these; the first token, which ends the prompt, left out."""
        back = max(1, part.start - MEAN_WINDOW + 1)
        sums = np.zeros(max(1, part.stop - back + 1))
        np.cumsum(self.rows["gap_ns"][back : part.stop], out=sums[1:], dtype=np.float64)
        mean = np.full(part.stop - back + 1, np.nan)
        short = min(MEAN_WINDOW, len(sums))
        mean[1:short] = sums[1:short] / np.arange(1, short)
        mean[short:] = (sums[MEAN_WINDOW:] - sums[:-MEAN_WINDOW])[: len(mean) - short] / MEAN_WINDOW
        return mean[1 - (back > part.start) + max(0, part.start - back) :] * 1e-6

    def stats(self, part: slice | None = None) -> Stats:
        """Median, percentiles and largest of all latencies shown, or of a part of them."""
        ms = self.ms if part is None else self.rows["gap_ns"][part] / 1e6
        if not len(ms):
            return Stats()
        later = ms[1:] if len(ms) > 1 and not (part and part.start) else ms
        median, p95 = quantiles(ms, 0.5, 0.95)
        (p99,) = quantiles(later, 0.99)
        return Stats(len(ms), median, p95, p99, float(later.max()))

    def tok_s(self, part: slice) -> float:
        """Tokens a second over a part of the answer; 0 where there are fewer than two."""
        times = self.rows["t_ns"][part]
        return (len(times) - 1) * 1e9 / max(1, int(times[-1] - times[0])) if len(times) > 1 else 0.0

    def phases(self) -> list[tuple[int, int, str]]:
        """Runs of thinking and answer: first token, one after the last, name."""
        if not self.n:
            return []
        thinking = self.rows["thinking"]
        edges = [0, *(np.flatnonzero(np.diff(thinking)) + 1).tolist(), self.n]
        return [(a, b, later("thinking") if thinking[a] else later("answer")) for a, b in pairwise(edges)]

    def describe(self, index: int, text: str = "") -> str:
        """One token's figures: “token 123 “ sea” · 14.6 ms (decode 13.9, sampling 0.2) · 66.0 tok/s”."""
        row = self.rows[index]
        parts = tr(
            "decode {decode:.1f}, sampling {sample:.1f}",
            decode=row["decode_ns"] / 1e6,
            sample=row["sample_ns"] / 1e6,
        )
        rest = int(row["gap_ns"]) - int(row["decode_ns"]) - int(row["sample_ns"]) - int(row["wait_ns"])
        for name, ns in ((tr("waiting for other lanes"), int(row["wait_ns"])), (tr("text"), rest)):
            if ns >= _WORTH_NS:
                parts = f"{parts}, {name} {ns / 1e6:.1f}"
        named = f" “{_one_line(text)}”" if text else ""
        words = tr(
            "token {index:,}{named} · {gap} ({parts})",
            index=index + 1,
            named=named,
            gap=format_ms(int(row["gap_ns"])),
            parts=parts,
        )
        rate = float(self.rate(slice(index, index + 1))[0])
        return words if np.isnan(rate) else f"{words} · {format_rate(rate)}"

    def name_and_time(self, index: int) -> str:
        """The shortest that tells a token: “token 123 · 14.6 ms”."""
        return tr("token {index:,} · {gap}", index=index + 1, gap=format_ms(int(self.rows["gap_ns"][index])))

    def prompt_words(self) -> str:
        """“prompt, 486 tokens, 37 reused”."""
        answer = self.answer
        words = tr("prompt, {n_prompt:,} tokens", n_prompt=answer.n_prompt)
        return tr("{words}, {n_reused:,} reused", words=words, n_reused=answer.n_reused) if answer.n_reused else words


def largest_rate(shown: Shown) -> float:
    """The height that tokens a second need; the first few, taken over a short window, don't count."""
    if shown.n < 2:
        return 0.0
    rate = shown.rate(slice(8 if shown.n > 24 else 1, shown.n))
    return float(rate.max()) * 1.05


def _one_line(text: str) -> str:
    """A token's text where a line break and a tab have no place; long ones in part."""
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    return shown if len(shown) <= _MOST_TEXT else f"{shown[:_MOST_TEXT]}…"
