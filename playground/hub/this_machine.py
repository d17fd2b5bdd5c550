"""This machine for verdicts: memory that is free now, and what was measured before. Never on the window's thread."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from playground.fit.gpu import Gpu
from playground.fit.machine import machine
from playground.fit.speed import measure_bandwidth
from playground.hub.verdict import Machine
from playground.models import estimates
from playground.models.estimates import Estimates

NO_GPU = Gpu()


def identity() -> str:
    """What measurements hold for: the same system on the same processor and memory."""
    total_gb = round(psutil.virtual_memory().total / 1e9)
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {total_gb} GB"


def kept(config: Path) -> Estimates:
    """What was measured here before; empty where nothing was. Reads the disk."""
    return estimates.load(config, identity())


def read_machine(config: Path, *, measure: bool = True, given_back: int = 0, gpu: Gpu = NO_GPU) -> Machine:
    """The machine as it is now. Blocks for half a second when the memory's bandwidth was never measured.

    ``config``: the folder that measurements are kept in; ``given_back``: bytes that idle engines would free.
    ``measure``: False leaves a missing bandwidth unknown, as while an answer is written. ``gpu``: as an engine told.
    """
    known = kept(config)
    if measure and not known.bandwidth:
        known = _measure(config, known)
    free, total = machine()
    return Machine(free + given_back, total, known, gpu)


def _measure(config: Path, known: Estimates) -> Estimates:
    import msgspec

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n_threads = min(psutil.cpu_count(logical=False) or usable, usable)
    try:
        known = msgspec.structs.replace(known, bandwidth=measure_bandwidth(n_threads))
        estimates.save(config, known)
    except (OSError, MemoryError):
        pass  # unknown, or measured again next time
    return known
