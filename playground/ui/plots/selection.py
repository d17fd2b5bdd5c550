"""A range of the latency plot that the user chose."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from playground.ui.plots.figures import Axis, Shown
from playground.ui.plots.frame import Frame
from playground.ui.plots.painting import line_pen
from playground.ui.theme import Theme

_STRENGTH = 0.16


@dataclass(frozen=True, slots=True)
class Selection:
    """From ``low`` to ``high`` along an axis, both included."""

    axis: Axis
    low: float
    high: float

    def part(self, shown: Shown) -> slice:
        """The tokens of an answer that are in it."""
        return shown.inside(self.axis, self.low, self.high)

    def along(self, axis: Axis, shown: Shown) -> Selection | None:
        """The same tokens of an answer on another axis; None where there are none."""
        part = self.part(shown)
        if part.stop <= part.start:
            return None
        return Selection(axis, shown.x(axis, part.start), shown.x(axis, part.stop - 1))


def selection(axis: Axis, one: float, other: float) -> Selection:
    """Between two places, in whatever order."""
    return Selection(axis, min(one, other), max(one, other))


def paint_selection(p: QPainter, frame: Frame, chosen: Selection, theme: Theme) -> None:
    """A tinted band with an edge at each side; at least a pixel for a single token."""
    rect = frame.rect
    left, right = float(frame.px(chosen.low)), float(frame.px(chosen.high))
    if right < rect.left() or left > rect.right():
        return
    left, right = round(max(left - 1, rect.left())), round(min(right + 1, rect.right()))
    tint = QColor(theme.color("accent"))
    tint.setAlphaF(_STRENGTH)
    p.fillRect(QRectF(left, rect.top(), right - left, rect.height()), tint)
    p.setPen(line_pen(theme.color("accent")))
    p.setBrush(Qt.BrushStyle.NoBrush)
    for x in (left, right):
        p.drawLine(QPointF(x + 0.5, rect.top()), QPointF(x + 0.5, rect.bottom()))
