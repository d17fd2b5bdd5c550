"""Quantities that follow from figures which are there already: an engine's samples, its tokens, the power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]


def context_filled(rows: NDArray[Any], n_ctx: int) -> Floats:
    """Per cent of the context that tokens fill, with each memory sample."""
    import numpy as np

    return np.minimum(100.0, rows["kv_used"] * (100.0 / max(1, n_ctx)))


def disk_reads(rows: NDArray[Any], n_ctx: int) -> Floats:
    """MB a second read from the disk up to each memory sample."""
    import numpy as np

    steps, seconds = np.diff(rows["read_bytes"]), np.diff(rows["t_ns"]) / 1e9
    rates = np.maximum(0, steps) / np.maximum(1e-9, seconds) / 1e6
    return np.concatenate([np.zeros(min(1, len(rows))), rates])


def gpu_filled(rows: NDArray[Any], n_ctx: int) -> Floats:
    """Per cent of the GPU's memory in use."""
    import numpy as np

    filled: Floats = 100.0 * rows["gpu_used"] / np.maximum(1, rows["gpu_total"])
    return filled


def tokens_per_joule(t_ns: NDArray[Any], watts: Floats, tokens_ns: NDArray[Any]) -> Floats:
    """Tokens between two looks at the power, divided by the energy between them; the first is NaN."""
    import numpy as np

    out = np.full(len(t_ns), np.nan)
    if len(t_ns) > 1:
        counts = np.diff(np.searchsorted(tokens_ns, t_ns, "right"))
        joules = watts[1:] * np.diff(t_ns) / 1e9
        out[1:] = counts / np.maximum(1e-9, joules)
    return out
