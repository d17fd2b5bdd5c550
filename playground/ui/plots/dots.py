"""A lane's dots, kept as ink between two pictures: while the view stands still only new tokens are stamped."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPaintEngine, QPainter, QPolygonF

from playground.ui.plots import downsample
from playground.ui.plots.downsample import Ink
from playground.ui.plots.figures import Shown
from playground.ui.plots.frame import Frame

FINE = 4
"""Places in a pixel that dots without pixels are told apart by."""
ALPHA, FAINT_ALPHA = 0.9, 0.55
"""How strong dots are alone, and under a line in their own colour."""


class Dots:
    """One lane's dots; tokens above the axis are small triangles at its edge."""

    def __init__(self) -> None:
        self._key: object = None
        self._ink: Ink | None = None
        self._stop = 0

    def paint(self, p: QPainter, frame: Frame, shown: Shown, color: QColor, alpha: float, ratio: float) -> None:
        """Draw the tokens that the frame shows."""
        rect = frame.rect
        if p.paintEngine().type() == QPaintEngine.Type.SVG:
            _paint_apart(p, frame, shown, color, alpha)
            return
        key = (shown.answer, frame.axis, frame.x0, frame.x1, frame.y1, rect.getRect(), ratio, color.rgb(), alpha)
        part = shown.between(frame.axis, frame.x0, frame.x1)
        if self._ink is None or key != self._key or part.stop < self._stop:
            self._key, self._stop = key, part.start
            shades = downsample.shades(color.red(), color.green(), color.blue(), alpha)
            self._ink = Ink(int(rect.width() * ratio), int(rect.height() * ratio), ratio, shades)
        self._stamp(self._ink, frame, shown, slice(max(part.start, self._stop), part.stop))
        self._stop = part.stop
        ink = self._ink
        rows, stride = ink.colors.shape
        image = QImage(ink.colors.data, stride, rows, 4 * stride, QImage.Format.Format_ARGB32_Premultiplied)
        place = QRectF(rect.left(), rect.top(), ink.width / ratio, ink.height / ratio)
        p.drawImage(place, image, QRectF(ink.pad, ink.pad, ink.width, ink.height))

    @staticmethod
    def _stamp(ink: Ink, frame: Frame, shown: Shown, part: slice) -> None:
        if part.stop <= part.start:
            return
        x = (frame.px(shown.xs(frame.axis, part)) - frame.rect.left()) * ink.ratio
        y = (frame.py(shown.rows["gap_ns"][part] * 1e-6) - frame.rect.top()) * ink.ratio
        ink.stamp(x, y)
        high = y < 0
        if high.any():
            over = x[high]
            ink.stamp_triangles(np.asarray(over[(over >= 0) & (over < ink.width)]))


def _paint_apart(p: QPainter, frame: Frame, shown: Shown, color: QColor, alpha: float) -> None:
    """Dot by dot, where there are no pixels; of those that no eye can tell apart one."""
    part, rect = shown.between(frame.axis, frame.x0, frame.x1), frame.rect
    x = frame.px(shown.xs(frame.axis, part))
    y = frame.py(shown.rows["gap_ns"][part] * 1e-6)
    seen = (x >= rect.left()) & (x <= rect.right())
    places = np.unique(np.round(np.column_stack([x[seen], np.maximum(y[seen], rect.top() - 1)]) * FINE) / FINE, axis=0)
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(QColor.fromRgbF(color.redF(), color.greenF(), color.blueF(), alpha))
    for px, py in places.tolist():
        if py < rect.top():
            points = [QPointF(px, rect.top() + 1), QPointF(px + 4, rect.top() + 7), QPointF(px - 4, rect.top() + 7)]
            p.drawPolygon(QPolygonF(points))
        else:
            p.drawEllipse(QPointF(px, py), downsample.DOT / 2, downsample.DOT / 2)
