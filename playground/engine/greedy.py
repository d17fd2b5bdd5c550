"""The greedy draw straight from the logits, without llama.cpp's record of 12 bytes for every token of the vocabulary.

`llama_sampler_sample` makes these records before the first sampler sees one: 0.1 ms for 49,000 tokens, 0.4 ms for
150,000, in a gap in which all threads of the decode wait. What numpy finds is the same token. Chains that draw by
chance gain nothing that way: what would have to be done in Python costs as much as it saves.
"""

from __future__ import annotations

import ctypes
import math
import os
import threading
from collections.abc import Sequence
from typing import Any

from playground.engine.binding import C
from playground.engine.stages import Stage

_MOST_ROWS = 64
"""Addresses of logits that are remembered; llama.cpp has one for each row of a batch."""

_logits_at = C["llama_get_logits_ith"]
_logits_at.restype = ctypes.c_void_p
_logits_at.argtypes = [ctypes.c_void_p, ctypes.c_int32]
"""The binding's own gives a pointer object, which takes numpy 50 µs to make an array of."""


class _Numpy:
    """numpy, fetched while the first greedy answer's prompt is read: 10 MB and 70 ms that other answers don't cost."""

    def __init__(self) -> None:
        self.module: Any = None
        """None while it isn't there; it may never be, where memory is short."""
        self._asked = False

    def ask(self) -> None:
        """Begin to import it."""
        if not self._asked:
            self._asked = True
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            threading.Thread(target=self._fetch, name="numpy", daemon=True).start()

    def _fetch(self) -> None:
        try:
            import numpy
        except (ImportError, MemoryError, OSError):
            return
        self.module = numpy


_numpy = _Numpy()


class Greedy:
    """Draws for a chain that is nothing but the greedy sampler, perhaps after a bias."""

    def __init__(self, n_vocab: int, stages: Sequence[Stage]) -> None:
        """``stages``: a chain of which `is_greedy` says so."""
        _numpy.ask()
        self._n = n_vocab
        self._biases: dict[int, float] = dict(stages[0].arguments) if len(stages) > 1 else {}
        self._only_lowers = all(bias <= 0.0 for bias in self._biases.values())
        self._added: tuple[Any, Any] | None = None
        """The biases as arrays take them, once numpy is there."""
        self._rows: dict[int, Any] = {}

    def draw(self, ctx: Any, row: int) -> int | None:
        """The token with the greatest logit of a batch row, the first of several.

        None if a broken model gave NaN, or numpy isn't there (yet): then llama.cpp has to draw.
        """
        np = _numpy.module
        if np is None:
            return None
        logits = self._logits(np, ctx, row)
        best = int(logits.argmax())
        if self._biases and not (self._only_lowers and best not in self._biases):
            logits = logits.copy()
            if self._added is None:
                self._added = np.array(list(self._biases)), np.array(list(self._biases.values()), dtype="f4")
            at, added = self._added
            logits[at] += added
            best = int(logits.argmax())
        return None if math.isnan(logits[best]) else best

    def _logits(self, np: Any, ctx: Any, row: int) -> Any:
        address = _logits_at(ctx, row)
        found = self._rows.get(address)
        if found is None:
            if len(self._rows) >= _MOST_ROWS:
                self._rows.clear()
            found = np.ctypeslib.as_array((ctypes.c_float * self._n).from_address(address))
            self._rows[address] = found
        return found


def is_greedy(stages: Sequence[Stage]) -> bool:
    """Whether a chain only takes the best token, after nothing but a bias."""
    return [stage.name for stage in stages] in (["greedy"], ["logit_bias", "greedy"])
