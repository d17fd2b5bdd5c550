"""One engine process: started, fed, listened to, and ended for certain."""

from __future__ import annotations

import os
import queue
import select
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from playground import translate
from playground.protocol.codec import CutOffError, ProtocolError, decode_events, encode_command
from playground.protocol.commands import Command, Quit
from playground.protocol.events import PROTOCOL_VERSION, Event, Hello, Loaded
from playground.supervisor import log
from playground.supervisor.incoming import Incoming, Watch
from playground.supervisor.outcome import Outcome, could_not_start, of_exit, stranger
from playground.supervisor.starved import Witness
from playground.translate import tr

GRACE_S = 1.0
"""How long an engine may take to quit before it is terminated, and then again before it is killed."""

SAVE_GRACE_S = 10.0
"""The same where it first keeps what its slots hold."""

_CLOSED_GRACE_S = 5.0
"""How long a process may live on after closing its output."""


class EngineProcess:
    """An engine and the two threads that talk to it.

    ``on_events`` and ``on_exit`` are called on the reader thread, ``on_exit`` exactly once and last; a loaded engine's
    events on the thread of ``watch`` where that is given, see `incoming`. No method but `close` waits for anything.
    """

    def __init__(
        self,
        log_path: Path,
        on_events: Callable[[list[Event]], None],
        on_exit: Callable[[Outcome], None],
        *,
        argv: Sequence[str] | None = None,
    ) -> None:
        self.log_path = log_path
        self._on_events = on_events
        self._on_exit = on_exit
        self._argv = list(argv) if argv is not None else engine_argv()
        self._process: subprocess.Popen[bytes] | None = None
        self._commands: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._turn = threading.Lock()
        """Held for moments only, by whoever sends and by the writer between two frames."""
        self._queued = 0
        """Frames that the writer has not written yet; while there are any, all go through it."""
        self._pipe: int | None = None
        """The engine's input, while it is open."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._asked = False
        self._watch: Watch | None = None
        self._incoming: Incoming | None = None
        self._greeted = self._loaded = False
        # Daemons: an app that dies of an exception must not hang on them. The engine sees its input close.
        self._reader = threading.Thread(target=self._run, name="engine reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="engine writer", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process's id once it runs."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether it was started and hasn't ended: ``on_exit`` is still to come."""
        return self._reader.ident is not None and not self._ended.is_set()

    def start(self, watch: Watch | None = None) -> None:
        """Start the process; call once. A failure comes as an outcome."""
        self._watch = watch if os.name == "posix" else None
        self._reader.start()

    def send(self, command: Command) -> None:
        """Queue a command; one to an engine that has ended is dropped. Raises ProtocolError if too large."""
        if isinstance(command, Quit):
            self._asked = True
        frame = encode_command(command)
        with self._turn:
            if self._queued or not _write_now(self._pipe, frame):
                self._queued += 1
                self._commands.put(frame)

    def kill(self) -> None:
        """End it at once, whatever it does; ``on_exit`` follows with the outcome “closed”."""
        self._asked = True
        self._end("kill")

    def close(self, save: bool = False) -> None:
        """Quit; after a grace terminate, then kill. Waits until process and threads are gone.

        ``save``: it keeps what its slots hold before, if it was told where. Closing once more doesn't wait for that.
        """
        if self._reader.ident is None:
            return
        self.send(Quit(save))
        self._commands.put(None)
        if self._incoming is not None:
            self._incoming.want()  # whoever reads may be waiting here
        if threading.current_thread() is self._reader:
            return
        grace = SAVE_GRACE_S if save else GRACE_S
        for how in ("terminate", "kill"):
            if self._ended.wait(grace):
                break
            self._end(how)
            grace = GRACE_S
        self._reader.join()

    def close_soon(self, save: bool = False) -> None:
        """`close` without waiting for it."""
        threading.Thread(target=self.close, args=(save,), name="engine closer", daemon=True).start()

    def _end(self, how: str) -> None:
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            getattr(process, how)()

    def _run(self) -> None:
        """The reader thread. It starts the process itself: on Linux a child's parent is a *thread*, and an
        engine asks to be killed when that ends."""
        self._witness = Witness()
        try:
            process = self._spawn()
        except OSError as error:
            self._finish(could_not_start(tr("The engine’s process could not be started: {error}.", error=error)))
            return
        self._writer.start()
        trouble: Outcome | None = None
        try:
            self._listen(Incoming(cast(BinaryIO, process.stdout).fileno(), self._take), process.pid)
        except _NoGreeting as error:
            trouble = stranger(str(error))
        except ProtocolError as error:
            trouble = stranger(tr("it sent something that is no message ({error})", error=error))
        except Exception as error:
            trouble = Outcome(
                "failed",
                tr("The app failed"),
                tr("An answer could not be taken in: {error!r}.", error=error),
                traceback.format_exc(),
            )
        if trouble is not None:
            self._end("kill")
        returncode = self._wait(process)
        if returncode is None:
            returncode = process.wait()
            if trouble is None and not self._asked:
                text = tr("The engine closed its pipe and did not end, so it was ended. Reload the model to go on.")
                trouble = Outcome("failed", tr("The engine failed"), text)
        self._commands.put(None)
        self._writer.join()
        cast(IO[bytes], process.stdout).close()
        if trouble is None:
            trouble = of_exit(
                returncode,
                log.tail(self.log_path),
                asked=self._asked,
                greeted=self._greeted,
                loaded=self._loaded,
                memory=self._witness.says(process.pid),
            )
        elif not trouble.details:
            trouble = Outcome(trouble.kind, trouble.title, trouble.text, log.tail(self.log_path))
        self._finish(trouble)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._open_log() as log_file, self._lock:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log_file,
                close_fds=True,
                env=engine_environment(),
                **_apart(),
            )
        if self._asked:
            self._end("kill")
        return self._process

    def _open_log(self) -> BinaryIO:
        """Where its standard error goes; nowhere when no log can be made: a full disk keeps no model from loading."""
        try:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            return self.log_path.open("wb")
        except OSError:
            return open(os.devnull, "wb")

    def _listen(self, incoming: Incoming, pid: int) -> None:
        self._incoming = incoming
        look = partial(self._witness.look, pid)
        try:
            while incoming.read():
                look()
                if self._watch is not None and self._loaded and not self._asked:
                    incoming.lend(self._watch, look)
        except CutOffError:
            # It died while writing, which its exit tells better.
            if self._process is None or not _gone(self._process):
                raise

    def _take(self, body: bytes) -> None:
        """A frame that came."""
        events = decode_events(body)
        if not self._greeted:
            _greet(events)
            self._greeted = True
        self._loaded = self._loaded or any(isinstance(event, Loaded) for event in events)
        self._witness.note(events)
        self._on_events(events)

    def _wait(self, process: subprocess.Popen[bytes]) -> int | None:
        """Its exit code; None when it had to be killed."""
        try:
            return process.wait(_CLOSED_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return None

    def _write(self) -> None:
        """The writer thread: an engine that doesn't read its commands must not hold up who sends them."""
        assert self._process is not None
        stream = cast(IO[bytes], self._process.stdin)
        with self._turn:
            self._pipe = stream.fileno()
        try:
            while (frame := self._commands.get()) is not None:
                stream.write(frame)
                del frame  # not while waiting for the next: it may hold a long chat
                stream.flush()
                with self._turn:
                    self._queued -= 1
        except OSError:
            pass  # it has ended; the reader says how
        with self._turn:
            self._pipe = None
        try:
            stream.close()
        except OSError:
            pass

    def _finish(self, outcome: Outcome) -> None:
        self._ended.set()
        self._on_exit(outcome)


def _write_now(pipe: int | None, frame: bytearray) -> bool:
    """Write a frame without ever waiting; False: the writer has to do it.

    The way by the writer's thread takes as long as the sender goes on computing: too long for a setting that the
    next token wants.
    """
    if pipe is None or not hasattr(select, "poll") or len(frame) > select.PIPE_BUF:
        return False
    look = select.poll()
    look.register(pipe, select.POLLOUT)
    if look.poll(0) != [(pipe, select.POLLOUT)]:
        return False
    try:
        # A pipe that can be written to takes PIPE_BUF bytes at once (POSIX).
        return os.write(pipe, frame) == len(frame)
    except OSError:
        return False


def engine_argv() -> list[str]:
    """The command line of an engine. ``-P`` keeps a stranger's folder out of its imports."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--engine"]
    return [sys.executable, "-P", "-m", "playground.engine.main"]


def engine_environment() -> dict[str, str]:
    """Ours, without the backtrace that llama.cpp takes with a debugger, and with a checkout's folder."""
    environment = os.environ | {"GGML_NO_BACKTRACE": "1", translate.VARIABLE: translate.in_force}
    root = Path(__file__).resolve().parents[2]
    if not getattr(sys, "frozen", False) and root.name not in ("site-packages", "dist-packages"):
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else str(root)
    return environment


def _apart() -> dict[str, Any]:
    """A process group of its own: Ctrl+C in a terminal stops the answer, not the engine."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"process_group": 0}


def _greet(events: list[Event]) -> None:
    """Check the first frame. Raises _NoGreeting."""
    hello = events[0] if events else None
    if not isinstance(hello, Hello):
        raise _NoGreeting(tr("its first message was no greeting"))
    if hello.version != PROTOCOL_VERSION:
        raise _NoGreeting(
            tr(
                "it speaks version {version} of the messages and this app version {protocol_version}",
                version=hello.version,
                protocol_version=PROTOCOL_VERSION,
            )
        )


class _NoGreeting(ProtocolError):
    """A first message that isn't the Hello we know."""


def _gone(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        return False
    return True
