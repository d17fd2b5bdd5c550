"""What memory the machine, or our container, has left. Reads two small files on Linux, psutil elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

_LINUX = sys.platform.startswith("linux")


def machine() -> tuple[int, int]:
    """Bytes the machine, or our container, could give without swapping; and all it has."""
    return machine_and_swap()[:2]


def machine_and_swap() -> tuple[int, int, int, int]:
    """`machine`, then the bytes of the whole machine's swap in use, and all of it."""
    if not _LINUX:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return int(memory.available), int(memory.total), int(swap.used), int(swap.total)
    names = ("MemTotal:", "MemAvailable:", "MemFree:", "SwapTotal:", "SwapFree:")
    figures = kilobytes("/proc/meminfo", names)
    available, total = figures["MemAvailable:"] or figures["MemFree:"], figures["MemTotal:"]
    limit, free = _container()
    if limit:
        available, total = min(available, free), min(total, limit)
    return available, total, figures["SwapTotal:"] - figures["SwapFree:"], figures["SwapTotal:"]


def kilobytes(path: str, names: tuple[str, ...]) -> dict[str, int]:
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
