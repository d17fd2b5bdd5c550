"""Which cores this process may compute with, and which of them are the fast ones.

ggml's threads spin at barriers and the slowest sets the pace, so what counts are physical cores, of
the fast kind where there are two, within the process's affinity and its container's quota.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import psutil

from playground import cgroups

_DEVICES = Path("/sys/devices")
_SLOW_KIND = 0.6
"""Cores below this share of the fastest one's capacity or frequency are efficiency cores."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Physical cores, counted."""

    performance: int
    """The fast ones; all of them where the system tells no difference."""
    efficiency: int
    logical: int
    """Processors that the system schedules on: more than cores where two threads share one."""
    quota: float = 0.0
    """CPUs that the control group pays for; 0: no limit known."""

    @property
    def default(self) -> int:
        """The thread count to begin with: the fast cores, as far as the quota pays for them."""
        return self._paid(self.performance)

    @property
    def most(self) -> int:
        """The highest thread count worth a try: all cores."""
        return self._paid(self.performance + self.efficiency)

    def _paid(self, cores: int) -> int:
        return max(1, min(cores, int(self.quota)) if self.quota else cores)


def usable_cores() -> int:
    """Threads to compute with where nothing else is known; at least one."""
    return read_cores().default


def read_cores(devices: Path = _DEVICES, cgroup: Path = cgroups.ROOT, affinity: Set[int] | None = None) -> Cores:
    """The cores of this machine that this process may use. Never fails: what can't be read is left out."""
    if affinity is None and hasattr(os, "sched_getaffinity"):
        affinity = os.sched_getaffinity(0)
    paid = cpu_quota(cgroup)
    if affinity:
        return _linux(devices, affinity, paid)
    logical = os.cpu_count() or 1
    fast, slow = _by_system()
    if not fast:
        fast, slow = psutil.cpu_count(logical=False) or logical, 0
    return Cores(fast, slow, logical, paid)


def _by_system() -> tuple[int, int]:
    """Fast and slow cores as macOS or Windows tell; zeros where they don't."""
    try:
        if sys.platform == "darwin":
            return _sysctl("hw.perflevel0.physicalcpu"), _sysctl("hw.perflevel1.physicalcpu")
        if sys.platform == "win32":
            return count_classes(_processor_records())
    except (OSError, AttributeError, ValueError):
        pass
    return 0, 0


def _linux(devices: Path, affinity: Set[int], quota: float) -> Cores:
    cores: dict[str, int] = {}
    for cpu in sorted(affinity):
        cores.setdefault(_siblings(devices, cpu), cpu)
    slow = _slow_cpus(devices, affinity)
    efficiency = sum(cpu in slow for cpu in cores.values())
    if efficiency == len(cores):  # held on the slow ones: then they are what there is
        return Cores(efficiency, 0, len(affinity), quota)
    return Cores(len(cores) - efficiency, efficiency, len(affinity), quota)


def _siblings(devices: Path, cpu: int) -> str:
    """The processors that share its core; one that doesn't say is a core of its own."""
    return _text(devices / f"system/cpu/cpu{cpu}/topology/thread_siblings_list") or str(cpu)


def _slow_cpus(devices: Path, affinity: Set[int]) -> set[int]:
    """Efficiency cores: by kind (x86), by capacity (ARM), or by their highest frequency."""
    atoms = parse_list(_text(devices / "cpu_atom/cpus"))
    if atoms:
        return atoms
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        figures = {cpu: _number(devices / f"system/cpu/cpu{cpu}/{name}") for cpu in affinity}
        if all(figures.values()):
            fastest = max(figures.values())
            return {cpu for cpu, figure in figures.items() if figure < _SLOW_KIND * fastest}
    return set()


def parse_list(text: str) -> set[int]:
    """A list of processors as Linux writes it, ``0-3,8``; what is no such list is empty."""
    found: set[int] = set()
    try:
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    except ValueError:
        return set()
    return found


def cpu_quota(root: Path = cgroups.ROOT) -> float:
    """CPUs that our control groups pay for, the narrowest of them; 0: no limit."""
    found = [paid for folder in cgroups.folders("cpu", root) if (paid := _quota(folder)) > 0]
    return min(found, default=0.0)


def _quota(group: Path) -> float:
    limit, _, period = _text(group / "cpu.max").partition(" ")
    if not limit:
        limit, period = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
    try:
        return max(0.0, int(limit) / int(period))
    except (ValueError, ZeroDivisionError):
        return 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdecimal() else 0


def _sysctl(name: str) -> int:
    value, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    failed = ctypes.CDLL(None).sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, 0)
    return 0 if failed else value.value


def _processor_records() -> bytes:
    """What Windows tells about its cores."""
    ask = ctypes.windll.kernel32.GetLogicalProcessorInformationEx  # type: ignore[attr-defined,unused-ignore]
    size = ctypes.c_ulong(0)
    ask(0, None, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    return buffer.raw[: size.value] if ask(0, buffer, ctypes.byref(size)) else b""


def count_classes(records: bytes) -> tuple[int, int]:
    """Fast and slow cores in Windows' records: cores of the highest efficiency class, and the others."""
    classes: list[int] = []
    at = 0
    while at + 10 <= len(records):
        relation, size = struct.unpack_from("<II", records, at)
        if size < 10:
            break
        if relation == 0:  # one core; its flags, then its class
            classes.append(records[at + 9])
        at += size
    fast = classes.count(max(classes)) if classes else 0
    return fast, len(classes) - fast
