"""How long the app's thread did not come round, and where it stood: a stall that only has a length can't be mended."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

LONG_S = 0.5


class StallWatch:
    """Watches the thread that made it, from `begin` to `end` of each of its turns.

    ``worst_ms``: the longest turn, without the time that the thread was ready and other processes had the
    cores; ``where``: its stack in the first long one.
    """

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self.where = ""
        self._since: float | None = None
        self._queued_ns = 0
        self._task = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._thread = threading.get_ident()
        self._closed = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="stall watch", daemon=True)
        self._watcher.start()

    def begin(self) -> None:
        """Something begins that must not take long."""
        self._queued_ns = self._queued()
        self._since = time.monotonic()

    def end(self) -> None:
        """It is over."""
        if self._since is not None:
            queued_ms = (self._queued() - self._queued_ns) / 1e6
            self.worst_ms = max(self.worst_ms, 1000 * (time.monotonic() - self._since) - queued_ms)
            self._since = None

    def forget(self) -> None:
        """Nothing has been measured."""
        self.worst_ms, self.where = 0.0, ""

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        self._watcher.join()

    def _queued(self) -> int:
        """Nanoseconds that the thread has waited for a core (Documentation/scheduler/sched-stats, schedstat)."""
        with suppress(OSError, ValueError, IndexError):
            return int(self._task.read_text().split()[1])
        return 0

    def _watch(self) -> None:
        while not self._closed.wait(0.1):
            since = self._since
            if since is not None and time.monotonic() - since > LONG_S and not self.where:
                frame = sys._current_frames().get(self._thread)
                lines = traceback.extract_stack(frame)[-8:] if frame else []
                self.where = " < ".join(f"{line.filename.rsplit('/', 1)[-1]}:{line.lineno}" for line in reversed(lines))
