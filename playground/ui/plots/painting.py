"""Draws the latency plot with a QPainter: grid, labels, phases, dots, lines. Needs no pyqtgraph."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from playground.ui.plots import downsample, scale
from playground.ui.plots.figures import Floats, Shown
from playground.ui.plots.frame import HEADROOM, Frame, Picture
from playground.ui.theme import Theme

EMPTY_WORDS = "Each token lands here as it is made: how long it took, in milliseconds."
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter
_DOTS_ALPHA, _FAINT_ALPHA = 0.9, 0.55


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
    for i in range(frame.lines + 1):
        y = round(float(frame.py(i * frame.step))) - 0.5
        p.setPen(line_pen(theme.color("line-strong" if i == 0 else "line")))
        p.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
        p.setPen(theme.color("text-3"))
        p.drawText(QRectF(0, y - 8, rect.left() - 7, 16), _RIGHT, scale.label(i * frame.step, frame.step))
        if frame.rate_step:
            text = scale.label(i * frame.rate_step, frame.rate_step)
            p.drawText(QRectF(rect.right() + 6, y - 8, 40, 16), _LEFT, text)
    if unit:
        y = rect.top() + HEADROOM - 22
        p.drawText(QRectF(0, y, rect.left() - 7, 16), _RIGHT, "ms")
        if frame.rate_step:
            p.drawText(QRectF(rect.right() + 6, y, 40, 16), _LEFT, "tok/s")


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
        text = scale.label(value, step) + (" s" if frame.axis == "time" else "")
        box = QRectF(x - 40, rect.bottom() + 3, 80, 16)
        p.drawText(box, _CENTRE, text)


def paint_empty(p: QPainter, frame: Frame, theme: Theme) -> None:
    """Grey axes, and one sentence on what will come."""
    paint_grid(p, frame, theme)
    p.setFont(theme.font(12))
    room = frame.rect.adjusted(8, 0, -8, 0)
    flags = _CENTRE | Qt.TextFlag.TextWordWrap
    box = p.boundingRect(room, int(flags), EMPTY_WORDS)
    p.fillRect(box.adjusted(-10, -2, 10, 2), theme.color("canvas"))
    p.setPen(theme.color("text-3"))
    p.drawText(room, int(flags), EMPTY_WORDS)


def paint_dots(p: QPainter, picture: Picture, shown: Shown, color: QColor, ratio: float) -> None:
    """A dot for each token; those above the axis as small triangles at the edge."""
    frame = picture.frame
    rect = frame.rect
    part = shown.between(frame.axis, frame.x0, frame.x1)
    x, ms = frame.px(shown.xs(frame.axis, part)), shown.rows["gap_ns"][part] / 1e6
    high = ms > frame.y1
    width, height = int(rect.width() * ratio), int(rect.height() * ratio)
    px, py = (x - rect.left()) * ratio, (frame.py(ms) - rect.top()) * ratio
    ink = downsample.stamp(px[~high], py[~high], width, height, ratio)
    alpha = _FAINT_ALPHA if picture.many else _DOTS_ALPHA
    pixels = downsample.tint(ink, color.red(), color.green(), color.blue(), alpha)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)  # type: ignore[call-overload]
    image.setDevicePixelRatio(ratio)
    p.drawImage(rect.topLeft(), image)
    if high.any():
        _paint_triangles(p, np.unique(np.round(x[high] / 3) * 3), rect, color)


def _paint_triangles(p: QPainter, xs: Floats, rect: QRectF, color: QColor) -> None:
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(color)
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    top = rect.top() + 1
    for x in xs[(xs >= rect.left() - 1) & (xs <= rect.right() + 1)].tolist():
        p.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + 4, top + 6), QPointF(x - 4, top + 6)]))
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def line_of(picture: Picture, shown: Shown) -> tuple[Floats, Floats]:
    """The rolling line in pixels: mean latency with several lanes, else tokens a second."""
    frame = picture.frame
    part = shown.between(frame.axis, frame.x0, frame.x1)
    x = frame.px(shown.xs(frame.axis, part))
    values = shown.mean(part) if picture.many else frame.rate_in_ms(shown.rate(part))
    y = np.maximum(frame.py(values), frame.rect.top() + 1)
    good = ~np.isnan(y)
    return downsample.columns(x[good], y[good])


def paint_line(p: QPainter, x: Floats, y: Floats, color: QColor, width: float = 1.0) -> None:
    """A thin line through these pixels."""
    if len(x) > 1:
        points = QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)])
        p.setPen(line_pen(color, width))
        p.drawPolyline(points)


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
