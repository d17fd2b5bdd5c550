"""Closing the window: engines get a few seconds to keep their chats' memory, with words, and never longer."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from playground.translate import later, tr
from playground.ui.main_window import MainWindow
from playground.workspace.workspace import Workspace

MOST_MS = 6000
WORDS = later("Keeping the chats’ memory for the next start. Close again to skip that.")


class Leaving(QObject):
    """Lets a window close at the first try where there is nothing to keep, else as soon as it is kept."""

    def __init__(self, workspace: Workspace, window: MainWindow) -> None:
        super().__init__(window)
        self._workspace, self._window = workspace, window
        self._begun = False
        self._stop_listening: Callable[[], object] = lambda: None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._window.close)
        window.before_closing.insert(0, self._agrees)

    def _agrees(self) -> bool:
        """Put the first try off."""
        app = QGuiApplication.instance()
        hurried = isinstance(app, QGuiApplication) and app.isSavingSession()
        if self._begun or hurried or not self._workspace.leave():
            self._stop_listening()
            self._timer.stop()
            return True
        self._begun = True
        self._window.status.toast(tr(WORDS))
        self._window.setEnabled(False)
        self._stop_listening = self._workspace.engines.changed.connect(lambda _engine: self._look())
        self._timer.start(MOST_MS)
        return False

    def _look(self) -> None:
        if not any(engine.state == "closing" for engine in self._workspace.engines.all.values()):
            # Not in the middle of what the engine's end sets off.
            QTimer.singleShot(0, self._window.close)
