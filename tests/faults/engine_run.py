"""One engine process, run as the app runs it, and watched: what it told, how it ended, what memory it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from faults.case import PATIENCE, Case, Fault, private_mb
from playground.protocol.events import Event
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

T = TypeVar("T")
MOST_MB = 1500.0
"""Private memory beyond which an engine is out of bounds: the files are small."""


class Run:
    """An engine under watch. Everything waits with a limit; running into it is a fault."""

    def __init__(self, log: Path, case: Case, argv: Sequence[str] | None = None, most_mb: float = MOST_MB) -> None:
        self._case = case
        self._most_mb = most_mb
        self._news = threading.Condition()
        self.log = log
        self.events: list[Event] = []
        self.outcome: Outcome | None = None
        self.process = EngineProcess(log, self._on_events, self._on_exit, argv=argv)
        self.process.start()

    def until(self, done: Callable[[], object], limit_s: float, what: str) -> bool:
        """Wait until something is so; False when the engine ended before."""
        deadline = time.monotonic() + limit_s * PATIENCE
        while True:
            with self._news:
                if done():
                    return True
                if self.outcome is not None:
                    return False
                self._news.wait(0.05)
            self._case.peak_mb = max(self._case.peak_mb, round(private_mb(self.process.pid), 1))
            if self._case.peak_mb > self._most_mb:
                raise Fault(f"{what}: the engine took {self._case.peak_mb:.0f} MB")
            if time.monotonic() > deadline:
                raise Fault(f"{what}: no end within {limit_s:.0f} s")

    def first(self, *kinds: type[T], limit_s: float = 60, after: int = 0) -> T | None:
        """The first event of these types; None when the engine ended before."""

        def found() -> T | None:
            return next((event for event in self.events[after:] if isinstance(event, kinds)), None)

        self.until(found, limit_s, " or ".join(kind.__name__ for kind in kinds))
        return found()

    def end(self, limit_s: float = 20) -> Outcome:
        """Its end, told by the supervisor."""
        self.until(lambda: self.outcome, limit_s, "the end of the engine")
        assert self.outcome is not None
        return self.outcome

    def close(self) -> None:
        """Quit, for certain; a fault when that takes too long."""
        start = time.monotonic()
        self.process.close()
        if time.monotonic() - start > 15 * PATIENCE:
            raise Fault(f"closing took {time.monotonic() - start:.1f} s")

    def _on_events(self, events: list[Event]) -> None:
        with self._news:
            self.events += events
            self._news.notify_all()

    def _on_exit(self, outcome: Outcome) -> None:
        with self._news:
            self.outcome = outcome
            self._news.notify_all()
