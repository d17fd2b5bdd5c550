"""Parts of a setting row: the number field, the mark of a changed value, the label."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget

from playground.settings.field import Field, SettingError
from playground.translate import tr
from playground.ui import icons
from playground.ui.slider import Scale
from playground.ui.style import mark
from playground.ui.theme import Theme


def read_number(field: Field, text: str) -> Any:
    """A number as people type it: “4,096”, “0,95”, “off” and the field's own words. Raises SettingError."""
    words = {"off", *field.special.values()}
    plain = text.strip().replace("−", "-")
    if plain not in words:
        if field.kind == "int":
            plain = plain.replace(",", "").replace("\u202f", "").replace(" ", "")
        elif plain.count(",") == 1 and "." not in plain:
            plain = plain.replace(",", ".")
    return field.parse(plain)


class NumberField(QLineEdit):
    """Shows a field's value and takes a typed one.

    Enter and leaving apply what was typed, Escape brings back what was there. A value that
    the field refuses stays visible in red and is not applied.
    """

    chosen = Signal(object)
    refused = Signal(str)
    """The sentence of a refused value; empty when all is well again."""

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._field, self._scale = field, Scale(field) if field.slider else None
        self._value: Any = field.default
        self.setFont(theme.font(12))
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.textEdited.connect(self._edited)
        self.set_value(field.default)

    def set_value(self, value: Any) -> None:
        """Show a value; tells nobody."""
        self._value = value
        quiet = "true" if self._field.is_off(value) else ""
        mark(self, quiet=quiet, invalid="")
        self.setText(self._field.show(value))
        self.setCursorPosition(0)

    def wanted_width(self) -> int:
        """Room for the value shown, at least for an ordinary number."""
        metrics = QFontMetrics(self.font())
        words = (self._field.show(self._value), "0.000")
        return max(58, 18 + max(metrics.horizontalAdvance(word) for word in words))

    def apply(self) -> None:
        """Take what was typed, or say why not."""
        try:
            value = read_number(self._field, self.text())
        except SettingError as error:
            self._refuse(str(error))
            return
        changed = value != self._value
        self.set_value(value)
        self.refused.emit("")
        if changed:
            self.chosen.emit(value)

    def _refuse(self, sentence: str) -> None:
        mark(self, invalid="true")
        self.refused.emit(sentence)

    def _edited(self, _text: str) -> None:
        if self.property("invalid") != "true":
            return
        try:
            read_number(self._field, self.text())
        except SettingError as error:
            self.refused.emit(str(error))
        else:
            mark(self, invalid="")
            self.refused.emit("")

    def _revert(self) -> None:
        self.set_value(self._value)
        self.refused.emit("")
        self.selectAll()

    def _step(self, steps: int) -> None:
        self.apply()
        if self.property("invalid") == "true":
            return
        scale = self._scale
        value = scale.stepped(self._value, steps) if scale else self._stepped_plainly(steps)
        if value != self._value:
            self.set_value(value)
            self.chosen.emit(value)

    def _stepped_plainly(self, steps: int) -> Any:
        """One step without a slider's range; words lie below the lowest number."""
        field = self._field
        if self._value in field.special:
            return self._value if steps < 0 else field.low
        try:
            return field.check(self._value + steps * field.step)
        except SettingError:
            return next(iter(field.special), self._value) if steps < 0 else self._value

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows and Page keys step, Enter applies, Escape reverts."""
        key, keys = event.key(), Qt.Key
        steps = {keys.Key_Up: 1, keys.Key_Down: -1, keys.Key_PageUp: 10, keys.Key_PageDown: -10}
        undoes = event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo)
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()
        elif undoes and not (self.isUndoAvailable() or self.isRedoAvailable()):
            event.ignore()  # Nothing typed to take back: the panel's last change is meant.
        elif key in steps:
            self._step(steps[keys(key)])
        elif key in (keys.Key_Return, keys.Key_Enter):
            self.apply()
            self.selectAll()
        elif key == keys.Key_Escape and self.text() != self._field.show(self._value):
            self._revert()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step when focused; otherwise the panel scrolls."""
        if self.hasFocus():
            self._step(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select all, ready to type over."""
        super().focusInEvent(event)
        self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Apply what was typed."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason and self.text() != self._field.show(self._value):
            self.apply()


class ChangeMark(QAbstractButton):
    """A 5 px dot in the lane's colour where a value is not the preset's; pointed at, a reset button."""

    def __init__(self, theme: Theme, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._letter = theme, ""
        self._changed = self._open = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Reset {label}", label=label))
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)
        self.setVisible(False)

    def show_state(self, letter: str, changed: bool, tip: str) -> None:
        """Whether there is something to reset, in which lane's colour, and to what."""
        if (letter, changed) != (self._letter, self._changed):
            self._letter, self._changed = letter, changed
            self.setVisible(changed)
            self.update()
        self.setToolTip(tip)

    def set_open(self, open_: bool) -> None:
        """Show the reset icon instead of the dot."""
        if open_ != self._open:
            self._open = open_
            self.update()

    def sizeHint(self) -> QSize:
        """A narrow column as high as a button."""
        return QSize(18, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dot or icon."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self._open or self.hasFocus():
                token = "accent" if self.hasFocus() else "text-1" if self.underMouse() else "text-2"
                image = icons.pixmap("arrow-counter-clockwise", self._theme.hex(token), 14)
                p.drawPixmap(middle - QPointF(7, 7), image)
            else:
                p.setPen(Qt.PenStyle.NoPen)
                p.setBrush(self._theme.lane(self._letter))
                p.drawEllipse(middle, 2.5, 2.5)


class RowLabel(QWidget):
    """A setting's name, elided where room is short; double-click resets."""

    reset = Signal()
    pressed = Signal()

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._text, self._tone = theme, text, "text-1"
        self.setFont(theme.font(12))
        theme.changed.connect(self.update)

    @property
    def text(self) -> str:
        """The whole name."""
        return self._text

    def wanted_width(self) -> int:
        """Room for the whole name."""
        return QFontMetrics(self.font()).horizontalAdvance(self._text) + 3

    def set_tone(self, tone: str) -> None:
        """Colour by a token."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell that it was pressed."""
        self.pressed.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Reset."""
        self.reset.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        with QPainter(self) as p:
            p.setPen(self._theme.color(self._tone if self.isEnabled() else "disabled"))
            text = p.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, self.width())
            p.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
