"""A workspace without a window: real engines, a real store, one thread that runs what is posted."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.conversation.store import Store
from playground.models import library
from playground.paths import find_paths
from playground.workspace import known_models
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.making_room import Free, free_memory
from playground.workspace.ports import Spawn
from playground.workspace.workspace import Workspace


class Driver:
    """Runs a workspace as the window does, on the test's own thread."""

    def __init__(self, model: Path | None, spawn: Spawn | None = None, free: Free = free_memory) -> None:
        self._queue: queue.Queue[Callable[[], None]] = queue.Queue()
        self.paths = find_paths()
        self.told: list[str] = []
        self.store = Store(self.paths.database, self._queue.put)
        self.store.start()
        self.workspace = Workspace(
            self.paths.logs, self.store, self._queue.put, self._background, self._read, spawn, free=free
        )
        self.workspace.told.connect(self.told.append)
        self.starter = known_models.to_ref(library.describe(model)) if model is not None else None
        self.workspace.set_models([self.starter] if self.starter else [], self.starter)

    def start(self) -> None:
        """Bring back what was kept and load the lanes, as the window does."""
        ready: list[bool] = []
        self.workspace.chats.start(lambda: ready.append(True))
        self.until(lambda: bool(ready))
        self.workspace.load_lanes()

    def until(self, condition: Callable[[], object], timeout: float = 200) -> None:
        """Run what is posted until the condition holds."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, (
                f"waited {timeout} s; lanes: {[self.words(lane) for lane in self.workspace.lanes]}"
            )
            try:
                self._queue.get(timeout=0.05)()
            except queue.Empty:
                continue

    def idle(self, timeout: float = 200) -> None:
        """Until no answer is under way."""
        self.until(lambda: not self.workspace.jobs.all, timeout)

    def close(self, save_s: float = 100) -> None:
        """End as the window does, but with time for a slow disk."""
        self.workspace.close()
        self.store.close(save_s)

    def words(self, lane: Lane) -> str:
        """A lane in words, for failures."""
        return f"{lane.letter} {lane.state} {lane.notice.title + lane.notice.text if lane.notice else ''}"

    def _read(self, path: str) -> ModelRef | str:
        return known_models.read_model(self.paths, path)

    def _background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def run() -> None:
            result = work()
            self._queue.put(lambda: then(result))

        threading.Thread(target=run).start()
