"""Checkpoints: what a cache can't go back to by itself, kept in memory.

A recurrent state is only that after its last token, and a sliding window has forgotten what lies before
it. For such models the part that is lost is copied at a few places of each sequence; a plain cache needs none.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playground.engine.binding import lib

WHOLE, PARTIAL = 0, 1
"""llama.cpp's flags: all that a sequence has, or only what can't be cut (``…_FLAGS_PARTIAL_ONLY``)."""

_MOST = 16
"""Checkpoints of one sequence."""


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """The lossy part of a sequence after its first ``n`` tokens."""

    n: int
    data: bytearray | bytes


class Checkpoints:
    """Those of all sequences of a context, within a budget of bytes; none with a budget of 0."""

    def __init__(self, ctx: Any, budget: int) -> None:
        self._ctx = ctx
        self._budget = budget
        self._of: dict[int, list[Checkpoint]] = {}
        """By sequence, shortest first. Sequences that began alike have the same objects."""

    @property
    def size(self) -> int:
        """Bytes in use."""
        return sum(len(one.data) for one in {id(one): one for all_ in self._of.values() for one in all_}.values())

    def of(self, seq: int) -> list[Checkpoint]:
        """A sequence's, shortest first."""
        return self._of.get(seq, [])

    def at(self, seq: int, n: int) -> Checkpoint | None:
        """The one after exactly ``n`` tokens."""
        return next((one for one in self.of(seq) if one.n == n), None)

    def take(self, seq: int, n: int, idle: Iterable[int]) -> None:
        """Keep the sequence as it is, with its ``n`` tokens. For room, those of ``idle`` sequences go first."""
        if self.at(seq, n) is not None:
            return
        size = int(lib.llama_state_seq_get_size_ext(self._ctx, seq, PARTIAL))
        if not 0 < size <= self._budget:
            return
        for other in idle:
            if self.size + size <= self._budget:
                break
            self._of.pop(other, None)
        own = self._of.setdefault(seq, [])
        while own and (len(own) >= _MOST or self.size + size > self._budget):
            own.remove(_least_missed(own))
        if self.size + size > self._budget:
            return
        data = read_state(self._ctx, seq, PARTIAL)
        if data:
            self.put(seq, Checkpoint(n, data))

    def put(self, seq: int, checkpoint: Checkpoint) -> None:
        """One that was taken before, for instance in another run."""
        own = [one for one in self.of(seq) if one.n != checkpoint.n]
        self._of[seq] = sorted([*own, checkpoint], key=lambda one: one.n)

    def forget_after(self, seq: int, n: int) -> None:
        """The sequence is cut to ``n`` tokens."""
        left = [one for one in self.of(seq) if one.n <= n]
        if left and n > 0:
            self._of[seq] = left
        else:
            self._of.pop(seq, None)

    def share(self, source: int, target: int, n: int) -> None:
        """``target`` begins with ``source``'s first ``n`` tokens."""
        self._of[target] = [one for one in self.of(source) if one.n <= n]


def read_state(ctx: Any, seq: int, flags: int) -> bytearray:
    """A copy of a sequence's state; empty when llama.cpp gives none."""
    size = int(lib.llama_state_seq_get_size_ext(ctx, seq, flags))
    if size <= 0:
        return bytearray()
    data = bytearray(size)
    buffer = (ctypes.c_uint8 * size).from_buffer(data)
    written = int(lib.llama_state_seq_get_data_ext(ctx, buffer, size, seq, flags))
    del buffer
    return data if written == size else bytearray()


def write_state(ctx: Any, seq: int, data: bytearray | bytes, flags: int) -> bool:
    """Give a sequence that state. After a False nothing of it is certain: clear the sequence."""
    if not data:
        return False
    own = data if isinstance(data, bytearray) else bytearray(data)
    buffer = (ctypes.c_uint8 * len(own)).from_buffer(own)
    taken = int(lib.llama_state_seq_set_data_ext(ctx, buffer, len(own), seq, flags))
    del buffer
    return taken == len(own)


def _least_missed(own: list[Checkpoint]) -> Checkpoint:
    """The one whose absence costs the least reading; the newest two stay as long as there are others."""
    if len(own) <= 2:
        return own[0]
    gaps = [own[index + 1].n - (own[index - 1].n if index else 0) for index in range(len(own) - 2)]
    return own[gaps.index(min(gaps))]
