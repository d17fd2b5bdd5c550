"""Where the next turn is written, for every lane that is on."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QSizePolicy, QWidget

from playground.ui import icons
from playground.ui.chat.draft import Draft, SendKey
from playground.ui.theme import Theme
from playground.ui.widgets import Label, LaneWatch, Meter, PaintedButton, SegmentedControl, TextButton, bind
from playground.workspace.lane import Lane
from playground.workspace.words import format_number, join_letters, short_name

COUNT_AFTER_MS = 150
_INLINE_FROM = 640
_COLUMN = 720
_NEARLY_FULL = 0.9
_DRAFT_LEAST = 240
_STEPS = 6
_ROOM_EVERY_S = 0.5


class SendButton(PaintedButton):
    """Sends, or stops while an answer is written."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.stops = False
        self.setFixedSize(28, 28)
        self.show_stop(False)

    def show_stop(self, stops: bool) -> None:
        """Be the Stop button, or the Send button."""
        self.stops = stops
        self.setAccessibleName("Stop" if stops else "Send")
        self.setToolTip("Stop (Esc)" if stops else "Send (Enter)")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Arrow or square on the strongest fill of the pane."""
        theme, on = self._theme, self.isEnabled()
        fill = theme.color("inverse") if on else theme.color("hover")
        if on and (self.underMouse() or self.isDown()):
            fill = theme.color("text-2")
        with QPainter(self) as p:
            self.paint_box(p, fill, 7)
            ink = theme.hex("on-inverse" if on else "disabled")
            name = "stop-fill" if self.stops else "arrow-up"
            p.drawPixmap(QPointF(6, 6), icons.pixmap(name, ink, 16))


class _Card(QFrame):
    """The rounded field with its focus ring."""

    def __init__(self, theme: Theme, draft: Draft) -> None:
        super().__init__()
        self._theme, self._draft = theme, draft
        draft.focus_changed.connect(self.update)
        theme.changed.connect(self.update)
        self.setCursor(Qt.CursorShape.IBeamCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the text is meant for the text."""
        self._draft.setFocus(Qt.FocusReason.MouseFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill and edge, two pixels of accent while focused."""
        focused = self._draft.hasFocus()
        width = 2 if focused else 1
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(QPen(self._theme.color("accent" if focused else "line-strong"), width))
            p.setBrush(self._theme.color("composer"))
            inset = width / 2
            p.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 10, 10)


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
        self._asked = 0
        self._shown_at = 0.0
        self._draft_tokens = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)
        self.setProperty("surface", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._build()
        self.watch = LaneWatch(self, workspace, self.refresh, self._grew)
        bind(self, workspace.active_changed, self._recount)
        bind(self, workspace.chat_changed, self.refresh)
        self.refresh()

    def _build(self) -> None:
        theme = self._theme
        self.draft = Draft(theme)
        self.draft.submitted.connect(self.submit)
        self.draft.escaped.connect(self._escape)
        self.draft.edit_last.connect(self.edit_last)
        self.draft.textChanged.connect(self._edited)
        self._card = _Card(theme, self.draft)
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
        self.thinking = TextButton(theme, "Thinking on", "quiet", "brain", small=True)
        self.thinking.setCheckable(True)
        self.thinking.setToolTip("Let the model think before it answers")
        self.thinking.clicked.connect(self._toggle_thinking)
        self.tokens = Label(theme, px=11, tone="text-3")
        self.meter = Meter(theme, 90)
        self.room = Label(theme, px=11, tone="text-3")
        choices = (
            ("turn", "In turn", "Engines answer one after the other; timings stay fair"),
            ("together", "Together", "Engines answer at the same time and share the cores"),
        )
        self.together = SegmentedControl(theme, choices, "How several engines answer")
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
            self._timer.stop()
            self._asked += 1  # a count of the sent draft may still be under way
            self._draft_tokens = 0
            self.refresh()
        else:
            self.refused.emit(self._why_not())

    def _why_not(self) -> str:
        on = [lane for lane in self._workspace.lanes if lane.on]
        if not on:
            return "No lane takes part; switch one on with the eye in its head. Your text is kept."
        if any(lane.busy for lane in on):
            return "An answer is still being written; stop it or wait. Your text is kept."
        return "The turn waits for a loaded model. Your text is kept."

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
        for lane in self._thinkers():
            self._workspace.set_thinking(lane.letter, on)
        self.refresh()

    def _thinkers(self) -> list[Lane]:
        lanes = [lane for lane in self._workspace.lanes if lane.on and lane.engine.info is not None]
        return [lane for lane in lanes if lane.engine.info is not None and lane.engine.info.can_think]

    def _edited(self) -> None:
        self._recount()
        self._show_send()

    def _recount(self) -> None:
        self._timer.start()

    def _count(self) -> None:
        self._asked += 1
        asked, text = self._asked, self.draft.text()
        if not text:
            self._counted(asked, 0)
            return
        self._workspace.count_tokens(text, lambda n: self._counted(asked, n))

    def _counted(self, asked: int, n: int) -> None:
        if asked == self._asked:
            self._draft_tokens = n
            self._show_room()

    def refresh(self) -> None:
        """Show the lanes as they are now."""
        lanes = self._workspace.lanes
        self.draft.setPlaceholderText(placeholder(lanes))
        thinkers = self._thinkers()
        self.thinking.setVisible(bool(thinkers))
        on = any(lane.thinking is not False for lane in thinkers)
        self.thinking.setChecked(on)
        self.together.setVisible(len({id(lane.engine) for lane in lanes}) > 1)
        self.together.choose("together" if self._workspace.together else "turn")
        self._show_send()
        self._show_room()

    def _grew(self) -> None:
        # Twice a second is enough for a meter, and costs nothing beside the transcript.
        if self.isVisible() and time.monotonic() - self._shown_at >= _ROOM_EVERY_S:
            self._show_room()

    def _show_send(self) -> None:
        busy = any(lane.busy for lane in self._workspace.lanes)
        self.send.show_stop(busy)
        self.send.setEnabled(busy or not self.draft.document().isEmpty())

    def _show_room(self) -> None:
        self._shown_at = time.monotonic()
        draft = self._draft_tokens
        self.tokens.setText(f"{format_number(draft)} {'token' if draft == 1 else 'tokens'}")
        fullest = _fullest(self._workspace.lanes)
        if fullest is not None:
            used, total = fullest
            self.meter.set_parts([(used / total, "text-2"), (draft / total, "text-3")])
            self.room.set_tone("warn" if used + draft > _NEARLY_FULL * total else "text-3")
        self._arrange()

    def _room_words(self, short: bool = False) -> str:
        fullest = _fullest(self._workspace.lanes)
        if fullest is None:
            return ""
        used, total = fullest
        over = used + self._draft_tokens - total
        if over > 0:
            return f"{format_number(over)} too many for {format_number(total)}"
        words = f"{format_number(used)} of {format_number(total)}"
        if not short and len(self._workspace.lanes) > 1:
            words = f"fullest lane {words}"
        if not short and used + self._draft_tokens > _NEARLY_FULL * total:
            words += ", nearly full"
        return words

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
        known = _fullest(self._workspace.lanes) is not None
        self.meter.setFixedWidth(90 if step < 1 else 40)
        self.tokens.setVisible(step < 2)
        self.room.setText(self._room_words(short=step >= 3))
        self.meter.setVisible(known and step < 4)
        on = "on" if self.thinking.isChecked() else "off"
        self.thinking.setText(f"Thinking {on}" if step < 5 else "")
        self.thinking.setAccessibleName(f"Thinking {on}")
        self.room.setVisible(known and step < 6)

    def minimumSizeHint(self) -> QSize:
        """As narrow as one lane."""
        return QSize(280, super().minimumSizeHint().height())


def placeholder(lanes: list[Lane]) -> str:
    """What the empty field says."""
    on = [lane for lane in lanes if lane.on]
    if not on:
        return "No lane takes part in the next turn"
    if all(lane.model is None or lane.state == "failed" for lane in on):
        return "The next turn waits for a loaded lane"
    if len(lanes) > 1:
        return f"Next turn for {'lanes' if len(on) > 1 else 'lane'} {join_letters([lane.letter for lane in on])}"
    lane = on[0]
    if lane.path:
        return "Ask a follow-up"
    return f"Message {short_name(lane.model.name)}" if lane.model else "Message"


def _fullest(lanes: list[Lane]) -> tuple[int, int] | None:
    """Tokens used and held by the lane whose context is fullest, of those that are on and loaded."""
    rooms = [
        (lane.n_past, lane.engine.info.n_ctx)
        for lane in lanes
        if lane.on and lane.engine.info is not None and lane.engine.info.n_ctx > 0
    ]
    return max(rooms, key=lambda room: room[0] / room[1]) if rooms else None
