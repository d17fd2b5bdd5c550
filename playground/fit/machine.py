"""What memory the machine, or our container, has left. Reads some small files on Linux, psutil elsewhere."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import psutil

from playground import cgroups

_LINUX = sys.platform.startswith("linux")
_NO_LIMIT = 1 << 60
"""Version 1 of the control groups writes a number where there is no limit."""


class _Files(NamedTuple):
    limit: str
    used: str
    stat: str
    cache: tuple[bytes, ...]
    """The lines of ``stat`` that count pages of files."""


_FILES = (
    _Files("memory.max", "memory.current", "memory.stat", (b"inactive_file", b"active_file")),
    _Files(
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "memory.stat",
        (b"total_inactive_file", b"total_active_file"),
    ),
)
"""How versions 2 and 1 of the control groups name them."""


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
    limit, free = container()
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


def container(root: Path = cgroups.ROOT, own: Path = cgroups.OWN) -> tuple[int, int]:
    """The least memory limit of our control groups, and what is left below the narrowest; zeros without a limit.

    Pages of files count as free, as they do in the kernel's own figure for the machine.
    """
    limits, left = [], []
    for files in _group_files(tuple(cgroups.folders("memory", root, own))):
        limit = _number(files.limit)
        used = _number(files.used) if limit is not None and limit < _NO_LIMIT else None
        if limit is not None and used is not None:
            limits.append(limit)
            left.append(min(limit, max(0, limit - used + _cache(files))))
    return (min(limits), min(left)) if limits else (0, 0)


@lru_cache(maxsize=8)
def _group_files(folders: tuple[Path, ...]) -> list[_Files]:
    """Those that are there; the files of a group are always the same."""
    return [
        _Files(str(folder / row.limit), str(folder / row.used), str(folder / row.stat), row.cache)
        for folder in folders
        for row in _FILES
        if (folder / row.limit).is_file()
    ]


def _number(path: str) -> int | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return int(file.read(64))
    except (OSError, ValueError):
        return None  # gone, or “max”


def _cache(files: _Files) -> int:
    """Bytes of pages of files that the group may give back."""
    try:
        with open(files.stat, "rb") as file:
            lines = dict(line.split(b" ", 1) for line in file.read().splitlines())
        return sum(int(lines.get(name, 0)) for name in files.cache)
    except (OSError, ValueError):
        return 0
