"""A popup to edit a text or a list of strings, and the escapes that make line breaks visible."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from playground.settings.field import Field, SettingError
from playground.translate import tr
from playground.ui.style import mark
from playground.ui.theme import Theme

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BACK = {written: char for char, written in _ESCAPES.items()}


def escaped(text: str) -> str:
    """Line breaks, tabs and backslashes as ``\\n``, ``\\t``, ``\\\\``."""
    return "".join(_ESCAPES.get(char, char) for char in text)


def unescaped(text: str) -> str:
    """The text that `escaped` wrote; a backslash before anything else stays."""
    return re.sub(r"\\[\\ntr]", lambda match: _BACK[match.group()], text)


def as_lines(field: Field, value: Any) -> str:
    """A value as the editor shows it: a list one entry a line."""
    return "\n".join(escaped(entry) for entry in value) if field.kind == "list" else str(value)


def from_lines(field: Field, text: str) -> Any:
    """The value of what stands in the editor. Raises SettingError."""
    if field.kind == "list":
        return field.check([unescaped(line) for line in text.split("\n") if line])
    return field.check(text)


class ValuePopup(QFrame):
    """Edits one value. Apply, Ctrl+Enter and a click elsewhere take it over, Escape does not.

    ``take`` applies the value and raises SettingError when it can't; the popup then stays.
    Subclasses add the body, and say how a value is shown and read.
    """

    closed = Signal()

    def __init__(self, field: Field, theme: Theme, take: Callable[[Any], None], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.field, self.theme, self._take = field, theme, take
        self._before: Any = None
        self._done = True
        mark(self, card="plain")
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(6)
        self._error = QLabel()
        self._error.setWordWrap(True)
        mark(self._error, tone="danger", size="small")
        self._error.hide()
        self._build()

    def help_text(self) -> str:
        """The sentence under the title."""
        return tr(self.field.help)

    def show_value(self, value: Any) -> None:
        """Bring the body to a value."""
        raise NotImplementedError

    def read_value(self) -> Any:
        """What the body says. Raises SettingError."""
        raise NotImplementedError

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(6)
        title = QLabel(self.field.label)
        mark(title, size="small", weight="medium")
        lines = QLabel(self.help_text())
        lines.setWordWrap(True)
        mark(lines, tone="3", size="meta")
        buttons = QHBoxLayout()
        cancel, apply = QPushButton(tr("Cancel")), QPushButton(tr("Apply"))
        mark(cancel, kind="quiet", small="true")
        mark(apply, kind="primary", small="true")
        apply.setToolTip("Ctrl+Enter")
        cancel.clicked.connect(self.cancel)
        apply.clicked.connect(self.apply)
        buttons.addStretch()
        buttons.addWidget(cancel)
        buttons.addWidget(apply)
        for widget in (title, lines):
            column.addWidget(widget)
        column.addLayout(self.body, 1)
        column.addWidget(self._error)
        column.addLayout(buttons)

    @property
    def error(self) -> str:
        """The sentence under the body; empty: none."""
        return "" if self._error.isHidden() else self._error.text()

    def show_error(self, sentence: str) -> None:
        """Say what is wrong; empty: nothing is."""
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))

    def open_at(self, corner: QPoint, value: Any) -> None:
        """Show with its right top corner there, moved to stay on the screen."""
        self._before, self._done = value, False
        self.show_error("")
        self.show_value(value)
        at = corner - QPoint(self.width(), 0)
        if (screen := self.screen()) is not None:
            room = screen.availableGeometry()
            at.setX(max(room.left(), min(at.x(), room.right() - self.width())))
            at.setY(max(room.top(), min(at.y(), room.bottom() - self.height())))
        self.move(at)
        self.show()

    def apply(self) -> None:
        """Take the value over and close, or say why not and stay."""
        try:
            value = self.read_value()
            if value != self._before:
                self._take(value)
        except SettingError as error:
            self.show_error(str(error))
            return
        self._done = True
        self.close()

    def cancel(self) -> None:
        """Close and change nothing."""
        self._done = True
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+Enter applies, Escape cancels."""
        if event.key() == Qt.Key.Key_Escape:
            self.cancel()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The card: a translucent window gets none from the style sheet."""
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(QPen(self.theme.color("line-strong"), 1))
            p.setBrush(self.theme.color("raised"))
            p.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def hideEvent(self, event: QHideEvent) -> None:
        """A click elsewhere applies what can be applied."""
        if not self._done:
            self._done = True
            try:
                value = self.read_value()
                if value != self._before:
                    self._take(value)
            except SettingError:
                pass
        super().hideEvent(event)
        self.closed.emit()


class EditorPopup(ValuePopup):
    """Edits a text, or a list of strings one a line."""

    def __init__(self, field: Field, theme: Theme, take: Callable[[Any], None], parent: QWidget) -> None:
        super().__init__(field, theme, take, parent)
        self.editor = QPlainTextEdit()
        self.editor.setTabChangesFocus(True)
        self.editor.setFont(theme.font(12, mono=True))
        self.editor.setAccessibleName(field.label)
        mark(self.editor, field="true")
        self.body.addWidget(self.editor, 1)
        self.resize(340, 300 if field.kind == "text" else 230)

    def help_text(self) -> str:
        """The field's, and how a list is written."""
        lines = " " + tr("One a line; \\n stands for a line break, \\t for a tab.")
        return tr(self.field.help) + (lines if self.field.kind == "list" else "")

    def show_value(self, value: Any) -> None:
        """As lines, ready to type."""
        self.editor.setPlainText(as_lines(self.field, value))

    def read_value(self) -> Any:
        """What stands in the editor. Raises SettingError."""
        return from_lines(self.field, self.editor.toPlainText())

    def open_at(self, corner: QPoint, value: Any) -> None:
        """With the focus in the editor."""
        super().open_at(corner, value)
        self.editor.setFocus()
