"""How many threads this process should compute with."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

_TOPOLOGY = Path("/sys/devices/system/cpu")


def usable_cores() -> int:
    """Physical cores this process may use: by its affinity and its container's quota; at least one.

    ggml's threads spin at barriers, so two of them on one core, or more than the quota
    pays for, are slower than fewer.
    """
    cores = _cores_by_affinity() or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    quota = _quota()
    return max(1, min(cores, int(quota)) if quota else cores)


def _cores_by_affinity() -> int:
    if not hasattr(os, "sched_getaffinity"):
        return 0
    cpus = os.sched_getaffinity(0)
    return len({_core_of(cpu) for cpu in cpus})


def _core_of(cpu: int) -> str:
    """The siblings that share its core; a processor that doesn't say is a core of its own."""
    try:
        return (_TOPOLOGY / f"cpu{cpu}/topology/thread_siblings_list").read_text("ascii").strip()
    except OSError:
        return str(cpu)


def _quota() -> float:
    """CPUs that the control group pays for; 0: no limit known."""
    for read in (_quota_v2, _quota_v1):
        try:
            return read()
        except (OSError, ValueError):
            continue
    return 0.0


def _quota_v2() -> float:
    limit, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
    return 0.0 if limit == "max" else int(limit) / int(period)


def _quota_v1() -> float:
    base = Path("/sys/fs/cgroup/cpu")
    limit = int((base / "cpu.cfs_quota_us").read_text("ascii"))
    return 0.0 if limit <= 0 else limit / int((base / "cpu.cfs_period_us").read_text("ascii"))
