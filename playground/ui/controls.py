"""Rows for settings, made from the fields of the tables: `row_for` picks the kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QPushButton, QWidget

from playground.settings.field import Field, SettingError
from playground.translate import tr
from playground.ui.editor_popup import EditorPopup, ValuePopup, escaped
from playground.ui.fields import NumberField
from playground.ui.setting_row import ROW_HEIGHT, SettingRow
from playground.ui.slider import Slider
from playground.ui.style import mark
from playground.ui.theme import Theme

__all__ = ["ROW_HEIGHT", "BoolRow", "ChoiceRow", "NumberRow", "SettingRow", "TextRow", "row_for"]

_GAP = 8
_SLIDER_LEAST = 44


class NumberRow(SettingRow):
    """A number: slider and field, or the field alone where the range has no slider."""

    def __init__(self, field: Field, theme: Theme, label: str = "") -> None:
        super().__init__(field, theme, label)
        self.number = NumberField(field, theme, self)
        self.slider = Slider(field, theme, self) if field.slider else None
        self._extra: QWidget | None = None
        self._adopt(*([self.slider] if self.slider else []), self.number)
        self.number.chosen.connect(self._typed)
        self.number.refused.connect(self.show_error)
        if self.slider:
            self.slider.moved.connect(self.choose)
            self.slider.reset.connect(self.reset)
            self.slider.released.connect(lambda: self.released.emit(self.field.name))

    def put_before_field(self, widget: QWidget) -> None:
        """A button left of the field."""
        self._extra = widget
        widget.setParent(self)
        self._arrange()

    def _typed(self, value: Any) -> None:
        self.choose(value)
        self.released.emit(self.field.name)

    def _controls(self) -> list[QWidget]:
        return [self.number, *([self.slider] if self.slider else [])]

    def _show_value(self) -> None:
        self.number.set_value(self.value)
        if self.slider:
            self.slider.set_shown(self.value)
            if self.number.width() != self.number.wanted_width():
                self._arrange()

    def _show_state(self) -> None:
        super()._show_state()
        if self.slider:
            self.slider.set_lane(self._letter)

    def _control_width(self) -> int:
        return self._field_width() + (_SLIDER_LEAST + _GAP if self.slider else 28 if self._extra else 0)

    def _field_width(self) -> int:
        return self.number.wanted_width() if self.slider else 96

    def _place(self, left: int, right: int) -> None:
        field = self._field_width()
        self.number.setGeometry(right - field, 3, field, 28)
        if self.slider:
            self.slider.setGeometry(left, 5, right - field - _GAP - left, 24)
        if self._extra is not None:
            self._extra.setGeometry(right - field - 28, 5, 24, 24)


_IN_A_ROW = 26
"""Height of a choice without its edge, px."""


class _Combo(QComboBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the panel instead, unless focused."""
        super().wheelEvent(event) if self.hasFocus() else event.ignore()


class ChoiceRow(SettingRow):
    """One of a few words."""

    def __init__(self, field: Field, theme: Theme, label: str = "") -> None:
        super().__init__(field, theme, label)
        self.combo = _Combo(self)
        self.combo.setFont(theme.font(12))
        # Rows keep their height when the text grows; the sheet's own height for these grows with it.
        self.combo.setStyleSheet(f"QComboBox {{ min-height: {_IN_A_ROW}px; max-height: {_IN_A_ROW}px; }}")
        self.combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for choice in field.choices:
            self.combo.addItem(tr(choice), choice)
        self.combo.setCurrentIndex(field.choices.index(field.default))
        self.combo.activated.connect(self._activated)
        self._adopt(self.combo)

    def _activated(self, index: int) -> None:
        self.choose(self.field.choices[index])
        self.released.emit(self.field.name)

    def _controls(self) -> list[QWidget]:
        return [self.combo]

    def _show_value(self) -> None:
        self.combo.setCurrentIndex(self.combo.findData(self.value))

    def _control_width(self) -> int:
        return 96

    def _place(self, left: int, right: int) -> None:
        self.combo.setGeometry(right - 96, 3, 96, 28)


class BoolRow(SettingRow):
    """On or off."""

    def __init__(self, field: Field, theme: Theme, label: str = "") -> None:
        super().__init__(field, theme, label)
        self.box = QCheckBox(self)
        self.box.setChecked(bool(field.default))
        # The indicator stands at the right edge, under the other controls' edge.
        self.box.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.box.clicked.connect(self._clicked)
        self.label.pressed.connect(lambda: self.box.click() if self.box.isEnabled() else None)
        self._adopt(self.box)

    def _clicked(self, on: bool) -> None:
        self.choose(on)
        self.released.emit(self.field.name)

    def _controls(self) -> list[QWidget]:
        return [self.box]

    def _show_value(self) -> None:
        self.box.setChecked(bool(self.value))

    def _control_width(self) -> int:
        return 24

    def _place(self, left: int, right: int) -> None:
        self.box.setGeometry(right - 24, 5, 24, 24)


class TextRow(SettingRow):
    """A text or a list of strings: a summary that opens an editor."""

    def __init__(self, field: Field, theme: Theme, label: str = "") -> None:
        super().__init__(field, theme, label)
        self.button = QPushButton(self)
        self.button.setFont(theme.font(12))
        mark(self.button, kind="field", quiet="true")
        self.button.clicked.connect(self._open)
        self._popup: ValuePopup | None = None
        self.make_popup: Callable[..., ValuePopup] = EditorPopup
        """Makes the editor, from field, theme, what applies a value, and the parent."""
        self._adopt(self.button)
        self._show_value()

    @property
    def summary(self) -> str:
        """What the row says of its value."""
        if isinstance(self.value, list):
            quoted = " ".join(f"“{escaped(entry)}”" for entry in self.value)
            return quoted or tr("none")
        lines = str(self.value).strip().count("\n") + 1
        return (
            tr("none") if not self.value else tr("{lines} lines", lines=lines) if lines > 1 else str(self.value).strip()
        )

    @property
    def popup(self) -> ValuePopup:
        """The editor, made when first needed."""
        if self._popup is None:
            self._popup = self.make_popup(self.field, self.theme, self._take, self)
        return self._popup

    def _take(self, value: Any) -> None:
        self.choose(value)
        if self.error:
            raise SettingError(self.error)
        self.released.emit(self.field.name)

    def _open(self) -> None:
        self.popup.open_at(self.mapToGlobal(QPoint(self.width(), ROW_HEIGHT)), self.value)

    def _controls(self) -> list[QWidget]:
        return [self.button]

    def _show_value(self) -> None:
        metrics = self.button.fontMetrics()
        shown = metrics.elidedText(self.summary, Qt.TextElideMode.ElideRight, 96 - 18)
        self.button.setText(shown)
        self.button.setAccessibleDescription(self.summary)
        mark(self.button, quiet="" if self.value else "true")

    def _control_width(self) -> int:
        return 96

    def _place(self, left: int, right: int) -> None:
        self.button.setGeometry(right - 96, 3, 96, 28)


_KINDS: dict[str, type[SettingRow]] = {
    "float": NumberRow,
    "int": NumberRow,
    "bool": BoolRow,
    "choice": ChoiceRow,
    "text": TextRow,
    "list": TextRow,
}


def row_for(field: Field, theme: Theme, label: str = "") -> SettingRow:
    """The row that suits the field's kind; ``label`` instead of the field's own name."""
    return _KINDS[field.kind](field, theme, label)
