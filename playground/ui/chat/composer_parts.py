"""What the composer is made of: its card and button, the token counter, and its words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame

from playground.translate import tr, tr_n
from playground.ui import icons
from playground.ui.chat.draft import Draft
from playground.ui.theme import Theme
from playground.ui.widgets import PaintedButton
from playground.workspace.lane import Lane
from playground.workspace.words import format_number, join_letters, short_name

COUNT_AFTER_MS = 150
NEARLY_FULL = 0.9
"""Share of the context from which on its fill is said in the warning colour."""


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
        self.setAccessibleName(tr("Stop") if stops else tr("Send"))
        self.setToolTip(tr("Stop (Esc)") if stops else tr("Send (Enter)"))
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


class Card(QFrame):
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


class TokenCounter(QObject):
    """Counts the draft's tokens after a pause in typing; late replies are dropped."""

    counted = Signal()

    def __init__(self, workspace: Any, text: Callable[[], str], parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._text = workspace, text
        self._asked = 0
        self.tokens = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)

    def ask(self) -> None:
        """The draft, or the model that counts, is another one."""
        self._timer.start()

    def forget(self) -> None:
        """The draft was sent; a count of it may still be under way."""
        self._timer.stop()
        self._asked += 1
        self.tokens = 0

    def _count(self) -> None:
        self._asked += 1
        asked, text = self._asked, self._text()
        if text:
            self._workspace.count_tokens(text, lambda n: self._counted(asked, n))
        else:
            self._counted(asked, 0)

    def _counted(self, asked: int, n: int) -> None:
        if asked == self._asked:
            self.tokens = n
            self.counted.emit()


def thinkers(lanes: list[Lane]) -> list[Lane]:
    """The lanes that are on and whose models can think."""
    return [lane for lane in lanes if lane.on and lane.engine.info is not None and lane.engine.info.can_think]


def why_not(lanes: list[Lane]) -> str:
    """Why a draft was not taken: a sentence."""
    on = [lane for lane in lanes if lane.on]
    if not on:
        return tr("No lane takes part; switch one on with the eye in its head. Your text is kept.")
    if any(lane.busy for lane in on):
        return tr("An answer is still being written; stop it or wait. Your text is kept.")
    return tr("The turn waits for a loaded model. Your text is kept.")


def room_words(lanes: list[Lane], draft: int, short: bool = False) -> str:
    """How full the fullest lane's context is, and whether a draft of that many tokens fits."""
    fullest = fullest_lane(lanes)
    if fullest is None:
        return ""
    used, total = fullest
    over = used + draft - total
    if over > 0:
        return tr("{over} too many for {total}", over=format_number(over), total=format_number(total))
    words = tr("{used} of {total}", used=format_number(used), total=format_number(total))
    if not short and len(lanes) > 1:
        words = tr("fullest lane {words}", words=words)
    if not short and used + draft > NEARLY_FULL * total:
        words += tr(", nearly full")
    return words


def placeholder(lanes: list[Lane]) -> str:
    """What the empty field says."""
    on = [lane for lane in lanes if lane.on]
    if not on:
        return tr("No lane takes part in the next turn")
    if all(lane.model is None or lane.state == "failed" for lane in on):
        return tr("The next turn waits for a loaded lane")
    if len(lanes) > 1:
        letters = join_letters([lane.letter for lane in on])
        return tr_n(len(on), "Next turn for lane {letters}", "Next turn for lanes {letters}", letters=letters)
    lane = on[0]
    if lane.path:
        return tr("Ask a follow-up")
    return tr("Message {name}", name=short_name(lane.model.name)) if lane.model else tr("Message")


def fullest_lane(lanes: list[Lane]) -> tuple[int, int] | None:
    """Tokens used and held by the lane whose context is fullest, of those that are on and loaded."""
    rooms = [
        (lane.n_past, lane.engine.info.n_ctx)
        for lane in lanes
        if lane.on and lane.engine.info is not None and lane.engine.info.n_ctx > 0
    ]
    return max(rooms, key=lambda room: room[0] / room[1]) if rooms else None
