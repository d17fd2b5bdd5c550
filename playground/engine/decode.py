"""`llama_decode` with its time taken, and watched where it may last: in prompts, and on slow machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from playground.engine.batch import PromptBatch, WriterBatch
from playground.engine.binding import NULL_ABORT, lib
from playground.engine.halt import Halt

OK, NO_ROOM, ABORTED = 0, 1, 2
_SLOW_NS = 30_000_000
"""A decode of single tokens that takes longer can be stopped too, so that Stop needn't wait for its end."""


class Decoder:
    """Decodes the two kinds of batch.

    While a piece of a prompt is decoded, ``watch`` is called at every node of the graph with how much of it is
    done (0 to 1); when it says True, the decode is aborted. That would cost tokens of a small model too much:
    they are aborted by ``halt`` alone.
    """

    def __init__(
        self, ctx: Any, n_batch: int, n_seq: int, n_nodes: int, watch: Callable[[float], bool], halt: Halt
    ) -> None:
        self._ctx = ctx
        self._halt = halt
        self.prompts = PromptBatch(n_batch, n_seq)
        self.writers = WriterBatch(n_seq)
        self.took_ns = 0
        """How long the last decode took."""
        self.usual_ns = 0.0
        """What a token takes; 0 before the first."""
        self.began_ns = 0
        """When the token under way was begun, if it may be given up; 0: none is."""
        self.gave_up = False
        """The last token was given up, and is to be computed anew."""
        self._lost_ns = 0
        self._impatience: Halt | None = None
        self._watched_by: object = None
        self._waits = bool(lib.llama_supports_gpu_offload())
        """On a processor alone a decode that returns is done."""
        self._nodes = 0
        self._of_nodes = n_nodes
        """Nodes of a graph, at first a guess, then counted in the last watched decode that ran to its end."""

        def on_node(_data: object) -> bool:
            self._nodes += 1
            return watch(min(1.0, self._nodes / self._of_nodes) if self._of_nodes else 0.0)

        self._on_node = lib.ggml_abort_callback(on_node)

    def piece(self, seq: int, tokens: Sequence[int], start: int, *, last: bool) -> int:
        """A piece of a prompt. llama.cpp's code: 0 done, 1 no room, 2 aborted, negative a fault."""
        self._let_watch(self._on_node)
        code = self._decode(self.prompts.fill(seq, tokens, start, last=last))
        if code == OK:
            self._of_nodes = self._nodes
        return code

    def row_each(self, *, may_abort: bool) -> int:
        """The tokens put into `writers`; the same codes."""
        heeded = self._halt if self.usual_ns > _SLOW_NS else self._impatience
        self._let_watch(heeded if may_abort else None)
        if self._impatience is not None:
            self._impatience.clear()
            if not self.gave_up:  # what was given up once is computed to its end
                self.began_ns = time.perf_counter_ns()
        code = self._decode(self.writers.struct)
        self.began_ns = 0
        took, usual = self.took_ns, self.usual_ns
        if code != ABORTED:
            self.gave_up = False
            self.usual_ns += 0.25 * (min(took, 4 * usual) - usual) if usual else took
        elif self.gave_up:
            self._lost_ns += took
        return code

    def allow_giving_up(self) -> None:
        """From now on `give_up` may be called."""
        self._impatience = Halt()

    def give_up(self, began_ns: int) -> None:
        """From another thread: end the token that was begun then, if it is still under way."""
        if self._impatience is not None and self.began_ns == began_ns:
            self.gave_up = True
            self._impatience.set()
            if self._watched_by is self._halt:
                self._halt.set()

    def take_lost_ns(self) -> int:
        """What was spent on tokens that were given up, since this was asked last."""
        lost, self._lost_ns = self._lost_ns, 0
        return lost

    def row(self, token: int, position: int, seq: int) -> int:
        """One token of the only sequence that writes; the same codes."""
        self.writers.clear()
        self.writers.add(token, position, seq)
        return self.row_each(may_abort=True)

    def unwatch(self) -> None:
        """Leave the context's abort callback to others until the next decode."""
        self._let_watch(None)

    def _decode(self, batch: Any) -> int:
        self._nodes = 0
        start = time.perf_counter_ns()
        code = int(lib.llama_decode(self._ctx, batch))
        if self._waits:
            lib.llama_synchronize(self._ctx)
        self.took_ns = time.perf_counter_ns() - start
        return code

    def _let_watch(self, watcher: object) -> None:
        """A `Halt`, or a callback of llama.cpp's kind, or None."""
        if watcher is not self._watched_by:
            self._watched_by = watcher
            callback, data = (watcher.callback, watcher.data) if isinstance(watcher, Halt) else (watcher, None)
            lib.llama_set_abort_callback(self._ctx, callback or NULL_ABORT, data)
