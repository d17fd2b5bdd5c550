"""Takes a file's pages away from a running process, as a machine short of memory does. Linux."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

_PROCESS_MADVISE = 440
"""The same number on every architecture (kernel 5.10 and later)."""
_PAGEOUT = 21


class _Range(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def page_out(pid: int, path: Path) -> None:
    """Unmap the file's pages there and drop them from the system's cache. Raises OSError where that isn't allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if line.endswith(str(path)):
                low, high = (int(part, 16) for part in line.split()[0].split("-"))
                there = _Range(low, high - low)
                one = ctypes.c_size_t(1)
                if libc.syscall(_PROCESS_MADVISE, process, ctypes.byref(there), one, _PAGEOUT, 0) < 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(process)
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)


def cannot_page_out(pid: int, path: Path) -> str:
    """Why pages can't be taken from that process on this system; empty: they can."""
    if not sys.platform.startswith("linux"):
        return "only Linux lets a process page out another's memory"
    before = _resident(pid)
    try:
        page_out(pid, path)
    except (OSError, AttributeError) as error:
        return f"this system doesn't let a process page out another's memory: {error}"
    size = path.stat().st_size
    return "" if before - _resident(pid) > size // 2 else "this file system keeps its pages in memory"


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssFile:"):
            return int(line.split()[1]) * 1024
    return 0


class Pressure:
    """Takes the pages away again and again until left."""

    def __init__(self, pid: int, path: Path) -> None:
        self._pid, self._path = pid, path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._press, daemon=True)

    def __enter__(self) -> Pressure:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _press(self) -> None:
        while not self._over.wait(0.03):
            try:
                page_out(self._pid, self._path)
            except OSError:
                return  # the process has ended
