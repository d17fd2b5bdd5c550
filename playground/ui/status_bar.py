"""The bottom line: engines, memory, network; and short confirmations."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy

from playground.translate import tr, tr_n
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, ElidedLabel, IconLabel, Label, LaneWatch, Meter
from playground.workspace.lane import EngineFacts
from playground.workspace.words import format_gb_short

TOAST_MS = 4000
HEIGHT = 26
_EVERY_S = 1.2
"""More than the second after which this process's own memory comes, and the rest is shown with it."""
_FINE = 3
"""Digits of a share in the meter: a thousandth of it is less than a tenth of a pixel."""
_ROOMY = 760
"""Below this width the processor's words go."""


class _Dot(QFrame):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._tone = theme, "disabled"
        self.setFixedSize(8, 8)
        theme.changed.connect(self.update)

    def set_tone(self, tone: str) -> None:
        if tone != self._tone:
            self._tone = tone
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._theme.color(self._tone))
            p.drawEllipse(1, 1, 6, 6)


class StatusBar(QFrame):
    """Engines at the left, memory and network at the right; a toast takes the left side for four seconds."""

    def __init__(self, workspace: Any, theme: Theme, clock: Clock | None = None) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock = workspace, theme, clock
        self._own_rss = 0
        self._machine = (0, 0)
        self._shown_at = 0.0
        self._held = ""
        self._toast_timer = QTimer(self)
        self._toast_timer.setSingleShot(True)
        self._toast_timer.timeout.connect(self._end_toast)
        self.setFixedHeight(HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that nothing under it is painted, too
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._build()
        self.watch = LaneWatch(self, workspace, self.refresh, self._grew)
        theme.changed.connect(self.update)
        self.refresh()

    def _build(self) -> None:
        theme = self._theme
        self.dot = _Dot(theme)
        self.engines = Label(theme, px=11, tone="text-2")
        self.processor = ElidedLabel(theme, px=11, tone="text-2")
        self.toast_icon = IconLabel(theme, "check-circle", 14, "ok")
        self.toast_text = ElidedLabel(theme, px=11, tone="text-1")
        self.own = Label(theme, px=11, tone="text-2")
        self.meter = Meter(theme, 72)
        self.free = Label(theme, px=11, tone="text-2")
        self.network = Label(theme, tr("Network idle"), 11, "text-2")
        self.network.setToolTip(tr("Nothing is being sent or fetched."))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(7)
        row.addWidget(self.toast_icon)
        row.addWidget(self.toast_text)
        row.addWidget(self.dot)
        row.addWidget(self.engines)
        row.addSpacing(8)
        row.addWidget(self.processor)
        row.addStretch(1)
        row.addWidget(self.own)
        row.addWidget(self.meter)
        row.addWidget(self.free)
        row.addSpacing(8)
        row.addWidget(IconLabel(theme, "shield-check", 14, "text-2"))
        row.addWidget(self.network)
        self._end_toast()

    def sizeHint(self) -> QSize:
        """One line of 26."""
        return QSize(600, HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Words give way where room is short."""
        return QSize(300, HEIGHT)

    def toast(self, text: str) -> None:
        """Confirm something for four seconds."""
        if text == self._held:
            return
        self._say("check-circle", "ok", text)
        self._toast_timer.start(TOAST_MS)

    def hold(self, text: str, *, at_once: bool = False) -> None:
        """Warn of something for as long as it lasts; an empty text ends that. Toasts come in between.

        ``at_once``: in the place of a toast that is still there.
        """
        self._held = text
        if at_once:
            self._toast_timer.stop()
        if not self._toast_timer.isActive():
            self._end_toast()

    def _say(self, icon: str, tone: str, text: str) -> None:
        self.toast_icon.set_icon(icon, tone)
        self.toast_text.setText(text)
        self._swap(True)

    def _end_toast(self) -> None:
        if self._held:
            self._say("warning", "warn", self._held)
            return
        self._swap(False)
        self._fit()

    def _swap(self, toast: bool) -> None:
        self.toast_icon.setVisible(toast)
        self.toast_text.setVisible(toast)
        self.dot.setVisible(not toast)
        self.engines.setVisible(not toast)
        self.processor.setVisible(not toast)

    def set_own_rss(self, rss: int, available: int = 0, total: int = 0) -> None:
        """Bytes that the window's process occupies, and optionally what the machine has free and in all."""
        self._own_rss = rss
        if total:
            self._machine = (available, total)
        self.refresh()

    def set_network(self, words: str) -> None:
        """What goes over the network now; empty: nothing."""
        self.network.setText(words or tr("Network idle"))
        self.network.setToolTip(words or tr("Nothing is being sent or fetched."))

    def _running(self) -> list[EngineFacts]:
        engines = {
            id(lane.engine): lane.engine
            for lane in self._workspace.lanes
            if lane.engine.info is not None and lane.state not in ("empty", "failed", "unloaded", "loading")
        }
        return list(engines.values())

    def _grew(self) -> None:
        if self._clock is not None and time.monotonic() - self._shown_at >= _EVERY_S:
            self._clock.mark((self, "memory"), self.refresh)

    def refresh(self) -> None:
        """Show engines and memory as they were last measured."""
        self._shown_at = time.monotonic()
        running = self._running()
        count = len(running)
        words = tr_n(count, "1 engine running", "{n} engines running") if count else tr("No engine running")
        self.engines.setText(words)
        self.dot.set_tone("ok" if count else "disabled")
        self.processor.setText(_processor(running))
        self._show_memory(running)

    def _show_memory(self, running: list[EngineFacts]) -> None:
        samples = [e.memory.rows.view[-1] for e in running if len(e.memory.rows)]
        ours = self._own_rss + sum(int(sample["rss"]) for sample in samples)
        self.own.setText(f"Playground {format_gb_short(ours)} GB" if ours else "")
        available, total = self._machine
        if samples:
            newest = max(samples, key=lambda sample: int(sample["t_ns"]))
            available, total = int(newest["available"]), int(newest["total"])
        self.meter.setVisible(total > 0)
        self.free.setVisible(total > 0)
        if total:
            others = max(0, total - available - ours)
            shares = (round(ours / total, _FINE), "text-2"), (round(others / total, _FINE), "disabled")
            self.meter.set_parts(shares)
            self.meter.setToolTip(
                tr(
                    "Playground {ours} GB, other programs {others} GB, free {available} GB",
                    ours=format_gb_short(ours),
                    others=format_gb_short(others),
                    available=format_gb_short(available),
                )
            )
            self.free.setText(
                tr("free {available} of {total} GB", available=format_gb_short(available), total=format_gb_short(total))
            )

    def resizeEvent(self, event: object) -> None:
        """Drop words where room is short."""
        self._fit()

    def _fit(self) -> None:
        toasting = self._toast_timer.isActive()
        self.processor.setVisible(not toasting and self.width() >= _ROOMY)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Chrome with a line on top."""
        with QPainter(self) as p:
            p.fillRect(self.rect(), self._theme.color("chrome"))
            p.fillRect(0, 0, self.width(), 1, self._theme.color("line"))


def _processor(running: list[EngineFacts]) -> str:
    infos = [engine.info for engine in running if engine.info is not None]
    if not infos:
        return ""
    threads = max(info.n_threads for info in infos)
    words = tr_n(threads, "CPU · 1 thread", "CPU · {n} threads")
    gpu = next((e.gpu for e in running if e.gpu and e.info is not None and e.info.n_gpu_layers), "")
    return f"{gpu} · {words}" if gpu else words
