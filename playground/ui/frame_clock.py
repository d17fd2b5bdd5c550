"""One timer for all that repaints: it runs only while something is dirty."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 33
"""At most 30 pictures a second."""


class FrameClock(QObject):
    """Collects what has to be painted and paints it once at the next tick."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dirty: dict[object, Callable[[], None]] = {}
        self._paused = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def running(self) -> bool:
        """Whether a tick is due."""
        return self._timer.isActive()

    def mark(self, key: object, paint: Callable[[], None]) -> None:
        """Run ``paint`` once at the next tick; later marks with the same key before it take its place."""
        self._dirty[key] = paint
        if not self._paused and not self._timer.isActive():
            self._timer.start()

    def pause(self) -> None:
        """Paint nothing until `resume`, for a window nobody sees; marks are kept."""
        self._paused = True
        self._timer.stop()

    def resume(self) -> None:
        """Paint again, first of all what was marked meanwhile."""
        self._paused = False
        if self._dirty and not self._timer.isActive():
            self._timer.start()

    def _tick(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for paint in dirty.values():
            try:
                paint()
            except Exception:
                # One view's error is told and must not cost the others their picture.
                sys.excepthook(*sys.exc_info())
