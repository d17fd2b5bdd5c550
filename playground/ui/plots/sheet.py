"""What the plots take from pyqtgraph: a view that zooms along x, and one item that paints the whole picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter


class Sheet(pg.GraphicsObject):
    """One item over the whole view, drawn by a function."""

    def __init__(self, draw: Callable[[QPainter], None]) -> None:
        super().__init__()
        self._draw = draw
        self._box = QRectF(0, 0, 1, 1)

    def set_box(self, box: QRectF) -> None:
        """Cover this area."""
        if box != self._box:
            self.prepareGeometryChange()
            self._box = box

    def boundingRect(self) -> QRectF:
        """The whole view."""
        return self._box

    def paint(self, p: QPainter, *_: Any) -> None:
        """Draw."""
        self._draw(p)


class FlatView(pg.ViewBox):
    """Zooms and pans along x only."""

    def __init__(self) -> None:
        super().__init__(border=None, enableMenu=False, enableMouse=True, defaultPadding=0)
        self.setMouseEnabled(x=True, y=False)
        self.take_drag: Callable[[Any], bool] = lambda _event: False
        """Asked with each drag; True: it is not for panning."""
        self.disableAutoRange()
        self.setYRange(0, 1, padding=0)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """A drag is the plot's, or pans."""
        if self.take_drag(event):
            event.accept()
        else:
            super().mouseDragEvent(event, axis)

    def mouseClickEvent(self, event: Any) -> None:
        """Clicks are the plot's."""
        event.ignore()
