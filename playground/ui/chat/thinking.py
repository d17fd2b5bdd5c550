"""The folded box over an answer: “Thought for 3.1 s · 212 tokens”."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from playground.translate import tr
from playground.ui import icons
from playground.ui.chat.body import Body
from playground.ui.chat.formats import THOUGHT
from playground.ui.chat.highlight import Highlighter
from playground.ui.theme import Theme
from playground.ui.widgets import PaintedButton

HEAD = 30
INSET = 12


class ThinkingHead(PaintedButton):
    """The line that folds and unfolds."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.open = False
        self.setFont(theme.font(12))
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter works like the space bar."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The ring is painted."""
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Icon, words, arrow; the frame is the box's."""
        theme = self._theme
        with QPainter(self) as p:
            if self._ring:
                self.paint_box(p, Qt.GlobalColor.transparent, 6)  # type: ignore[arg-type]
            hot = self.underMouse() or self._ring
            p.drawPixmap(QPointF(INSET - 1, 7), icons.pixmap("brain", theme.hex("text-2"), 16))
            p.setFont(self.font())
            p.setPen(theme.color("text-1" if hot else "text-2"))
            room = self.rect().adjusted(INSET + 22, 0, -32, 0)
            shown = p.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
            p.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
            arrow = icons.pixmap("caret-down" if self.open else "caret-right", theme.hex("text-2"), 12)
            p.drawPixmap(QPointF(self.width() - INSET - 11, 9), arrow)


class ThinkingBox(QWidget):
    """Head and, when unfolded, the thoughts; they are rendered only then."""

    folded = Signal(bool)
    """The user unfolded (True) or folded it."""
    pointed = Signal(int)
    """See `Body.pointed`."""

    def __init__(self, theme: Theme, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._highlighter = theme, highlighter
        self._text, self._live = "", False
        self.head = ThinkingHead(theme)
        self.head.setParent(self)
        self.head.clicked.connect(lambda: self.folded.emit(not self.head.open))
        self.body: Body | None = None

    def set_thoughts(self, text: str, live: bool, letter: str) -> None:
        """The thoughts so far; ``live``: more may come."""
        self._text, self._live = text, live
        if self.head.open:
            self._render(letter)

    def set_open(self, opened: bool, letter: str) -> None:
        """Unfold or fold."""
        self.head.open = opened
        if opened:
            self._render(letter)
        if self.body:
            self.body.setVisible(opened)
        self._tell()
        self.update()

    def set_label(self, text: str) -> None:
        """What the head says."""
        if text != self.head.text():
            self.head.setText(text)
            self._tell()
            self.head.update()

    def _tell(self) -> None:
        self.head.setAccessibleName(f"{self.head.text()}, {'unfolded' if self.head.open else 'folded'}")
        self.head.setToolTip(tr("Fold the thoughts") if self.head.open else tr("Show the thoughts"))

    def _render(self, letter: str) -> None:
        if self.body is None:
            self.body = Body(self._theme, self._highlighter, self, THOUGHT)
            self.body.setAccessibleName(tr("Thoughts"))
            self.body.pointed.connect(self.pointed)
            self.body.setVisible(True)
        if self._live:
            self.body.stream(self._text)
            self.body.show_growth()
        else:
            self.body.finish(self._text)
        self.body.set_caret(letter if self._live else None)

    def restyle(self) -> None:
        """Take over the theme in force."""
        if self.body:
            self.body.restyle()
            self.body.finish(self._text) if not self._live else self.body.stream(self._text)

    def height_for(self, width: int) -> int:
        """Lay it out at this width; the height needed."""
        if not self.head.open or self.body is None:
            return HEAD
        return HEAD + 8 + self.body.height_for(width - 2 * INSET) + 10

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the parts."""
        self.head.setGeometry(0, 0, self.width(), HEAD)
        if self.head.open and self.body is not None:
            self.body.setGeometry(INSET, HEAD + 8, self.width() - 2 * INSET, self.height() - HEAD - 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame, and a line under the head when unfolded."""
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(self._theme.color("line-strong" if self._theme.scheme == "light" else "line"))
            hot = self.head.underMouse() and not self.head.open
            p.setBrush(self._theme.color("hover") if hot else Qt.BrushStyle.NoBrush)
            p.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            if self.head.open:
                p.drawLine(1, HEAD, self.width() - 2, HEAD)
