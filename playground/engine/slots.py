"""Sequences of the KV cache: whose conversation each holds, and what can be reused of it.

llama.cpp's cache is one pool that all sequences share. What is in it is known here as lists of
tokens; every change goes through this class, so that lists and cache never disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.engine.binding import lib

FRESH = 8
"""Prompt tokens decoded anew at least when a prefix is reused. One is needed for its logits; a piece
of eight gives the bits of a prompt decoded whole, a piece of one does not (measured, see ENGINE.md)."""


@dataclass(eq=False, slots=True)
class Slot:
    """One sequence."""

    seq: int
    name: str = ""
    """The lane whose conversation it holds; empty: nobody's."""
    tokens: list[int] = field(default_factory=list)
    """Exactly what is in the cache."""
    busy: bool = False
    used: int = 0
    """Larger is more recent."""


class Slots:
    """All sequences of a context."""

    def __init__(self, memory: Any, count: int, n_ctx: int, *, recurrent: bool) -> None:
        self._memory = memory
        self.n_ctx = n_ctx
        self._recurrent = recurrent
        self._all = [Slot(seq) for seq in range(count)]
        self._clock = 0

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._all)

    @property
    def used(self) -> int:
        """Tokens in the cache. A beginning that slots have in common is one copy, so it counts once."""
        total = 0
        for index, slot in enumerate(self._all):
            shared = (common(slot.tokens, other.tokens) for other in self._all[:index])
            total += len(slot.tokens) - (0 if self._recurrent else max(shared, default=0))
        return min(self.n_ctx, total)

    def named(self, name: str) -> Slot | None:
        """The slot of a lane."""
        return next((slot for slot in self._all if slot.name == name), None)

    def take(self, name: str) -> Slot | None:
        """The lane's slot, else an unused one, else the longest idle; None when all are busy."""
        slot = self.named(name)
        if slot is None:
            idle = [slot for slot in self._all if not slot.busy]
            slot = min(idle, key=lambda one: (bool(one.tokens), one.used), default=None)
        if slot is None or slot.busy:
            return None
        if slot.name != name:
            slot.name = name
        slot.busy = True
        self.touch(slot)
        return slot

    def release(self, slot: Slot) -> None:
        """Its answer is finished; the cache stays for the next turn."""
        slot.busy = False
        self.touch(slot)

    def touch(self, slot: Slot) -> None:
        """Mark as just used."""
        self._clock += 1
        slot.used = self._clock

    def reuse(self, slot: Slot, prompt: Sequence[int]) -> int:
        """Keep or copy the longest usable beginning of the prompt into the slot; how many tokens that is."""
        source, n = slot, self.usable(slot, prompt)
        for other in self._all:
            if other is not slot and (m := self.usable(other, prompt)) > n:
                source, n = other, m
        if source is slot:
            return self.cut(slot, n)
        return self.copy(source, slot, n)

    def usable(self, slot: Slot, prompt: Sequence[int]) -> int:
        """How many tokens of the prompt a slot's cache could give, leaving some to decode."""
        n = common(slot.tokens, prompt)
        if self._recurrent:
            # Its state is that after its last token; there is no other.
            return n if n == len(slot.tokens) and n < len(prompt) else 0
        fresh = FRESH if len(prompt) > FRESH else 1
        return max(0, min(n, len(prompt) - fresh))

    def cut(self, slot: Slot, n: int) -> int:
        """Forget all after the first ``n`` tokens; how many are left (none where the cache can't be cut)."""
        if n >= len(slot.tokens):
            return len(slot.tokens)
        if n > 0 and lib.llama_memory_seq_rm(self._memory, slot.seq, n, -1):
            del slot.tokens[n:]
            return n
        lib.llama_memory_seq_rm(self._memory, slot.seq, -1, -1)
        slot.tokens.clear()
        return 0

    def copy(self, source: Slot, target: Slot, n: int) -> int:
        """Let ``target`` begin with ``source``'s first ``n`` tokens; no data moves, cells are shared."""
        self.cut(target, 0)
        if self._recurrent and n != len(source.tokens):
            return 0
        if n > 0:
            lib.llama_memory_seq_cp(
                self._memory, source.seq, target.seq, -1 if self._recurrent else 0, -1 if self._recurrent else n
            )
            target.tokens[:] = source.tokens[:n]
        return n

    def settle(self, slot: Slot) -> None:
        """After an aborted decode: ask the cache how much of the slot is left."""
        left = int(lib.llama_memory_seq_pos_max(self._memory, slot.seq)) + 1
        if self._recurrent:
            self.cut(slot, 0)
        elif left < len(slot.tokens):
            del slot.tokens[max(0, left) :]

    def make_room(self) -> bool:
        """Forget the conversation that has been idle longest; False when none is idle."""
        idle = [slot for slot in self._all if not slot.busy and slot.tokens]
        if not idle:
            return False
        self.cut(min(idle, key=lambda slot: slot.used), 0)
        return True


def common(one: Sequence[int], two: Sequence[int]) -> int:
    """Length of the common beginning."""
    n = min(len(one), len(two))
    step = 256
    for start in range(0, n, step):
        end = min(start + step, n)
        if one[start:end] != two[start:end]:
            return next(index for index in range(start, end) if one[index] != two[index])
    return n
