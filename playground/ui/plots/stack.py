"""The memory plot itself. Needs pyqtgraph, so it is imported late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from playground.translate import tr
from playground.ui.plots import scale
from playground.ui.plots.plot_view import PlotView
from playground.ui.plots.reading_painting import paint_tracks, paint_values
from playground.ui.plots.reading_tracks import ReadingTrack
from playground.ui.plots.stack_painting import StackFrame, paint_cross, paint_picture
from playground.ui.plots.tracks import Picture
from playground.ui.theme import Theme

WINDOW_S = 600.0
"""Measured seconds in sight unless the user zooms."""
_LEAST_S = 8.0
_CLOSEST_S = 0.5


class MemoryPlot(PlotView):
    """Memory over measured seconds; the wheel zooms in time, a double click brings all back.

    ``hovered`` tells the index of the point under the mouse.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.frame = StackFrame()
        self.picture = Picture(np.zeros(0))
        self.tracks: list[ReadingTrack] = []
        self.hover: int | None = None
        self.setMinimumSize(0, 0)
        self.setAccessibleName(tr("Memory over time"))

    def show_picture(self, picture: Picture, tracks: Sequence[ReadingTrack] = ()) -> None:
        """Draw another state, with the tracks of readings."""
        self.picture, self.tracks = picture, list(tracks)
        self.show_now()

    def full(self) -> tuple[float, float]:
        """The range that follows: all, or the last ten minutes."""
        end = scale.follow(self.picture.span, _LEAST_S)
        return max(0.0, end - WINDOW_S), end

    def limits(self) -> tuple[float, float]:
        """Back to the first sample, and half a second."""
        return 0.0, _CLOSEST_S

    def place(self) -> QRectF:
        """The area of the stack and of the readings' tracks."""
        self.frame.place(self.width(), self.height(), len(self.tracks))
        return self.frame.foot

    def set_seen(self, low: float, high: float) -> None:
        """The grid follows what is in sight."""
        self.frame.x0, self.frame.x1 = low, high
        self.frame.fit_height(self.picture)

    def is_whole(self, low: float, high: float) -> bool:
        """Both ends as they would be."""
        first, last = self.full()
        return abs(low - first) + abs(high - last) <= 0.005 * (last - first)

    def paint_all(self, p: QPainter, ratio: float) -> None:
        """Grid, areas, limit, marks."""
        paint_picture(p, self.picture, self.frame, self.theme)
        if self.tracks:
            paint_tracks(p, self.tracks, self.frame, self.theme)
            paint_values(p, self.tracks, self.frame, self.theme)

    def paint_over(self, p: QPainter) -> None:
        """The crosshair."""
        if self.hover is not None and self.hover < len(self.picture.x):
            total = self.picture.total[self.hover]
            x = float(self.picture.x[self.hover])
            paint_cross(p, self.frame, self.theme, x, float(total))
            paint_values(p, self.tracks, self.frame, self.theme, x)

    def look(self) -> None:
        """Find the moment under the mouse."""
        found: int | None = None
        at, picture = self.mouse, self.picture
        if at is not None and len(picture.x) and self.frame.foot.contains(at):
            x = self.frame.x_at(at.x())
            if x <= picture.span:
                found = max(0, int(np.searchsorted(picture.x, x, side="right")) - 1)
            near = [m.text for m in picture.marks if abs(float(self.frame.px(m.x)) - at.x()) <= 4]
            near += [t.tip for t, box in zip(self.tracks, self.frame.tracks, strict=False) if box.contains(at)]
            self.setToolTip("\n".join(near))
        if found != self.hover:
            self.hover = found
            self.update_over()
            self.hovered.emit(found)

    def mouse_clicked(self, event: Any) -> None:
        """Twice: show all again."""
        if event.double():
            self.zoom_back()
