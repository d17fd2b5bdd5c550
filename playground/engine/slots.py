"""Sequences of the KV cache: whose conversation each holds, and what can be reused of it.

llama.cpp's cache is one pool that all sequences share. What is in it is known here as lists of
tokens; every change goes through this class, so that lists and cache never disagree.

How far a sequence can be cut depends on the model. A plain cache can be cut anywhere. A sliding window
can, as far as the window before the cut is still there. A recurrent state can't, only continued. For
the last two, checkpoints fill the gap; where none fits, all is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground.engine.binding import lib
from playground.engine.checkpoints import (
    PARTIAL,
    WHOLE,
    Checkpoint,
    Checkpoints,
    read_state,
    write_state,
)

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
    """All sequences of a context.

    ``window`` is the length of a sliding window beyond which the cache may have forgotten, 0 for none;
    ``budget`` the bytes that checkpoints may take.
    """

    def __init__(self, ctx: Any, count: int, n_ctx: int, *, recurrent: bool, window: int = 0, budget: int = 0) -> None:
        self._ctx = ctx
        self._memory = lib.llama_get_memory(ctx)
        self.n_ctx = n_ctx
        self.recurrent = recurrent
        self.window = window
        self.checkpoints = Checkpoints(ctx, budget if recurrent or window else 0)
        self.checkpointed = bool(budget) and (recurrent or window > 0)
        """Whether reading a prompt has to stop where checkpoints are wanted."""
        self.leaving: Callable[[Slot], None] = lambda _slot: None
        """Told before a conversation is forgotten for another one."""
        self._all = [Slot(seq) for seq in range(count)]
        self._clock = 0

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._all)

    @property
    def used(self) -> int:
        """Tokens in the cache. A beginning that slots have in common is one copy, so it counts once."""
        return min(self.n_ctx, self._held(self._all))

    def room_for(self, slot: Slot | None) -> int:
        """Tokens that a slot could hold if all idle ones were forgotten."""
        return self.n_ctx - self._held([other for other in self._all if other.busy and other is not slot])

    @property
    def plain(self) -> bool:
        """The cache can be cut anywhere."""
        return not self.recurrent and not self.window

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
            self.leaving(slot)
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

    def best(self, prompt: Sequence[int]) -> int:
        """The most that any slot could give of a prompt."""
        return max(self.usable(slot, prompt) for slot in self._all)

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
        shared = common(slot.tokens, prompt)
        marks = [one.n for one in self.checkpoints.of(slot.seq)]
        return self.reach(len(slot.tokens), shared, len(prompt), marks, lambda n: self._complete_at(slot, n))

    def reach(
        self, tokens: int, shared: int, n_prompt: int, marks: Sequence[int], complete_at: Callable[[int], bool]
    ) -> int:
        """How much of a prompt a sequence can give by this model's rules, in the cache or saved.

        It has ``tokens`` tokens, the first ``shared`` of them are the prompt's; ``marks`` are where its
        checkpoints are, ``complete_at`` whether it can be cut there.
        """
        if self.recurrent and shared == tokens < n_prompt:
            return tokens
        n = max(0, min(shared, n_prompt - (FRESH if n_prompt > FRESH else 1)))
        if n == 0 or n == tokens or complete_at(n):
            return n
        return max((mark for mark in marks if mark <= n), default=0)

    def cut(self, slot: Slot, n: int) -> int:
        """Forget all after the first ``n`` tokens; how many are left (none where the cache can't be cut there)."""
        if n >= len(slot.tokens):
            return len(slot.tokens)
        if n > 0 and self._complete_at(slot, n) and lib.llama_memory_seq_rm(self._memory, slot.seq, n, -1):
            del slot.tokens[n:]
            self.checkpoints.forget_after(slot.seq, n)
            return n
        checkpoint = self.checkpoints.at(slot.seq, n)
        return self._go_back(slot, checkpoint) if checkpoint else self.clear(slot)

    def clear(self, slot: Slot) -> int:
        """Forget all; nothing is left."""
        lib.llama_memory_seq_rm(self._memory, slot.seq, -1, -1)
        slot.tokens.clear()
        self.checkpoints.forget_after(slot.seq, 0)
        return 0

    def copy(self, source: Slot, target: Slot, n: int) -> int:
        """Let ``target`` begin with ``source``'s first ``n`` tokens, sharing what cells it may; how many it got."""
        self.clear(target)
        checkpoint = None
        if n < len(source.tokens) and not self._complete_at(source, n):
            checkpoint = self.checkpoints.at(source.seq, n)
            if checkpoint is None:
                return 0
        if n <= 0:
            return 0
        first, end = (-1, -1) if self.recurrent else (0, n)
        lib.llama_memory_seq_cp(self._memory, source.seq, target.seq, first, end)
        target.tokens[:] = source.tokens[:n]
        self.checkpoints.share(source.seq, target.seq, n)
        if checkpoint is None and self.window:
            # llama.cpp never gives a window's cell free that two sequences have, so each has its own.
            checkpoint = Checkpoint(n, read_state(self._ctx, target.seq, PARTIAL))
        return self._go_back(target, checkpoint) if checkpoint else n

    def settle(self, slot: Slot) -> None:
        """After an aborted decode: keep what is certain of the slot."""
        if self.recurrent:
            # The state may have gone on by some of the piece.
            own = [one for one in self.checkpoints.of(slot.seq) if one.n <= len(slot.tokens)]
            if own:
                self._go_back(slot, own[-1])
            else:
                self.clear(slot)
            return
        left = int(lib.llama_memory_seq_pos_max(self._memory, slot.seq)) + 1
        if left < len(slot.tokens):
            del slot.tokens[max(0, left) :]
            self.checkpoints.forget_after(slot.seq, left)

    def make_room(self) -> bool:
        """Forget the conversation that has been idle longest; False when none is idle."""
        idle = [slot for slot in self._all if not slot.busy and slot.tokens]
        if not idle:
            return False
        oldest = min(idle, key=lambda slot: slot.used)
        self.leaving(oldest)
        self.clear(oldest)
        return True

    def mark(self, slot: Slot) -> None:
        """Take a checkpoint of the slot as it is."""
        idle = [one.seq for one in sorted(self._all, key=lambda one: one.used) if not one.busy]
        self.checkpoints.take(slot.seq, len(slot.tokens), idle)

    def size(self, slot: Slot) -> int:
        """Bytes of the slot's whole state."""
        return int(lib.llama_state_seq_get_size_ext(self._ctx, slot.seq, WHOLE)) if slot.tokens else 0

    def export(self, slot: Slot, most_marks: int) -> list[tuple[int, bytearray | bytes]]:
        """The slot's whole state (as 0) and its newest checkpoints (as their lengths); empty when there is none."""
        whole = read_state(self._ctx, slot.seq, WHOLE)
        marks = self.checkpoints.of(slot.seq)[-most_marks:]
        return [(0, whole), *((one.n, one.data) for one in marks)] if whole else []

    def adopt(self, slot: Slot, tokens: Sequence[int], parts: Sequence[tuple[int, bytearray | bytes]]) -> bool:
        """Fill the slot with what `export` gave; False, and an empty slot, when it can't be."""
        if len(tokens) > self.room_for(slot):
            return False
        self.clear(slot)
        while self.used + len(tokens) > self.n_ctx and self.make_room():
            pass
        whole = next((data for n, data in parts if n == 0), None)
        if whole is None or self.used + len(tokens) > self.n_ctx:
            return False
        done = write_state(self._ctx, slot.seq, whole, WHOLE)
        if not done or int(lib.llama_memory_seq_pos_max(self._memory, slot.seq)) + 1 != len(tokens):
            self.clear(slot)
            return False
        slot.tokens[:] = tokens
        for n, data in parts:
            if 0 < n <= len(tokens) and self.checkpointed:
                self.checkpoints.put(slot.seq, Checkpoint(n, data))
        return True

    def _held(self, slots: Sequence[Slot]) -> int:
        total = 0
        for index, slot in enumerate(slots):
            shared = (common(slot.tokens, other.tokens) for other in slots[:index])
            total += len(slot.tokens) - (0 if self.recurrent else max(shared, default=0))
        return total

    def _go_back(self, slot: Slot, checkpoint: Checkpoint) -> int:
        """To a checkpoint; the cells that can be cut are. How many tokens are left: its length, or none."""
        n = checkpoint.n
        done = (
            write_state(self._ctx, slot.seq, checkpoint.data, PARTIAL)
            and lib.llama_memory_seq_rm(self._memory, slot.seq, n, -1)
            and int(lib.llama_memory_seq_pos_max(self._memory, slot.seq)) == n - 1
        )
        if not done:
            return self.clear(slot)
        del slot.tokens[n:]
        self.checkpoints.forget_after(slot.seq, n)
        return n

    def _complete_at(self, slot: Slot, n: int) -> bool:
        """Whether the cache, cut to ``n`` tokens, still holds all that the next one looks at."""
        if self.recurrent:
            return False
        if not self.window:
            return True
        first = int(lib.llama_memory_seq_pos_min(self._memory, slot.seq))
        return first == 0 or 0 < first < n - self.window


def common(one: Sequence[int], two: Sequence[int]) -> int:
    """Length of the common beginning."""
    n = min(len(one), len(two))
    step = 256
    for start in range(0, n, step):
        end = min(start + step, n)
        if one[start:end] != two[start:end]:
            return next(index for index in range(start, end) if one[index] != two[index])
    return n
