"""The field a turn is written in: grows, sends on Enter, takes plain text of any size."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy

from playground.translate import tr
from playground.ui.theme import Theme

SendKey: TypeAlias = Literal["enter", "ctrl+enter"]
MAX_LINES = 8
_LOWEST = 22
_LONGEST = 4000
"""Qt lays out an unbroken line in quadratic time: 1 M characters take over 20 s."""
_MARK = "\u2060\u2060"
"""Two word joiners, invisible, stand before the breaks we put in and take out again."""
_TOO_LONG = re.compile(rf"[^\n]{{{_LONGEST}}}(?=[^\n])")


def soften(text: str) -> str:
    """Break over-long lines, so that they can be shown without freezing."""
    return _TOO_LONG.sub(lambda found: f"{found.group()}{_MARK}\n", text)


def harden(text: str) -> str:
    """The text without the breaks that `soften` put in."""
    return text.replace(f"{_MARK}\n", "").replace(_MARK, "")


class Draft(QPlainTextEdit):
    """Plain text, one to eight lines high."""

    submitted = Signal()
    escaped = Signal()
    edit_last = Signal()
    """↑ was pressed in the empty field."""
    focus_changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.send_key: SendKey = "enter"
        self._theme = theme
        self.setFont(theme.font(14))
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(0)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName(tr("Message"))
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._grow())
        theme.changed.connect(self._restyle)
        self._restyle()
        self._grow()

    def text(self) -> str:
        """What was written or pasted."""
        return harden(self.toPlainText())

    def set_text(self, text: str) -> None:
        """Replace everything, the caret at the end; can be undone."""
        cursor = self.textCursor()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(soften(text))
        self.setTextCursor(cursor)

    @property
    def lines(self) -> int:
        """Lines on screen, wrapped ones included, as far as they were laid out."""
        return max(1, round(self.document().documentLayout().documentSize().height()))

    def sizeHint(self) -> QSize:
        """One to eight lines."""
        height = QFontMetrics(self.font()).lineSpacing() * min(MAX_LINES, self.lines)
        return QSize(300, max(_LOWEST, height + 2))

    def minimumSizeHint(self) -> QSize:
        """One line."""
        return QSize(80, _LOWEST)

    def _grow(self) -> None:
        height = self.sizeHint().height()
        if height != self.height():
            self.setFixedHeight(height)
        scrolls = self.lines > MAX_LINES
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if scrolls else policy.ScrollBarAlwaysOff)

    def _restyle(self) -> None:
        self.setStyleSheet(f"QPlainTextEdit {{ background: transparent; color: {self._theme.hex('text-1')}; }}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Other width, other wrapping."""
        super().resizeEvent(event)
        self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends or breaks the line; Esc stops; ↑ in the empty field edits the last turn."""
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter(event, modifiers)
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif key == Qt.Key.Key_Up and not modifiers and self.document().isEmpty():
            self.edit_last.emit()
        else:
            super().keyPressEvent(event)

    def _enter(self, event: QKeyEvent, modifiers: Qt.KeyboardModifier) -> None:
        plain, ctrl = (
            modifiers == Qt.KeyboardModifier.NoModifier,
            modifiers == Qt.KeyboardModifier.ControlModifier,
        )
        sends = plain if self.send_key == "enter" else ctrl
        if sends:
            self.submitted.emit()
        elif plain or modifiers == Qt.KeyboardModifier.ShiftModifier:
            # Not Qt's own Shift+Enter: that puts U+2028 into the text.
            self.textCursor().insertBlock()
            self.ensureCursorVisible()
        else:
            event.ignore()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Text only; files are the window's to take."""
        return source.hasText() and not source.hasUrls()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Plain text, without formats, NULs or Windows line ends."""
        if source.hasText():
            text = source.text().replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
            self.textCursor().insertText(soften(text))
            self.ensureCursorVisible()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copies carry the text as it was pasted."""
        data = QMimeData()
        data.setText(harden(self.textCursor().selection().toPlainText()))
        return data

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The card draws the ring."""
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The card draws the ring."""
        super().focusOutEvent(event)
        self.focus_changed.emit()
