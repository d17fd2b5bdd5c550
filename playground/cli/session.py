"""An engine as a command-line program uses it: one thread that may wait, and Ctrl+C."""

from __future__ import annotations

import itertools
import os
import queue
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from playground.cli.errors import CliError, EngineGone, load_error
from playground.cli.prompt_cache import PromptCache
from playground.paths import find_paths
from playground.protocol.commands import (
    Bench,
    BenchTest,
    Generate,
    Load,
    Message,
    Sampling,
    SetThreads,
    Stop,
    StopBench,
)
from playground.protocol.events import (
    BenchDone,
    BenchProgress,
    BenchRow,
    Event,
    Finished,
    Hello,
    Loaded,
    LoadFailed,
    LoadProgress,
    Memory,
    ModelInfo,
    PromptProgress,
    Refused,
    SamplingChanged,
    Started,
    Token,
)
from playground.supervisor.machine import read_machine
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

_TICK_S = 0.5
"""How often a wait looks up: on Windows a waiting queue isn't woken by Ctrl+C."""
_JOB_EVENTS = (Started, PromptProgress, Token, SamplingChanged, Finished)


class LoadWatcher(Protocol):
    """What is told while a model loads."""

    def loading(self, fraction: float) -> None:
        """A part of the file, from 0 to 1, has been read."""


class _Interrupt:
    """Ctrl+C, put in line with the events."""


class Session:
    """A model loaded in an engine. Use as a context manager: the engine never outlives it."""

    def __init__(
        self, path: Path, options: dict[str, Any], *, governed: bool = True, cache: PromptCache | None = None
    ) -> None:
        """``governed``: threads are given up while other programs need the cores. ``cache``: it is kept there."""
        self._governed = governed
        self._cache = cache
        self._path = path
        self._options = options
        self._queue: queue.SimpleQueue[list[Event] | Outcome | _Interrupt] = queue.SimpleQueue()
        self._frame: deque[Event] = deque()
        """What came together with the event that was handed out last."""
        self.before_waiting: Callable[[], object] = lambda: None
        """Called when all that has come is handed out: the moment to show it."""
        self._log: Path | None = None
        self._engine: EngineProcess | None = None
        self._jobs = itertools.count(1)
        self._presses = 0
        self.info: ModelInfo | None = None
        self.build = self.gpu = ""
        """What the engine said of itself."""
        self.interrupted = False
        """Whether the last answer was stopped by Ctrl+C."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether there is an engine to ask."""
        return self._engine is not None and self._engine.alive

    @property
    def pid(self) -> int | None:
        """The engine's process."""
        return self._engine.pid if self._engine else None

    def load(self, watcher: LoadWatcher) -> Loaded:
        """Start an engine and load the model. Raises CliError; KeyboardInterrupt at Ctrl+C."""
        self.close()
        self._queue = queue.SimpleQueue()
        self._frame.clear()
        handle, log = tempfile.mkstemp(prefix="playground-", suffix=".log")
        os.close(handle)
        self._log = Path(log)
        self._engine = EngineProcess(self._log, self._take, self._queue.put)
        self._engine.start()
        folder, budget = (str(self._cache.folder), self._cache.budget) if self._cache else ("", 0)
        machine = read_machine(find_paths().config)
        self._engine.send(Load(str(self._path), self._options, folder, budget, machine=machine))
        try:
            return self._wait_for_model(watcher)
        except BaseException:
            self.close()
            raise

    def _wait_for_model(self, watcher: LoadWatcher) -> Loaded:
        with self._ctrl_c():
            while True:
                event = self._next()
                if isinstance(event, _Interrupt):
                    raise KeyboardInterrupt
                if isinstance(event, LoadProgress):
                    watcher.loading(event.fraction)
                elif isinstance(event, LoadFailed):
                    raise load_error(event)
                elif isinstance(event, Refused):
                    raise CliError(event.message)
                elif isinstance(event, Hello):
                    self.build, self.gpu = event.build, event.gpu
                elif isinstance(event, Loaded):
                    self.info = event.info
                    if not self._governed and self._engine is not None:
                        self._engine.send(SetThreads(event.info.n_threads, governed=False))
                    return event

    def answer(self, messages: list[Message], sampling: Sampling, **options: Any) -> Iterator[Event]:
        """The events of an answer, to Finished. Ctrl+C stops it, a second one raises KeyboardInterrupt.

        ``options`` are `Generate`'s other fields. Raises CliError.
        """
        assert self._engine is not None
        job = next(self._jobs)
        self.interrupted = False
        self._engine.send(Generate(job, "A", messages, sampling, **options))
        with self._ctrl_c():
            while True:
                event = self._next()
                if isinstance(event, _Interrupt):
                    if self.interrupted:
                        raise KeyboardInterrupt
                    self.interrupted = True
                    self._engine.send(Stop(job))
                elif isinstance(event, Refused):
                    raise CliError(event.message)
                elif isinstance(event, _JOB_EVENTS) and event.job == job:
                    yield event
                    if isinstance(event, Finished):
                        return

    def bench(self, tests: list[BenchTest], repeats: int, n_threads: int, n_threads_batch: int) -> Iterator[Event]:
        """The events of a measurement, to BenchDone. Ctrl+C as in `answer`. Raises CliError."""
        assert self._engine is not None
        request = next(self._jobs)
        self.interrupted = False
        self._engine.send(Bench(request, tests, repeats, n_threads, n_threads_batch))
        with self._ctrl_c():
            while True:
                event = self._next()
                if isinstance(event, _Interrupt):
                    if self.interrupted:
                        raise KeyboardInterrupt
                    self.interrupted = True
                    self._engine.send(StopBench(request))
                elif isinstance(event, Refused):
                    raise CliError(event.message)
                elif isinstance(event, (BenchProgress, BenchRow, BenchDone)) and event.request == request:
                    yield event
                    if isinstance(event, BenchDone):
                        return

    def close(self) -> None:
        """End the engine and wait until it has gone."""
        if self._engine is not None:
            self._engine.close(save=self._cache is not None and self.info is not None)
            self._engine = None
        if self._log is not None:
            self._log.unlink(missing_ok=True)
            self._log = None

    def _take(self, events: list[Event]) -> None:
        wanted: list[Event] = [
            event for event in events if not isinstance(event, Memory)
        ]  # between two turns they would pile up
        if wanted:
            self._queue.put(wanted)

    def _next(self) -> Event | _Interrupt:
        while True:
            if self._frame:
                return self._frame.popleft()
            if self._queue.empty():
                self.before_waiting()
            try:
                item = self._queue.get(timeout=_TICK_S)
            except queue.Empty:
                continue
            if isinstance(item, list):
                self._frame.extend(item)
                continue
            if isinstance(item, Outcome):
                raise EngineGone(item)
            if isinstance(item, _Interrupt):
                if not self._presses:
                    continue  # meant for something that has ended meanwhile
                self._presses -= 1
            return item

    @contextmanager
    def _ctrl_c(self) -> Iterator[None]:
        """Take Ctrl+C as an event: raised as an exception it could strike in the middle of a write."""

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            self._presses += 1
            self._queue.put(_Interrupt())

        self._presses = 0
        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)
