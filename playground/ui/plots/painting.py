"""Draws the latency plot with a QPainter: grid, labels, phases, dots, lines. Needs no pyqtgraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from shiboken6 import VoidPtr

from playground.translate import later, tr
from playground.ui.plots import downsample, scale
from playground.ui.plots.figures import Floats, Shown
from playground.ui.plots.frame import HEADROOM, Frame, Picture
from playground.ui.theme import Theme

EMPTY_WORDS = later("Each token lands here as it is made: how long it took, in milliseconds.")
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
_VoidPtr: Any = VoidPtr  # shiboken6's stubs know neither size nor writeable
_SMOOTH_TO = 800
"""A line of more points than this is drawn without antialiasing."""


def line_pen(color: QColor, width: float = 1.0, dashed: bool = False) -> QPen:
    """A pen of constant width."""
    pen = QPen(color, width)
    pen.setCosmetic(True)
    if dashed:
        pen.setDashPattern([2, 3])
    return pen


def paint_grid(p: QPainter, frame: Frame, theme: Theme, unit: bool = True) -> None:
    """Horizontal lines, and the labels of the axis at the left and, for one lane, the right."""
    rect = frame.rect
    p.setFont(theme.font(11))
    paint_lines(p, frame, theme)
    p.setPen(theme.color("text-3"))
    for i in range(frame.lines + 1):
        y = round(float(frame.py(i * frame.step))) - 0.5
        p.drawText(QRectF(0, y - 8, rect.left() - 7, 16), _RIGHT, scale.label(i * frame.step, frame.step))
        if frame.rate_step:
            text = scale.label(i * frame.rate_step, frame.rate_step)
            p.drawText(QRectF(rect.right() + 6, y - 8, 40, 16), _LEFT, text)
    if unit:
        y = rect.top() + HEADROOM - 22
        p.drawText(QRectF(0, y, rect.left() - 7, 16), _RIGHT, "ms")
        if frame.rate_step:
            p.drawText(QRectF(rect.right() + 6, y, 40, 16), _LEFT, "tok/s")


def paint_lines(p: QPainter, frame: Frame, theme: Theme) -> None:
    """The lines of the grid alone, for a part of the plot."""
    rect = frame.rect
    for i in range(frame.lines + 1):
        y = round(float(frame.py(i * frame.step))) - 0.5
        p.setPen(line_pen(theme.color("line-strong" if i == 0 else "line")))
        p.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))


def paint_x_axis(p: QPainter, frame: Frame, theme: Theme) -> None:
    """Labels of tokens or seconds under the plot."""
    rect = frame.rect
    parts = max(2.0, min(8.0, rect.width() / 80))
    step = scale.nice_step((frame.x1 - frame.x0) / parts)
    if frame.axis == "token":
        step = max(1.0, step)
    p.setFont(theme.font(11))
    p.setPen(theme.color("text-3"))
    for value in scale.ticks(max(0.0, frame.x0), frame.x1, step).tolist():
        x = float(frame.px(value))
        text = f"{value:,.{scale.decimals(step)}f}" + ("" if frame.axis == "token" else " s")
        half = p.fontMetrics().horizontalAdvance(text) / 2 + 1
        x = min(x, rect.right() + 13 - half)
        p.drawText(QRectF(x - half, rect.bottom() + 3, 2 * half, 16), _CENTRE, text)


def paint_empty(p: QPainter, frame: Frame, theme: Theme) -> None:
    """Grey axes, and one sentence on what will come."""
    paint_grid(p, frame, theme)
    p.setFont(theme.font(12))
    room = frame.rect.adjusted(8, 0, -8, 0)
    flags = _CENTRE | Qt.TextFlag.TextWordWrap
    box = p.boundingRect(room, int(flags), tr(EMPTY_WORDS))
    p.fillRect(box.adjusted(-10, -2, 10, 2), theme.color("canvas"))
    p.setPen(theme.color("text-3"))
    p.drawText(room, int(flags), tr(EMPTY_WORDS))


@dataclass(frozen=True, slots=True)
class Trace:
    """The visible part of an answer: its tokens, and how they are drawn."""

    shown: Shown
    part: slice
    dense: bool = False
    """More than two tokens in a column of pixels."""
    smooth: bool = True
    """Few enough for antialiasing."""


def trace(frame: Frame, shown: Shown) -> Trace:
    """The part of an answer that the frame shows."""
    part = shown.between(frame.axis, frame.x0, frame.x1)
    n = part.stop - part.start
    if n < 2:
        return Trace(shown, part)
    ends = (shown.x(frame.axis, part.start), shown.x(frame.axis, part.stop - 1))
    width = float(np.diff(frame.px(np.array(ends)))[0])
    dense = downsample.is_dense(n, width)
    # By the plot's width, not by its data's: a line that grows must not change how all of it is drawn.
    return Trace(shown, part, dense, (2 * frame.rect.width() if dense else n) <= _SMOOTH_TO)


def trace_from(frame: Frame, whole: Trace, left: float) -> Trace:
    """Of a trace what is needed to draw it right of a pixel, as the whole is drawn."""
    near = whole.shown.between(frame.axis, frame.x_at(left), frame.x1)
    start = min(max(whole.part.start, near.start), whole.part.stop)
    return Trace(whole.shown, slice(start, whole.part.stop), whole.dense, whole.smooth)


def line_of(picture: Picture, seen: Trace) -> tuple[Floats, Floats]:
    """The rolling line in pixels: mean latency with several lanes, else tokens a second."""
    frame, shown = picture.frame, seen.shown
    values = shown.mean(seen.part) if picture.many else frame.rate_in_ms(shown.rate(seen.part))
    first = int(np.isnan(values[:1]).sum())  # only the first token has no mean and no rate
    x = frame.px(shown.xs(frame.axis, seen.part))[first:]
    y = np.maximum(frame.py(values[first:]), frame.rect.top() + 1)
    return downsample.columns(x, y) if seen.dense and len(x) else (x, y)


def paint_line(p: QPainter, x: Floats, y: Floats, color: QColor, smooth: bool) -> None:
    """A thin line through these pixels."""
    if len(x) < 2:
        return
    p.setPen(line_pen(color))
    line = polygon(x, y)
    # A pen of 1.5 px is stroked, which costs tens of milliseconds on noise; two thin lines cost none.
    p.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    p.drawPolyline(line)
    if smooth:
        p.drawPolyline(line.translated(0, 0.5))
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def polygon(x: Floats, y: Floats) -> QPolygonF:
    """Points as Qt has them, copied in one go: one QPointF at a time costs a microsecond each."""
    points = QPolygonF()
    points.resize(len(x))
    address: Any = points.data()
    memory: Floats = np.frombuffer(_VoidPtr(address, 16 * len(x), True), np.float64)
    memory[0::2] = x
    memory[1::2] = y
    return points


def spread(ys: list[float], gap: float, low: float, high: float) -> list[float]:
    """Heights moved apart so that labels ``gap`` high don't cover one another; order kept, ``low`` is up."""
    order = sorted(range(len(ys)), key=lambda i: ys[i])
    placed = [0.0] * len(ys)
    last = low - gap
    for i in order:
        last = placed[i] = max(ys[i], last + gap)
    over = max(0.0, last - high)
    limit = high + gap
    for i in reversed(order):
        limit = placed[i] = min(placed[i], limit - gap) if over else placed[i]
    return placed


def paint_end(p: QPainter, at: QPointF, color: QColor) -> None:
    """A point at the end of the line: where the answer is now."""
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(color)
    p.drawEllipse(at, 3, 3)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
