"""Time and memory limits around a piece of untrusted Python work, a chat template's rendering."""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

SECONDS = 2.0
"""Of computing; what waits because others have the cores may take longer."""
_WAITING = 4
"""How many times as long it may last by the clock."""
MEMORY = 256 * 1024 * 1024
"""Bytes of address space that the work may add."""
_LAST_RESORT = 10.0
"""Seconds after which a work that no signal reaches (one endless C call) ends the process."""


class TimeUp(BaseException):
    """The work took too long. No Exception, so that nothing on the way swallows it."""


@contextlib.contextmanager
def limited(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Run the body with both limits. Raises TimeUp or MemoryError; call on the main thread."""
    faulthandler.dump_traceback_later(max(_LAST_RESORT, 2 * seconds), exit=True, file=2)
    try:
        with _memory(memory), _time(seconds):
            yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextlib.contextmanager
def _time(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        with _time_by_thread(seconds):
            yield
        return

    begun, computed = time.monotonic(), time.thread_time()

    def late(_signal: int, _frame: FrameType | None) -> None:
        if time.thread_time() - computed >= seconds or time.monotonic() - begun >= _WAITING * seconds:
            raise TimeUp

    before = signal.signal(signal.SIGALRM, late)
    # Again every tenth of a second: it may have waited, and one exception can get lost in a place that can't raise.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _time_by_thread(seconds: float) -> Iterator[None]:
    """Where there is no interval timer (Windows)."""
    import ctypes

    target = ctypes.c_ulong(threading.get_ident())

    def late() -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(TimeUp))

    timer = threading.Timer(seconds, late)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _memory(extra: int) -> Iterator[None]:
    """An address space limit; only Linux keeps one."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    wanted = pages * resource.getpagesize() + extra
    bounds = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *bounds]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
