"""The memory plot itself: zoom, panning and the mouse around a painted picture.

The only file of the pane that needs pyqtgraph, so it is imported late.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from playground.ui.plots import scale
from playground.ui.plots.sheet import FlatView, Sheet
from playground.ui.plots.stack_painting import StackFrame, paint_cross, paint_picture
from playground.ui.plots.tracks import Picture
from playground.ui.theme import Theme

WINDOW_S = 600.0
"""Measured seconds in sight unless the user zooms."""
_LEAST_S = 8.0
_CLOSEST_S = 0.5


class MemoryPlot(pg.GraphicsView):
    """Memory over measured seconds; the wheel zooms in time, a double click brings all back."""

    hovered = Signal(object)
    """Index of the point under the mouse, or None."""
    zoomed = Signal(bool)
    """Whether the user chose the part in sight."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=theme.color("canvas"))
        self._theme = theme
        self.frame = StackFrame()
        self.picture = Picture(np.zeros(0))
        self.hover: int | None = None
        self._own_range = False
        self._moving = False
        self._at: QPointF | None = None
        self._base = QPixmap()
        self._stale = True
        self.setMinimumSize(0, 0)
        self.setMouseTracking(True)
        self.setFrameShape(self.Shape.NoFrame)
        self.setAccessibleName("Memory over time")
        self.view = FlatView()
        self._sheet = Sheet(self._draw)
        self.scene().addItem(self.view)
        self.scene().addItem(self._sheet)
        self.view.sigXRangeChanged.connect(lambda *_: self._range_changed())
        self.view.sigRangeChangedManually.connect(lambda *_: self._by_hand())
        self.scene().sigMouseClicked.connect(lambda event: self.reset_range() if event.double() else None)
        theme.changed.connect(self._restyle)

    def show_picture(self, picture: Picture) -> None:
        """Draw another state, at once: Qt paints all that is dirty in one go, what is left for it should be small."""
        self._lay_out(picture)
        if self.isVisible():
            self._render()

    def reset_range(self) -> None:
        """Follow the newest samples again."""
        self._set_own_range(False)
        self._follow()
        self._refresh()

    def full(self) -> tuple[float, float]:
        """The range that follows: all, or the last ten minutes."""
        end = scale.follow(self.picture.span, _LEAST_S)
        return max(0.0, end - WINDOW_S), end

    def _lay_out(self, picture: Picture) -> None:
        self.picture = picture
        self._place()
        self._follow()
        self._refresh()

    def _place(self) -> None:
        self.frame.place(self.width(), self.height())
        self._moving = True
        self.view.setGeometry(self.frame.rect)
        self._sheet.set_box(QRectF(0, 0, self.width(), self.height()))
        self._moving = False

    def _follow(self) -> None:
        low, high = self.full()
        self._moving = True
        self.view.setLimits(xMin=0.0, xMax=high, minXRange=_CLOSEST_S)
        if not self._own_range:
            self.view.setXRange(low, high, padding=0)
        self._moving = False
        self.frame.x0, self.frame.x1 = self.view.viewRange()[0]

    def _range_changed(self) -> None:
        if not self._moving:
            self.frame.x0, self.frame.x1 = self.view.viewRange()[0]
            self._refresh()

    def _by_hand(self) -> None:
        low, high = self.full()
        x0, x1 = self.view.viewRange()[0]
        self._set_own_range(abs(x0 - low) + abs(x1 - high) > 0.005 * (high - low))

    def _set_own_range(self, own: bool) -> None:
        if own != self._own_range:
            self._own_range = own
            self.zoomed.emit(own)

    def _refresh(self) -> None:
        self.frame.fit_height(self.picture)
        self._find()
        self._stale = True
        self._sheet.update()

    def _restyle(self) -> None:
        self.setBackground(self._theme.color("canvas"))
        self._stale = True
        self._sheet.update()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the picture to the new size."""
        super().resizeEvent(event)
        if hasattr(self, "_sheet"):
            self._lay_out(self.picture)

    def _draw(self, p: QPainter) -> None:
        if self._stale or self._base.devicePixelRatio() != self.devicePixelRatioF():
            self._render()
        p.drawPixmap(0, 0, self._base)
        if self.hover is not None:
            total = self.picture.total[self.hover]
            paint_cross(p, self.frame, self._theme, float(self.picture.x[self.hover]), float(total))

    def _render(self) -> None:
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._base.size() != size:
            self._base = QPixmap(size)
        self._base.setDevicePixelRatio(ratio)
        self._base.fill(self._theme.color("canvas"))
        with QPainter(self._base) as p:
            paint_picture(p, self.picture, self.frame, self._theme)
        self._stale = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Find the moment under the mouse."""
        super().mouseMoveEvent(event)
        self._at = None if event.buttons() else event.position()
        self._find()

    def leaveEvent(self, event: QEvent) -> None:
        """No crosshair without a mouse."""
        super().leaveEvent(event)
        self._at = None
        self._find()

    def _find(self) -> None:
        found: int | None = None
        at, picture = self._at, self.picture
        if at is not None and len(picture.x) and self.frame.rect.contains(at):
            x = self.frame.x_at(at.x())
            if x <= picture.span:
                found = max(0, int(np.searchsorted(picture.x, x, side="right")) - 1)
            near = [m.text for m in picture.marks if abs(float(self.frame.px(m.x)) - at.x()) <= 4]
            self.setToolTip("\n".join(near))
        if found != self.hover:
            self.hover = found
            self._sheet.update()
            self.hovered.emit(found)
