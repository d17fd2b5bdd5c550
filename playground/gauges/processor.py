"""How busy the processors are, by whom, and at what frequency they run."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from pathlib import Path

import psutil

from playground.gauges.probe import MACHINE, Missing, Rate

_CPUFREQ = Path("/sys/devices/system/cpu/cpufreq")
_CPUINFO = Path("/proc/cpuinfo")


class Load:
    """Per cent of all processors' time that any program took."""

    def __init__(self) -> None:
        self._rate = Rate()

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Since the last look."""
        times = psutil.cpu_times()
        # A guest's time is counted in the user's, too.
        idle = times.idle + getattr(times, "iowait", 0.0)
        guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
        busy = self._rate.of(MACHINE, sum(times) - idle - guest, time.monotonic())
        # Sums of rounded times, and idle time that the system takes back, can show less than none.
        return {} if busy is None else {MACHINE: min(100.0, max(0.0, 100 * busy / _cpus()))}


class EngineLoad:
    """Per cent of all processors' time that each engine took."""

    def __init__(self) -> None:
        self._rate = Rate()

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Since the last look; a process that is gone is left out."""
        self._rate.keep(pids)
        found: dict[int, float] = {}
        for pid in pids:
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.Error:
                continue
            busy = self._rate.of(pid, times.user + times.system, time.monotonic())
            if busy is not None:
                found[pid] = min(100.0, 100 * busy / _cpus())
        return found


class Frequency:
    """Mean frequency of the processors, GHz, by files that hold kHz."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Now."""
        values = [int(file.read_text("ascii")) for file in self._files]
        return {MACHINE: sum(values) / len(values) / 1e6}


class CpuInfo:
    """The same by /proc/cpuinfo, where no driver sets the frequency."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Now."""
        values = _mhz(self._path.read_text("utf-8", "replace"))
        return {MACHINE: sum(values) / len(values) / 1e3} if values else {}


def open_frequency(folder: Path = _CPUFREQ, cpuinfo: Path = _CPUINFO) -> Frequency | CpuInfo | Missing:
    """Linux only: elsewhere the system tells the nominal frequency, which never moves. So do virtual machines."""
    if not sys.platform.startswith("linux"):
        return Missing()
    files = sorted(folder.glob("policy*/scaling_cur_freq"))
    try:
        if files:
            Frequency(files).look(())
            return Frequency(files)
        text = cpuinfo.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return Missing()
    return CpuInfo(cpuinfo) if _mhz(text) and " hypervisor" not in text else Missing()


def _mhz(text: str) -> list[float]:
    lines = (line.partition(":") for line in text.splitlines())
    return [float(value) for name, _, value in lines if name.strip() == "cpu MHz"]


def _cpus() -> int:
    return os.cpu_count() or 1
