"""One stage of the chain: grip, its main setting, and the settings that refine it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QVBoxLayout, QWidget

from playground.settings.field import Field
from playground.settings.sampling import Sampler
from playground.translate import tr
from playground.ui import icons
from playground.ui.controls import SettingRow, row_for
from playground.ui.sampling.stage_switch import SWITCH_WIDTH, StageSwitch
from playground.ui.setting_row import settle
from playground.ui.theme import Theme

GRIP = 16
LEAD = GRIP + SWITCH_WIDTH
_FIRST: dict[str, Any] = {"infill": True, "adaptive_p": 0.5, "mirostat": "2"}
"""What an optional stage begins with when its switch is used before any value was chosen."""


def short_label(field: Field, stage: Sampler) -> str:
    """A refining field's name without its stage's: “XTC threshold” is “Threshold” under XTC."""
    text = field.label
    if text.lower().startswith(stage.label.lower() + " "):
        text = text[len(stage.label) + 1 :]
    return text[:1].upper() + text[1:]


class Grip(QAbstractButton):
    """Six dots to drag a stage by; Alt+↑ and Alt+↓ do the same."""

    dragged = Signal(QPointF)
    """Global position of the pointer."""
    dropped = Signal(bool)
    """False: given up with Escape."""

    def __init__(self, theme: Theme, label: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._from = theme, QPointF()
        self._dragging = False
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(tr("Move {label}", label=label))
        self.setToolTip(tr("Drag to reorder (Alt+↑, Alt+↓)"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """The lead of a row."""
        return QSize(GRIP, 24)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Get ready to drag."""
        self._from = event.globalPosition()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, once the pointer went far enough to mean it."""
        at = event.globalPosition()
        if self._dragging or abs((at - self._from).y()) > 4:
            self._dragging = True
            self.dragged.emit(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop."""
        if self._dragging:
            self._dragging = False
            self.dropped.emit(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape gives a drag up; the row takes the arrows."""
        if event.key() == Qt.Key.Key_Escape and self._dragging:
            self._dragging = False
            self.dropped.emit(False)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The dots."""
        token = "accent" if self.hasFocus() else "text-2" if self.underMouse() else "disabled"
        with QPainter(self) as p:
            image = icons.pixmap("dots-six-vertical", self._theme.hex(token), 12)
            p.drawPixmap(QPointF(-2, self.height() / 2 - 6), image)


class Chevron(QAbstractButton):
    """Opens and closes a stage's refining settings."""

    def __init__(self, theme: Theme, label: str) -> None:
        super().__init__()
        self._theme = theme
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(tr("More of {label}", label=label))
        self.setToolTip(tr("More of {label}", label=label))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Follows the name."""
        return QSize(18, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A caret, down when open."""
        token = "accent" if self.hasFocus() else "text-1" if self.underMouse() else "text-3"
        name = "caret-down" if self.isChecked() else "caret-right"
        with QPainter(self) as p:
            p.drawPixmap(QPointF(3, self.height() / 2 - 5), icons.pixmap(name, self._theme.hex(token), 10))


class StageRow(QWidget):
    """A stage with all its settings."""

    move_wanted = Signal(str, int)
    """Stage and steps: −1 is up."""
    dragged = Signal(str, QPointF)
    dropped = Signal(str, bool)
    chain_wanted = Signal(str, bool)
    """Put the stage into the chain, or take it out."""
    grew = Signal()
    """The refining settings were made; they are not before someone wants to see them."""

    def __init__(self, stage: Sampler, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.stage = stage
        self._theme = theme
        self.in_chain = True
        main, *self._others = stage.fields
        self.main = row_for(main, theme, stage.label)
        self.main.lead = LEAD
        self.made: dict[str, SettingRow] = {main.name: self.main}
        """The rows that there are so far."""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.main)
        self.grip = Grip(theme, stage.label, self.main)
        self.grip.setGeometry(0, 5, GRIP - 2, 24)
        self.grip.dragged.connect(lambda at: self.dragged.emit(stage.name, at))
        self.grip.dropped.connect(lambda kept: self.dropped.emit(stage.name, kept))
        self.switch = StageSwitch(theme, stage.label, self.main)
        self.switch.setGeometry(GRIP, 5, SWITCH_WIDTH - 4, 24)
        self.switch.clicked.connect(self.toggle)
        self._last_on: Any = _FIRST.get(stage.name)
        self.chevron: Chevron | None = None
        self._more: QWidget | None = None
        if self._others:
            self.chevron = Chevron(theme, stage.label)
            self.chevron.toggled.connect(self._unfold)
            self.main.put_after_label(self.chevron)
            self.main.label.pressed.connect(self.chevron.toggle)

    def set_in_chain(self, in_chain: bool) -> None:
        """Whether the lane's chain has this stage."""
        self.in_chain = in_chain
        if not self.stage.optional:
            self.switch.show_on(in_chain)

    def show_optional(self, value: Any) -> None:
        """An optional stage is on by its value; the last one that was on is remembered."""
        on = not self.main.field.is_off(value)
        if on:
            self._last_on = value
        self.switch.show_on(on)

    def toggle(self) -> None:
        """Switch off, keeping all values; or on again with them."""
        if not self.stage.optional:
            self.chain_wanted.emit(self.stage.name, not self.in_chain)
        elif self.main.field.is_off(self.main.value):
            self.main.choose(self._last_on)
        else:
            self.main.choose(self.main.field.off)

    @property
    def rows(self) -> dict[str, SettingRow]:
        """All rows of the stage, made if need be."""
        self._make_more()
        return self.made

    def _make_more(self) -> None:
        if self._more is not None or not self._others:
            return
        self._more = QWidget(self)
        self._more.hide()
        inner = QVBoxLayout(self._more)
        inner.setContentsMargins(0, 0, 0, 6)
        inner.setSpacing(0)
        for field in self._others:
            row = row_for(field, self._theme, short_label(field, self.stage))
            row.lead = LEAD
            self.made[field.name] = row
            inner.addWidget(row)
        if (column := self.layout()) is not None:
            column.addWidget(self._more)
        self.grew.emit()

    def _unfold(self, is_open: bool) -> None:
        self._make_more()
        if self._more is not None:
            self._more.setVisible(is_open)
            settle(self._more)

    def set_expanded(self, on: bool) -> None:
        """Show or hide the refining settings."""
        if self.chevron is not None:
            self.chevron.setChecked(on)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt+↑ and Alt+↓ move the stage, from wherever the focus is in it."""
        keys = Qt.Key
        if event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() in (keys.Key_Up, keys.Key_Down):
            self.move_wanted.emit(self.stage.name, -1 if event.key() == keys.Key_Up else 1)
            event.accept()
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Move, take out, put in, reset."""
        menu = QMenu(self)
        name = self.stage.name
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if name != "mirostat" and self.in_chain:
            menu.addAction(tr("Move up\tAlt+↑"), lambda: self.move_wanted.emit(name, -1))
            menu.addAction(tr("Move down\tAlt+↓"), lambda: self.move_wanted.emit(name, 1))
        if not self.stage.optional:
            menu.addAction(tr("Switch off") if self.in_chain else tr("Switch on"), self.toggle)
        menu.addSeparator()
        menu.addAction(tr("Reset"), self._reset)
        menu.popup(event.globalPos())

    def _reset(self) -> None:
        for row in self.rows.values():
            row.reset()
