"""Whether an engine died of want of memory: what the system's counters and its log say, and how sure that is."""

from __future__ import annotations

import math
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from playground import cgroups
from playground.protocol.events import Event, Memory

Evidence: TypeAlias = Literal[
    "named",  # the kernel's log names the process
    "counted",  # the kernel ended some process of its group, or else of the machine, for memory just before its end
    "short",  # the kernel did nothing, but memory was nearly used up; daemons of other kinds end processes too
    "unknown",  # this system doesn't tell
    "none",  # nothing points to memory
]

_LOOK_EVERY_S = 2.0
"""At least, between two looks at the counters; a kill long before the engine's end is another process's."""
_SHORT = 0.03
"""Of the machine's memory; with less left, a death by SIGKILL is suspicious."""
_MACHINE = Path("/proc/vmstat")
_KERNEL_LOG = Path("/dev/kmsg")
_CLOCK_SLACK_S = 5.0


class Witness:
    """Watches one engine's life."""

    def __init__(self) -> None:
        # Two looks back: what an engine told before it was ended may still be in the pipe when the last look is taken.
        self._before = self._last = oom_kills(counters())
        self._began = time.monotonic()
        self._looked = -math.inf
        self._files: list[Path] = []
        self._short = False

    def note(self, events: Sequence[Event]) -> None:
        """What the engine told."""
        for event in events:
            if isinstance(event, Memory):
                self._short = 0 <= event.available < _SHORT * event.total

    def look(self, pid: int) -> None:
        """At the engine's counters while it lives, if the last look is long ago; on the engine's reader thread."""
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY_S:
            self._files = counters(pid) or self._files
            self._looked, self._before, self._last = now, self._last, oom_kills(self._files)

    def says(self, pid: int) -> Evidence:
        """After a death by SIGKILL that nobody in the app asked for."""
        now = oom_kills(self._files or counters())
        rose = [count > self._before.get(path, self._last.get(path, count)) for path, count in now.items()]
        if not rose:
            return "unknown"
        if any(rose) and _named(pid, self._began):
            return "named"
        if rose[0]:
            return "counted"
        return "short" if self._short else "none"


def counters(pid: int | None = None) -> list[Path]:
    """The files that count whom the kernel ended for memory: of a process's control group (ours), then the machine's.

    The first that is there is the one to go by: the machine's also counts what has nothing to do with the process,
    but not every system has the other. Empty when the process is gone.
    """
    own = cgroups.OWN if pid is None else Path(f"/proc/{pid}/cgroup")
    if pid is not None and not own.exists():
        return []
    # version 2 without those of the groups below, and with them in kernels before 5.2; version 1
    names = ("memory.events.local", "memory.events", "memory.oom_control")
    files = (folder / name for folder in cgroups.folders("memory", own=own)[:1] for name in names)
    return [*[path for path in files if path.is_file()][:1], _MACHINE]


def oom_kills(files: Sequence[Path]) -> dict[Path, int]:
    """How many processes the kernel has ended for memory so far, by each file that says so.

    Read before and after: a higher figure is the evidence. Empty where the system doesn't say.
    """
    counts = {path: _counter(path) for path in files}
    return {path: count for path, count in counts.items() if count is not None}


def _counter(path: Path) -> int | None:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None


def _named(pid: int, since: float) -> bool:
    """Whether the kernel's log, where it may be read, tells of this process's end; ``since`` in seconds since boot.

    A record is “priority,sequence,microseconds,flags;text” (Documentation/ABI/testing/dev-kmsg).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        log = os.open(_KERNEL_LOG, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    wanted = re.compile(rb"Killed process %d\b" % pid)
    try:
        while True:
            try:
                record = os.read(log, 8192)
            except BrokenPipeError:
                continue  # the oldest records were overwritten meanwhile; the next read goes on after them
            head, _, text = record.partition(b";")
            stamp = head.split(b",")[2]
            if wanted.search(text) and int(stamp) / 1e6 > since - _CLOCK_SLACK_S:
                return True
            if not record:
                return False
    except (OSError, ValueError, IndexError):
        return False  # read to its end, or no log as we know it
    finally:
        os.close(log)
