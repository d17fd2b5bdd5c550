"""What every row of a setting has: name, mark of a changed value, error line, layout."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QSize, Signal
from PySide6.QtGui import QEnterEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QLabel, QSizePolicy, QWidget

from playground.settings.field import Field
from playground.translate import tr
from playground.ui.fields import ChangeMark, RowLabel
from playground.ui.style import mark
from playground.ui.theme import Theme

ROW_HEIGHT = 34
_MARK = 18


def hint_of(field: Field) -> str:
    """Name, help, default and where the default comes from."""
    return tr(
        "{name}. {help} Default: {default}, {source}.",
        name=tr(field.label),
        help=tr(field.help),
        default=field.show(field.default),
        source=tr(field.source),
    )


def tip_of(field: Field) -> str:
    """The hint with the accepted range."""
    if field.kind not in ("int", "float"):
        return hint_of(field)
    words = "".join(tr(", or “{word}”", word=word) for word in field.special.values())
    unit = f" {field.unit}" if field.unit else ""
    return tr(
        "{hint} Accepted: {range}{unit}{words}.",
        hint=hint_of(field),
        range=field.range_text(),
        unit=unit,
        words=words,
    )


def settle(widget: QWidget) -> None:
    """Lay out everything around a widget that changed its height, at once.

    Qt passes such a change up one level per turn of the event loop; between the turns
    neighbours would be squeezed.
    """
    layouts = []
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent.parentWidget(), QAbstractScrollArea):
        if (layout := parent.layout()) is not None:
            layout.invalidate()
            layouts.append(layout)
        parent = parent.parentWidget()
    for layout in reversed(layouts):
        layout.activate()


class SettingRow(QWidget):
    """One setting: name, mark of a changed value, control. Subclasses add the control.

    ``changed`` is emitted with each step of the user, also in the middle of a drag;
    ``released`` when a drag ends. Setting a value from outside emits nothing.
    """

    changed = Signal(str, object)
    released = Signal(str)
    hinted = Signal(str)
    """The sentence that explains this row: the pointer or the focus came to it."""

    def __init__(self, field: Field, theme: Theme, label: str = "") -> None:
        super().__init__()
        self.field, self.theme = field, theme
        self.value: Any = field.default
        self.base: Any = field.default
        self.reason = ""
        self.lead = 0
        """Pixels kept free at the left, for a grip."""
        self._letter = ""
        self._label_width = 0
        self._after: QWidget | None = None
        self.label = RowLabel(theme, label or tr(field.label), self)
        self.mark = ChangeMark(theme, tr(field.label), self)
        self._error: QLabel | None = None
        self.label.reset.connect(self.reset)
        self.mark.clicked.connect(self.reset)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(ROW_HEIGHT)
        self.setToolTip(tip_of(field))

    # What the panel sets

    def set_value(self, value: Any) -> None:
        """Show a value; emits nothing. Another value clears an error; the same one leaves what is typed."""
        if value != self.value:
            self.show_error("")
            self.value = value
            self._show_value()
        self._show_state()

    def set_base(self, value: Any) -> None:
        """The preset's value: where a reset leads, and what the dot compares with."""
        if value != self.base:
            self.base = value
            self._show_state()

    def set_lane(self, letter: str) -> None:
        """Whose colour fills the slider and the dot."""
        if letter != self._letter:
            self._letter = letter
            self.show_error("")
            self._show_value()
            self._show_state()

    def set_reason(self, reason: str) -> None:
        """Grey the row and say why in the tooltip; empty: it works."""
        if reason != self.reason:
            self.reason = reason
            for child in self._controls():
                child.setEnabled(not reason)
            self.label.setEnabled(not reason)
            self.setToolTip(reason or tip_of(self.field))
            self._show_state()

    def show_error(self, sentence: str) -> None:
        """A sentence under the row; empty: none."""
        if sentence == self.error:
            return
        if self._error is None:
            self._error = QLabel(self)
            self._error.setWordWrap(True)
            mark(self._error, tone="danger", size="meta")
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        self._arrange()

    @property
    def error(self) -> str:
        """The sentence under the row."""
        return self._error.text() if self._error else ""

    def put_after_label(self, widget: QWidget) -> None:
        """A small button that follows the name."""
        self._after = widget
        widget.setParent(self)
        self._arrange()

    def set_label_width(self, width: int) -> None:
        """Align the controls of several rows."""
        if width != self._label_width:
            self._label_width = width
            self._arrange()

    def wanted_label_width(self) -> int:
        """Room for the whole name and what follows it."""
        return self.label.wanted_width() + (self._after.sizeHint().width() if self._after else 0)

    def reset(self) -> None:
        """Back to the preset's value, as if the user had set it."""
        if not self.reason:
            self.choose(list(self.base) if isinstance(self.base, list) else self.base)
            self.released.emit(self.field.name)

    def choose(self, value: Any) -> None:
        """The user chose this value."""
        self.show_error("")
        if value != self.value:
            self.value = value
            self._show_value()
            self._show_state()
            self.changed.emit(self.field.name, value)

    # What subclasses fill in

    def _controls(self) -> list[QWidget]:
        return []

    def _show_value(self) -> None:
        """Bring the control to ``self.value``."""

    def _place(self, left: int, right: int) -> None:
        """Lay the controls between label and right edge, in the row's first 34 px."""

    def _control_width(self) -> int:
        return 0

    # Shared

    def _adopt(self, *widgets: QWidget) -> None:
        for widget in widgets:
            widget.setAccessibleName(tr(self.field.label))
            widget.installEventFilter(self)
        self.setFocusProxy(widgets[0])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Focus on a control explains the row."""
        if event.type() == QEvent.Type.FocusIn:
            self.hinted.emit(self.reason or hint_of(self.field))
        return False

    def _show_state(self) -> None:
        tip = tr("Back to {value}", value=self.field.show(self.base))
        self.mark.show_state(self._letter, self.value != self.base and not self.reason, tip)
        self.label.set_tone("text-2" if self.field.is_off(self.value) else "text-1")

    def enterEvent(self, event: QEnterEvent) -> None:
        """Explain the row; offer the reset."""
        self.hinted.emit(self.reason or hint_of(self.field))
        self.mark.set_open(True)

    def leaveEvent(self, event: QEvent) -> None:
        """The dot again."""
        self.mark.set_open(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out."""
        self._arrange()

    def sizeHint(self) -> QSize:
        """As wide as the panel, as high as a row."""
        return QSize(240, self.minimumHeight())

    def _arrange(self) -> None:
        width = self.width()
        room = width - self.lead - _MARK - self._control_width()
        label = max(24, min(max(self._label_width, self.wanted_label_width()), room))
        after = self._after.sizeHint().width() if self._after else 0
        text = min(self.label.wanted_width(), label - after)
        self.label.setGeometry(self.lead, 5, text, 24)
        if self._after is not None:
            self._after.setGeometry(self.lead + text, 5, after, 24)
        self.mark.setGeometry(self.lead + label, 5, _MARK, 24)
        self._place(self.lead + label + _MARK, width)
        extra = 0
        if self._error is not None and not self._error.isHidden():
            extra = self._error.heightForWidth(max(40, width - self.lead)) + 4
            self._error.setGeometry(self.lead, ROW_HEIGHT - 2, width - self.lead, extra)
        if self.minimumHeight() != ROW_HEIGHT + extra:
            self.setFixedHeight(ROW_HEIGHT + extra)
            settle(self)
