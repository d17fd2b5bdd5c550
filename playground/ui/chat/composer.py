"""Where the next turn is written, for every lane that is on."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QWidget

from playground.translate import tr, tr_n
from playground.ui.chat.composer_parts import (
    NEARLY_FULL,
    Card,
    SendButton,
    TokenCounter,
    fullest_lane,
    placeholder,
    room_words,
    thinkers,
    why_not,
)
from playground.ui.chat.draft import Draft, SendKey
from playground.ui.frame_clock import pace
from playground.ui.theme import Theme
from playground.ui.widgets import Label, LaneWatch, Meter, SegmentedControl, TextButton, bind

_INLINE_FROM = 640
_COLUMN = 720
_DRAFT_LEAST = 240
_STEPS = 6
_ROOM_EVERY_S = pace(500, 1000) / 1000


class Composer(QWidget):
    """The draft, what it costs, and Send.

    A draft is only cleared when the workspace took it.
    """

    edit_last = Signal()
    """The last user turn is to be edited."""
    refused = Signal(str)
    """Why the draft was not sent: a sentence for the status bar."""

    def __init__(self, workspace: Any, theme: Theme) -> None:
        super().__init__()
        self._workspace, self._theme = workspace, theme
        self._shown_at = 0.0
        self._counter = TokenCounter(workspace, lambda: self.draft.text(), self)
        self._counter.counted.connect(self._show_room)
        self.setProperty("surface", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._build()
        self.watch = LaneWatch(self, workspace, self.refresh, self._grew)
        bind(self, workspace.active_changed, self._counter.ask)
        bind(self, workspace.chat_changed, self.refresh)
        self.refresh()

    def _build(self) -> None:
        theme = self._theme
        self.draft = Draft(theme)
        self.draft.submitted.connect(self.submit)
        self.draft.escaped.connect(self._escape)
        self.draft.edit_last.connect(self.edit_last)
        self.draft.textChanged.connect(self._edited)
        self._card = Card(theme, self.draft)
        self._inner = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._card)
        self._inner.setContentsMargins(13, 9, 7, 7)
        self._inner.setSpacing(6)
        self._inner.addWidget(self.draft, 1)
        self._inner.addLayout(self._make_tools())
        outer = QHBoxLayout(self)
        outer.setContentsMargins(12, 4, 12, 12)
        outer.addStretch(1)
        outer.addWidget(self._card, 1000)
        outer.addStretch(1)

    def _make_tools(self) -> QHBoxLayout:
        theme = self._theme
        self.thinking = TextButton(theme, tr("Thinking on"), "quiet", "brain", small=True)
        self.thinking.setCheckable(True)
        self.thinking.setToolTip(tr("Let the model think before it answers"))
        self.thinking.clicked.connect(self._toggle_thinking)
        self.tokens = Label(theme, px=11, tone="text-3")
        self.meter = Meter(theme, 90)
        self.room = Label(theme, px=11, tone="text-3")
        choices = (
            ("turn", tr("In turn"), tr("Engines answer one after the other; timings stay fair")),
            ("together", tr("Together"), tr("Engines answer at the same time and share the cores")),
        )
        self.together = SegmentedControl(theme, choices, tr("How several engines answer"))
        self.together.chosen.connect(lambda key: self._workspace.set_together(key == "together"))
        self.send = SendButton(theme)
        self.send.clicked.connect(self._pressed)
        self._tools = QHBoxLayout()
        self._tools.setSpacing(10)
        self._tools.addWidget(self.thinking)
        self._tools.addStretch(1)
        for widget in (self.tokens, self.meter, self.room, self.together, self.send):
            widget.setCursor(Qt.CursorShape.ArrowCursor)
            widget.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            self._tools.addWidget(widget)
        self._tool_widgets = (self.thinking, self.tokens, self.meter, self.room, self.together, self.send)
        return self._tools

    @property
    def send_key(self) -> SendKey:
        """Which key sends: ``enter`` or ``ctrl+enter``."""
        return self.draft.send_key

    @send_key.setter
    def send_key(self, key: SendKey) -> None:
        self.draft.send_key = key

    def focus_field(self) -> None:
        """Put the caret into the field."""
        self.draft.setFocus(Qt.FocusReason.OtherFocusReason)

    def text(self) -> str:
        """The draft."""
        return self.draft.text()

    def set_text(self, text: str) -> None:
        """Replace the draft; undo brings the old one back."""
        self.draft.set_text(text)

    def submit(self) -> None:
        """Send the draft to every lane that is on; it stays when it was not taken."""
        text = self.draft.text()
        if not text.strip():
            return
        if self._workspace.send(text):
            self.draft.clear()
            self._counter.forget()
            self.refresh()
        else:
            self.refused.emit(why_not(self._workspace.lanes))

    def _pressed(self) -> None:
        if self.send.stops:
            self._workspace.stop()
        else:
            self.submit()
        self.focus_field()

    def _escape(self) -> None:
        if any(lane.busy for lane in self._workspace.lanes):
            self._workspace.stop()

    def _toggle_thinking(self) -> None:
        on = self.thinking.isChecked()
        for lane in thinkers(self._workspace.lanes):
            self._workspace.set_thinking(lane.letter, on)
        self.refresh()

    def _edited(self) -> None:
        self._counter.ask()
        self._show_send()

    def refresh(self) -> None:
        """Show the lanes as they are now."""
        lanes = self._workspace.lanes
        words = placeholder(lanes)
        if words != self.draft.placeholderText():
            self.draft.setPlaceholderText(words)
            self.draft.viewport().update()  # Qt doesn't see to it
        able = thinkers(lanes)
        self.thinking.setVisible(bool(able))
        on = any(lane.thinking is not False for lane in able)
        self.thinking.setChecked(on)
        self.together.setVisible(len({id(lane.engine) for lane in lanes}) > 1)
        self.together.choose("together" if self._workspace.together else "turn")
        self._show_send()
        self._show_room()

    def _grew(self) -> None:
        # Now and then is enough for a meter, and costs nothing beside the transcript.
        if self.isVisible() and time.monotonic() - self._shown_at >= _ROOM_EVERY_S:
            self._show_room()

    def _show_send(self) -> None:
        busy = any(lane.busy for lane in self._workspace.lanes)
        self.send.show_stop(busy)
        self.send.setEnabled(busy or not self.draft.document().isEmpty())

    def _show_room(self) -> None:
        self._shown_at = time.monotonic()
        draft = self._counter.tokens
        self.tokens.setText(tr_n(draft, "1 token", "{n:,} tokens"))
        fullest = fullest_lane(self._workspace.lanes)
        if fullest is not None:
            used, total = fullest
            self.meter.set_parts([(used / total, "text-2"), (draft / total, "text-3")])
            self.room.set_tone("warn" if used + draft > NEARLY_FULL * total else "text-3")
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tools beside the text, or under it."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Only now do the tools know their sizes in the style sheet."""
        super().showEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        several = len(self._workspace.lanes) > 1
        inline = several and self.width() >= _INLINE_FROM
        self._card.setMaximumWidth(16_777_215 if several else _COLUMN)
        direction = QBoxLayout.Direction.LeftToRight if inline else QBoxLayout.Direction.TopToBottom
        if self._inner.direction() != direction:
            self._inner.setDirection(direction)
            align = Qt.AlignmentFlag.AlignBottom if inline else Qt.AlignmentFlag(0)
            self._inner.setAlignment(self._tools, align)
            self._inner.setAlignment(self.draft, Qt.AlignmentFlag.AlignVCenter if inline else Qt.AlignmentFlag(0))
        self._fit_tools(inline)

    def _fit_tools(self, inline: bool) -> None:
        """Shorten the tools step by step until they fit, the least needed first."""
        margins = self._inner.contentsMargins()
        width = min(self.width() - 24, self._card.maximumWidth()) - margins.left() - margins.right()
        room = width - _DRAFT_LEAST if inline else width
        for step in range(_STEPS + 1):
            self._shorten(step)
            shown = [w for w in self._tool_widgets if not w.isHidden()]
            if sum(w.sizeHint().width() for w in shown) + self._tools.spacing() * len(shown) <= room:
                return

    def _shorten(self, step: int) -> None:
        known = fullest_lane(self._workspace.lanes) is not None
        self.meter.setFixedWidth(90 if step < 1 else 40)
        self.tokens.setVisible(step < 2)
        self.room.setText(room_words(self._workspace.lanes, self._counter.tokens, short=step >= 3))
        self.meter.setVisible(known and step < 4)
        thinking = tr("Thinking on") if self.thinking.isChecked() else tr("Thinking off")
        self.thinking.setText(thinking if step < 5 else "")
        self.thinking.setAccessibleName(thinking)
        self.room.setVisible(known and step < 6)

    def minimumSizeHint(self) -> QSize:
        """As narrow as one lane."""
        return QSize(280, super().minimumSizeHint().height())
