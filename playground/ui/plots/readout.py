"""One row instead of the plots, for small windows: figures and two sparklines, painted without the plot library."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy

from playground.translate import later, tr
from playground.ui import icons
from playground.ui.plots.live import LiveView
from playground.ui.plots.tracks import Tracks
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, LaneWatch
from playground.workspace.lane import Lane
from playground.workspace.words import RATE_WINDOW, format_gb, format_gb_short, format_ms, format_rate

HEIGHT = 40
TOKENS = 200
"""Newest tokens in the sparkline."""
SAMPLES = 240
"""Newest memory samples: a minute of writing."""
_SPARK = 72
_EMPTY = later("Latency and memory show here while a model answers.")
_PAD = 12


class PlotReadout(LiveView):
    """Latency and memory in one line; a click asks for the plots."""

    opened = Signal()

    def __init__(self, workspace: Any, theme: Theme, clock: Clock) -> None:
        super().__init__(clock)
        self._workspace, self._theme = workspace, theme
        self._tracks = Tracks()
        self._quiet, self._strong = theme.font(11), theme.font(11, 600)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(tr("Show the plots of token latency and memory"))
        self.watch = LaneWatch(self, workspace, self._changed, self.mark)
        theme.changed.connect(self.update)
        self._changed()

    def sizeHint(self) -> QSize:
        """One row."""
        return QSize(600, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Figures that don't fit are left out."""
        return QSize(200, HEIGHT)

    @property
    def text(self) -> str:
        """Everything it says, as plain text."""
        lanes = [f"{lane.letter} {_speed(lane)}" for lane in self._lanes() if _speed(lane)]
        return "   ".join([*lanes, self._memory()]).strip()

    def _changed(self) -> None:
        self._tracks.follow(self._workspace.lanes)
        self.mark()

    def catch_up(self) -> None:
        """Other figures."""
        self.setAccessibleName(tr("Latency and memory: {words}", words=self.text))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for the plots."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Return and Space do what a click does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEvent) -> None:
        """Hover."""
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """No hover."""
        self.update()

    def _lanes(self) -> list[Lane]:
        return [lane for lane in self._workspace.lanes if lane.state not in ("empty",)]

    def _memory(self) -> str:
        if not self._tracks.alive:
            return ""
        used = self._tracks.used()
        return tr(
            "{used} of {whole} GB",
            used=format_gb(used),
            whole=format_gb_short(used + self._tracks.available()),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lanes from the left, memory at the right end."""
        with QPainter(self) as p:
            theme = self._theme
            p.fillRect(self.rect(), theme.color("hover" if self.underMouse() else "canvas"))
            p.fillRect(0, 0, self.width(), 1, theme.color("line"))
            if self.hasFocus():
                p.setPen(theme.color("accent"))
                p.drawRect(self.rect().adjusted(0, 0, -1, -1))
            end = self._paint_memory(p)
            x = float(_PAD)
            lanes = self._lanes()
            if not lanes:
                p.setFont(self._quiet)
                p.setPen(theme.color("text-3"))
                p.drawText(QRectF(x, 0, end - x, HEIGHT), Qt.AlignmentFlag.AlignVCenter, tr(_EMPTY))
            share = (end - _PAD - x) / max(1, len(lanes))
            for lane in lanes:
                self._paint_lane(p, lane, QRectF(x, 0, share - _PAD, HEIGHT))
                x += share

    def _paint_memory(self, p: QPainter) -> float:
        """Returns where it begins."""
        words = self._memory()
        width = QFontMetrics(self._strong).horizontalAdvance(words)
        x = self.width() - _PAD - width
        if not words:
            return float(self.width())
        p.setFont(self._strong)
        p.setPen(self._theme.color("text-1"))
        p.drawText(QRectF(x, 0, width + 2, HEIGHT), Qt.AlignmentFlag.AlignVCenter, words)
        if self.width() < 420:
            return float(x)
        spark = QRectF(x - 8 - _SPARK, 10, _SPARK, HEIGHT - 20)
        below = np.zeros(0)
        for track in self._tracks.alive:
            rss = track.facts.memory.rows.view["rss"][-SAMPLES:] / 1e9
            n = min(len(below), len(rss)) or len(rss)
            below = rss[-n:] + (below[-n:] if len(below) else 0)
        _spark(p, below, spark, self._theme.color("text-2"), self._theme.color("line-strong"), zero=True)
        return spark.left()

    def _paint_lane(self, p: QPainter, lane: Lane, room: QRectF) -> None:
        theme, middle = self._theme, Qt.AlignmentFlag.AlignVCenter
        badge = icons.badge(lane.letter, theme.lane(lane.letter), theme.color("canvas"), 18)
        if room.width() < 18:
            return
        p.drawPixmap(QPointF(room.left(), HEIGHT / 2 - 9), badge)
        x = room.left() + 26
        gaps = lane.answer.tokens.view["gap_ns"][-TOKENS:] / 1e6
        words = _speed(lane)
        metrics = QFontMetrics(self._strong)
        width = metrics.horizontalAdvance(words)
        spark = room.right() - x >= _SPARK + 8 + width
        if spark:
            _spark(p, gaps, QRectF(x, 10, _SPARK, HEIGHT - 20), theme.lane(lane.letter), theme.color("line-strong"))
            x += _SPARK + 8
        if not words:
            if room.right() - x > 40 and len(self._lanes()) == 1:
                p.setFont(self._quiet)
                p.setPen(theme.color("text-3"))
                p.drawText(QRectF(x, 0, room.right() - x, HEIGHT), middle, tr(_EMPTY))
            return
        p.setFont(self._strong)
        p.setPen(theme.color("text-1"))
        rest = int(room.right() - x)
        shown = words if width <= rest else words.rsplit(" · ", 1)[-1]
        p.drawText(QRectF(x, 0, rest, HEIGHT), middle, metrics.elidedText(shown, Qt.TextElideMode.ElideRight, rest))


def _speed(lane: Lane) -> str:
    """“14.6 ms · 66.6 tok/s”: the newest tokens' median wait and speed."""
    tokens = lane.answer.tokens.view
    rate = lane.answer.tok_s(RATE_WINDOW if lane.busy else 0)
    if len(tokens) < 2 or not rate:
        return ""
    waits = tokens["gap_ns"][-RATE_WINDOW:] if lane.busy else tokens["gap_ns"][1:]
    return f"{format_ms(int(np.median(waits)))} · {format_rate(rate)}"


def _spark(p: QPainter, values: NDArray[Any], box: QRectF, color: QColor, base: QColor, zero: bool = False) -> None:
    """A line over the box's width, oldest at the left; a few outliers don't flatten the rest."""
    p.setPen(base)
    p.drawLine(QPointF(box.left(), box.bottom() + 0.5), QPointF(box.right(), box.bottom() + 0.5))
    if len(values) < 2:
        return
    top = float(np.percentile(values, 98)) * 1.15 or 1.0
    if zero:
        top = float(values.max()) * 1.15 or 1.0
    x = box.left() + np.arange(len(values)) * (box.width() / (len(values) - 1))
    y = box.bottom() - np.clip(values / top, 0, 1) * box.height()
    p.setPen(color)
    p.drawPolyline(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
