"""Commands from the app, read by a thread of their own so that Stop and the end of the pipe are heard at once."""

from __future__ import annotations

import os
import queue
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, BinaryIO

from playground.engine.halt import Halt
from playground.engine.outbox import Outbox
from playground.protocol.codec import ProtocolError, decode_command, read_frame
from playground.protocol.commands import Bench, CancelLoad, Command, Generate, Quit, Stop, StopBench, Tweak
from playground.protocol.events import Refused
from playground.translate import tr

_QUIT_GRACE_S = 2.0
"""How long the main thread may take to notice Quit before the process just ends."""

_SAVE_GRACE_S = 30.0
"""The same where it has to save before; the app waits less."""

_HEAR_S = 0.001


class Inbox:
    """A queue of commands, and flags that a callback deep inside llama.cpp can look at."""

    def __init__(self, stream: BinaryIO, outbox: Outbox) -> None:
        self._stream = stream
        self._outbox = outbox
        self._queue: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self.stopped: set[int] = set()
        """Jobs that the user stopped; cleared by the loop as they end."""
        self.halt = Halt()
        """Set with them, for the token that is being computed."""
        self.stopped_benches: set[int] = set()
        """Benches that the user stopped."""
        self.tweaks: deque[Tweak] = deque()
        """Changed settings for the next token drawn; each stands in the queue as well, to wake the loop."""
        self.wanted = False
        """Something to compute has come."""
        self.cancelled = False
        """The load was cancelled."""
        self.quitting = False
        self._saving = False
        self._admitted = threading.Event()
        """A command was taken in; cleared by whoever waits for the next."""
        self._poll = _poll_of(stream)

    def start(self, greet: Callable[[], None]) -> None:
        """Greet, then read. Who has greeted needs no memory any more to hear what it is told."""

        def run() -> None:
            greet()
            self._read()

        threading.Thread(target=run, name="inbox", daemon=True).start()

    def waiting(self) -> bool:
        """Whether a command is there."""
        return not self._queue.empty()

    def hear(self) -> None:
        """Before tokens are drawn: a command that lies in the pipe is taken in first, if that is done soon."""
        if self._poll is not None and self._poll.poll(0):
            self._admitted.clear()
            if self._poll.poll(0):
                self._admitted.wait(_HEAR_S)

    def get(self, *, wait: bool, at_most_s: float | None = None) -> Command | None:
        """The next command; None when there is none and ``wait`` is off, or none came in time."""
        try:
            return self._queue.get(wait, at_most_s)
        except queue.Empty:
            return None

    def _read(self) -> None:
        try:
            while (body := read_frame(self._stream)) is not None:
                self._admit(body)
                self._admitted.set()
        except ProtocolError as error:
            self._outbox.close()
            os.write(2, f"The app sent something that is not a command: {error}.\n".encode())
            os._exit(2)
        except MemoryError:
            os.write(2, b"There was no memory left to read a command.\n")
            os._exit(2)
        except OSError as error:
            os.write(2, f"The app’s pipe broke: {error}.\n".encode())
            os._exit(2)
        if self._saving:
            return  # the main thread ends the process when all is saved, or the timer does
        # The app is gone, or has closed the pipe: whatever is being computed, nobody waits for it.
        os._exit(0)

    def _admit(self, body: bytes) -> None:
        try:
            command = decode_command(body)
        except ProtocolError as error:
            self._outbox.send(Refused(tr("The engine doesn’t understand a command: {error}.", error=error)))
            return
        if isinstance(command, Stop):
            self.stopped.add(command.job)
            self.halt.stop(command.job)
        elif isinstance(command, Tweak):
            self.tweaks.append(command)
        elif isinstance(command, StopBench):
            self.stopped_benches.add(command.request)
        elif isinstance(command, (Generate, Bench)):
            self.wanted = True
        elif isinstance(command, CancelLoad):
            self.cancelled = True
        elif isinstance(command, Quit):
            self.quitting = self.cancelled = True
            self.halt.set()
            self._saving = command.save
            timer = threading.Timer(_SAVE_GRACE_S if command.save else _QUIT_GRACE_S, os._exit, (0,))
            timer.daemon = True
            timer.start()
        self._queue.put(command)


def _poll_of(stream: BinaryIO) -> Any:
    """What tells within a microsecond whether a pipe has something to read; None where there is no such thing."""
    if not hasattr(select, "poll"):
        return None
    try:
        made = select.poll()
        made.register(stream.fileno(), select.POLLIN)
    except OSError:
        return None
    return made
