"""The rows of `actions` as Qt shortcuts and as menus."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QWidget

from playground.actions.keymap import KEYS
from playground.actions.table import ACTIONS, GROUPS, Action, View
from playground.translate import tr
from playground.ui.widgets import bind
from playground.workspace.workspace import Workspace


def native(key: str) -> str:
    """A portable key name as this system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def key_text(action: Action) -> str:
    """The action's first key as this system writes it."""
    return next(map(native, KEYS.keys(action.id)), "")


def key_of(action_id: str) -> str:
    """The key of an action, for tooltips."""
    return next(map(native, KEYS.keys(action_id)), "")


class Commands(QObject):
    """Runs actions by key or by id."""

    def __init__(self, window: QWidget, workspace: Workspace, view: View) -> None:
        super().__init__(window)
        self._window, self._workspace, self._view = window, workspace, view
        self._shortcuts: list[QShortcut] = []
        bind(self, KEYS.changed, self._take_keys)
        self._take_keys()

    def run(self, action: Action) -> None:
        """Carry out an action if it can be used now."""
        if action.when(self._workspace):
            action.run(self._workspace, self._view)

    def usable(self, action: Action) -> bool:
        """Whether the action can be used now."""
        return action.when(self._workspace)

    def back(self) -> None:
        """Give the keyboard back to the page that is shown."""
        self._view.focus_page()

    def _take_keys(self) -> None:
        for old in self._shortcuts:
            old.setEnabled(False)
            old.deleteLater()
        self._shortcuts = [self._shortcut(action, key) for action in ACTIONS for key in KEYS.keys(action.id)]

    def _shortcut(self, action: Action, key: str) -> QShortcut:
        shortcut = QShortcut(QKeySequence(key), self._window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(lambda: self.run(action))
        return shortcut


class MainMenu(QMenu):
    """All actions, a submenu for each group; what can't be used now is grey."""

    def __init__(self, parent: QWidget, commands: Commands) -> None:
        super().__init__(parent)
        self._commands = commands
        self.items = []
        for group in GROUPS:
            menu = self.addMenu(tr(group))
            menu.aboutToShow.connect(self.refresh)
            for action in ACTIONS:
                if action.group == group:
                    item = menu.addAction(tr(action.title))
                    item.triggered.connect(lambda _=False, action=action: commands.run(action))
                    self.items.append((item, action))
        self.refresh()

    def refresh(self) -> None:
        """Keys and greyness as they are now."""
        for item, action in self.items:
            # The key is only written here: as a shortcut of the item it would be there twice.
            item.setText(f"{tr(action.title)}\t{key_text(action)}")
            item.setEnabled(self._commands.usable(action))
