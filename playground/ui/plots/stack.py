"""The memory plot itself: stacked areas, the limit, marks and crosshair. Imports pyqtgraph: load it late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg
from pyqtgraph.functions import arrayToQPolygonF
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from playground.ui.plots.tracks import Floats, Layer, Picture
from playground.ui.theme import Theme
from playground.workspace.words import format_gb_short

WINDOW_S = 600.0
"""Seconds in sight unless the user zooms."""
FAR = 4.0
"""A limit this many times above what is used is said, not drawn: it would flatten the areas."""
_STEPS = (8.0, 15.0, 30.0, 60.0, 120.0, 300.0, WINDOW_S)
_EMPTY_WORDS = "Fills from left to right\nwhile a model answers."


class MemoryPlot(pg.PlotWidget):
    """Memory over measured seconds; the wheel zooms in time, a double click brings all back."""

    hovered = Signal(object)
    """Index of the point under the mouse, or None."""
    zoomed = Signal(bool)
    """Whether the user chose the part in sight."""

    def __init__(self, theme: Theme) -> None:
        self._axes = {"left": _Axis("left", format_axis_gb), "bottom": _Axis("bottom", None)}
        super().__init__(axisItems=self._axes, background=theme.color("canvas"))
        self._theme = theme
        self._picture = Picture(np.zeros(0))
        self._own_range = False
        self.setMinimumSize(0, 0)
        self.setFrameShape(pg.PlotWidget.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Memory over time")
        item = self.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.layout.setContentsMargins(0, 0, 0, 0)
        self._box = item.getViewBox()
        self._box.setDefaultPadding(0)
        self._box.setMouseEnabled(x=True, y=False)
        self._box.disableAutoRange()
        self._box.setLimits(xMin=0, yMin=0, minXRange=0.5)
        self._box.sigRangeChangedManually.connect(lambda *_: self._chose())
        self._areas = _Areas(theme)
        self._box.addItem(self._areas, ignoreBounds=True)
        self.scene().sigMouseMoved.connect(self._moved)
        self.restyle()
        self.show_picture(self._picture)

    def restyle(self) -> None:
        """Take the theme's colours."""
        self.setBackground(self._theme.color("canvas"))
        for axis in self._axes.values():
            axis.restyle(self._theme)
        self._areas.update()

    def show_picture(self, picture: Picture) -> None:
        """Draw another state."""
        self._picture = picture
        if not self._own_range:
            self._follow()
        self._fit_height()
        self._areas.set_picture(picture)

    def reset_range(self) -> None:
        """Follow the newest samples again."""
        if self._own_range:
            self._own_range = False
            self.zoomed.emit(False)
        self._follow()
        self._fit_height()

    @property
    def x_range(self) -> tuple[float, float]:
        """The measured seconds in sight."""
        (low, high), _ = self._box.viewRange()
        return float(low), float(high)

    @property
    def far_limit(self) -> bool:
        """Whether the limit lies so high that it is only said."""
        return self._areas.far

    def _follow(self) -> None:
        span = self._picture.span
        width = next((step for step in _STEPS if span <= step * 0.98), WINDOW_S)
        end = max(width, span * 1.01)
        self._box.setXRange(end - width, end, padding=0)

    def _chose(self) -> None:
        if not self._own_range:
            self._own_range = True
            self.zoomed.emit(True)
        self._fit_height()

    def _fit_height(self) -> None:
        """The height follows what is in sight."""
        picture = self._picture
        low, high = self.x_range
        seen = (picture.x >= low - 1) & (picture.x <= high)
        seen = seen if seen.any() else np.ones(len(picture.x), bool)
        tops = picture.layers[-1].high[seen] if picture.layers else picture.total[seen]
        used = float(tops.max()) if len(tops) else 0.0
        limits = picture.limit[seen]
        limits = limits[np.isfinite(limits)]
        limit = float(limits.max()) if len(limits) else 0.0
        self._areas.far = limit > FAR * used
        top = _nice(used * 1.45) if self._areas.far else _nice(max(limit * 1.12, used * 1.05))
        if not used:
            top = _nice(limit * 1.12) if limit else 6.0
        self._box.setYRange(0, top, padding=0)

    def _moved(self, where: QPointF) -> None:
        inside = self._box.sceneBoundingRect().contains(where) and len(self._picture.x) > 0
        index: int | None = None
        if inside:
            x = self._box.mapSceneToView(where).x()
            if x <= self._picture.span:
                index = max(0, int(np.searchsorted(self._picture.x, x, side="right")) - 1)
        self._point_at(index)

    def _point_at(self, index: int | None) -> None:
        if index != self._areas.cross:
            self._areas.cross = index
            self._areas.update()
            self.hovered.emit(index)

    def leaveEvent(self, event: Any) -> None:
        """No crosshair without a mouse."""
        self._point_at(None)
        super().leaveEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all again."""
        self.reset_range()
        event.accept()


def _nice(value: float) -> float:
    """The next round number above, at which a grid of three or four lines ends."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(value))
    return float(next(step * unit for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if step * unit >= value * 0.999))


def format_axis_gb(value: float, spacing: float) -> str:
    """A tick of the height: as many digits as the steps need."""
    return f"{value:.0f}" if spacing >= 1 else f"{value:.1f}" if spacing >= 0.1 else f"{value:.2f}"


def format_axis_s(value: float, last: bool) -> str:
    """A tick of the time: seconds, from two minutes on minutes and seconds; the last says the unit."""
    if value >= 120:
        return f"{int(value) // 60}:{int(value) % 60:02d}"
    return f"{value:g} s" if last else f"{value:g}"


class _Axis(pg.AxisItem):
    def __init__(self, side: str, words: Callable[[float, float], str] | None) -> None:
        self._words = words
        super().__init__(side, showValues=True)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=0, tickTextOffset=6 if side == "left" else 3, maxTickLevel=0)
        if side == "left":
            self.setWidth(30)
        else:
            self.setHeight(18)

    def restyle(self, theme: Theme) -> None:
        self.setTickFont(theme.font(11))
        self.setTextPen(theme.color("text-3"))
        # The grid is drawn under the areas; the axis itself only writes.
        self.setPen(QPen(Qt.PenStyle.NoPen))

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        most = max(1.0, size / (26 if self.orientation == "left" else 48))
        return [(step_for(high - low, min(most, 5.0)), 0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self._words is not None:
            return [self._words(value, spacing) for value in values]
        return [format_axis_s(value, value == values[-1]) for value in values]


def step_for(span: float, most: float) -> float:
    """The smallest round step that needs at most ``most`` of them for the span."""
    rough = max(span, 1e-9) / most
    unit = 10.0 ** np.floor(np.log10(rough))
    return float(next(step * unit for step in (1, 2, 5, 10) if step * unit >= rough * 0.999))


class _Areas(pg.GraphicsObject):
    """Everything inside the axes, painted in pixels: sharp gaps, and text that doesn't stretch."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture = Picture(np.zeros(0))
        self.far = False
        self.cross: int | None = None

    def set_picture(self, picture: Picture) -> None:
        self._picture = picture
        if self.cross is not None and self.cross >= len(picture.x):
            self.cross = None
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def viewTransformChanged(self) -> None:
        self.prepareGeometryChange()

    def paint(self, p: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        to = p.worldTransform()
        view = to.mapRect(QRectF(self.viewRect()))
        p.save()
        p.resetTransform()
        p.setFont(self._theme.font(11))
        self._paint_grid(p, view)
        picture = self._picture
        if len(picture.x):
            seen = _thin(picture, QRectF(self.viewRect()), view.width())
            px = picture.x[seen] * to.m11() + to.dx()
            self._paint_layers(p, px, seen, to.m22(), to.dy(), view)
            self._paint_marks(p, view, to.m11(), to.dx())
            self._paint_limit(p, px, seen, to.m22(), to.dy(), view)
            if picture.span < 1:
                self._paint_words(p, view, px[-1])
            self._paint_cross(p, view, to.m11(), to.dx())
        p.restore()

    def _paint_grid(self, p: QPainter, view: QRectF) -> None:
        top = self.viewRect().height()
        step = step_for(top, min(5.0, max(1.0, view.height() / 26)))
        p.setPen(self._theme.color("line"))
        for line in np.arange(0, top + step / 2, step):
            y = round(view.bottom() - line / top * view.height()) - 0.5
            p.drawLine(QLineF(view.left(), y, view.right(), y))

    def _paint_layers(self, p: QPainter, px: Floats, seen: Any, scale: float, origin: float, view: QRectF) -> None:
        canvas = self._theme.color("canvas")
        stub = px[-1] - px[0] < 14  # one sample just after a load: a stub wide enough to be seen
        if stub:
            px = np.array([px[0], px[0] + 14])
            seen = np.array([seen[-1], seen[-1]])
        for layer in self._picture.layers:
            high, low = layer.high[seen] * scale + origin, layer.low[seen] * scale + origin
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._color(layer))
            p.drawPolygon(_area(px, high, low))
            if view.bottom() - low.min() > 1:
                p.setPen(QPen(canvas, 1))
                p.drawPolyline(arrayToQPolygonF(px, low))
            if not layer.part:
                self._paint_letters(p, layer, px, high, low, canvas)

    def _color(self, layer: Layer) -> QColor:
        if layer.part:
            return self._theme.memory_part(layer.letters[0], layer.part)
        return self._theme.lane(layer.letters[0])

    def _paint_letters(self, p: QPainter, layer: Layer, px: Floats, high: Floats, low: Floats, ink: QColor) -> None:
        """The lanes' letters where their band begins, if it is high enough for them."""
        tall = np.flatnonzero(low - high >= 12)
        if not len(tall) or px[-1] - px[tall[0]] < 20:
            return
        at = tall[0]
        p.setFont(self._theme.font(11, 600))
        p.setPen(ink)
        end = min(len(px) - 1, at + 1)
        middle = (max(high[at], high[end]) + min(low[at], low[end])) / 2
        p.drawText(QRectF(px[at] + 8, middle - 8, 60, 16), Qt.AlignmentFlag.AlignVCenter, layer.letters)
        p.setFont(self._theme.font(11))

    def _paint_marks(self, p: QPainter, view: QRectF, scale: float, origin: float) -> None:
        p.setPen(QPen(self._theme.color("line-strong"), 1, Qt.PenStyle.DotLine))
        for x in [*self._picture.pauses, *(x for x, _ in self._picture.events)]:
            at = round(x * scale + origin) + 0.5
            p.drawLine(QLineF(at, view.top(), at, view.bottom()))

    def _paint_limit(self, p: QPainter, px: Floats, seen: Any, scale: float, origin: float, view: QRectF) -> None:
        limit = self._picture.limit
        known = limit[np.isfinite(limit)]
        if not len(known):
            return
        words = f"limit: in use + free, {format_gb_short(round(known[-1] * 1e9))} GB"
        metrics = QFontMetrics(p.font())
        y = view.top() + 2.0
        if self.far:
            words += " ↑"
        else:
            p.setPen(QPen(self._theme.color("text-2"), 1, Qt.PenStyle.CustomDashLine))
            pen = p.pen()
            pen.setDashPattern([4, 3])
            p.setPen(pen)
            part = limit[seen]
            good = np.isfinite(part)
            line, at = part[good] * scale + origin, px[good]
            if len(at):
                if at[-1] - at[0] < view.width() * 0.5 and self._picture.span < 1:
                    at, line = np.append(at, view.right()), np.append(line, line[-1])
                p.drawPolyline(arrayToQPolygonF(np.ascontiguousarray(at), np.ascontiguousarray(line)))
                y = max(view.top(), float(line.min()) - metrics.height() - 2)
        width = metrics.horizontalAdvance(words)
        if width > view.width() - 8:
            words = words.replace("limit: in use + free, ", "limit ")
        p.setPen(self._theme.color("text-2"))
        p.drawText(QRectF(view.left() + 4, y, view.width() - 4, metrics.height()), Qt.AlignmentFlag.AlignLeft, words)

    def _paint_words(self, p: QPainter, view: QRectF, x: float) -> None:
        room = QRectF(max(view.left(), x) + 20, view.top() + 18, view.right() - x - 24, view.height() - 24)
        if room.width() >= 120 and room.height() >= 34:
            p.setPen(self._theme.color("text-3"))
            p.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, _EMPTY_WORDS)

    def _paint_cross(self, p: QPainter, view: QRectF, scale: float, origin: float) -> None:
        if self.cross is None:
            return
        at = round(self._picture.x[self.cross] * scale + origin) + 0.5
        p.setPen(self._theme.color("text-3"))
        p.drawLine(QLineF(at, view.top(), at, view.bottom()))


def _area(x: Floats, high: Floats, low: Floats) -> QPolygonF:
    return arrayToQPolygonF(np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]))


def _thin(picture: Picture, view: QRectF, width: float) -> Any:
    """Indices of the points to draw: those in sight, at most two a pixel, the highest of each."""
    x = picture.x
    first = max(0, int(np.searchsorted(x, view.left())) - 1)
    last = min(len(x), int(np.searchsorted(x, view.right(), side="right")) + 1)
    most = max(16, int(width) * 2)
    if last - first <= most:
        return np.arange(first, last)
    size = -(-(last - first) // most)
    first -= first % size  # so that a growing series keeps its blocks
    blocks = (last - first) // size
    highest = picture.total[first : first + blocks * size].reshape(blocks, size).argmax(axis=1)
    return np.unique(np.concatenate([[first], first + np.arange(blocks) * size + highest, [last - 1]]))
