"""What a model's weights take: pages of the file, and copies that llama.cpp makes for this processor."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

_PADDING = 32
_DIGITS = 10
_LOOKED_UP = ("token_embd.weight", "position_embd.weight", "token_types.weight", "per_layer_token_embd.weight")
"""Tables from which rows are taken: they stay as they are in the file."""

_AVX2 = {2: 8, 12: 8, 20: 8, 39: 8}
_AVX512 = {10: 8}
_NEON = {2: 4, 8: 4, 12: 8, 13: 8, 14: 8, 20: 4, 39: 4}
"""ggml’s number of a tensor type to what the number of rows must be divisible by to be repacked.
From ``ggml/src/ggml-cpu/repack.cpp``."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file's header."""

    name: str
    shape: tuple[int, ...]
    type: int
    """ggml’s number."""
    size: int
    """Bytes."""
    offset: int = 0
    """From the beginning of the data."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes of a model's weights."""

    mapped: int
    """As they are in the file: pages that the system can take back."""
    copied: int
    """Repacked for this processor: private memory."""

    @property
    def total(self) -> int:
        """Both."""
        return self.mapped + self.copied


def weights(tensors: Iterable[Tensor], n_layer: int, repacked: Mapping[int, int]) -> Weights:
    """What is loaded of these tensors. Draft heads behind layer ``n_layer`` aren't."""
    mapped = copied = 0
    has_output = False
    table = 0
    for tensor in tensors:
        size = -(-tensor.size // _PADDING) * _PADDING
        if layer_of(tensor.name) >= n_layer:
            continue
        has_output = has_output or tensor.name == "output.weight"
        if _is_copied(tensor, repacked):
            copied += size
        else:
            mapped += size
        if tensor.name == "token_embd.weight" and _fits(tensor, repacked):
            table = size
    # Where the table of tokens serves as output too, its copy is repacked for that.
    return Weights(mapped, copied + (0 if has_output else table))


def _is_copied(tensor: Tensor, repacked: Mapping[int, int]) -> bool:
    if tensor.name in _LOOKED_UP or not _fits(tensor, repacked):
        return False
    return len(tensor.shape) == 2 or (len(tensor.shape) == 3 and "_exps." in tensor.name)


def _fits(tensor: Tensor, repacked: Mapping[int, int]) -> bool:
    rows = repacked.get(tensor.type)
    return bool(rows) and len(tensor.shape) > 1 and tensor.shape[1] % (rows or 1) == 0


def layer_of(name: str) -> int:
    """The layer in a tensor's name; -1 if there is none."""
    number = name[4:].partition(".")[0] if name.startswith("blk.") else ""
    # Python refuses to read a number of thousands of digits.
    return int(number) if len(number) < _DIGITS and number.isdecimal() else -1


@cache
def repacked_types() -> Mapping[int, int]:
    """What llama.cpp repacks on this processor. Reads a small file once."""
    machine = platform.machine().lower()
    flags = _flags()
    if machine in ("x86_64", "amd64"):
        if flags and "avx2" not in flags:
            return {}
        return _AVX2 | (_AVX512 if "avx512f" in flags and "avx512bw" in flags else {})
    if machine in ("arm64", "aarch64"):
        return _NEON if not flags or "asimddp" in flags else {}
    return {}


def _flags() -> frozenset[str]:
    if not sys.platform.startswith("linux"):
        return frozenset()
    try:
        with open("/proc/cpuinfo", "rb") as file:
            for line in file.read(65_536).decode("ascii", "replace").splitlines():
                name, _, rest = line.partition(":")
                if name.strip() in ("flags", "Features"):
                    return frozenset(rest.split())
    except OSError:
        pass
    return frozenset()
