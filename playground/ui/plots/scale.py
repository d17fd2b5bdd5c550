"""Round steps, limits and ticks of the axes. Pure arithmetic, no Qt."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_STEPS = (1, 2, 2.5, 5, 10)
_FINE_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
_MANY = 12
"""Below this many tokens there are no percentiles worth the name."""
_SETTLED = 200
"""Below this many the 99th percentile is a single token or two."""


def nice_step(least: float, fine: bool = False) -> float:
    """The smallest round number that is not below ``least``: 1, 2, 2.5 or 5 times a power of ten."""
    if not math.isfinite(least) or least <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(step for step in (_FINE_STEPS if fine else _STEPS) if step * power >= least * (1 - 1e-9))


def ticks(low: float, high: float, step: float) -> NDArray[np.float64]:
    """All multiples of ``step`` between the two, both included."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return np.arange(first, last + 1, dtype=np.float64) * np.float64(step)


def follow(end: float, least: float) -> float:
    """Where an axis that follows its data ends: rarely moved, the data filling at least seven tenths of it.

    All is painted anew when it moves, which takes several times as long as painting what came.
    """
    if end * 1.02 <= least:
        return least
    step = nice_step(end / 5)
    return math.ceil(end * 1.02 / step) * step


def y_top(median: float, p95: float, p99: float, largest: float, n: int) -> float:
    """How high the axis has to reach, in the unit of the values.

    1.3 times the 99th percentile, but not over six medians and never under 1.5 medians: one
    outlier does not flatten all others, nor do the one or two that are the 99th percentile of
    a short answer. What lies above is drawn at the edge.
    """
    if n < _MANY:
        p99 = min(largest, 2.3 * median) if n > 2 else largest
    elif n < _SETTLED:
        p99 = min(p99, max(p95, 2.3 * median))
    return max(1.5 * median, min(1.3 * p99, 6 * median))


def clusters(xs: list[float], gap: float) -> list[list[int]]:
    """Which places across are nearer than ``gap`` to a neighbour, from left to right."""
    found: list[list[int]] = []
    for i in sorted(range(len(xs)), key=lambda i: xs[i]):
        if found and xs[i] - xs[found[-1][-1]] < gap:
            found[-1].append(i)
        else:
            found.append([i])
    return found


def decimals(step: float) -> int:
    """Digits after the point that labels need to differ."""
    return next((n for n in range(9) if abs(step * 10**n - round(step * 10**n)) < 1e-6), 9)


def label(value: float, step: float) -> str:
    """A tick's label, never longer than “1,000”: “12k”."""
    if value >= 10_000 and step >= 100:
        return f"{value / 1000:g}k"
    return f"{value:,.{decimals(step)}f}"
