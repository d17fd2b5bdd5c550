"""How fast a model will write, from the bytes that each token has to be read from memory.

Writing a token reads every weight that takes part in it once, and the keys and values of all tokens before it;
on ordinary machines that, and not arithmetic, is what takes the time. It is an estimate, and labelled so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from playground.fit.estimate import Model, Options, cache_bytes
from playground.fit.weights import Tensor, layer_of

USUAL_SHARE = 0.7
"""Of the measured bandwidth, what llama.cpp mostly reaches; until something was measured here."""
_LOOKED_UP = ("token_embd.weight", "position_embd.weight", "token_types.weight", "per_layer_token_embd.weight")
_BLOCK = 64 * 1024 * 1024
"""Bytes each thread reads: more than a processor's cache holds for it."""


def bytes_per_token(
    model: Model, meta: Mapping[str, Any], tensors: Iterable[Tensor], options: Options, depth: int
) -> int:
    """Bytes that are read to write one token with ``depth`` tokens before it; 0 where the model is unknown."""
    if model.layers is None:
        return 0
    n_layer = model.layers.n_layer
    experts, used = _number(meta, "expert_count"), _number(meta, "expert_used_count")
    share = min(1.0, used / experts) if experts and used else 1.0
    total, table, has_output = 0.0, 0, False
    for tensor in tensors:
        if layer_of(tensor.name) >= n_layer:
            continue
        has_output = has_output or tensor.name == "output.weight"
        if tensor.name in _LOOKED_UP:
            table = tensor.size if tensor.name == "token_embd.weight" else table
        else:
            total += tensor.size * (share if "_exps." in tensor.name else 1.0)
    # Where the table of tokens is the output too, all of it is read for that.
    total += 0 if has_output else table
    depth = min(depth, model.n_ctx(options))
    read = cache_bytes(model.layers, options.with_(n_ctx=max(1, depth), n_seq_max=1)) if depth else 0
    return int(total) + read


def tok_s(n_bytes: int, bandwidth: float, share: float = USUAL_SHARE) -> float:
    """Tokens a second; 0 where that isn't known."""
    return bandwidth * share / n_bytes if n_bytes and bandwidth else 0.0


def measure_bandwidth(n_threads: int, seconds: float = 0.4) -> float:
    """Bytes a second that this machine reads from memory with so many threads.

    Takes that long and keeps the cores busy; it holds 64 MB a thread meanwhile. Raises MemoryError.
    """
    import numpy as np

    blocks = [np.ones(_BLOCK // 8, np.int64) for _ in range(max(1, n_threads))]
    until = time.perf_counter() + seconds
    best = 0.0
    while best == 0 or time.perf_counter() < until:
        threads = [threading.Thread(target=np.sum, args=(block,), name="bandwidth") for block in blocks]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        best = max(best, _BLOCK * len(blocks) / (time.perf_counter() - start))
    return best


def _number(meta: Mapping[str, Any], name: str) -> int:
    value = meta.get(f"{meta.get('general.architecture', '')}.{name}", 0)
    value = max(value, default=0) if isinstance(value, tuple) else value
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
