"""The app under test: its workspace without a window, or the whole window offscreen. Both are watched the same way."""

from __future__ import annotations

import gc
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workspace_driver import Driver

from faults.case import PATIENCE, Case, Fault, engines, sentence
from faults.stall_watch import StallWatch
from playground.conversation.store import Store
from playground.models import starter
from playground.paths import find_paths
from playground.workspace.lane import Lane
from playground.workspace.ports import Spawn
from playground.workspace.workspace import Workspace

BEAT_MS = 10
PATIENCE_S = 60.0
OPTIONS: dict[str, Any] = {"n_threads": 1, "n_ctx": 2048}
"""One thread: a harness shares its machine."""


def texts_in(database: Path) -> dict[str, str]:
    """The texts of all turns in a file of chats; none where a slow disk hasn't made it or its tables yet."""
    if not database.exists():
        return {}
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'nodes'").fetchall():
            return {}
        return dict(db.execute("SELECT id, text FROM nodes"))
    finally:
        db.close()


class Rig:
    """What both kinds offer. ``stalls``: how long the event loop did not come round since `fresh`."""

    window = False

    def __init__(self) -> None:
        self.raised: list[str] = []
        """Exceptions that ended in no one's hands."""
        self.told: list[str] = []
        self.stalls = StallWatch()
        self._hooks = sys.excepthook, threading.excepthook
        sys.excepthook = lambda kind, error, _trace: self.raised.append(f"{kind.__name__}: {error}")
        threading.excepthook = lambda args: self.raised.append(f"{args.exc_type.__name__}: {args.exc_value}")

    workspace: Workspace
    store: Store

    def until(self, condition: Callable[[], object], timeout: float = PATIENCE_S, what: str = "") -> None:
        """Let the app run until something is so. Raises Fault."""
        deadline = time.monotonic() + timeout * PATIENCE
        while not condition():
            if self.raised:
                raise Fault(f"raised in the app: {self.raised[:3]}")
            if time.monotonic() > deadline:
                raise Fault(f"waited {timeout:.0f} s for {what or 'something'}; {self.lane.state}, {self.lane.notice}")
            self._turn()

    def stay(self, seconds: float) -> None:
        """Let the app run for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._turn()

    @property
    def lane(self) -> Lane:
        """The first lane."""
        return self.workspace.lanes[0]

    def start(self) -> None:
        """Bring the first lane to a loaded model with the harness's options."""
        self.until(lambda: self.lane.state == "ready", what="the first load")
        self.workspace.set_load("A", OPTIONS)
        self.workspace.reload("A")
        self.until(self.settled, what="a reload")

    def settled(self) -> bool:
        """Loaded, and the one engine of it the only one."""
        return self.lane.state == "ready" and len(self.workspace.engines.all) == 1

    def fresh(self, sampling: dict[str, Any]) -> None:
        """A new chat with that sampling, an engine behind it, and nothing measured yet."""
        if self.lane.state != "ready":
            self.workspace.reload("A")
        self.workspace.new_chat()
        if self.lane.state == "unloaded":
            self.workspace.reload("A")
        self.until(self.settled, what="a loaded lane")
        self.workspace.reset_sampling("A")
        self.workspace.set_many("A", sampling)
        self.told.clear()
        self.stalls.forget()

    def text(self) -> str:
        """The answer so far, thoughts included."""
        path = self.lane.path
        return path[-1].thinking + path[-1].text if path and path[-1].role == "assistant" else ""

    def check(self, case: Case) -> None:
        """What must hold after every case: nothing raised, what is on screen is in the file, engines as known."""
        self.until(lambda: not self.workspace.jobs.all, what="the jobs to end")
        self.timed(case)
        if self.raised:
            raise Fault(f"raised in the app: {self.raised[:3]}")
        if self.lane.notice is not None:
            sentence(self.lane.notice.text, "the notice")
        self.check_kept()
        known = len(self.workspace.engines.all)
        self.until(lambda: len(engines()) <= known, 20, f"{len(engines())} engines to be {known}")

    def timed(self, case: Case) -> None:
        """Take down the longest stall."""
        case.latency_ms, case.where = max(case.latency_ms, round(self.stalls.worst_ms, 1)), self.stalls.where

    def check_kept(self) -> None:
        """Every turn of the open chat stands in the file as on screen, read by another connection."""
        if not self.store.flush(20 * PATIENCE):
            raise Fault("the chats could not be written within 20 s")
        kept = self.kept()
        for node in self.workspace.chat.nodes.values():
            if kept.get(node.id) != node.text:
                raise Fault(f"a turn differs in the file: {kept.get(node.id)!r:.100} and {node.text!r:.100}")

    def kept(self) -> dict[str, str]:
        """The texts of all turns in the file."""
        return texts_in(find_paths().database)

    def close(self) -> None:
        """End the app as its window does."""
        raise NotImplementedError

    def _turn(self) -> None:
        raise NotImplementedError

    def _unhook(self) -> None:
        sys.excepthook, threading.excepthook = self._hooks
        self.stalls.close()


class Headless(Rig, Driver):
    """The workspace on this thread, without Qt."""

    def __init__(self, model: Path | None, spawn: Spawn | None = None) -> None:
        Rig.__init__(self)
        Driver.__init__(self, model, spawn)
        self.store.on_error = self.told.append

    def start(self) -> None:
        """As the window: what was kept comes back, the lanes load."""
        Driver.start(self)
        Rig.start(self)

    def close(self) -> None:
        """End it; waits for the engines, and no longer for the disk than the window: it may be full."""
        Driver.close(self, 3)
        self._unhook()

    def _turn(self) -> None:
        try:
            thunk = self._queue.get(timeout=BEAT_MS / 1000)
        except queue.Empty:
            return
        self.stalls.begin()
        thunk()
        self.stalls.end()


class Window(Rig):
    """The window offscreen, with a timer that notices when the event loop stands still."""

    window = True

    def __init__(self, model: Path | None = None, spawn: Spawn | None = None) -> None:
        super().__init__()
        from PySide6.QtCore import QEventLoop, QTimer
        from PySide6.QtWidgets import QApplication

        from playground.app import App
        from playground.ui.theme import load_fonts

        # One for the whole process: Qt wants no second.
        self.qt = QApplication.instance() or QApplication(["faults"])
        load_fonts()
        self._wait = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        self.app = App(find_paths(), str(model) if model else None, spawn)
        self.workspace, self.store = self.app.workspace, self.app.store
        self.workspace.told.connect(self.told.append)
        self._beat = QTimer()
        self._beat.setInterval(BEAT_MS)
        self._beat.timeout.connect(self._on_beat)

    def start(self) -> None:
        """Show it and load."""
        self.show()
        super().start()

    def show(self) -> None:
        """Show it and let it find the models; what it does from then on is measured."""
        self.app.show()
        self._beat.start()
        self.stalls.forget()
        self.until(lambda: self.workspace.searched, what="the models to be found")

    def fresh(self, sampling: dict[str, Any]) -> None:
        """Without what only waits to be deleted."""
        super().fresh(sampling)
        gc.collect(1)
        self.stalls.forget()

    def close(self) -> None:
        """Close the window; the app ends its engines."""
        from PySide6.QtCore import QCoreApplication, QEvent

        self._beat.stop()
        self.app.window.close()
        self.app.close()
        self.app.window.deleteLater()
        self.app.deleteLater()
        del self.app, self.workspace, self.store
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.unfreeze()
        gc.collect()
        gc.enable()
        self._unhook()

    def _turn(self) -> None:
        """Until the next event at least; every beat begins the measurement anew."""
        self.stalls.begin()
        self.qt.processEvents(self._wait)
        self.stalls.end()

    def _on_beat(self) -> None:
        self.stalls.end()
        self.stalls.begin()


def starter_path() -> Path:
    """The starter's file. Raises Fault when it is not installed."""
    path = starter.find()
    if path is None:
        raise Fault("the starter model is not installed: run make install")
    return path


class Rigs:
    """One app for some cases, then a fresh one: with a window and without by turns."""

    def __init__(self, each: int = 10, window: bool | None = None) -> None:
        self._each = each
        self._window = window
        self._left = 0
        self._made = 0
        self._rig: Rig | None = None

    def get(self) -> Rig:
        """The app for the next case."""
        if self._rig is None or self._left == 0:
            self.drop()
            with_window = self._made % 2 == 1 if self._window is None else self._window
            self._rig = Window() if with_window else Headless(starter_path())
            self._made += 1
            self._left = self._each
            self._rig.start()
        self._left -= 1
        return self._rig

    def drop(self) -> None:
        """Close it: after its last case, and after a fault."""
        rig, self._rig = self._rig, None
        if rig is not None:
            start = time.monotonic()
            rig.close()
            if time.monotonic() - start > 15 * PATIENCE:
                raise Fault(f"the app took {time.monotonic() - start:.0f} s to close")
