"""What the process occupies and what the machine has left, cheaply: small files of /proc, psutil elsewhere."""

from __future__ import annotations

import sys
import time

import psutil

from playground.fit.machine import kilobytes, machine
from playground.protocol.events import Memory

INTERVAL_NS = 250_000_000
"""Between two samples while the engine works."""

__all__ = ["INTERVAL_NS", "machine", "rss", "sample"]

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


def _own() -> dict[str, int]:
    return kilobytes("/proc/self/status", _STATUS)


def _major_faults() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_majflt
