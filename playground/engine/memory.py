"""What the process occupies and what the machine has left, cheaply: small files of /proc, psutil elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil

from playground.protocol.events import Memory

INTERVAL_NS = 250_000_000
"""Between two samples while the engine works."""

_LINUX = sys.platform.startswith("linux")
_STATUS = ("VmRSS:", "RssAnon:", "RssFile:", "RssShmem:", "VmSwap:")


def rss() -> int:
    """Resident bytes of this process."""
    return _own()["VmRSS:"] if _LINUX else int(psutil.Process().memory_info().rss)


def sample(kv_used: int) -> Memory:
    """One reading; ``kv_used`` is passed through. About 0.1 ms on Linux."""
    available, total = machine()
    if _LINUX:
        own = _own()
        figures = (own["VmRSS:"], own["RssFile:"], own["RssAnon:"] + own["RssShmem:"], own["VmSwap:"])
    else:
        info = psutil.Process().memory_info()
        shared = int(getattr(info, "shared", 0))
        figures = (int(info.rss), shared, int(info.rss) - shared, 0)
    rss_now, file, anon, swap = figures
    return Memory(time.perf_counter_ns(), rss_now, file, anon, swap, _major_faults(), kv_used, available, total)


def machine() -> tuple[int, int]:
    """Bytes the machine, or our container, could give without swapping; and all it has."""
    if not _LINUX:
        memory = psutil.virtual_memory()
        return int(memory.available), int(memory.total)
    figures = _kilobytes("/proc/meminfo", ("MemTotal:", "MemAvailable:", "MemFree:"))
    available, total = figures["MemAvailable:"] or figures["MemFree:"], figures["MemTotal:"]
    limit, free = _container()
    return (min(available, free), min(total, limit)) if limit else (available, total)


def _own() -> dict[str, int]:
    return _kilobytes("/proc/self/status", _STATUS)


def _kilobytes(path: str, names: tuple[str, ...]) -> dict[str, int]:
    """The named lines of a /proc file, in bytes; a missing one is 0."""
    found = dict.fromkeys(names, 0)
    with open(path, "rb") as file:
        for line in file.read().decode("ascii", "replace").splitlines():
            name, _, rest = line.partition("\t") if "\t" in line else line.partition(" ")
            if name in found:
                found[name] = int(rest.split()[0]) * 1024
    return found


def _container() -> tuple[int, int]:
    """A control group's memory limit and what is left of it; zeros without a limit."""
    base = Path("/sys/fs/cgroup")
    try:
        limit = (base / "memory.max").read_text("ascii").strip()
        if limit == "max":
            return 0, 0
        used = int((base / "memory.current").read_text("ascii"))
        stat = (base / "memory.stat").read_text("ascii").split()
        cache = int(stat[stat.index("inactive_file") + 1])
    except (OSError, ValueError):
        return 0, 0
    return int(limit), max(0, int(limit) - used + cache)


def _major_faults() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt
