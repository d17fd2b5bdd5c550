"""What an engine sends: read on a thread of its own, or by whoever wants it on theirs.

Where cores are few every wakeup of one more thread stops a thread of llama.cpp. So while an engine writes, its pipe
is lent to the thread that draws: one wakeup for each of its messages. What could hold that thread up comes back:
large messages, errors, the end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeAlias

from playground.protocol.codec import Frames

Watch: TypeAlias = Callable[[int, Callable[[], bool]], None]
"""Calls a function on another thread whenever a file descriptor can be read, until it says False."""

LARGE = 256 * 1024
"""Bytes of a message that is taken in on the thread."""
MEANWHILE_S = 10.0
_AT_ONCE = 64 * 1024


class Incoming:
    """Cuts what can be read into frames and passes their bodies on, in their order."""

    def __init__(self, fd: int, take: Callable[[bytes], None]) -> None:
        self._fd, self._take = fd, take
        self._frames = Frames()
        self._lock = threading.Lock()
        """Held while somebody else reads."""
        self._lent = self._wanted = False
        """Somebody else reads; nobody else may any more."""
        self._back = threading.Event()
        self._error: Exception | None = None

    def read(self) -> bool:
        """Wait for bytes and pass on the frames that are whole; False at the end.

        Raises ProtocolError where it ends inside a frame, and what ``take`` raises.
        """
        data = os.read(self._fd, _AT_ONCE)
        if not data:
            self._frames.end()
            return False
        self._frames.add(data)
        self._pass_on()
        return True

    def lend(self, watch: Watch, meanwhile: Callable[[], None]) -> None:
        """Let ``watch`` read until it meets what it can't, or `want` is called; waits, now and then ``meanwhile``.

        Raises what reading there raised.
        """
        with self._lock:
            if self._wanted or self._frames.wanted:
                return
            self._lent = True
            self._back.clear()
        os.set_blocking(self._fd, False)
        watch(self._fd, self._read_there)
        while not self._back.wait(MEANWHILE_S):
            meanwhile()
        os.set_blocking(self._fd, True)
        if self._error is not None:
            raise self._error
        self._pass_on()

    def want(self) -> None:
        """Have it read on its own thread again, from now on."""
        with self._lock:
            self._wanted = True
            self._give_back()

    def _read_there(self) -> bool:
        with self._lock:
            if not self._lent:
                return False
            try:
                data = os.read(self._fd, _AT_ONCE)
                self._frames.add(data)
                if data and self._frames.wanted <= LARGE:
                    self._pass_on()
                    return True
            except BlockingIOError:
                return True
            except Exception as error:
                self._error = error
            self._give_back()
            return False

    def _give_back(self) -> None:
        self._lent = False
        self._back.set()

    def _pass_on(self) -> None:
        while (body := self._frames.next()) is not None:
            self._take(body)
