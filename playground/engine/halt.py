"""A flag that llama.cpp reads by itself, so that a decode can be stopped without a call into Python at every node."""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any

from playground.engine.binding import lib


class Halt:
    """Set from any thread; the decode that is running ends at its next node.

    llama.cpp calls its abort callback with a pointer and looks at the lowest byte of what comes back. C's own
    ``strlen`` on two bytes is such a callback: 0 while the first is zero, 1 when it isn't.
    """

    def __init__(self) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        library = ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)
        self.callback: Any = lib.ggml_abort_callback(ctypes.cast(library.strlen, ctypes.c_void_p).value)
        self.data = ctypes.cast(self._bytes, ctypes.c_void_p)
        self._lock = threading.Lock()
        self._only: int | None = None

    def stop(self, job: int) -> None:
        """This answer was stopped: end the decode that is running, unless that is another answer's alone."""
        with self._lock:
            if self._only in (None, job):
                self.set()

    def guard(self, job: int) -> None:
        """Decodes from here on are this answer's: none but its own stop ends them."""
        with self._lock:
            self._only = job
            self.clear()

    def set(self) -> None:
        """End the decode that is running, and every later one until `clear`."""
        self._bytes[0] = b"\x01"

    def clear(self) -> None:
        """Decode again."""
        self._bytes[0] = b"\0"
