"""Editing a turn where it stands."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import TextButton

MIN_HEIGHT, MAX_HEIGHT = 44, 320
FOOT = 28
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _Field(QPlainTextEdit):
    """The text; Ctrl+Enter saves, Esc gives up."""

    saved = Signal()
    left = Signal()

    def event(self, event: QEvent) -> bool:
        """Enter and Esc are the box's: as the window's shortcuts they would write anew and drop what was typed."""
        mine = (*_ENTER, Qt.Key.Key_Escape)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in mine:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The two keys of the box; the rest is typing."""
        if event.key() in _ENTER and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.saved.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class EditBox(QWidget):
    """A field with Save (or Send) and Cancel."""

    saved = Signal(str)
    """The new text."""
    cancelled = Signal()
    resized = Signal()
    """It wants another height."""

    def __init__(self, theme: Theme, text: str, label: str, save: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.field = _Field(self)
        self.field.setFrameShape(QFrame.Shape.NoFrame)
        self.field.setStyleSheet("background: transparent; border: 0; padding: 0;")
        self.field.viewport().setAutoFillBackground(False)
        self.field.setFont(theme.font(14))
        self.field.setTabChangesFocus(True)
        self.field.setPlainText(text)
        self.field.setAccessibleName(label)
        self.save = TextButton(theme, save, "primary", small=True)
        self.cancel = TextButton(theme, tr("Cancel"), "quiet", small=True)
        self.save.setToolTip(f"{save} (Ctrl+Enter)")
        self.cancel.setToolTip(tr("Cancel (Esc)"))
        for button in (self.cancel, self.save):
            button.setParent(self)
            button.setFixedHeight(24)
        self.field.saved.connect(self._save)
        self.field.left.connect(self.cancelled)
        self.save.clicked.connect(self._save)
        self.cancel.clicked.connect(self.cancelled)
        self.field.document().documentLayout().documentSizeChanged.connect(lambda _size: self.resized.emit())
        self.field.textChanged.connect(self._check)
        self.restyle()
        self._check()

    def restyle(self) -> None:
        """Take over the theme in force."""
        palette = self.field.palette()
        palette.setColor(QPalette.ColorRole.Text, self._theme.color("text-1"))
        self.field.setPalette(palette)
        self.update()

    def begin(self) -> None:
        """Put the cursor at the end of the text."""
        self.field.moveCursor(self.field.textCursor().MoveOperation.End)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self.field.toPlainText()

    def _check(self) -> None:
        self.save.setEnabled(bool(self.text.strip()))

    def _save(self) -> None:
        if self.text.strip():
            self.saved.emit(self.text)

    def arrange(self, width: int) -> int:
        """Place the parts; the box's height."""
        inner = width - 24
        self.field.resize(inner, max(1, self.field.height()))
        lines = self.field.document().size().height()  # a plain text edit counts lines, not pixels
        wanted = round(lines * self.field.fontMetrics().lineSpacing()) + 10
        height = max(MIN_HEIGHT, min(MAX_HEIGHT, wanted))
        self.field.setGeometry(12, 8, inner, height)
        top = 8 + height + 4
        x = width - 8
        for button in (self.save, self.cancel):
            hint = button.sizeHint().width()
            x -= hint
            button.setGeometry(x, top, hint, 24)
            x -= 6
        return top + FOOT + 4

    def paintEvent(self, event: QPaintEvent) -> None:
        """A field's frame; fields always show their focus."""
        focused = self.field.hasFocus()
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setBrush(self._theme.color("input"))
            pen = p.pen()
            pen.setColor(self._theme.color("accent" if focused else "line-strong"))
            pen.setWidthF(2 if focused else 1)
            p.setPen(pen)
            inset = 1.0 if focused else 0.5
            p.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), 8, 8)
