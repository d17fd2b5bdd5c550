"""Tokens a second over the context's depth: one plot for reading, one for writing, each from zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from playground.bench.curves import Curve, Kind
from playground.bench.plan import QUICK_DEPTHS
from playground.bench.result import Result
from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import ElidedLabel, Label
from playground.workspace.bench_words import described

_AXIS = 48
"""Pixels for the labels at the left."""
_NEAR = 28
"""Pixels from a point within which the mouse is at it."""
RUN_TOKENS = ("lane-A", "lane-B")
"""Colours of the run that is shown and of the one beside it; the figures 1 and 2 go with them."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A curve of the run that is shown (0) or of the one beside it (1)."""

    curve: Curve
    run: int


class DepthPlot(pg.PlotWidget):
    """Curves with error bars of one standard deviation."""

    pointed = Signal(object)
    """A `Drawn` and one of its results, or None."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(background=theme.color("canvas"), enableMenu=False)
        self._theme = theme
        self._drawn: list[Drawn] = []
        self._at: tuple[Drawn, Result] | None = None
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._draw)
        self.setFrameShape(self.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumSize(220, 140)
        item = self.getPlotItem()
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.setContentsMargins(0, 8, 14, 0)
        self.scene().sigMouseMoved.connect(self._moved)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_curves(self, drawn: Sequence[Drawn]) -> None:
        """Draw these."""
        self._drawn = list(drawn)
        self._point(None)
        self._due.start()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """As many labels as there is room for."""
        super().resizeEvent(event)
        if hasattr(self, "_due"):
            self._due.start()

    def leaveEvent(self, event: object) -> None:
        """Nothing is pointed at any more."""
        self._point(None)

    def _restyle(self) -> None:
        theme = self._theme
        self.setBackground(theme.color("canvas"))
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.color("line")))
            axis.setTickPen(pg.mkPen(theme.color("line")))
            axis.setTextPen(theme.color("text-3"))
            axis.setStyle(
                tickFont=theme.font(11),
                tickLength=0,
                tickTextOffset=6,
                autoExpandTextSpace=False,
                hideOverlappingLabels=False,
            )
        left = self.getPlotItem().getAxis("left")
        left.setWidth(_AXIS)
        left.setPen(None)
        self.getPlotItem().getAxis("bottom").setHeight(22)
        self._due.start()

    def _draw(self) -> None:
        item = self.getPlotItem()
        item.clear()
        self._fit()
        for drawn in sorted(self._drawn, key=lambda one: -one.run):
            color = self._theme.color(RUN_TOKENS[drawn.run])
            points = drawn.curve.points
            x = np.array([result.n_depth for result in points], float)
            y = np.array([result.avg_ts for result in points])
            spread = 2 * np.array([result.stddev_ts for result in points])
            beam = 0.012 * (item.viewRange()[0][1] - item.viewRange()[0][0])
            bars = pg.ErrorBarItem(x=x, y=y, height=spread, beam=beam, pen=pg.mkPen(color, width=1))
            item.addItem(bars)
            line = pg.PlotDataItem(
                x, y, pen=pg.mkPen(color, width=1.5), symbol="o", symbolSize=6, symbolPen=None, symbolBrush=color,
                antialias=True,
            )  # fmt: skip
            item.addItem(line)
        self._label_lines()

    def _label_lines(self) -> None:
        """Names at the curves' ends, where there are several of one run; moved apart where they would cover another."""
        (_, top), pixels = self.getPlotItem().viewRange()[1], max(1, self.height() - 40)
        last = math.inf
        for one in sorted(self._named(), key=lambda one: -one.curve.points[-1].avg_ts):
            end = one.curve.points[-1]
            y = min(end.avg_ts, last - 14 * top / pixels)
            last = y
            label = pg.TextItem(one.curve.label, color=self._theme.color(RUN_TOKENS[one.run]), anchor=(0, 0.5))
            label.setFont(self._theme.font(11))
            left, right = self.getPlotItem().viewRange()[0]
            label.setPos(end.n_depth + 4 * (right - left) / max(1, self.width() - _AXIS), y)
            self.getPlotItem().addItem(label)

    def _named(self) -> list[Drawn]:
        """Curves that need a name, as their run has several."""
        return [one for one in self._drawn if sum(other.run == one.run for other in self._drawn) > 1]

    def _fit(self) -> None:
        results = [result for one in self._drawn for result in one.curve.points]
        deepest = max((result.n_depth for result in results), default=0) or 4096
        fastest = max((result.avg_ts + result.stddev_ts for result in results), default=0.0) or 100.0
        metrics = QFontMetrics(self._theme.font(11))
        longest = max((metrics.horizontalAdvance(one.curve.label) for one in self._named()), default=0)
        share = (longest + 16) / max(1, self.width() - _AXIS) if longest else 0.05
        room = min(1.0, 1.03 * share / (1 - min(0.5, share)))
        self.getPlotItem().setXRange(-0.03 * deepest, deepest * (1 + room), padding=0)
        top = fastest * 1.06
        self.getPlotItem().setYRange(0, top, padding=0)
        ticks = _rate_ticks(top, max(2, self.height() // 48))
        self.getPlotItem().getAxis("left").setTicks([ticks])
        for value, _ in ticks:  # the axis' own grid would hide the labels at both ends
            line = pg.InfiniteLine(value, angle=0, pen=pg.mkPen(self._theme.color("line")))
            line.setZValue(-10)
            self.getPlotItem().addItem(line)
        depths = sorted({result.n_depth for result in results} or QUICK_DEPTHS)
        self.getPlotItem().getAxis("bottom").setTicks([_depth_ticks(depths, deepest)])

    def _moved(self, where: QPointF) -> None:
        view = self.getPlotItem().getViewBox()
        best, found = float(_NEAR), None
        for one in self._drawn:
            for result in one.curve.points:
                place = view.mapViewToScene(QPointF(result.n_depth, result.avg_ts))
                far = math.hypot(place.x() - where.x(), place.y() - where.y())
                if far < best:
                    best, found = far, (one, result)
        self._point(found)

    def _point(self, at: tuple[Drawn, Result] | None) -> None:
        if at != self._at:
            self._at = at
            self.pointed.emit(at)


def _depth_ticks(depths: Sequence[int], deepest: int) -> list[tuple[int, str]]:
    """The measured depths, as far as their labels have room."""
    ticks: list[tuple[int, str]] = []
    for depth in depths:
        if not ticks or depth - ticks[-1][0] >= deepest / 8:
            ticks.append((depth, f"{depth:,}"))
    return ticks


def _rate_ticks(top: float, most: int) -> list[tuple[float, str]]:
    """Round numbers from zero up, at most so many steps."""
    power = 10.0 ** math.floor(math.log10(top / most))
    step = next(n * power for n in (1, 2, 2.5, 5, 10) if n * power * most >= top)
    digits = next(n for n in range(9) if abs(step * 10**n - round(step * 10**n)) < 1e-6)
    return [(i * step, f"{i * step:,.{digits}f}") for i in range(int(top / step + 1e-9) + 1)]


class PlotPane(QWidget):
    """A plot under its head: what it shows, and the point that the mouse is at."""

    def __init__(self, theme: Theme, kind: Kind) -> None:
        super().__init__()
        self.kind = kind
        self.plot = DepthPlot(theme)
        self.title = Label(theme, tr("Reading a prompt") if kind == "prompt" else tr("Writing"), 12, "text-1", 600)
        self.unit = ElidedLabel(theme, tr("tok/s over context depth"), 11, "text-3")
        self.figures = ElidedLabel(theme, "", 11, "text-2")
        self.plot.pointed.connect(self._pointed)
        self._names = ""
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(6)
        head.addWidget(self.title)
        head.addWidget(self.unit)
        head.addStretch(1)
        head.addWidget(self.figures)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.plot, 1)

    def show_curves(self, drawn: Sequence[Drawn]) -> None:
        """Draw those of this pane's kind."""
        mine = [one for one in drawn if one.curve.kind == self.kind]
        self._names = ", ".join(dict.fromkeys(one.curve.label for one in mine))
        self.plot.show_curves(mine)
        self._pointed(None)
        words = "; ".join(f"{one.curve.label}, {described(r)}" for one in mine for r in one.curve.points)
        self.setAccessibleName(f"{self.title.text()}: {words or tr('nothing measured')}")

    def _pointed(self, at: tuple[Drawn, Result] | None) -> None:
        self.figures.setText(f"{at[0].curve.label} · {described(at[1])}" if at is not None else self._names)


def ink(theme: Theme, run: int) -> QColor:
    """The colour of the run that is shown (0) or of the one beside it (1)."""
    return theme.color(RUN_TOKENS[run])
