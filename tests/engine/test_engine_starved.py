"""A real engine that is refused memory by the system: it says so, whether llama.cpp, Python or C++ finds out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from waiting import wait_until

from playground.protocol.commands import Generate, Load, Message, Sampling
from playground.protocol.events import Event, Finished, Hello, Loaded, LoadFailed
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of another process are Linux's"),
]
MB = 1 << 20


class Limited:
    """An engine whose address space can't grow by more than so many megabytes from a moment on."""

    def __init__(self, log: Path) -> None:
        self.events: list[Event] = []
        self.outcomes: list[Outcome] = []
        self.process = EngineProcess(log, self.events.extend, self.outcomes.append)
        self.process.start()
        self.wait(Hello)

    def limit(self, more_mb: int) -> None:
        assert self.process.pid is not None
        process = psutil.Process(self.process.pid)
        allowed = process.memory_info().vms + more_mb * MB
        process.rlimit(psutil.RLIMIT_AS, (allowed, psutil.RLIM_INFINITY))

    def wait(self, *kinds: type) -> Any:
        def found() -> Any:
            return next((event for event in self.events if isinstance(event, kinds)), None)

        wait_until(lambda: found() or self.outcomes, 150, f"{kinds}")
        return found()


@pytest.mark.parametrize("more_mb", [5, 60, 200, 400])
def test_a_load_without_enough_memory(tmp_path: Path, starter_path: Path, more_mb: int) -> None:
    engine = Limited(tmp_path / "log")
    try:
        engine.limit(more_mb)
        engine.process.send(Load(str(starter_path), {"n_threads": 1, "n_ctx": 8192, "use_mmap": False}))
        event = engine.wait(Loaded, LoadFailed)
        if isinstance(event, LoadFailed):
            assert event.kind == "memory", event
            assert "memory" in event.message
        elif event is None:
            assert engine.outcomes[0].kind == "memory", engine.outcomes[0]
        else:
            assert more_mb >= 400
    finally:
        engine.process.close()


def test_an_answer_without_enough_memory(tmp_path: Path, starter_path: Path) -> None:
    engine = Limited(tmp_path / "log")
    try:
        engine.process.send(Load(str(starter_path), {"n_threads": 1, "n_ctx": 2048}))
        assert engine.wait(Loaded, LoadFailed)
        engine.limit(0)
        engine.process.send(Generate(1, "c:A", [Message("user", "word " * 1_000_000)], Sampling(), 4))
        finished = engine.wait(Finished)
        if finished is None:
            assert engine.outcomes[0].kind == "memory", engine.outcomes[0]
        else:
            assert finished.message.endswith(".")
    finally:
        engine.process.close()
