"""The frame of both plots: zoom, panning and the mouse around a picture that is kept between paints.

pyqtgraph gives the view: zoom, panning, limits, clicks. The picture is one item, drawn at once: axis and
scatter items cost several milliseconds each where a whole picture costs one or two. What only grows is
painted into the kept picture, and only what changed is shown anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from playground.ui.plots.sheet import FlatView, Sheet
from playground.ui.theme import Theme


class PlotView(pg.GraphicsView):
    """Shows a picture along x and follows it until the user zooms. Plots say what is in it."""

    hovered = Signal(object)
    """What is under the mouse, or None."""
    menu_wanted = Signal(QPoint)
    """The plot's own menu, at this place of the screen."""
    zoom_changed = Signal(bool)
    """Whether the user chose the part in sight."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=theme.color("canvas"))
        self.theme = theme
        self.zoomed = False
        self.mouse: QPointF | None = None
        """Where the mouse is, unless a button is down."""
        self._base = QPixmap()
        self._stale = True
        self._moving = False
        self._range: tuple[float, ...] = ()
        self.setMouseTracking(True)
        self.setFrameShape(self.Shape.NoFrame)
        self.view = FlatView()
        self._sheet = Sheet(self._draw)
        self.scene().addItem(self.view)
        self.scene().addItem(self._sheet)
        self.view.sigXRangeChanged.connect(lambda *_: self._range_changed())
        self.view.sigRangeChangedManually.connect(lambda *_: self._by_hand())
        self.scene().sigMouseClicked.connect(self._clicked)
        theme.changed.connect(self._restyle)

    # What a plot says.

    def full(self) -> tuple[float, float]:
        """The whole range of x, which is in sight unless the user zooms."""
        raise NotImplementedError

    def limits(self) -> tuple[float, float]:
        """How far left one can pan, and the narrowest range one can zoom to."""
        raise NotImplementedError

    def place(self) -> QRectF:
        """The area of the data in a widget of this size."""
        raise NotImplementedError

    def set_seen(self, low: float, high: float) -> None:
        """This range is in sight now."""
        raise NotImplementedError

    def is_whole(self, low: float, high: float) -> bool:
        """Whether a range that the user chose is as good as all."""
        raise NotImplementedError

    def look(self) -> None:
        """Find what is under the mouse; the picture or the mouse moved."""
        raise NotImplementedError

    def paint_all(self, p: QPainter, ratio: float) -> None:
        """The picture, on a filled canvas."""
        raise NotImplementedError

    def paint_growth(self, p: QPainter, ratio: float) -> Sequence[QRectF] | None:
        """Paint what came since the picture was painted; where. None: all has to be painted."""
        return None

    def paint_over(self, p: QPainter) -> None:
        """What moves over the picture."""

    def mouse_clicked(self, event: Any) -> None:
        """A click that was no drag."""

    # For a plot.

    def show_now(self) -> None:
        """Show another state.

        It is rendered at once: Qt paints all that is dirty in one go, so what is left for it should be small.
        """
        self._fit()
        if not self.isVisible():
            self._stale = True
            return
        grown = None if self._stale or self._worn() else self._grow()
        if grown is None:
            self._render()
            self.viewport().update()
        else:
            for place in grown:
                self.viewport().update(place.toAlignedRect())
        self.look()

    def refresh(self) -> None:
        """Draw all of it anew with the next paint."""
        self._stale = True
        self.look()
        self.viewport().update()

    def update_over(self) -> None:
        """Draw anew what is over the picture."""
        self.viewport().update()

    def zoom_back(self) -> None:
        """Show all of it again, and follow it."""
        self._set_zoomed(False)
        self._follow()
        self.refresh()

    def zoomed_by_hand(self) -> None:
        """The user chose another range."""
        self._by_hand()

    # Inside.

    def _fit(self) -> None:
        rect = self.place()
        self._moving = True
        self.view.setGeometry(rect)
        self._sheet.set_box(QRectF(0, 0, self.width(), self.height()))
        self._moving = False
        self._follow()

    def _follow(self) -> None:
        low, high = self.full()
        least, closest = self.limits()
        wanted = (low, high, least, closest, self.zoomed)
        if wanted != self._range:  # these calls are dear
            self._range = wanted
            self._moving = True
            self.view.setLimits(xMin=least, xMax=high, minXRange=closest)
            if not self.zoomed:
                self.view.setXRange(low, high, padding=0)
            self._moving = False
        self.set_seen(*self.view.viewRange()[0])

    def _range_changed(self) -> None:
        if not self._moving:
            self._range = ()
            self.set_seen(*self.view.viewRange()[0])
            self.refresh()

    def _by_hand(self) -> None:
        self._set_zoomed(not self.is_whole(*self.view.viewRange()[0]))

    def _set_zoomed(self, zoomed: bool) -> None:
        if zoomed != self.zoomed:
            self.zoomed = zoomed
            self.zoom_changed.emit(zoomed)

    def _restyle(self) -> None:
        self.setBackground(self.theme.color("canvas"))
        self.refresh()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the picture to the new size."""
        super().resizeEvent(event)
        if hasattr(self, "_sheet"):
            self._fit()
            self.refresh()

    def _worn(self) -> bool:
        """Whether what was kept is of another size or screen."""
        ratio = self.devicePixelRatioF()
        return self._base.devicePixelRatio() != ratio or self._base.size() != self.size() * ratio

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture by itself: the scene has nothing else to show, and its way of painting costs more than ours."""
        self.scene().prepareForPaint()
        with QPainter(self.viewport()) as p:
            self._draw(p)

    def _draw(self, p: QPainter) -> None:
        if self._stale or self._worn():
            self._render()
        p.drawPixmap(0, 0, self._base)
        self.paint_over(p)

    def _render(self) -> None:
        ratio = self.devicePixelRatioF()
        if self._worn():
            self._base = QPixmap(self.size() * ratio)
            self._base.setDevicePixelRatio(ratio)
        self._base.fill(self.theme.color("canvas"))
        with QPainter(self._base) as p:
            self.paint_all(p, ratio)
        self._stale = False

    def _grow(self) -> Sequence[QRectF] | None:
        with QPainter(self._base) as p:
            return self.paint_growth(p, self.devicePixelRatioF())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the mouse."""
        super().mouseMoveEvent(event)
        self.mouse = None if event.buttons() else event.position()
        self.look()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu by key; with the mouse it comes by `_clicked`, as a press may begin to drag."""
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_wanted.emit(self.mapToGlobal(self.rect().center()))
        event.accept()

    def _clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.screenPos().toPoint())
        else:
            self.mouse_clicked(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        super().leaveEvent(event)
        self.mouse = None
        self.look()
