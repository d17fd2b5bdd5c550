"""What an engine's resident memory consists of: an estimate from what llama.cpp reserved and what the system counts.

The system tells only how much is file-backed and how much is private; llama.cpp tells the size of each
buffer. Matched in this order, the parts never add up to more than is resident:

1. weights: mapped ones are file-backed, as far as the file-backed part reaches; what llama.cpp repacked
   (and all of them, when the file was not mapped) is private.
2. KV cache, then compute buffers: private, as far as the rest of the private part reaches. llama.cpp
   zero-fills the cache, so it is resident from the load on.
3. rest: everything else, so that the parts add up to the resident memory exactly: Python, libraries,
   other file pages.

Buffers on a GPU are not in resident memory. Which of them lie there is not told one by one, so each
shrinks by the same share; with all layers on the GPU that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.protocol.events import ModelInfo

PARTS = ("weights", "kv", "compute", "rest")
"""In the order in which they are stacked, from below."""

Bytes: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Bytes of one sample; together they are the resident memory."""

    weights: int
    kv: int
    compute: int
    rest: int

    @property
    def total(self) -> int:
        """The resident memory."""
        return self.weights + self.kv + self.compute + self.rest


@dataclass(frozen=True, slots=True)
class _Reserved:
    """Buffers in the machine's own memory."""

    mapped: int
    private: int
    """Weights that are copies."""
    kv: int
    compute: int


def split(info: ModelInfo | None, row: Any) -> Parts:
    """The parts of one ``MEMORY_DTYPE`` row; all of it is rest while no model is loaded."""
    rows = np.atleast_1d(np.asarray(row))
    weights, kv, compute, rest = (int(part[0]) for part in split_rows(info, rows))
    return Parts(weights, kv, compute, rest)


def split_rows(info: ModelInfo | None, rows: NDArray[Any]) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """`split` for many rows at once: weights, KV cache, compute, rest."""
    rss = np.maximum(rows["rss"], 0)
    nothing = np.zeros(len(rows), np.int64)
    if info is None:
        return nothing, nothing, nothing, rss
    reserved = _reserved(info)
    # The system reads its counters one after another: they may disagree by some pages.
    file = np.clip(rows["file"], 0, rss)
    free = np.clip(rows["anon"], 0, rss - file)
    copied = np.minimum(reserved.private, free)
    free = free - copied
    kv = np.minimum(reserved.kv, free)
    compute = np.minimum(reserved.compute, free - kv)
    weights = np.minimum(reserved.mapped, file) + copied
    return weights, kv, compute, rss - weights - kv - compute


def whole(info: ModelInfo, part: str) -> int:
    """What llama.cpp reserved for a part in the machine's own memory, whether it is resident or not; 0 for the rest."""
    reserved = _reserved(info)
    sizes = {"weights": reserved.mapped + reserved.private, "kv": reserved.kv, "compute": reserved.compute}
    return sizes.get(part, 0)


def _reserved(info: ModelInfo) -> _Reserved:
    weights, kv, compute = (max(0, size) for size in (info.weights_bytes, info.kv_bytes, info.compute_bytes))
    copied = min(max(0, info.repack_bytes), weights) if info.mmap else weights
    whole = weights + kv + compute
    here = 1 - min(1.0, max(0, info.gpu_bytes) / whole) if whole else 1.0
    sizes = (weights - copied, copied, kv, compute)
    mapped, private, kv, compute = sizes if here == 1 else tuple(round(size * here) for size in sizes)
    return _Reserved(mapped, private, kv, compute)
