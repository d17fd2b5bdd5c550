"""Engines take turns: llama.cpp's threads spin, and two engines on the same cores fall fifty-fold.

Pure bookkeeping on one thread. An engine holds the turn while it has a job; jobs of the
same engine share its batch and join at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Waiting:
    job: int
    engine: int
    go: Callable[[], None]


class Turns:
    """Who may generate. With ``together`` everyone may, and the cores are split."""

    def __init__(self) -> None:
        self._running: dict[int, int] = {}  # job → engine
        self._queue: list[_Waiting] = []
        self._together = False

    @property
    def together(self) -> bool:
        """Whether engines run at the same time."""
        return self._together

    def set_together(self, together: bool) -> None:
        """Let engines run at the same time, or one after the other from the next job on."""
        self._together = together
        self._advance()

    @property
    def running(self) -> set[int]:
        """Engines that are generating."""
        return set(self._running.values())

    def ask(self, job: int, engine: int, go: Callable[[], None]) -> bool:
        """Call ``go`` when the engine may generate: now (True) or later (False)."""
        self._queue.append(_Waiting(job, engine, go))
        self._advance()
        return job in self._running

    def done(self, job: int) -> None:
        """The job ended, or no longer wants its turn."""
        self._running.pop(job, None)
        self._queue = [waiting for waiting in self._queue if waiting.job != job]
        self._advance()

    def _advance(self) -> None:
        # Newly allowed jobs may be of any position: those of the running engine join its batch.
        while True:
            allowed = next((w for w in self._queue if self._may_run(w.engine)), None)
            if allowed is None:
                return
            self._queue.remove(allowed)
            self._running[allowed.job] = allowed.engine
            allowed.go()

    def _may_run(self, engine: int) -> bool:
        return self._together or not self._running or engine in self._running.values()
