"""From any thread to the GUI thread: a locked list and one queued signal, and work on threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

SLICE_S = 0.006
"""Seconds of posted work after which other events get their turn."""


class Bridge(QObject):
    """Runs functions on the GUI thread, and slow ones away from it."""

    _pending = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._thunks: list[Callable[[], None]] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")
        self._pending.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, thunk: Callable[[], None]) -> None:
        """Run ``thunk`` soon on the GUI thread; in the order posted. From any thread."""
        with self._lock:
            if self._closed:
                return
            self._thunks.append(thunk)
            first = len(self._thunks) == 1
        if first:
            self._pending.emit()

    def background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Run ``work`` on a thread and hand its result to ``then`` on the GUI thread."""

        def run() -> None:
            result = work()
            self.post(lambda: then(result))

        if not self._closed:
            self._pool.submit(run).add_done_callback(self._complain)

    def close(self) -> None:
        """Drop what is pending and wait for the threads."""
        with self._lock:
            self._closed = True
            self._thunks.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        with self._lock:
            thunks, self._thunks = self._thunks, []
        end = time.perf_counter() + SLICE_S
        done = 0
        try:
            for thunk in thunks:
                if done and time.perf_counter() > end:
                    break
                done += 1
                thunk()
        finally:
            # The rest waits for its turn behind paints and input, and is not lost with one that fails.
            if done < len(thunks):
                with self._lock:
                    self._thunks[:0] = thunks[done:]
                self._pending.emit()

    def _complain(self, future: Any) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.post(lambda: _raise(error))


def _raise(error: BaseException) -> None:
    raise error
