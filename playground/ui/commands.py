"""The rows of `actions` as Qt shortcuts, and the palette that finds them by typing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from playground.actions.table import ACTIONS, Action, View
from playground.ui.theme import Theme
from playground.workspace.workspace import Workspace


def key_text(action: Action) -> str:
    """The action's first key as this system writes it."""
    return QKeySequence(action.keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if action.keys else ""


def key_of(action_id: str) -> str:
    """The key of an action, for tooltips."""
    return next(key_text(action) for action in ACTIONS if action.id == action_id)


class Commands(QObject):
    """Runs actions by key or by id."""

    def __init__(self, window: QWidget, workspace: Workspace, view: View) -> None:
        super().__init__(window)
        self._workspace = workspace
        self._view = view
        for action in ACTIONS:
            for key in action.keys:
                shortcut = QShortcut(QKeySequence(key), window)
                shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
                shortcut.activated.connect(lambda action=action: self.run(action))

    def run(self, action: Action) -> None:
        """Carry out an action if it can be used now."""
        if action.when(self._workspace):
            action.run(self._workspace, self._view)

    def usable(self, action: Action) -> bool:
        """Whether the action can be used now."""
        return action.when(self._workspace)


class Palette(QFrame):
    """Type a few letters, press Enter: every action by name."""

    def __init__(self, parent: QWidget, theme: Theme, commands: Commands) -> None:
        super().__init__(parent)
        self._theme = theme
        self._commands = commands
        self.setProperty("popup", True)
        self._field = QLineEdit()
        self._field.setPlaceholderText("What do you want to do?")
        self._field.setAccessibleName("Search commands")
        self._list = QListWidget()
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
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
        self._fill()
        self.show()
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
        self._commands._view.focus_page()

    def _fill(self) -> None:
        words = self._field.text().lower().split()
        self._list.clear()
        for action in ACTIONS:
            text = f"{action.title} {action.group} {action.words}".lower()
            if action.id == "view.palette" or not all(word in text for word in words):
                continue
            item = QListWidgetItem(action.title)
            item.setData(Qt.ItemDataRole.UserRole, action)
            if not self._commands.usable(action):
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._list.addItem(item)
            label = QLabel(key_text(action))
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setProperty("tone", "3")
            label.setContentsMargins(0, 0, 8, 0)
            self._list.setItemWidget(item, label)
        self._move(1, start=-1)

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
            self._commands.run(item.data(Qt.ItemDataRole.UserRole))
