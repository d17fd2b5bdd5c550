"""The machine a benchmark ran on, in the few words that tell two machines apart. Touches the disk."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Machine:
    """No name and no number of it: a result can be passed on."""

    cpu: str
    cores: int
    """Physical cores that this program may use, where the system tells; else logical ones."""
    memory: int
    """Bytes."""
    system: str


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """What we run on."""
    import psutil

    logical = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cores = min(psutil.cpu_count(logical=False) or logical, logical)
    return Machine(_cpu(), cores, int(psutil.virtual_memory().total), f"{platform.system()} {platform.machine()}")


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() in ("model name", "Hardware", "Model") and value.strip():
                    return " ".join(value.split())
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"
