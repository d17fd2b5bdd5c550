"""Where things stand in the latency plot: data to pixels and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF

from playground.ui.plots import scale
from playground.ui.plots.figures import Axis, Floats, Shown
from playground.workspace.series import Answer

if TYPE_CHECKING:
    from playground.ui.plots.histogram import Histogram
    from playground.ui.plots.overlay import Over

LEFT, RIGHT, BOTTOM = 40, 40, 20
TOP_STRIP, TOP_PLAIN = 28, 12
PROMPT_BAND = 24
"""Width in pixels of the prompt's place left of token 1."""
HEADROOM = 10
"""Pixels between the highest tick and the edge."""
EMPTY_TOP = 30.0


SIDE = 112
"""Width in pixels of the histogram at the right, with its labels."""


def plot_rect(width: float, height: float, lanes: int, side: bool = False) -> QRectF:
    """The plot's area in a widget of that size; ``side``: with room for a histogram."""
    top = TOP_PLAIN if lanes > 1 else TOP_STRIP
    right = (14 if lanes > 1 else RIGHT) + (SIDE if side else 0)
    return QRectF(LEFT, top, max(20.0, width - LEFT - right), max(20.0, height - top - BOTTOM))


@dataclass(slots=True)
class Frame:
    """The plot's area and what part of the data it shows."""

    rect: QRectF
    axis: Axis = "token"
    x0: float = 0.0
    x1: float = 64.0
    step: float = 10.0
    """Milliseconds between two lines of the grid."""
    lines: int = 3
    """Lines of the grid above zero."""
    rate_step: float = 0.0
    """Tokens a second between two lines of the grid; 0: no axis at the right."""

    @property
    def y1(self) -> float:
        """Milliseconds at the upper edge."""
        top = self.step * self.lines
        return top * self.rect.height() / max(1.0, self.rect.height() - HEADROOM)

    def px(self, x: Floats | float) -> Floats:
        """Across, in pixels."""
        return np.asarray(self.rect.left() + (np.asarray(x) - self.x0) * (self.rect.width() / (self.x1 - self.x0)))

    def py(self, ms: Floats | float) -> Floats:
        """Down, in pixels."""
        return np.asarray(self.rect.bottom() - np.asarray(ms) * (self.rect.height() / self.y1))

    def x_at(self, px: float) -> float:
        """The place on the axis under a pixel."""
        return self.x0 + (px - self.rect.left()) * (self.x1 - self.x0) / self.rect.width()

    def rate_in_ms(self, rate: Floats) -> Floats:
        """Tokens a second, at the height of the right axis."""
        return rate * (self.step / self.rate_step) if self.rate_step else rate


def nameless(_answer: Answer, _index: int) -> str:
    """Where the text is not known."""
    return ""


@dataclass(slots=True)
class Picture:
    """All that is drawn: which answers, in which frame, what is hidden."""

    frame: Frame
    shown: list[Shown] = field(default_factory=list)
    many: bool = False
    """Several lanes: one mean line for each instead of tokens a second."""
    hidden: frozenset[str] = frozenset()
    """Letters of lanes; “dots” and “rate” where there is one lane."""
    name_token: Callable[[Answer, int], str] = nameless
    """What a token says."""
    overs: list[Over] = field(default_factory=list)
    """Earlier answers, drawn as thin lines over those."""
    bars: list[Histogram] | None = None
    """How often each latency comes; None: not asked for."""
    split: bool = False
    """What each token's time went into, instead of dots."""
    slow: dict[str, dict[int, str]] = field(default_factory=dict)
    """By lane the tokens of which it is known why they took so long."""

    @property
    def visible(self) -> list[Shown]:
        """The answers drawn."""
        return [s for s in self.shown if s.letter not in self.hidden]

    @property
    def empty(self) -> bool:
        """Nothing has landed yet."""
        return not any(s.begun for s in self.shown)


class Heights:
    """The heights of both axes: they grow at once, and shrink only when far too high."""

    def __init__(self) -> None:
        self._ms = 0.0
        self._rate = 0.0

    def forget(self) -> None:
        """Begin anew, for another answer."""
        self._ms = self._rate = 0.0

    def fit(self, frame: Frame, ms: float, rate: float) -> None:
        """Set the frame's grid for these needs, in milliseconds and tokens a second."""
        if ms > self._ms or ms < 0.5 * self._ms:
            self._ms = ms
        if rate > self._rate or rate < 0.5 * self._rate:
            self._rate = rate
        wanted = max(2, min(4, int(frame.rect.height() / 34)))
        top = self._ms or EMPTY_TOP
        frame.step = scale.nice_step(top / wanted)
        frame.lines = max(1, int(np.ceil(top / frame.step - 1e-9)))
        frame.rate_step = scale.nice_step(self._rate / frame.lines, fine=True) if rate else 0.0
