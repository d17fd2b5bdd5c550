"""A real engine process for measuring, spoken to through the app's own supervisor."""

from __future__ import annotations

import queue
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from playground.protocol.commands import Generate, Load, Message, Quit, Sampling, Stop
from playground.protocol.events import Event, Finished, Loaded, LoadFailed, Memory, Started, StatesSaved, Token
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

T = TypeVar("T")
_PATIENCE_S = 600.0


class Client:
    """One engine with its model loaded."""

    def __init__(self, model: Path, *, states: str = "", **options: Any) -> None:
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._folder = tempfile.TemporaryDirectory()
        self.process = EngineProcess(Path(self._folder.name) / "log", self._take, self._gone)
        self.process.start()
        self.seen: list[Event] = []
        self._job = 0
        self.process.send(Load(str(model), options, states, 4_000_000_000 if states else 0))
        while not isinstance(event := self._next(), Loaded):
            assert not isinstance(event, LoadFailed), event
        self.info = event.info

    def start(self, text: str | list[Message], slot: str = "A", n: int = 128, **sampling: Any) -> int:
        """Begin an answer of exactly ``n`` tokens; greedy unless said otherwise."""
        self._job += 1
        messages = [Message("user", text)] if isinstance(text, str) else text
        values = {"temp": 0.0, "ignore_eos": True, "max_tokens": n} | sampling
        self.process.send(Generate(self._job, slot, messages, Sampling(values), n))
        return self._job

    def wait(self, *jobs: int) -> None:
        """Until all of these are finished."""
        left = set(jobs) - {event.job for event in self.seen if isinstance(event, Finished)}
        while left:
            event = self._next()
            if isinstance(event, Finished):
                left.discard(event.job)

    def until(self, condition: Callable[[], object]) -> None:
        """Until what was heard fulfils it."""
        while not condition():
            self._next()

    def stop(self, job: int) -> None:
        """Stop an answer."""
        self.process.send(Stop(job))
        self.wait(job)

    def of(self, job: int, kind: type[T]) -> list[T]:
        """An answer's events of one type."""
        return [event for event in self.seen if isinstance(event, kind) and event.job == job]  # type: ignore[attr-defined]

    def tok_s(self, job: int, skip: int = 8) -> float:
        """Tokens a second from the ``skip``th token on."""
        times = [token.t_ns for token in self.of(job, Token)][skip:]
        return (len(times) - 1) * 1e9 / (times[-1] - times[0])

    def first_s(self, job: int) -> float:
        """From the start of its prompt to its first token."""
        return (self.of(job, Token)[0].t_ns - self.of(job, Started)[0].t_ns) / 1e9

    def peak_rss(self) -> int:
        """Largest resident size seen, bytes."""
        return max((event.rss for event in self.seen if isinstance(event, Memory)), default=0)

    def saved(self) -> StatesSaved | None:
        """What was saved at the end."""
        return next((event for event in self.seen if isinstance(event, StatesSaved)), None)

    def close(self, *, save: bool = False) -> None:
        """End it; its memory comes back."""
        if save:
            self.process.send(Quit(save=True))
            deadline = time.monotonic() + _PATIENCE_S
            while self.process.alive and time.monotonic() < deadline:
                time.sleep(0.01)
        self.process.close()
        while not self._events.empty():
            event = self._events.get()
            if event is not None:
                self.seen.append(event)
        self._folder.cleanup()

    def _next(self) -> Event:
        event = self._events.get(timeout=_PATIENCE_S)
        assert event is not None, "the engine ended"
        self.seen.append(event)
        return event

    def _take(self, events: list[Event]) -> None:
        for event in events:
            self._events.put(event)

    def _gone(self, _outcome: Outcome) -> None:
        self._events.put(None)
