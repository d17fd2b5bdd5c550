"""An answer's per-token figures in growing arrays: what plots, exports and the store read.

numpy is imported when the first figure comes: the window's first picture needs none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from playground.protocol.events import Memory, Token
from playground.workspace.packed import Columns as Columns
from playground.workspace.packed import pack, unpack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TOKEN_DTYPE: Columns = [
    ("t_ns", "i8"),
    ("decode_ns", "i8"),
    ("sample_ns", "i8"),
    ("gap_ns", "i8"),
    ("id", "i4"),
    ("n_past", "i4"),
    ("chars", "i4"),
    ("n_batch", "i2"),
    ("thinking", "i1"),
    ("wait_ns", "i8"),
]
"""``gap_ns``: time since the token before (for the first: since its logits' decode began): what the user waits.
``chars``: characters of the answer (thinking included) up to and with this token."""

MEMORY_DTYPE: Columns = [
    ("t_ns", "i8"),
    ("rss", "i8"),
    ("file", "i8"),
    ("anon", "i8"),
    ("swap", "i8"),
    ("major_faults", "i8"),
    ("kv_used", "i8"),
    ("available", "i8"),
    ("total", "i8"),
    ("read_bytes", "i8"),
    ("swap_used", "i8"),
    ("swap_total", "i8"),
    ("gpu_used", "i8"),
    ("gpu_total", "i8"),
]

MEMORY_KEPT = 1000
"""Memory samples kept with an answer, at most: four minutes as they come, the highest of each stretch beyond."""

MEMORY_MOST, MEMORY_LEAST = 8000, 6500
"""Memory samples of an engine: at so many, half an hour of writing, all but the newer are forgotten."""


class Rows:
    """A structured array that grows by doubling; ``view`` is the filled part, without a copy."""

    def __init__(self, columns: Columns, capacity: int = 1024) -> None:
        self._columns = columns
        self._capacity = capacity
        self._made: NDArray[Any] | None = None
        self._n = 0

    @property
    def _rows(self) -> NDArray[Any]:
        if self._made is None:
            import numpy as np

            self._made = np.zeros(self._capacity, self._columns)
        return self._made

    def __len__(self) -> int:
        return self._n

    @property
    def view(self) -> NDArray[Any]:
        """The filled rows; valid until the next append."""
        return self._rows[: self._n]

    def append(self, row: tuple[Any, ...]) -> None:
        """Add one row, in the dtype's order."""
        self.extend([row])

    def extend(self, rows: list[tuple[Any, ...]]) -> None:
        """Add rows: many at a time cost little more than one."""
        end = self._n + len(rows)
        while end > len(self._rows):
            import numpy as np

            self._made = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n : end] = rows
        self._n = end

    def keep_last(self, n: int) -> None:
        """Forget all but the newest rows."""
        self._rows[:n] = self.view[-n:].copy()
        self._n = min(self._n, n)

    def clear(self) -> None:
        """Forget all rows, keep the room."""
        self._n = 0

    def to_bytes(self) -> bytes:
        """As a compressed numpy archive, never pickled."""
        return pack(rows=self.view)

    def load(self, data: bytes, name: str = "rows") -> None:
        """Fill from `pack`. Raises ValueError on anything else."""
        import numpy as np

        rows = unpack(data, name, self._columns)
        self._made = np.concatenate([rows, np.zeros(64, rows.dtype)])
        self._n = len(rows)


@dataclass(slots=True)
class Mark:
    """Something that happened during an answer, for the plots."""

    t_ns: int
    index: int
    """The token it took effect at."""
    text: str


class Answer:
    """The figures of one answer, live or kept."""

    def __init__(self) -> None:
        self.node = ""
        """Id of the turn whose figures these are."""
        self.tokens = Rows(TOKEN_DTYPE)
        self.memory = Rows(MEMORY_DTYPE, 64)
        """The engine's memory from the send to the end; filled when the answer has ended."""
        self.marks: list[Mark] = []
        self.asked_ns = 0
        """When the user sent the turn."""
        self.started_ns = 0
        """When reading the prompt began; 0: not yet."""
        self.n_prompt = 0
        self.n_reused = 0
        self.n_restored = 0
        """The part of it that came from disk."""
        self.prompt_done = 0
        self.prompt_ns = 0
        """Time of the newest prompt progress."""
        self.finished_ns = 0
        self._chars = 0

    def add(self, *tokens: Token) -> None:
        """Append tokens."""
        rows, made = self.tokens, []
        first = tokens[0]
        before = int(rows.view["t_ns"][-1]) if len(rows) else first.t_ns - first.decode_ns - first.sample_ns
        for token in tokens:
            self._chars += len(token.text)
            made.append(
                (
                    token.t_ns,
                    token.decode_ns,
                    token.sample_ns,
                    max(0, token.t_ns - before),
                    token.id,
                    token.n_past,
                    self._chars,
                    token.n_batch,
                    token.phase == "thinking",
                    token.wait_ns,
                )
            )
            before = token.t_ns
        rows.extend(made)

    def take_memory(self, samples: Rows) -> None:
        """Keep what the engine occupied while it wrote this; of very many samples the highest of each stretch."""
        import numpy as np

        times = samples.view["t_ns"]
        mine = samples.view[np.searchsorted(times, self.asked_ns) : np.searchsorted(times, self.finished_ns, "right")]
        self.memory.clear()
        for part in np.array_split(mine, min(len(mine), MEMORY_KEPT)) if len(mine) else ():
            self.memory.append(part[int(part["rss"].argmax())].item())

    def to_bytes(self) -> bytes:
        """Tokens and memory, to be kept with the turn."""
        return pack(rows=self.tokens.view, memory=self.memory.view)

    def load(self, data: bytes) -> None:
        """Fill from `to_bytes`. Raises ValueError on anything else; the memory may be missing."""
        self.tokens.load(data)
        with suppress(ValueError):
            self.memory.load(data, "memory")

    @property
    def ttft_ns(self) -> int:
        """From the send to the first token; 0 while there is none."""
        return int(self.tokens.view["t_ns"][0]) - self.asked_ns if len(self.tokens) else 0

    @property
    def prompt_tok_s(self) -> float:
        """Prompt tokens computed (not reused) a second, over what was read so far."""
        end = int(self.tokens.view["t_ns"][0]) if len(self.tokens) else self.prompt_ns
        done = (self.n_prompt if len(self.tokens) else self.prompt_done) - self.n_reused
        return done * 1e9 / (end - self.started_ns) if self.started_ns and end > self.started_ns and done > 0 else 0.0

    def tok_s(self, window: int = 0) -> float:
        """Tokens a second over the whole answer, or over the last ``window`` tokens."""
        if len(self.tokens) < 2:
            return 0.0
        times = self.tokens.view["t_ns"]
        times = times[-(window + 1) :] if window else times
        return (len(times) - 1) * 1e9 / max(1, int(times[-1] - times[0]))


def rolling_tok_s(t_ns: NDArray[Any], window: int = 16) -> NDArray[np.float64]:
    """Tokens a second over the last ``window`` tokens, per token; the first is NaN."""
    import numpy as np

    n = len(t_ns)
    out = np.full(n, np.nan)
    if n < 2:
        return out
    index = np.arange(1, n)
    back = np.maximum(0, index - window)
    out[1:] = (index - back) * 1e9 / np.maximum(1, t_ns[1:] - t_ns[back])
    return out


class MemorySeries:
    """An engine's memory over time."""

    def __init__(self) -> None:
        self.rows = Rows(MEMORY_DTYPE, 256)

    def add(self, sample: Memory) -> None:
        """Append one sample."""
        if len(self.rows) >= MEMORY_MOST:
            self.rows.keep_last(MEMORY_LEAST)
        self.rows.append(msgspec.structs.astuple(sample))
