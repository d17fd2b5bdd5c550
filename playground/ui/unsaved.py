"""Turns that can't be written now: said for as long as that lasts, and before the window closes over them."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from playground.conversation.store import Store
from playground.translate import later, tr
from playground.ui.main_window import MainWindow

WORDS = later("The newest turns are not saved yet. Make room for them, or close the window again to lose them.")
HANGS = later(
    "The disk takes very long to save the newest turns. The window closes once it has; close it again to lose them."
)


class Unsaved(QObject):
    """Holds the store's sentence in the status bar, and the window open at the first try to close it."""

    def __init__(self, store: Store, window: MainWindow) -> None:
        super().__init__(window)
        self._store, self._window = store, window
        self._warned = False
        self._closes = False
        """As soon as what hangs is written."""
        store.on_waiting = self._waiting
        window.before_closing.insert(0, self._agrees)

    def _waiting(self, sentence: str) -> None:
        closes, self._closes = self._closes, False
        if closes and sentence:
            self._hold_open(WORDS)  # it has failed after all
        elif closes:
            QTimer.singleShot(0, self._window.close)
        if not sentence:
            self._warned = False
        if not self._warned:
            self._window.status.hold(sentence)

    def _agrees(self) -> bool:
        """Say once what would be lost."""
        if self._warned or not self._store.stuck:
            return True
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication) and app.isSavingSession():
            return True
        self._warned = True
        self._closes = self._store.hangs
        if self._closes:
            self._window.status.hold(tr(HANGS), at_once=True)
            self._window.setEnabled(False)
        else:
            self._hold_open(WORDS)
        return False

    def _hold_open(self, words: str) -> None:
        """Where leaving had begun, and what it made end could not be written, the window is there to be used again."""
        self._window.status.hold(tr(words), at_once=True)
        self._window.setEnabled(True)
