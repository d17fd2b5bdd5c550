"""How often each latency comes: bars at the right edge of the plot, at the height of its own axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF

from playground.ui.plots.figures import Shown, Stats
from playground.ui.plots.frame import SIDE, Frame
from playground.ui.plots.painting import line_pen, spread
from playground.ui.theme import Theme

BIN = 3
"""Pixels of height for each bar; what is above the axis is in the highest."""
_LABELS = 26
_MARGIN = 8


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """One answer's bars, from below."""

    letter: str
    counts: NDArray[Any]
    stats: Stats


def histogram(shown: Shown, part: slice, frame: Frame, stats: Stats) -> Histogram:
    """Count these tokens; the first of an answer, whose time is the prompt's, left out."""
    bins = max(1, int(frame.rect.height() / BIN))
    gaps = shown.rows["gap_ns"][max(1, part.start) : part.stop] * 1e-6
    at = (gaps * (bins / frame.y1)).astype(np.int64)
    return Histogram(shown.letter, np.bincount(np.clip(at, 0, bins - 1), minlength=bins), stats)


def area(frame: Frame, width: float) -> QRectF:
    """Where the bars stand in a plot of that width."""
    return QRectF(width - SIDE, frame.rect.top() - _MARGIN, SIDE, frame.rect.height() + 2 * _MARGIN)


def paint(p: QPainter, frame: Frame, width: float, found: list[Histogram], theme: Theme) -> None:
    """Bars of one answer, outlines of several, and where the percentiles stand."""
    right = width - _LABELS - 2
    left = width - SIDE + 6
    p.setPen(line_pen(theme.color("line-strong")))
    p.drawLine(QPointF(round(left) - 0.5, frame.rect.top()), QPointF(round(left) - 0.5, frame.rect.bottom()))
    most = max((int(one.counts.max()) for one in found if len(one.counts)), default=0)
    for one in found:
        if most:
            _paint_bars(p, frame, (left, right - left), one, most, theme.lane(one.letter), alone=len(found) == 1)
    if len(found) == 1 and found[0].stats.n:
        _paint_percentiles(p, frame, (left, right), found[0].stats, theme)


def _paint_bars(
    p: QPainter, frame: Frame, room: tuple[float, float], one: Histogram, most: int, color: QColor, *, alone: bool
) -> None:
    left, width = room
    step = frame.rect.height() / len(one.counts)
    lengths = (one.counts * (width / most)).tolist()
    if alone:
        for place, length in enumerate(lengths):
            if length:
                bottom = frame.rect.bottom() - place * step
                p.fillRect(QRectF(left, bottom - step + 0.5, max(1.0, length), step - 0.5), color)
        return
    points = []
    for place, length in enumerate(lengths):
        bottom = frame.rect.bottom() - place * step
        points += [QPointF(left + length, bottom), QPointF(left + length, bottom - step)]
    p.setPen(line_pen(color))
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.drawPolyline(QPolygonF(points))


def _paint_percentiles(p: QPainter, frame: Frame, room: tuple[float, float], stats: Stats, theme: Theme) -> None:
    left, right = room
    rect = frame.rect
    known = [("p50", stats.median), ("p95", stats.p95), ("p99", stats.p99)]
    heights = [max(rect.top(), float(frame.py(ms))) for _, ms in known]
    p.setFont(theme.font(11))
    for y in heights:
        p.setPen(line_pen(theme.color("text-2"), dashed=True))
        p.drawLine(QPointF(left, round(y) - 0.5), QPointF(right, round(y) - 0.5))
    p.setPen(theme.color("text-2"))
    for (name, _), y in zip(known, spread(heights, 12, rect.top(), rect.bottom() - 6), strict=True):
        p.drawText(QRectF(right + 3, y - 8, _LABELS, 16), Qt.AlignmentFlag.AlignVCenter, name)
