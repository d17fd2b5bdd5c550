"""From any thread to the GUI thread: a locked list and one queued signal, and work on threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Qt, Signal

SLICE_S = 0.006
"""Seconds of posted work after which other events get their turn."""


class _Watched:
    """A file descriptor, a copy of our own: whoever else has it may close theirs."""

    def __init__(self, fd: int, ready: Callable[[], bool]) -> None:
        self.fd, self.ready = fd, ready
        self.notifier: QSocketNotifier | None = None


class Bridge(QObject):
    """Runs functions on the GUI thread, and slow ones away from it."""

    _pending = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._thunks: list[Callable[[], None]] = []
        self._watched: list[_Watched] = []
        self._resting: list[_Watched] = []
        """Those of them that told while a picture is due: they are asked with it."""
        self._woken = self._held = self._closed = False
        """The signal is on its way; what can wait for a picture is fetched for it; nothing is taken any more."""
        self.running = False
        """What came of itself is being run; `taken` is called afterwards."""
        self.taken: Callable[[bool], None] = lambda whole: None
        """Called when that was run, with whether it was all; for the frame clock, which draws it in the same go."""
        self._asked = False
        """Whatever is watched has just been read."""
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")
        self._pending.connect(self._run_all, Qt.ConnectionType.QueuedConnection)

    def post(self, thunk: Callable[[], None]) -> None:
        """Run ``thunk`` soon on the GUI thread; in the order posted. From any thread."""
        self._add(thunk, wake=True)

    def post_soon(self, thunk: Callable[[], None]) -> None:
        """As `post`, but while pictures are made anyway it may wait for the next one."""
        self._add(thunk, wake=False)

    def _add(self, thunk: Callable[[], None], wake: bool) -> bool:
        """Whether it will be run."""
        with self._lock:
            if self._closed:
                return False
            self._thunks.append(thunk)
            wake = not self._woken and (wake or not self._held)
            self._woken = self._woken or wake
        if wake:
            self._pending.emit()
        return True

    def watch(self, fd: int, ready: Callable[[], bool]) -> None:
        """Call ``ready`` on the GUI thread whenever ``fd`` can be read, until it says False. From any thread.

        What it posts is run in the same go; while pictures are made anyway it is called for the next one.
        """
        watched = _Watched(os.dup(fd), ready)
        if not self._add(lambda: self._follow(watched), wake=True):
            os.close(watched.fd)

    def _follow(self, watched: _Watched) -> None:
        notifier = watched.notifier = QSocketNotifier(watched.fd, QSocketNotifier.Type.Read, self)
        notifier.activated.connect(lambda: self._readable(watched))
        self._watched.append(watched)

    def _readable(self, watched: _Watched) -> None:
        if self._held:
            if watched.notifier is not None:
                watched.notifier.setEnabled(False)
                self._resting.append(watched)
            return
        self._read([watched])
        self._asked = len(self._watched) == 1
        try:
            self._run_all()
        finally:
            self._asked = False

    def _read(self, several: list[_Watched]) -> None:
        """Have them read; what they post needs no wakeup, whoever calls this runs it."""
        with self._lock:
            woken, self._woken = self._woken, True
        for watched in several:
            if not watched.ready():
                self._drop(watched)
        with self._lock:
            self._woken = woken

    def _drop(self, watched: _Watched) -> None:
        self._watched.remove(watched)
        self._resting = [other for other in self._resting if other is not watched]
        if watched.notifier is not None:
            watched.notifier.setEnabled(False)
            watched.notifier.deleteLater()
        os.close(watched.fd)

    def _wake_resting(self) -> None:
        resting, self._resting = self._resting, []
        for watched in resting:
            if watched.notifier is not None:
                watched.notifier.setEnabled(True)

    # for the frame clock

    def hold(self) -> None:
        """Let what came by `post_soon` wait for `take`."""
        with self._lock:
            self._held = True

    def release(self) -> None:
        """Wake the GUI thread for everything again, also for what waits already."""
        if not self._held and not self._resting:
            return
        self._wake_resting()
        with self._lock:
            self._held = False
            wake = bool(self._thunks) and not self._woken
            self._woken = self._woken or wake
        if wake:
            self._pending.emit()

    def take(self) -> bool:
        """Run what waits, on the GUI thread; whether there was anything."""
        if self._watched and not self._asked:
            self._read(self._watched[:])
            self._wake_resting()
        with self._lock:
            waiting = bool(self._thunks)
        if waiting:
            self._run()
        return waiting

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
        for watched in self._watched[:]:
            self._drop(watched)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run_all(self) -> None:
        self.running = True
        try:
            self._run()
        finally:
            self.running = False
            self.taken(not self._thunks)

    def _run(self) -> None:
        with self._lock:
            thunks, self._thunks = self._thunks, []
            self._woken = False
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
                    wake, self._woken = not self._woken, True
                if wake:
                    self._pending.emit()

    def _complain(self, future: Any) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            self.post(lambda: _raise(error))


def _raise(error: BaseException) -> None:
    raise error
