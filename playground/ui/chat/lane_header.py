"""A lane's head: who answers, what it is doing, how fast, at what cost."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QSizePolicy

from playground.translate import tr
from playground.ui.chat.lane_menu import lane_menu
from playground.ui.chat.model_picker import ModelPicker
from playground.ui.frame_clock import pace
from playground.ui.theme import Theme, mix
from playground.ui.widgets import (
    Clock,
    ElidedLabel,
    FiguresLabel,
    IconButton,
    IconLabel,
    LaneBadge,
    PillButton,
    ask_for_gguf,
    bind,
)
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.words import lane_figures, model_tag, state_words

WIDE_FROM = 520
"""Below this width the head has two rows."""
_SIZE_FROM = 680
"""Below this width the pill leaves the file size out."""
STRIPE = 2
_ROW, _TWO_ROWS, _NOTE = 38, 60, 24
_FIGURES_EVERY_MS = pace(250, 470)
_TONES = {"failed": "danger", "full": "warn", "empty": "text-3", "unloaded": "text-3"}


class LaneHeader(QFrame):
    """Lane stripe, badge, model, state, figures, and what can be done with the lane.

    ``clock`` is the frame clock. A click anywhere makes the lane the active one.
    """

    copied = Signal(str)
    """A sentence to confirm, after the conversation went to the clipboard."""

    def __init__(self, lane: Lane, workspace: Any, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self.lane, self._workspace, self._theme, self._clock = lane, workspace, theme, clock
        self._due = False
        """The clock has the figures to paint."""
        self._figured_at = 0.0
        self._placed = ("", 0)
        self._seconds = QTimer(self)
        self._seconds.setInterval(1000)
        self._seconds.timeout.connect(self._tick)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that nothing under it is painted, too
        self._build()
        bind(self, lane.changed, self.refresh)
        bind(self, lane.path_changed, self.refresh)
        bind(self, lane.grew, self._grew)
        bind(self, workspace.active_changed, self.update)
        bind(self, workspace.lanes_changed, self.refresh)
        theme.changed.connect(self.update)
        self.refresh()

    def _build(self) -> None:
        theme, letter = self._theme, self.lane.letter
        self.badge = LaneBadge(theme, letter)
        self.name = ElidedLabel(theme, px=13, weight=600)
        self.pill = PillButton(theme, "", tr("Choose the model of lane {letter}", letter=letter))
        self.pill.clicked.connect(self.open_picker)
        self.state = ElidedLabel(theme, px=12, tone="text-3")
        self.figures = FiguresLabel(theme)
        self.note_icon = IconLabel(theme, "info", 14, "text-3")
        self.note = ElidedLabel(theme, px=11, tone="text-2")
        self.on = IconButton(theme, "eye", tr("Takes part in the next turn"), size=24)
        self.on.clicked.connect(lambda: self._workspace.set_on(letter, not self.lane.on))
        self.eject = IconButton(theme, "eject", tr("Unload the model, give its memory back"), size=24)
        self.eject.clicked.connect(lambda: self._workspace.unload(letter))
        self.cancel = IconButton(theme, "x", tr("Cancel loading"), size=24)
        self.cancel.clicked.connect(lambda: self._workspace.cancel_load(letter))
        self.more = IconButton(theme, "dots-three", tr("More for lane {letter}", letter=letter), size=24)
        self.more.clicked.connect(self._open_menu)
        # In Tab order, left to right.
        shown = (self.badge, self.name, self.pill, self.state, self.figures, self.note_icon, self.note)
        for child in (*shown, self.on, self.eject, self.cancel, self.more):
            child.setParent(self)

    @property
    def wide(self) -> bool:
        """Whether everything stands in one row."""
        return self.width() >= WIDE_FROM

    def sizeHint(self) -> QSize:
        """One row or two, by the width."""
        rows = _ROW if self.wide else _TWO_ROWS
        return QSize(420, STRIPE + rows + (_NOTE if self.lane.note else 0))

    def minimumSizeHint(self) -> QSize:
        """As narrow as a lane may be."""
        return QSize(220, self.sizeHint().height())

    def refresh(self) -> None:
        """Show the lane as it is now."""
        lane = self.lane
        ref = lane.model
        self.name.setText(ref.name if ref else tr("No model"))
        self.pill.setText(self._pill_text())
        self.on.setVisible(len(self._workspace.lanes) > 1)
        self.on.set_icon("eye" if lane.on else "eye-slash")
        self.on.set_name(tr("Takes part in the next turn") if lane.on else tr("Sits the next turn out"))
        loading = lane.state == "loading"
        self.cancel.setVisible(loading)
        self.eject.setVisible(not loading)
        self.eject.setEnabled(lane.engine.info is not None and lane.state not in ("failed", "unloaded", "empty"))
        self.note.setText(lane.note)
        self._show_words()
        self._show_figures()
        moving = lane.busy or loading
        if moving and not self._seconds.isActive() and self.isVisible():
            self._seconds.start()
        elif not moving:
            self._seconds.stop()
        self._place()
        self.update()

    def _pill_text(self) -> str:
        ref = self.lane.model
        if ref is None:
            return tr("Choose a model")
        roomy = self.width() >= _SIZE_FROM
        return (model_tag(ref) if roomy else ref.quant) or model_tag(ref) or tr("Model")

    def _show_words(self) -> None:
        words = state_words(self.lane)
        self.state.setText(words)
        tone = "warn" if "no sign" in words else _TONES.get(self.lane.state, "text-3")
        self.state.set_tone(tone)

    def _show_figures(self) -> None:
        self._figured_at = time.monotonic()
        self.figures.set_figures(lane_figures(self.lane))

    def _grew(self) -> None:
        # Called for every batch of tokens: nothing is done when a picture of them is due anyway.
        if not self._due and self.isVisible():
            self._due = True
            self._clock.mark((self, "figures"), self._paint_figures, _FIGURES_EVERY_MS)

    def _paint_figures(self) -> None:
        self._due = False
        self._show_figures()
        self._place_figures()

    def _tick(self) -> None:
        if not self.isVisible():
            self._seconds.stop()
            return
        self._show_words()
        if time.monotonic() - self._figured_at > 1.0:
            self._show_figures()
        self._place_figures()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while hidden."""
        super().showEvent(event)
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One row or two."""
        super().resizeEvent(event)
        self._place()

    def _place_figures(self) -> None:
        """Place all where the words of the state or the figures' width are others than when that was done last."""
        if self._placed != (self.state.text(), self.figures.sizeHint().width()):
            self._place()

    def _place(self) -> None:
        self._placed = (self.state.text(), self.figures.sizeHint().width())
        if self.height() != self.sizeHint().height():
            self.setFixedHeight(self.sizeHint().height())
        self._place_note()
        self.pill.setText(self._pill_text())
        self.figures.align_right(self.wide)
        right = self._place_buttons(self.width() - 8)
        middle = STRIPE + (_ROW if self.wide else 34) // 2
        left = 12
        self.badge.move(left, middle - 9)
        left += 18 + 8
        if self.wide:
            width = min(self.figures.sizeHint().width(), max(0, right - 32 - left - self._words_width()))
            self.figures.setGeometry(right - 12 - width, middle - 10, width, 20)
            self._place_words(left, right - 12 - width - 12, middle)
            return
        below = STRIPE + 32
        fits = self._place_words(left, right - 8, middle)
        left = 12
        if not fits:
            # Long words go to the second row; they matter more than the figures.
            width = min(self.state.sizeHint().width(), self.width() - 24)
            self.state.setGeometry(left, below, width, 20)
            left += width + 14
        self.figures.setGeometry(
            left, below, max(0, min(self.figures.sizeHint().width(), self.width() - 12 - left)), 20
        )

    def _place_note(self) -> None:
        top = STRIPE + (_ROW if self.wide else _TWO_ROWS) - 2
        self.note_icon.setVisible(bool(self.lane.note))
        self.note.setVisible(bool(self.lane.note))
        self.note_icon.move(14, top + 1)
        self.note.setGeometry(38, top, max(0, min(self.note.sizeHint().width(), self.width() - 50)), 16)

    def _words_width(self) -> int:
        """What name, pill and state want; a very long name or state yields to the figures."""
        name, state = self.name.sizeHint().width(), self.state.sizeHint().width()
        return min(name, 170) + 8 + self.pill.sizeHint().width() + 8 + min(state, 140)

    def _place_buttons(self, right: int) -> int:
        middle = STRIPE + (_ROW if self.wide else 34) // 2
        for button in (self.more, self.cancel, self.eject, self.on):
            if not button.isHidden():
                right -= 24
                button.move(right, middle - 12)
                right -= 4
        return right

    def _place_words(self, left: int, right: int, middle: int) -> bool:
        """Name, pill and state between two edges; False when the state found no room in this row."""
        room = max(0, right - left)
        pill, state = self.pill.sizeHint().width(), self.state.sizeHint().width()
        name = self.name.sizeHint().width()
        with_state = self.wide or room - pill - state - 16 >= min(name, 110)
        words = min(state, max(60, room - pill - min(name, 90) - 16)) + 8 if with_state else 0
        pill = min(pill, max(56, room - words - min(name, 90) - 8))
        name = max(0, min(name, room - pill - words - 8))
        height = QFontMetrics(self.name.font()).height() + 2
        self.name.setGeometry(left, middle - height // 2, name, height)
        self.pill.setGeometry(left + name + 8, middle - 12, pill, 24)
        if with_state:
            self.state.setGeometry(left + name + 8 + pill + 8, middle - height // 2, max(0, words - 8), height)
        return with_state

    def open_picker(self) -> None:
        """Let the user choose a model for this lane."""
        picker = ModelPicker(self._workspace.models, self.lane.model, self._theme, self)
        picker.chosen.connect(self._choose)
        picker.file_wanted.connect(self._ask_file)
        picker.popup(self.pill.mapToGlobal(QPoint(0, self.pill.height() + 2)))

    def _choose(self, ref: ModelRef) -> None:
        self._workspace.choose_model(self.lane.letter, ref)

    def _ask_file(self) -> None:
        ask_for_gguf(self, lambda path: self._workspace.open_path(path, self.lane.letter))

    def _open_menu(self) -> None:
        menu = lane_menu(self.lane, self._workspace, self)
        menu.popup(self.more.mapToGlobal(QPoint(self.more.width() - menu.sizeHint().width(), self.more.height() + 2)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Make the lane the active one."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._workspace.set_active(self.lane.letter)
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill, stripe with progress, lower edge."""
        theme, lane = self._theme, self.lane
        several = len(self._workspace.lanes) > 1
        active = several and self._workspace.active == lane.letter
        color = theme.lane(lane.letter)
        with QPainter(self) as p:
            p.fillRect(self.rect(), theme.color("raised" if active else "canvas"))
            done = self.width()
            if lane.state in ("loading", "prompt"):
                done = round(self.width() * min(1.0, max(0.0, lane.fraction)))
            p.fillRect(0, 0, self.width(), STRIPE, mix(color, theme.color("canvas"), 0.3))
            p.fillRect(0, 0, done, STRIPE, color)
            p.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
