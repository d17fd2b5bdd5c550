"""How many cores other programs leave, from the system's own counters: about 0.05 ms a look."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Set

import psutil

LEAST_NS = 25_000_000
"""Between two looks; the counters move in steps of about 10 ms."""
KEPT_NS = 8_000_000_000
"""How far back looks are kept."""
_COST = 200
"""A look may take this fraction of the time between two: on machines with many processors it costs more."""


class LoadWatch:
    """Looks now and then; `free` answers from what was seen. Two threads may ask.

    ``busy`` gives the nanoseconds that all processors together have been busy, ``own`` those of this process.
    ``moved`` says how many processors there are when they are others than at the last look, else 0.
    """

    def __init__(
        self,
        cpus: int,
        busy: Callable[[], int],
        own: Callable[[], int] = time.process_time_ns,
        now: Callable[[], int] = time.perf_counter_ns,
        moved: Callable[[], int] = int,
    ) -> None:
        self._cpus, self._moved = cpus, moved
        self._busy, self._own, self._now = busy, own, now
        self._seen: deque[tuple[int, int]] = deque()
        """When, and how long others had been busy by then."""
        self._every = LEAST_NS
        self._lock = threading.Lock()

    def look(self) -> None:
        """Take a reading, unless the last one is too fresh."""
        with self._lock:
            now = self._now()
            if self._seen and now - self._seen[-1][0] < self._every:
                return
            if cpus := self._moved():
                self._cpus = cpus
                self._seen.clear()
            self._seen.append((now, self._busy() - self._own()))
            self._every = max(LEAST_NS, _COST * (self._now() - now))
            while len(self._seen) > 2 and now - self._seen[1][0] > KEPT_NS:
                self._seen.popleft()

    def free(self, window_ns: int) -> float | None:
        """Cores that others left in about the last ``window_ns``; None while too little was seen."""
        with self._lock:
            if len(self._seen) < 2:
                return None
            last, busy = self._seen[-1]
            for when, before in reversed(self._seen):
                if last - when >= window_ns:
                    return self._cpus - min(float(self._cpus), max(0.0, (busy - before) / (last - when)))
            return None


def watch() -> LoadWatch | None:
    """A watch over the processors that this process may use; None where the system doesn't tell."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, ValueError):
            affinity = os.sched_getaffinity(0)
            reader = ProcStat(affinity, os.open("/proc/stat", os.O_RDONLY | os.O_CLOEXEC))
            reader()
            return LoadWatch(len(affinity), reader, moved=reader.moved)
    try:
        _psutil_busy()
    except (OSError, AttributeError, RuntimeError):
        return None
    return LoadWatch(os.cpu_count() or 1, _psutil_busy)


class ProcStat:
    """Linux: the lines of some processors in /proc/stat. Time stolen by a hypervisor is time others had."""

    def __init__(self, cpus: Set[int], fd: int) -> None:
        self._fd = fd
        self._tick_ns = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        self._take(cpus)

    def _take(self, cpus: Set[int]) -> None:
        self._cpus = cpus
        self._names = {f"cpu{cpu}" for cpu in cpus}
        self._size = 512 + 128 * (max(cpus, default=0) + 2)

    def moved(self) -> int:
        """Processors that we were given or left, if they aren't those of before: how many now; else 0."""
        cpus = os.sched_getaffinity(0)
        if cpus == self._cpus:
            return 0
        self._take(cpus)
        return len(cpus)

    def __call__(self) -> int:
        """Nanoseconds busy. Raises ValueError when none of the processors is listed."""
        text = os.pread(self._fd, self._size, 0).decode("ascii", "replace")
        ticks = 0
        found = False
        for line in text.splitlines():
            name, *figures = line.split()
            if not name.startswith("cpu"):
                break
            if name in self._names:
                found = True
                user, nice, system, _idle, _wait, irq, soft, steal = (int(figure) for figure in figures[:8])
                ticks += user + nice + system + irq + soft + steal
        if not found:
            raise ValueError("no processor listed")
        return ticks * self._tick_ns


def _psutil_busy() -> int:
    times = psutil.cpu_times()
    return int((sum(times) - times.idle - getattr(times, "iowait", 0.0)) * 1e9)
