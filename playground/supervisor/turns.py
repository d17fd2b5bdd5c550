"""Engines take turns: llama.cpp's threads spin, and two engines on the same cores fall fifty-fold.

Together they share the cores, so there are never more of them than cores: each computes with one thread at least.
Pure bookkeeping on one thread. An engine holds the turn while it has a job; jobs of the
same engine share its batch and join at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Waiting:
    job: int
    engine: int
    go: Callable[[], None]
    alone: bool = False


class Turns:
    """Who may generate. With ``together`` as many as there are cores, and these are split."""

    def __init__(self) -> None:
        self._running: dict[int, int] = {}  # job → engine
        self._queue: list[_Waiting] = []
        self._alone: int | None = None
        """The running job that nobody may join."""
        self._together = False
        self.most = os.cpu_count() or 1
        """Engines that may run together: the cores there are, better known once an engine was loaded."""

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

    @property
    def alone(self) -> bool:
        """Whether something runs that nobody may join: a measurement."""
        return self._alone is not None

    def ask(self, job: int, engine: int, go: Callable[[], None], *, alone: bool = False) -> bool:
        """Call ``go`` when the engine may generate: now (True) or later (False).

        ``alone``: while nothing else runs, in whatever engine; what is asked for later waits for its end.
        """
        self._queue.append(_Waiting(job, engine, go, alone))
        self._advance()
        return job in self._running

    def done(self, job: int) -> None:
        """The job ended, or no longer wants its turn."""
        self._running.pop(job, None)
        if self._alone == job:
            self._alone = None
        self._queue = [waiting for waiting in self._queue if waiting.job != job]
        self._advance()

    def _advance(self) -> None:
        # Newly allowed jobs may be of any position: those of the running engine join its batch.
        while True:
            allowed = self._next()
            if allowed is None:
                return
            self._queue.remove(allowed)
            if allowed.alone:
                self._alone = allowed.job
            self._running[allowed.job] = allowed.engine
            allowed.go()

    def _next(self) -> _Waiting | None:
        if self._alone is not None:
            return None
        for waiting in self._queue:
            if waiting.alone:
                # Nobody overtakes it, or it might wait for ever.
                return None if self._running else waiting
            if self._may_run(waiting.engine):
                return waiting
        return None

    def _may_run(self, engine: int) -> bool:
        running = self.running
        return not running or engine in running or (self._together and len(running) < self.most)
