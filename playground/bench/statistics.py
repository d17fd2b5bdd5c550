"""Means, their spread, and whether one run was faster than another or only luckier."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from playground.translate import later

# fmt: off
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)
# fmt: on
"""Student's t for 95 %, both sides, from 1 degree of freedom on; beyond the table 1.96 is near enough."""


def mean(values: Sequence[float]) -> float:
    """The average; 0 of nothing."""
    return statistics.fmean(values) if values else 0.0


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 where one value tells nothing of it."""
    return statistics.stdev(values) if len(values) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast as before."""

    value: float
    margin: float | None
    """Half of the range that holds the true ratio in 95 of 100 cases; None where a single sample tells nothing."""

    @property
    def differs(self) -> bool:
        """Whether the difference is more than chance."""
        return self.margin is not None and abs(self.value - 1) > self.margin

    @property
    def text(self) -> str:
        """“1.04 ± 0.02 ×”."""
        return f"{self.value:.2f} ×" if self.margin is None else f"{self.value:.2f} ± {self.margin:.2f} ×"

    @property
    def percent(self) -> str:
        """The difference: “+3.1 ± 1.2 %”, “−12 %”."""
        change = 100 * (self.value - 1)
        digits = 1 if abs(change) < 99.95 else 0
        shown = f"{change:+,.{digits}f}".replace("-", "−")
        if shown.strip("+−0.") == "":
            shown = shown.lstrip("+−")
        return f"{shown} %" if self.margin is None else f"{shown} ± {100 * self.margin:,.{digits}f} %"

    @property
    def verdict(self) -> str:
        """“faster”, “slower”, or “the same within chance”, in English: `tr` says it in the user's language."""
        if self.margin is None:
            return later("measured once, so chance can’t be told")
        if not self.differs:
            return later("the same within chance")
        return later("faster") if self.value > 1 else later("slower")


def ratio(newer: Sequence[float], older: Sequence[float]) -> Ratio | None:
    """The newer speeds over the older; None where there is nothing to divide."""
    above, below = mean(newer), mean(older)
    if not above > 0 or not below > 0:
        return None
    value = above / below
    if len(newer) < 2 or len(older) < 2:
        return Ratio(value, None)
    # Relative variances of the two means add up; Welch's formula says how many degrees of freedom that has.
    shares = [(deviation(v) / m) ** 2 / len(v) for v, m in ((newer, above), (older, below))]
    total = sum(shares)
    if total == 0:
        return Ratio(value, 0.0)
    freedom = total**2 / sum(s**2 / (len(v) - 1) for s, v in zip(shares, (newer, older), strict=True))
    t = _T95[max(1, int(freedom)) - 1] if freedom < len(_T95) + 1 else 1.96
    return Ratio(value, t * value * math.sqrt(total))
