"""What processors and NVIDIA GPUs draw, in watts, by the counters that they keep themselves.

Processors: RAPL through Linux' powercap (Documentation/power/powercap). Since 2020 (CVE-2020-8694) most systems
let only the administrator read it. GPUs: NVML, the library that comes with NVIDIA's driver.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from playground.gauges.probe import MACHINE, Missing, Probe, Rate
from playground.translate import later

_POWERCAP = Path("/sys/class/powercap")
FORBIDDEN = later("This system lets only the administrator read the processor’s energy counters.")
_NVML_NAMES = {"win32": "nvml.dll"}


class Rapl:
    """Watts of all processor packages."""

    def __init__(self, zones: Sequence[Path]) -> None:
        """``zones``: folders of packages. Raises OSError where they can't be read."""
        self._zones = [(zone / "energy_uj", int((zone / "max_energy_range_uj").read_text("ascii"))) for zone in zones]
        self._counts = [_number(file) for file, _span in self._zones]
        self._joules = 0.0
        self._rate = Rate()

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Since the last look. The counters start again at zero once their range is used up."""
        for index, (file, span) in enumerate(self._zones):
            count = _number(file)
            step = count - self._counts[index]
            self._joules += (step if step >= 0 else step + span) / 1e6
            self._counts[index] = count
        watts = self._rate.of(MACHINE, self._joules, time.monotonic())
        return {} if watts is None else {MACHINE: watts}


class Nvml:
    """Watts of all NVIDIA GPUs."""

    def __init__(self, nvml: Any) -> None:
        """``nvml``: the loaded library. Raises OSError where it can't be used."""
        if nvml.nvmlInit_v2():
            raise OSError("NVML can't be used")
        self._nvml = nvml
        count = ctypes.c_uint()
        nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
        self._devices = []
        for index in range(count.value):
            device = ctypes.c_void_p()
            if not nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(device)):
                self._devices.append(device)
        if not self._devices:
            raise OSError("NVML knows no GPU")
        self._rate = Rate()

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """Since the last look, or the moment's power of GPUs that keep no counter."""
        total = 0.0
        for index, device in enumerate(self._devices):
            joules = ctypes.c_ulonglong()
            if not self._nvml.nvmlDeviceGetTotalEnergyConsumption(device, ctypes.byref(joules)):
                watts = self._rate.of(index, joules.value / 1e3, time.monotonic())
            else:
                milliwatts = ctypes.c_uint()
                failed = self._nvml.nvmlDeviceGetPowerUsage(device, ctypes.byref(milliwatts))
                watts = None if failed else milliwatts.value / 1e3
            if watts is None:
                return {}
            total += watts
        return {MACHINE: total}


class Power:
    """Watts of everything that tells them."""

    def __init__(self, sources: Sequence[Probe]) -> None:
        self._sources = sources

    def look(self, pids: Collection[int]) -> dict[int, float]:
        """All together; nothing before each has told."""
        found = [source.look(pids) for source in self._sources]
        return {MACHINE: sum(one[MACHINE] for one in found)} if all(found) else {}


def open_power(powercap: Path = _POWERCAP) -> Power | Missing:
    """Processor packages and NVIDIA GPUs, whichever there are."""
    sources: list[Probe] = []
    forbidden = False
    zones = [zone for zone in sorted(powercap.glob("*-rapl:*")) if zone.name.count(":") == 1 and _is_package(zone)]
    try:
        if zones:
            sources.append(Rapl(zones))
    except PermissionError:
        forbidden = True
    except (OSError, ValueError):
        pass  # counters that can't be read are none
    try:
        sources.append(Nvml(ctypes.CDLL(_NVML_NAMES.get(sys.platform, "libnvidia-ml.so.1"))))
    except (OSError, AttributeError):
        pass  # no driver of NVIDIA's, or one without these functions
    if not sources:
        return Missing(FORBIDDEN if forbidden else "")
    return Power(sources)


def _is_package(zone: Path) -> bool:
    try:
        return (zone / "name").read_text("ascii").startswith("package")
    except (OSError, ValueError):
        return False


def _number(file: Path) -> int:
    return int(file.read_text("ascii"))
