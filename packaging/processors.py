"""llama.cpp's kernels for more processors than the one that a bundle was made on: one row a generation.

An installation builds them for its own processor. A bundle travels, so it has each row's library and takes the
best that the processor runs. Only libggml-cpu differs; the rest of llama.cpp is the same on all of them.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

LIBRARY = "libggml-cpu.so.0"
BASE = "libggml-base.so.0"


@dataclass(frozen=True, slots=True)
class Kernels:
    """One build of llama.cpp's kernels."""

    name: str
    needs: frozenset[str]
    """Flags of /proc/cpuinfo."""
    options: tuple[str, ...]
    """ggml's CMake options that are on, without their prefix."""


_SSE = ("SSE42",)
_AVX2 = (*_SSE, "AVX", "F16C", "FMA", "AVX2", "BMI2")
_AVX512 = (*_AVX2, "AVX512", "AVX512_VBMI", "AVX512_VNNI")
_AVX2_FLAGS = frozenset(["sse4_2", "avx", "f16c", "fma", "avx2", "bmi2"])
_AVX512_FLAGS = frozenset(["avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw", "avx512vbmi", "avx512_vnni"])

X86_64 = (
    Kernels("avx512", _AVX2_FLAGS | _AVX512_FLAGS, _AVX512),
    Kernels("avx2", _AVX2_FLAGS, _AVX2),
    Kernels("sse42", frozenset({"sse4_2"}), _SSE),
)
"""Best first. Every x86-64 processor since about 2009 runs the last."""


def best(flags: frozenset[str]) -> Kernels | None:
    """The first row that a processor with these flags runs."""
    return next((row for row in X86_64 if row.needs <= flags), None)


def flags_here() -> frozenset[str]:
    """What the processor says it can; empty where it can't be asked."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(line.partition(":")[2].split())


def load_best(lib: Path) -> Kernels | None:
    """Load the best kernels below ``lib``/cpu into this process; None: those beside libllama will be taken.

    The loader knows a library by its own name: libllama, loaded later, finds this one there and takes it.
    """
    row = best(flags_here())
    if row is None or not (lib / "cpu" / row.name / LIBRARY).exists():
        return None
    for path in (lib / BASE, lib / "cpu" / row.name / LIBRARY):
        ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    return row
