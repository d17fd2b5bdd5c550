"""The command palette: every action by typing a few letters of its name."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from playground.actions.table import ACTIONS, Action
from playground.translate import tr
from playground.ui.commands import Commands, key_text
from playground.ui.theme import Theme

_RECENT = 5
"""Actions used last that an empty palette shows first."""
_GAP = 32
"""Pixels between a title and its key, the row's own margins included."""


class Palette(QFrame):
    """Type a few letters, press Enter."""

    def __init__(self, parent: QWidget, theme: Theme, commands: Commands) -> None:
        super().__init__(parent)
        self._theme = theme
        self._commands = commands
        self._recent: list[str] = []
        self.setProperty("popup", True)
        self._field = QLineEdit()
        self._field.setPlaceholderText(tr("What do you want to do?"))
        self._field.setAccessibleName(tr("Search commands"))
        self._list = QListWidget()
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setAccessibleName(tr("Commands found"))
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._field)
        column.addWidget(self._list)
        self._field.textChanged.connect(lambda _text: self._fill())
        self._field.installEventFilter(self)
        self._list.itemClicked.connect(lambda _item: self._accept())
        self.hide()

    def open(self) -> None:
        """Show it at the top of the window."""
        parent = self.window()
        width = min(560, parent.width() - 32)
        self.setFixedSize(width, min(420, parent.height() - 96))
        self.move(QPoint((parent.width() - width) // 2, 56))
        self._field.clear()
        self.show()
        self._fill()  # once the list has its width
        self.raise_()
        self._field.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list, Enter runs, Esc and a lost focus close."""
        if event.type() == QEvent.Type.FocusOut and self.isVisible() and not self.underMouse():
            self.hide()
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        moves: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Down: lambda: self._move(1),
            Qt.Key.Key_Up: lambda: self._move(-1),
            Qt.Key.Key_Return: self._accept,
            Qt.Key.Key_Enter: self._accept,
            Qt.Key.Key_Escape: self._close,
        }
        move = moves.get(event.key())
        if move is None:
            return False
        move()
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """A raised card with an edge."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(self._theme.color("raised"))
            painter.setPen(self._theme.color("line-strong"))
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 10, 10)

    def _close(self) -> None:
        self.hide()
        self._commands.back()

    def _fill(self) -> None:
        self._list.clear()
        for action in self._found(self._field.text()):
            label = QLabel(key_text(action) or tr(action.group))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setProperty("tone", "3")
            label.setContentsMargins(0, 0, 8, 0)
            title = tr(action.title)
            room = self._list.viewport().width() - label.sizeHint().width() - _GAP
            item = QListWidgetItem(self._list.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, room))
            item.setToolTip(title if item.text() != title else "")
            item.setData(Qt.ItemDataRole.UserRole, action)
            item.setData(
                Qt.ItemDataRole.AccessibleTextRole, f"{tr(action.title)}, {tr(action.group)}, {key_text(action)}"
            )
            if not self._commands.usable(action):
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(item)
            self._list.setItemWidget(item, label)
        self._move(1, start=-1)

    def _found(self, typed: str) -> list[Action]:
        """The best first: a title that begins so, words that do, then anywhere; what can't be used comes last."""
        words = typed.lower().split()
        ranked = []
        for place, action in enumerate(ACTIONS):
            # English words find it too: guides and friends name them.
            text = f"{tr(action.title)} {tr(action.group)} {action.title} {action.words}".lower()
            if action.id == "view.palette" or not all(word in text for word in words):
                continue
            title = tr(action.title).lower()
            begun = all(f" {word}" in f" {title}" for word in words)
            rank = 0 if title.startswith(typed.lower().strip()) else 1 if begun else 2
            if not words:
                rank = self._recent.index(action.id) if action.id in self._recent else _RECENT
            ranked.append((not self._commands.usable(action), rank, place, action))
        return [entry[3] for entry in sorted(ranked, key=lambda entry: entry[:3])]

    def _move(self, step: int, start: int | None = None) -> None:
        row = self._list.currentRow() if start is None else start
        for _ in range(self._list.count()):
            row = (row + step) % max(1, self._list.count())
            item = self._list.item(row)
            if item is not None and item.flags() & Qt.ItemFlag.ItemIsEnabled:
                self._list.setCurrentRow(row)
                return

    def _accept(self) -> None:
        item = self._list.currentItem()
        self.hide()
        if item is not None:
            action = item.data(Qt.ItemDataRole.UserRole)
            self._recent = [action.id, *(kept for kept in self._recent if kept != action.id)][:_RECENT]
            self._commands.run(action)
