"""The memory pane: head, plot and legend. The plot library is loaded late, in `MemoryPane.warm_up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from playground.settings.readings import READINGS
from playground.translate import tr
from playground.ui.frame_clock import pace
from playground.ui.plots.live import LiveView
from playground.ui.plots.memory_legend import MemoryLegend, Part
from playground.ui.plots.reading_menu import ReadingButton
from playground.ui.plots.reading_tracks import make_tracks, offered
from playground.ui.plots.stack_painting import EMPTY, StackFrame, paint_empty
from playground.ui.plots.stacking import Stack, filled
from playground.ui.plots.tracks import Picture, Track, Tracks, by_parts
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, FiguresLabel, IconButton, Label, LaneWatch, bind
from playground.workspace.memory_parts import PARTS, whole
from playground.workspace.words import Figure, format_gb, format_gb_short, format_number, join_letters

if TYPE_CHECKING:
    from playground.ui.plots.stack import MemoryPlot
    from playground.workspace.gauges import Gauges

NARROW = 330
"""Below this width the legend is one line under the head."""


class MemoryPane(LiveView):
    """What the engines occupy over time, against what the machine has."""

    EVERY_MS = pace(450, 1900)

    def __init__(self, workspace: Any, theme: Theme, clock: Clock) -> None:
        super().__init__(clock)
        self._workspace, self._theme = workspace, theme
        self._tracks = Tracks()
        self._areas = Stack(self._tracks)
        self._picture = Picture(np.zeros(0))
        self._hidden: frozenset[str] = frozenset()
        self._stamp: object = None
        self._hover: int | None = None
        self._paused = False
        self.plot: MemoryPlot | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that nothing under it is painted, too
        self._compose()
        self.watch = LaneWatch(self, workspace, self._changed, self.mark)
        self._gauges: Gauges = workspace.gauges
        bind(self, self._gauges.changed, self.mark)
        theme.changed.connect(self.update)
        self._changed()

    def _compose(self) -> None:
        theme = self._theme
        self.title = Label(theme, tr("Memory"), 12, "text-1", 600)
        self.unit = Label(theme, "GB", 11, "text-3")
        self.figures = FiguresLabel(theme, 11)
        self.reset = IconButton(theme, "magnifying-glass-minus", tr("Show all again"), size=24)
        self.reset.clicked.connect(self._reset)
        self.reset.hide()
        self.pause = IconButton(theme, "pause", tr("Hold the memory plot still"), size=24)
        self.pause.clicked.connect(self._toggle_pause)
        self.pause.hide()
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(6)
        head.addWidget(self.title)
        head.addWidget(self.unit)
        head.addStretch(1)
        head.addWidget(self.figures)
        buttons = QHBoxLayout()
        buttons.setSpacing(0)
        self.readings = ReadingButton(theme)
        self.readings.clicked.connect(self._offer_readings)
        self.readings.chosen.connect(lambda name, on: self._gauges.choose(name, on))
        buttons.addWidget(self.readings)
        buttons.addWidget(self.reset)
        buttons.addWidget(self.pause)
        head.addLayout(buttons)
        self.legend = MemoryLegend(theme)
        self.legend.toggled.connect(self._toggle)
        self.legend.hide()
        self.blank = _Blank(theme)
        self._stack = QStackedLayout()
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self.blank)
        self._body = QGridLayout()
        self._body.setContentsMargins(0, 0, 0, 0)
        self._body.setSpacing(0)
        self._body.addLayout(self._stack, 1, 0)
        self._body.addWidget(self.legend, 1, 1)
        self._body.setRowStretch(1, 1)
        self._body.setColumnStretch(0, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(12, 0, 8, 4)
        page.setSpacing(0)
        page.addLayout(head)
        page.addLayout(self._body, 1)
        self.title.setFixedHeight(32)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Its share of the dock."""
        return QSize(360, 218)

    def minimumSizeHint(self) -> QSize:
        """The least that still tells something."""
        return QSize(240, 120)

    def warm_up(self) -> None:
        """Load the plot library and build the plot; call once the window stands."""
        if self.plot is not None:
            return
        from playground.ui.plots.stack import MemoryPlot

        self.plot = MemoryPlot(self._theme)
        self.plot.hovered.connect(self._point)
        self.plot.zoom_changed.connect(self.reset.setVisible)
        self._stack.addWidget(self.plot)
        self._stamp = None
        self.mark()

    def _changed(self) -> None:
        # Followed also while hidden, so that an engine's end is not missed; costs a look at each lane.
        self._tracks.follow(self._workspace.lanes)
        self.mark()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the legend where there is room."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        self._body.removeWidget(self.legend)
        self._body.addWidget(self.legend, 0 if narrow else 1, 0 if narrow else 1)
        self._body.setHorizontalSpacing(0 if narrow else 8)
        self.legend.set_lying(narrow)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas."""
        with QPainter(self) as p:
            p.fillRect(self.rect(), self._theme.color("canvas"))

    def showEvent(self, event: QShowEvent) -> None:
        """Readings are read while they are in sight."""
        super().showEvent(event)
        self._gauges.show(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Hidden, none is."""
        super().hideEvent(event)
        self._gauges.show(False)

    def _offer_readings(self) -> None:
        self._gauges.find(lambda: self.readings.open_menu(offered(self._gauges, self._tracks), self._gauges.on))

    def catch_up(self) -> None:
        """Show the newest samples; nothing is done where none came."""
        if not self._paused:
            self._paint()

    def _paint(self) -> None:
        stamp = (self._tracks.stamp(), self._hidden, self._gauges.on, bool(self._gauges.missing))
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.pause.setVisible(bool(self._tracks.all))
        if self.plot is not None and self._tracks.all:
            self._picture = self._areas.picture(self._hidden)
            lanes = self._workspace.lanes
            tracks = make_tracks(self._gauges, self._tracks, lanes, self._picture) if self._gauges.on else []
            self.plot.show_picture(self._picture, tracks)
            self._stack.setCurrentWidget(self.plot)
        else:
            self._stack.setCurrentWidget(self.blank)
        self._say()

    def _say(self) -> None:
        """Head and legend: of the moment under the mouse, else of now."""
        hover = self._hover if self._hover is not None and self._hover < len(self._picture.x) else None
        parts = self._parts(hover)
        self.legend.setVisible(bool(parts))
        self.legend.show_parts(parts, self._hidden)
        self.figures.set_figures(self._figures(hover))

    def _figures(self, hover: int | None) -> list[Figure]:
        """What was or is in use, of what could be."""
        if hover is not None:
            x, total = float(self._picture.x[hover]), float(self._picture.total[hover])
            limit = float(self._picture.limit[hover])
            of = tr("of {gb} GB", gb=f"{limit:.1f}") if np.isfinite(limit) else "GB"
            return [Figure(f"{total:.2f}", of), Figure(f"{x:.1f}", "s", tr("at"))]
        if not self._tracks.alive:
            return []
        used = self._tracks.used()
        return [Figure(format_gb(used), tr("of {gb} GB", gb=format_gb_short(used + self._tracks.available())))]

    def _parts(self, hover: int | None) -> list[Part]:
        alive = self._tracks.alive
        if not alive:
            return []
        if by_parts(self._tracks):
            parts = [self._part(part, hover) for part in PARTS]
        else:
            parts = [Part(t.letters, t.letters, t.name, self._value(t.letters, hover), _lane_tip(t)) for t in alive]
        free, swap = self._tracks.available() / 1e9, self._tracks.newest("swap_used") / 1e9
        if hover is not None and np.isfinite(self._picture.limit[hover]):
            free = float(self._picture.limit[hover] - self._picture.total[hover])
            swap = float(self._picture.swap[hover])
        parts.append(Part("", "", tr("Free"), f"{free:.1f}", READINGS["available"].tip))
        if self._tracks.newest("swap_total"):
            parts.append(Part("", "", tr("Swap used"), f"{swap:.2f}", READINGS["swap_used"].tip, line="dotted"))
        if total := self._tracks.newest("gpu_total"):
            used = self._tracks.newest("gpu_used")
            of = tr("of {whole}", whole=format_gb_short(total))
            parts.append(Part("", "", "GPU", format_gb_short(used), READINGS["gpu_used"].tip, line="", of=of))
        return parts

    def _part(self, part: str, hover: int | None) -> Part:
        track = self._tracks.alive[0]
        reading = READINGS[part]
        tip = f"{tr(reading.label)}: {tr(reading.source)}."
        value, of, info = self._value(part, hover), "", track.facts.info
        if part == "kv" and info is not None:
            n, of_n = format_number(int(track.last["kv_used"])), format_number(info.n_ctx)
            tip += "\n" + tr("{n} of {of_n} tokens are in use.", n=n, of_n=of_n)
            value, of = self._filled(track, hover, value), tr("of {whole}", whole=value)
        if part == "weights" and info is not None and format_gb(whole(info, part)) != value:
            tip += "\n" + tr("What is missing is on the disk, and read when it is needed.")
            of = tr("of {whole}", whole=format_gb(whole(info, part)))
        if part == "rest" and int(track.last["swap"]):
            tip += "\n" + tr("{gb} GB of the process are swapped out.", gb=format_gb(int(track.last["swap"])))
        return Part(part, "", tr(reading.label), value, tip, part, track.letters[0], of=of)

    def _filled(self, track: Track, hover: int | None, reserved: str) -> str:
        """GB of the KV cache that tokens fill."""
        if hover is None:
            share = filled(track.facts, track.facts.memory.rows.view[-1:])[0]
            return format_gb(int(track.value("kv") * share))
        layer = next((layer for layer in self._picture.layers if layer.used is not None), None)
        return reserved if layer is None or layer.used is None else f"{layer.used[hover] - layer.low[hover]:.2f}"

    def _value(self, key: str, hover: int | None) -> str:
        if hover is not None:
            layers = [layer for layer in self._picture.layers if key in (layer.part, layer.letters)]
            if layers:
                return f"{sum(float(layer.high[hover] - layer.low[hover]) for layer in layers):.2f}"
        return format_gb(next(t for t in self._tracks.alive if key in PARTS or t.letters == key).value(key))

    def _point(self, index: int | None) -> None:
        self._hover = index
        self._say()

    def _toggle(self, key: str) -> None:
        self._hidden ^= {key}
        self._paint()

    def _reset(self) -> None:
        if self.plot is not None:
            self.plot.zoom_back()

    def _toggle_pause(self) -> None:
        self._paused = not self._paused
        self.pause.set_icon("play" if self._paused else "pause")
        self.pause.set_name(tr("Go on with the memory plot") if self._paused else tr("Hold the memory plot still"))
        self.mark()


def _lane_tip(track: Track) -> str:
    """Whose memory it is, and what it consists of."""
    lanes = tr("Lane") if len(track.letters) == 1 else tr("Lanes")
    parts = (f"{tr(READINGS[part].label)} {format_gb(track.value(part))} GB" for part in PARTS)
    whose = f"{lanes} {join_letters(track.letters)}, {track.name}: {tr(READINGS['rss'].source)}."
    return f"{whose}\n{', '.join(parts)}."


class _Blank(QWidget):
    """Grey axes and one sentence, before there is anything to draw or a library to draw it with."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(tr(EMPTY))
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lines at 0, 2, 4 and 6 GB."""
        frame = StackFrame()
        frame.place(self.width(), self.height())
        frame.fit_height(Picture(np.zeros(0)))
        with QPainter(self) as p:
            paint_empty(p, frame, self._theme)
