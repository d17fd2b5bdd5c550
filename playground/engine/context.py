"""A llama.cpp context with what goes with it: its sequences, its batches, the order its prompts are read in.

The ordinary context is shared by all lanes. A repeatable answer gets one of its own, made for it and
freed after it, because its bits must not depend on anything else: not on what was in the cache, where
in the cache it lies, who shares a batch, how the prompt was cut, or how many threads there were.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playground.engine import memory
from playground.engine.binding import lib
from playground.engine.decode import Decoder
from playground.engine.describe import meta
from playground.engine.halt import Halt
from playground.engine.load import Model, canonical_context, canonical_values
from playground.engine.reading import Reading
from playground.engine.slots import Slots
from playground.engine.states import States
from playground.fit.estimate import BYTES_PER_VALUE
from playground.protocol.events import StatesSaved
from playground.translate import tr

CANONICAL_UBATCH = 64
"""Tokens of a prompt's pieces in a repeatable answer. Part of the plan: another number gives other bits."""

_CHECKPOINTS_MOST = 512 << 20
"""Bytes for the checkpoints of models that need them, and the part of the free memory they may take at most."""
_CHECKPOINTS_PART = 16


class Context:
    """One context; `ordinary` and `canonical` make it."""

    def __init__(self, ctx: Any, slots: Slots, decoder: Decoder, reading: Reading, *, canonical: bool) -> None:
        self.ctx = ctx
        self.slots = slots
        self.decoder = decoder
        self.reading = reading
        self.canonical = canonical
        """Made for one repeatable answer."""

    @classmethod
    def ordinary(cls, model: Model, watch: Callable[[float], bool], halt: Halt) -> Context:
        """The context the model was loaded with."""
        info = model.info
        # Also with swa_full: what a window has left behind, llama.cpp writes over and leaves out of a saved state.
        window = int(lib.llama_model_n_swa(model.handle))
        budget = min(_CHECKPOINTS_MOST, memory.machine()[0] // _CHECKPOINTS_PART)
        slots = Slots(model.ctx, info.n_seq_max, info.n_ctx, recurrent=info.recurrent, window=window, budget=budget)
        decoder = Decoder(model.ctx, info.n_ubatch, info.n_seq_max, model.n_nodes, watch, halt)
        reading = Reading(slots, info.n_batch, info.n_ubatch)
        return cls(model.ctx, slots, decoder, reading, canonical=False)

    @classmethod
    def for_repeating(cls, model: Model, watch: Callable[[float], bool], halt: Halt, n_threads: int) -> Context:
        """A fresh context for one repeatable answer. Raises MemoryError with a sentence."""
        info = model.info
        needed, room = canonical_bytes(model), memory.machine()[0]
        if needed > room:
            raise MemoryError(
                tr(
                    "A repeatable answer needs a context of its own, {needed:.2f} GB, and {room:.2f} GB are free. "
                    "Load the model with a smaller context, or switch “Repeatable” off.",
                    needed=needed / 1e9,
                    room=room / 1e9,
                )
            )
        ctx = canonical_context(model, CANONICAL_UBATCH, n_threads)
        slots = Slots(ctx, 1, info.n_ctx, recurrent=info.recurrent)
        decoder = Decoder(ctx, CANONICAL_UBATCH, 1, model.n_nodes, watch, halt)
        reading = Reading(slots, CANONICAL_UBATCH, CANONICAL_UBATCH)
        return cls(ctx, slots, decoder, reading, canonical=True)

    def keep_in(self, states: States | None) -> None:
        """Save what has to leave a slot, and look there for what a prompt begins with."""
        self.reading.states = states
        if states is not None:
            self.slots.leaving = lambda slot: states.save(self.slots, slot)

    def save(self) -> StatesSaved:
        """Keep what the slots hold, for the next time this model is loaded."""
        start, states = time.perf_counter(), self.reading.states
        n, size = states.save_all(self.slots) if states else (0, 0)
        return StatesSaved(n, size, time.perf_counter() - start)

    def use_threads(self, n_threads: int, n_threads_batch: int) -> None:
        """From the next decode on."""
        lib.llama_set_n_threads(self.ctx, n_threads, n_threads_batch)

    def free(self) -> None:
        """Give its memory back."""
        lib.llama_free(self.ctx)
        self.ctx = None


def rope_by_length(model: Model) -> str:
    """Which of its two sets of rotations a model like Phi 3 takes; empty for all others.

    The context’s size decides (``llama_model::get_rope_factors``), and what is in the cache was turned by it.
    """
    own = meta(model.handle, f"{model.info.arch}.rope.scaling.original_context_length")
    if not own.isdigit():
        return ""
    return " rope=long" if model.info.n_ctx > int(own) else " rope=short"


def canonical_bytes(model: Model) -> int:
    """Bytes a repeatable answer's context takes: its cache, and attention's scores for a piece."""
    info, options = model.info, model.options
    key, value = (BYTES_PER_VALUE[options[name]] for name in ("cache_type_k", "cache_type_v"))
    own = BYTES_PER_VALUE[canonical_values(options)]
    heads = max(1, int(lib.llama_model_n_head(model.handle)))
    cache = int(info.kv_bytes * (key + own) / (key + value))
    return cache + info.n_ctx * CANONICAL_UBATCH * heads * 4 + info.compute_bytes // 2
