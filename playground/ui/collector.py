"""When Python collects its garbage."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

from playground.workspace.workspace import Workspace


class Collector(QObject):
    """Collects cyclic garbage on the GUI thread only: on another one it may destroy widgets, which crashes Qt.

    Young objects while something goes on, everything when the window rests; what the start made is left out.
    """

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        gc.disable()
        self._workspace = workspace
        self._fresh, self._rested = True, False
        """Nothing was collected yet; everything was."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(5000)
        self._timer.timeout.connect(self._collect)
        workspace.engines.changed.connect(lambda _engine: self._soon())
        workspace.chat_changed.connect(self._soon)

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _collect(self) -> None:
        if any(lane.busy for lane in self._workspace.lanes):
            # What was never looked at since the start would take tens of milliseconds: left for the next rest.
            if self._fresh:
                gc.freeze()
            else:
                gc.collect(0)
            self._fresh = False
            self._timer.start()
            return
        if not self._rested:
            gc.unfreeze()
        gc.collect()
        if not self._rested:
            self._rested = True
            gc.freeze()
        self._fresh = False
