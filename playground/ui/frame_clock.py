"""One clock for all that repaints: it runs only while something is dirty, and yields to the engines.

llama.cpp's threads spin at barriers: on few cores every millisecond the window draws is taken from the
model, several times over. So drawing has a budget, a share of one core, and pictures come further apart
when they are dear.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

TICK_MS = 33
"""At most 30 pictures a second."""
SLOWEST_MS = 160
"""A picture at least this often, however dear."""
SLICE_S = 0.004
"""Seconds of marking after which other events get their turn."""
FEW_CORES = 4
_BUDGETS = (0.10, 0.40)


def drawing_budget(cores: int | None = None) -> float:
    """The share of one core that drawing may take while something changes: less where cores are few."""
    return _BUDGETS[(cores or os.cpu_count() or 1) > FEW_CORES]


class FrameClock(QObject):
    """Collects what has to be painted and paints it once a picture, in slices."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dirty: dict[object, Callable[[], None]] = {}
        self._round: dict[object, Callable[[], None]] = {}
        """What is left of the picture being made."""
        self._paused = False
        self._budget = drawing_budget()
        self._interval = float(TICK_MS)
        self._used = time.thread_time()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    @property
    def running(self) -> bool:
        """Whether a tick is due."""
        return self._timer.isActive()

    def mark(self, key: object, paint: Callable[[], None]) -> None:
        """Run ``paint`` once at the next tick; later marks with the same key before it take its place."""
        self._dirty[key] = paint
        if not self._paused and not self._timer.isActive():
            self._timer.start(round(self._interval))

    def pause(self) -> None:
        """Paint nothing until `resume`, for a window nobody sees; marks are kept."""
        self._paused = True
        self._timer.stop()

    def resume(self) -> None:
        """Paint again, first of all what was marked meanwhile."""
        self._paused = False
        if (self._dirty or self._round) and not self._timer.isActive():
            self._timer.start(round(self._interval))

    def _tick(self) -> None:
        if not self._round:
            self._begin()
        end = time.perf_counter() + SLICE_S
        while self._round and time.perf_counter() < end:
            key = next(iter(self._round))
            paint = self._round.pop(key)
            try:
                paint()
            except Exception:
                # One view's error is told and must not cost the others their picture.
                sys.excepthook(*sys.exc_info())
        if self._round:
            self._timer.start(1)  # what was marked so far is painted in between
        elif self._dirty and not self._timer.isActive():
            self._timer.start(round(self._interval))

    def _begin(self) -> None:
        """A new picture; the time to the next follows from what this thread used since the last."""
        self._round, self._dirty = self._dirty, {}
        used = time.thread_time()
        wanted = (used - self._used) * 1000 / self._budget
        self._used = used
        # Half the way at a time: one dear picture is no trend.
        self._interval += (min(SLOWEST_MS, max(TICK_MS, wanted)) - self._interval) / 2
