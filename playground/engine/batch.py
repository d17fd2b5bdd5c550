"""The two batches that are ever decoded, allocated once: a piece of one prompt, and one token per writing slot."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from playground.engine.binding import lib

_SeqPointer = ctypes.POINTER(ctypes.c_int32)


class PromptBatch:
    """A piece of one sequence's prompt."""

    def __init__(self, size: int, n_seq: int) -> None:
        self._tokens = (ctypes.c_int32 * size)()
        self._positions = (ctypes.c_int32 * size)()
        self._counts = (ctypes.c_int32 * size)(*[1] * size)
        self._wanted = (ctypes.c_int8 * size)()
        self._ids = [(ctypes.c_int32 * 1)(seq) for seq in range(n_seq)]
        self._owners = [(_SeqPointer * size)(*[ctypes.cast(one, _SeqPointer)] * size) for one in self._ids]
        self.struct = lib.llama_batch()
        self.struct.token = ctypes.cast(self._tokens, ctypes.POINTER(ctypes.c_int32))
        self.struct.pos = ctypes.cast(self._positions, ctypes.POINTER(ctypes.c_int32))
        self.struct.n_seq_id = ctypes.cast(self._counts, ctypes.POINTER(ctypes.c_int32))
        self.struct.logits = ctypes.cast(self._wanted, ctypes.POINTER(ctypes.c_int8))

    def fill(self, seq: int, tokens: Sequence[int], start: int, *, last: bool) -> Any:
        """The batch for these tokens from position ``start``; ``last`` asks for the last one's logits."""
        n = len(tokens)
        self._tokens[:n] = list(tokens)
        self._positions[:n] = list(range(start, start + n))
        self._wanted[:n] = [0] * n
        self._wanted[n - 1] = 1 if last else 0
        self.struct.n_tokens = n
        self.struct.seq_id = ctypes.cast(self._owners[seq], ctypes.POINTER(_SeqPointer))
        return self.struct


class WriterBatch:
    """One token for each writing slot; slots whose whole past is the same share a row."""

    def __init__(self, n_seq: int) -> None:
        self._tokens = (ctypes.c_int32 * n_seq)()
        self._positions = (ctypes.c_int32 * n_seq)()
        self._counts = (ctypes.c_int32 * n_seq)()
        self._wanted = (ctypes.c_int8 * n_seq)(*[1] * n_seq)
        self._ids = [(ctypes.c_int32 * n_seq)() for _ in range(n_seq)]
        self._owners = (_SeqPointer * n_seq)(*[ctypes.cast(row, _SeqPointer) for row in self._ids])
        self.struct = lib.llama_batch()
        self.struct.token = ctypes.cast(self._tokens, ctypes.POINTER(ctypes.c_int32))
        self.struct.pos = ctypes.cast(self._positions, ctypes.POINTER(ctypes.c_int32))
        self.struct.n_seq_id = ctypes.cast(self._counts, ctypes.POINTER(ctypes.c_int32))
        self.struct.seq_id = ctypes.cast(self._owners, ctypes.POINTER(_SeqPointer))
        self.struct.logits = ctypes.cast(self._wanted, ctypes.POINTER(ctypes.c_int8))

    def clear(self) -> None:
        """Begin anew."""
        self.struct.n_tokens = 0

    def add(self, token: int, position: int, seq: int) -> int:
        """A row for a slot; its index."""
        row = self.struct.n_tokens
        self._tokens[row] = token
        self._positions[row] = position
        self._counts[row] = 1
        self._ids[row][0] = seq
        self.struct.n_tokens = row + 1
        return int(row)

    def join(self, row: int, seq: int) -> None:
        """One more slot with the same past and the same token."""
        self._ids[row][self._counts[row]] = seq
        self._counts[row] += 1
