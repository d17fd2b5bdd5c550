"""Speed as llama-bench measures it: made-up tokens through `llama_decode`, each repeat from an empty cache.

What is timed holds nothing but decoding: no sampling, no text, no messages (a progress report a second at most).
"""

from __future__ import annotations

import ctypes
import random
import time
from dataclasses import dataclass
from typing import Any

from playground.engine import memory
from playground.engine.binding import NULL_ABORT, lib
from playground.engine.context import Context
from playground.engine.inbox import Inbox
from playground.engine.load import Model
from playground.engine.outbox import Outbox
from playground.engine.slots import Slot
from playground.engine.states import WORTH_SAVING
from playground.engine.threads import Threads
from playground.protocol.commands import Bench, BenchTest
from playground.protocol.events import BenchDone, BenchPhase, BenchProgress, BenchRow
from playground.translate import later, tr

MOST_TESTS = 10_000
MOST_REPEATS = 1_000
_TELL_NS = 1_000_000_000
"""The least time between two reports from inside a repeat."""
_WATCHED = 64
"""Pieces of at least this many tokens are watched at every node, so that Stop needn't wait for their end; the
calls are too few to be measured there. Single tokens never are: it would cost up to an eighth of their speed."""
_ASIDE_PART = 4
"""The part of the free memory that copies of what chats have in the cache may take meanwhile."""
_MARKS = 16
_LOST = later(
    "While speed was measured, memory had no room for what this model had read of its chats. It is read again."
)
_WRITTEN = 4.0
"""A written token counts as so many read ones in the progress."""


class _Stopped(Exception):
    """The user stopped it, or the process is to end."""


class _Failed(Exception):
    """llama.cpp could not compute."""


@dataclass(slots=True)
class _Depth:
    """The cache after the tokens before a test, kept to be put back instead of computed again."""

    n: int
    state: Any
    size: int


@dataclass(slots=True)
class _Aside:
    """What a chat had in the cache."""

    slot: Slot
    tokens: list[int]
    parts: list[tuple[int, bytearray | bytes]]


@dataclass(slots=True)
class _Where:
    """What is told of the progress."""

    index: int = 0
    phase: BenchPhase = "warm_up"
    repeat: int = -1


class Benchmark:
    """Carries out Bench commands on a loaded model."""

    def __init__(self, model: Model, context: Context, inbox: Inbox, outbox: Outbox, threads: Threads) -> None:
        self._model = model
        self._ctx = context.ctx
        self._slots = context.slots
        self._reading = context.reading
        self._decoder = context.decoder
        self._inbox = inbox
        self._outbox = outbox
        self._threads = threads
        self._request = 0
        self._where = _Where()
        self._done = self._total = 0.0
        self._told_ns = 0
        self._depth: _Depth | None = None
        self._random = random.Random()
        self._piece = (lib.llama_token * model.info.n_batch)()
        self._one = (lib.llama_token * 1)()
        self._on_node = lib.ggml_abort_callback(lambda _data: self._stopping)

    def run(self, command: Bench, *, busy: bool) -> None:
        """Measure all tests and tell of them; ``busy``: answers are being written. Raises nothing."""
        refusal = self._refusal(command, busy)
        if refusal:
            self._outbox.send(BenchDone(command.request, "refused", refusal))
            return
        before = int(lib.llama_n_threads(self._ctx)), int(lib.llama_n_threads_batch(self._ctx))
        aside = self._put_aside()
        self._decoder.unwatch()
        try:
            self._outbox.send(self._measure(command))
        finally:
            self._depth = None
            self._inbox.stopped_benches.discard(command.request)
            lib.llama_set_abort_callback(self._ctx, NULL_ABORT, None)
            lib.llama_set_n_threads(self._ctx, *before)
            self._clear()
            for kept in reversed(aside):
                self._slots.adopt(kept.slot, kept.tokens, kept.parts)

    def _put_aside(self) -> list[_Aside]:
        """Empty the cache; what chats have there is copied, the last used first, and saved where memory is short."""
        aside = []
        room = memory.machine()[0] // _ASIDE_PART
        for slot in sorted(self._slots, key=lambda slot: -slot.used):
            size = self._slots.size(slot)
            if 0 < size <= room and (parts := self._slots.export(slot, _MARKS)):
                aside.append(_Aside(slot, list(slot.tokens), parts))
                room -= size
            else:
                self._slots.leaving(slot)
                if len(slot.tokens) >= WORTH_SAVING and self._reading.states is None:
                    self._model.notes = [tr(_LOST)]
            self._slots.clear(slot)
        return aside

    def _refusal(self, command: Bench, busy: bool) -> str:
        """Why it can't be done, as a sentence; empty if it can."""
        if busy:
            return tr("Speed can’t be measured while an answer is being written. Wait for its end, or stop it.")
        n_ctx = self._slots.n_ctx
        if not 0 < len(command.tests) <= MOST_TESTS or not 0 < command.repeats <= MOST_REPEATS:
            return tr(
                "A benchmark has 1 to {most_tests:,} tests and repeats each at most {most_repeats:,} times.",
                most_tests=MOST_TESTS,
                most_repeats=MOST_REPEATS,
            )
        if (
            command.n_threads < 0
            or command.n_threads_batch < 0
            or max(command.n_threads, command.n_threads_batch) > 512
        ):
            return tr("Threads go from 1 to 512.")
        for test in command.tests:
            if min(test.n_prompt, test.n_gen, test.n_depth) < 0 or test.n_prompt + test.n_gen == 0:
                return tr("A test reads or writes at least one token.")
            n = test.n_prompt + test.n_gen + test.n_depth
            if n > n_ctx:
                return tr(
                    "A test of {n:,} tokens doesn’t fit the context of {n_ctx:,}. Load the model with a larger "
                    "context, or choose a shorter test.",
                    n=n,
                    n_ctx=n_ctx,
                )
        return ""

    def _measure(self, command: Bench) -> BenchDone:
        self._request = command.request
        self._random.seed(1)
        self._done, self._total = 0.0, _work(command)
        loaded, loaded_batch = self._threads.loaded
        threads = command.n_threads or loaded
        for_prompts = command.n_threads_batch or command.n_threads or loaded_batch
        lib.llama_set_n_threads(self._ctx, threads, for_prompts)
        try:
            for index, test in enumerate(command.tests):
                self._where = _Where(index)
                started = time.time()
                samples = self._test(test, command.repeats)
                self._outbox.send(
                    BenchRow(command.request, index, test, samples, threads, for_prompts, started), urgent=False
                )
        except _Stopped:
            return BenchDone(command.request, "stopped")
        except _Failed as error:
            return BenchDone(command.request, "failed", str(error))
        return BenchDone(command.request, "done")

    def _test(self, test: BenchTest, repeats: int) -> list[int]:
        """Nanoseconds of each repeat."""
        self._tell()
        self._clear()
        self._read(test.n_prompt)
        self._write(min(1, test.n_gen))
        samples = []
        for repeat in range(repeats):
            self._where.repeat = repeat
            self._clear()
            self._go_to(test.n_depth)
            self._outbox.send(memory.sample(test.n_depth), urgent=False)
            self._where.phase = "prompt" if test.n_prompt else "writing"
            self._tell()
            start = time.perf_counter_ns()
            self._read(test.n_prompt)
            if test.n_gen:
                self._where.phase = "writing"
                self._write(test.n_gen)
            samples.append(time.perf_counter_ns() - start)
        return samples

    def _go_to(self, depth: int) -> None:
        """Fill the cache with so many tokens: those of the last time where they are kept."""
        kept = self._depth
        have = 0
        if depth and kept is not None and kept.n <= depth:
            put = lib.llama_state_seq_set_data(self._ctx, kept.state, kept.size, 0)
            have = kept.n if put else 0
            if not put:
                self._clear()
        if have == depth:
            return
        self._where.phase = "depth"
        self._tell()
        self._read(depth - have)
        self._keep(depth)

    def _keep(self, depth: int) -> None:
        """Keep the cache as it is, unless its copy would take half of the memory that is left."""
        self._depth = None
        size = int(lib.llama_state_seq_get_size(self._ctx, 0))
        if not 0 < size < memory.machine()[0] // 2:
            return
        state = (ctypes.c_uint8 * size)()
        if lib.llama_state_seq_get_data(self._ctx, state, size, 0) == size:
            self._depth = _Depth(depth, state, size)

    def _read(self, n: int) -> None:
        """Tokens as a prompt, in pieces of a batch; the positions follow those in the cache."""
        n_vocab, draw = self._model.info.n_vocab, self._random.randrange
        while n > 0:
            size = min(n, len(self._piece))
            self._piece[:size] = [draw(n_vocab) for _ in range(size)]
            lib.llama_set_abort_callback(self._ctx, self._on_node if size >= _WATCHED else NULL_ABORT, None)
            self._decode(lib.llama_batch_get_one(self._piece, size))
            n -= size
            self._done += size
            self._look()

    def _write(self, n: int) -> None:
        """Tokens one by one, as an answer."""
        if n <= 0:
            return
        tokens = [self._random.randrange(self._model.info.n_vocab) for _ in range(n)]
        lib.llama_set_abort_callback(self._ctx, NULL_ABORT, None)
        one, batch = self._one, lib.llama_batch_get_one(self._one, 1)
        for token in tokens:
            one[0] = token
            self._decode(batch)
            self._done += _WRITTEN
            self._look()

    def _decode(self, batch: Any) -> None:
        """One call, finished when this returns. Raises _Stopped, _Failed."""
        code = int(lib.llama_decode(self._ctx, batch))
        lib.llama_synchronize(self._ctx)
        if code:
            if self._stopping:
                raise _Stopped
            raise _Failed(tr("llama.cpp could not compute the benchmark’s tokens (code {code}).", code=code))

    def _look(self) -> None:
        if self._stopping:
            raise _Stopped
        if time.perf_counter_ns() - self._told_ns > _TELL_NS:
            self._tell()

    @property
    def _stopping(self) -> bool:
        return self._inbox.quitting or self._request in self._inbox.stopped_benches

    def _tell(self) -> None:
        self._told_ns = time.perf_counter_ns()
        where = self._where
        fraction = min(1.0, self._done / self._total) if self._total else 0.0
        self._outbox.send(
            BenchProgress(self._request, where.index, where.phase, where.repeat, fraction, self._told_ns), urgent=False
        )

    def _clear(self) -> None:
        lib.llama_memory_clear(self._model.memory, False)


def _work(command: Bench) -> float:
    """Everything there is to do, in read tokens; depths are read once where one follows another."""
    total, at = 0.0, 0
    for test in command.tests:
        total += test.n_prompt + _WRITTEN * min(1, test.n_gen)
        total += command.repeats * (test.n_prompt + _WRITTEN * test.n_gen)
        if test.n_depth:
            total += test.n_depth - at if at <= test.n_depth else test.n_depth
            at = test.n_depth
    return total
