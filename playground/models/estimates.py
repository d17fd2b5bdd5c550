"""What estimates are corrected by: what was measured on this machine, kept in one small file.

Three figures: the memory's bandwidth, how much of it models really reached, and how much working memory llama.cpp
really took beside what was estimated.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import median

import msgspec

from playground.files import read_json, write_json
from playground.fit.speed import USUAL_SHARE

FILE = "estimates.json"
MAX_KEPT = 60
"""Measurements of each kind; the oldest go."""
NEAREST = 3
"""Measurements of the most similar models that an estimate goes by."""
_LEAST, _MOST = 0.05, 3.0
"""Shares and factors beyond these come from a disturbed measurement."""


class Speed(msgspec.Struct, frozen=True):
    """A model that wrote."""

    model: str
    """Its name and quant; measured again, it replaces the earlier one."""
    n_bytes: int
    """Read for each token, by estimate."""
    tok_s: float


class Working(msgspec.Struct, frozen=True):
    """Working memory that llama.cpp reserved for a loaded model."""

    model: str
    arch: str
    estimated: int
    """Bytes."""
    measured: int


class Estimates(msgspec.Struct, frozen=True):
    """All of it; an empty one corrects nothing."""

    machine: str = ""
    """Processor and cores that it was measured on; on others it says nothing."""
    bandwidth: float = 0.0
    """Bytes a second; 0: not measured."""
    speeds: tuple[Speed, ...] = ()
    """Oldest first."""
    working: tuple[Working, ...] = ()

    def with_speed(self, speed: Speed) -> Estimates:
        """One more measurement; nonsense is left out."""
        if not self.bandwidth or not _LEAST <= _share(speed, self.bandwidth) <= _MOST:
            return self
        others = [other for other in self.speeds if other.model != speed.model]
        return msgspec.structs.replace(self, speeds=(*others, speed)[-MAX_KEPT:])

    def with_working(self, working: Working) -> Estimates:
        """One more measurement; nonsense is left out."""
        if working.estimated <= 0 or not _LEAST <= working.measured / working.estimated <= _MOST:
            return self
        others = [other for other in self.working if other.model != working.model]
        return msgspec.structs.replace(self, working=(*others, working)[-MAX_KEPT:])

    def share(self, n_bytes: int) -> float:
        """Of the bandwidth, what a model with so many bytes a token should reach here."""
        near = sorted(self.speeds, key=lambda speed: abs(math.log(max(1, speed.n_bytes) / max(1, n_bytes))))[:NEAREST]
        return median(_share(speed, self.bandwidth) for speed in near) if near and self.bandwidth else USUAL_SHARE

    def working_factor(self, arch: str) -> float:
        """What estimated working memory is to be multiplied by; 1 where nothing was measured."""
        same = [one.measured / one.estimated for one in self.working if one.arch == arch]
        every = same or [one.measured / one.estimated for one in self.working]
        return median(every) if every else 1.0


def load(folder: Path, machine: str) -> Estimates:
    """What is kept in the folder for this machine; empty where there is nothing. Reads the disk."""
    try:
        kept = msgspec.convert(read_json(folder / FILE), Estimates, strict=False)
    except (OSError, ValueError, msgspec.ValidationError):
        return Estimates(machine)
    sound = kept.machine == machine and math.isfinite(kept.bandwidth) and kept.bandwidth >= 0
    return kept if sound else Estimates(machine)


def save(folder: Path, estimates: Estimates) -> None:
    """Keep it. Raises OSError. Writes the disk."""
    write_json(folder / FILE, msgspec.to_builtins(estimates))


def _share(speed: Speed, bandwidth: float) -> float:
    return speed.tok_s * speed.n_bytes / bandwidth
