"""The thread counts in force, for writing and for prompts: who sets them, and what is told of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from playground.engine import load_watch
from playground.engine.binding import lib
from playground.engine.governor import PIECES, Governor
from playground.engine.load import Model
from playground.protocol.commands import SetThreads
from playground.protocol.events import ThreadsChanged, ThreadsReason
from playground.protocol.measured import Measured

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment,unused-ignore]

_LEAST_PIECE = 32
"""Tokens; shorter pieces of a prompt cost more each and tell nothing."""


class Threads:
    """Hears of every decode, and changes the counts between two of them.

    ``apply`` gets both counts, writing and prompts; ``tell`` gets the event, after the tokens it doesn't concern.
    """

    def __init__(
        self, model: Model, apply: Callable[[int, int], None], tell: Callable[[ThreadsChanged], object]
    ) -> None:
        self.n = self._loaded = model.info.n_threads
        self.n_batch = self._loaded_batch = int(lib.llama_n_threads_batch(model.ctx))
        self.usual = self.n
        """What a fresh engine would write with."""
        self._fixed_batch = int(model.options["n_threads_batch"])
        """A count for prompts that was asked for at loading; 0: none."""
        self._apply, self._tell = apply, tell
        load = load_watch.watch()
        self._writing = Governor(self.n, model.governed, load)
        self._reading = Governor(self.n_batch, model.governed and not self._fixed_batch, load, PIECES)
        self._shared = False
        self._preemptions = _preemptions()

    @property
    def loaded(self) -> tuple[int, int]:
        """The counts that the model was loaded with, or that were measured since: for writing, and for prompts."""
        return self._loaded, self._loaded_batch

    def gives_way(self) -> bool:
        """Whether a token that takes far too long right now should be given up for one with fewer threads."""
        return self._writing.gives_way()

    def wrote(self, rows: int, took_ns: Sequence[int], *, given_up: bool = False) -> None:
        """Tokens were computed, one after the other, each time one for each of ``rows`` sequences.

        ``given_up``: the last was ended before it was done.
        """
        before = self._preemptions
        self._preemptions = _preemptions()
        # Whichever took longest was the one disturbed.
        disturbed = max(took_ns, default=0) if self._preemptions > before else -1
        n = self._writing.n
        for index, took in enumerate(took_ns):
            hopeless = given_up and index == len(took_ns) - 1
            n = self._writing.decoded(rows, took, took == disturbed, given_up=hopeless)
            if n != self.n:
                self._writing.late(took_ns[index + 1 :])  # computed with the count that is no more
                break
        if n != self.n:
            self._use(n, self.n_batch, self._writing.reason)

    def read(self, tokens: int, took_ns: int) -> None:
        """A piece of a prompt was computed."""
        if tokens >= _LEAST_PIECE:
            n = self._reading.decoded(1, took_ns / tokens, each=tokens)
            if n != self.n_batch:
                self._use(self.n, n, self._reading.reason)

    def measured(self, machine: Measured | None) -> None:
        """A measurement of this machine is there: what it found is what was loaded with from now on."""
        if machine is not None:
            self._loaded, self._loaded_batch = machine.n_threads, self._fixed_batch or machine.n_threads_batch
            self.n, self.n_batch = self._loaded, self._loaded_batch
            self.usual = self.n
            self._writing.cap(self.n)
            self._reading.cap(self.n_batch)
            self._apply(self.n, self.n_batch)

    def obey(self, command: SetThreads) -> None:
        """The app sets a count, or takes it back."""
        reason: ThreadsReason = "shared" if command.shared or self._shared else "asked"
        self._shared = command.shared
        n = command.n_threads or self._loaded
        if command.n_threads and not command.shared:
            self.usual = command.n_threads
        for_prompts = n if command.shared or n != self._loaded else self._loaded_batch
        for_prompts = for_prompts if command.shared else self._fixed_batch or for_prompts
        governed = command.governed
        self._use(
            self._writing.cap(n, reason, governed=governed),
            self._reading.cap(for_prompts, reason, governed=governed and not self._fixed_batch),
            reason,
        )

    def _use(self, n: int, n_batch: int, reason: ThreadsReason) -> None:
        before, before_batch = self.n, self.n_batch
        if (n, n_batch) == (before, before_batch):
            return
        self.n, self.n_batch = n, n_batch
        self._apply(n, n_batch)
        now = time.perf_counter_ns()
        if n != before:
            self._tell(ThreadsChanged(now, n, before, reason))
        elif n_batch != before_batch:
            self._tell(ThreadsChanged(now, n_batch, before_batch, reason, "prompt"))


def _preemptions() -> int:
    """How often the system took a core from one of our threads so far; 0 where it doesn't tell."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw if resource is not None else 0
