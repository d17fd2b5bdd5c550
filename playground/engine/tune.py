"""A short measurement right after the first load: which thread count and which micro batch suit this machine.

The usual counts stand unless others are clearly faster, so that the result is the same each time.
Nothing is measured while others use the cores, and a waiting answer ends it at once.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Protocol

from playground.engine import load_watch
from playground.engine.binding import build_text, lib
from playground.engine.cores import Cores, read_cores
from playground.engine.load import Model
from playground.protocol.events import Tuned
from playground.protocol.measured import Measured
from playground.translate import tr

ROUNDS = 3
"""Rounds over all candidates; in each the first token after a change is left out."""
TOKENS = 2
"""Tokens of each candidate that count in a round."""
CLEARLY = 0.93
"""A candidate must take at most this part of the usual one's time."""
PIECES = (128, 256, 512)
USUAL_PIECE = 512
BUSY_SHARE = 0.3
"""Of a core: others that use more make a measurement worthless."""
PAUSE_S, PATIENCE = 0.2, 50
"""Between two looks for a quiet moment, and how many are taken."""
_ROOM = 1024
"""Tokens the context must hold."""


class Meter(Protocol):
    """Decodes, and says in ns how long it took."""

    def token(self, n_threads: int) -> int:
        """One token."""

    def piece(self, n_tokens: int, n_threads: int) -> int:
        """A piece of a prompt."""


class OutOfTime(Exception):
    """The measurement's time is over, or somebody waits for the engine."""


class Tuning:
    """The measurement of a freshly loaded engine: made as soon as nothing else uses the cores."""

    def __init__(self, model: Model, seconds: float, is_wanted: Callable[[], bool]) -> None:
        """``seconds``: how long it may take, 0: none is made; ``is_wanted``: an answer waits."""
        self._model = model
        self._seconds = seconds
        self._is_wanted = is_wanted
        self._load = load_watch.watch() if seconds > 0 else None
        self._looks = PATIENCE if seconds > 0 else 0

    @property
    def pause_s(self) -> float | None:
        """Until `idle` should be called again, if nothing else comes; None: it is over."""
        return PAUSE_S if self._looks else None

    def idle(self) -> Tuned | None:
        """Nothing is being computed: measure, if the machine is quiet. Something to tell, or None."""
        if not self._looks:
            return None
        self._looks -= 1
        if self._is_wanted():
            return self.skip(tr("an answer was wanted"))
        if self._load is not None:
            self._load.look()
            free = self._load.free(int(PAUSE_S * 0.9e9))
            if free is None or free < read_cores().logical - BUSY_SHARE:
                return None if self._looks else self.skip(tr("another program was using the processor"))
        self._looks = 0
        return self._measure()

    def skip(self, why: str) -> Tuned:
        """Give it up."""
        self._looks = 0
        return Tuned(None, 0.0, tr("Threads were not measured: {why}.", why=why))

    def _measure(self) -> Tuned:
        """The cache is empty afterwards."""
        start = time.perf_counter()
        model, cores = self._model, read_cores()
        before = int(lib.llama_n_threads(model.ctx)), int(lib.llama_n_threads_batch(model.ctx))
        try:
            meter = ContextMeter(model, start + self._seconds, self._is_wanted)
            found = measure(meter, cores, identity(cores), with_pieces=model.info.n_ctx >= _ROOM)
        except OutOfTime:
            return self.skip(tr("an answer was wanted") if self._is_wanted() else tr("this model is too slow for that"))
        finally:
            lib.llama_set_n_threads(model.ctx, *before)
            lib.llama_memory_clear(model.memory, False)
        took = time.perf_counter() - start
        if self._load is not None:
            self._load.look()
            free = self._load.free(int(took * 0.5e9))
            if free is not None and free < cores.logical - BUSY_SHARE:
                return self.skip(tr("another program was using the processor"))
        return Tuned(found, took)


def known(machine: Measured | None) -> Measured | None:
    """A kept measurement, if it was made on this machine as it is now, with this llama.cpp."""
    cores = read_cores()
    if machine is None or machine.identity != identity(cores):
        return None
    in_range = min(machine.n_threads, machine.n_threads_batch) >= 1 and machine.n_ubatch in (0, *PIECES)
    return machine if in_range and max(machine.n_threads, machine.n_threads_batch) <= cores.most else None


def measure(meter: Meter, cores: Cores, identity: str, *, with_pieces: bool = True) -> Measured:
    """The best counts. Raises OutOfTime while not even the threads are known."""
    token_ns = time_tokens(meter, candidates(cores))
    best = choose(token_ns, cores.default)
    for near in (best - 1, best + 1):
        if near not in token_ns and 1 <= near <= cores.most and best != cores.default:
            token_ns |= time_tokens(meter, [near])
    n_threads = choose(token_ns, cores.default)
    n_batch, n_ubatch, piece_ns = n_threads, 0, dict[int, int]()
    if with_pieces:
        try:
            n_batch, n_ubatch = _prompts(meter, cores, n_threads, piece_ns)
        except OutOfTime:
            pass
    return Measured(identity, n_threads, n_batch, n_ubatch, token_ns, piece_ns)


def candidates(cores: Cores) -> list[int]:
    """Thread counts worth a try: each one where there are few cores, else some between half and all."""
    if cores.most <= 4:
        return list(range(1, cores.most + 1))
    fast = cores.default
    return sorted({max(1, fast // 2), max(1, fast * 3 // 4), fast - 1, fast, cores.most})


def time_tokens(meter: Meter, counts: Sequence[int]) -> dict[int, int]:
    """The median time of a token at each count, the counts taken in turn so that all see the same machine."""
    times: dict[int, list[int]] = {n: [] for n in counts}
    for _ in range(ROUNDS):
        for n in counts:
            meter.token(n)
            times[n] += [meter.token(n) for _ in range(TOKENS)]
    return {n: int(median(taken)) for n, taken in times.items()}


def choose(times: dict[int, int], usual: int) -> int:
    """The usual one, unless another is clearly faster; then the smallest of the fastest."""
    fastest = min(times.values())
    if usual in times and fastest > CLEARLY * times[usual]:
        return usual
    return min(n for n, taken in times.items() if taken * CLEARLY <= fastest)


def _prompts(meter: Meter, cores: Cores, n_threads: int, piece_ns: dict[int, int]) -> tuple[int, int]:
    """Threads for prompts, and the micro batch (0: the default stands). Raises OutOfTime."""
    first = PIECES[0]
    n_batch = n_threads
    taken = {n: meter.piece(first, n) for n in sorted({n_threads, cores.default, cores.most})}
    n_batch = choose(taken, cores.default)
    piece_ns[first] = taken[n_batch] // first
    for n in PIECES[1:]:
        try:
            piece_ns[n] = meter.piece(n, n_batch) // n
        except OutOfTime:
            return n_batch, 0
    best = choose(piece_ns, USUAL_PIECE)
    return n_batch, 0 if best == USUAL_PIECE else best


class ContextMeter:
    """Measures in a loaded model's context, up to a deadline."""

    def __init__(self, model: Model, deadline: float, is_wanted: Callable[[], bool]) -> None:
        self._ctx, self._memory = model.ctx, model.memory
        self._n_ubatch = model.info.n_ubatch
        self._deadline, self._is_wanted = deadline, is_wanted
        self._tokens = (ctypes.c_int32 * max(PIECES))(*[index % model.info.n_vocab for index in range(max(PIECES))])
        self._used = 0
        self._token_s = 0.0
        """Seconds that a token of a prompt took: what a longer piece will take."""

    def token(self, n_threads: int) -> int:
        """Raises OutOfTime."""
        return self._decode(1, n_threads)

    def piece(self, n_tokens: int, n_threads: int) -> int:
        """Raises OutOfTime, also when it would come to that in the middle."""
        if n_tokens > self._n_ubatch or time.perf_counter() + self._token_s * n_tokens > self._deadline:
            raise OutOfTime
        lib.llama_memory_clear(self._memory, False)
        took = self._decode(n_tokens, n_threads)
        self._token_s = took / 1e9 / n_tokens
        return took

    def _decode(self, n_tokens: int, n_threads: int) -> int:
        if time.perf_counter() > self._deadline or self._is_wanted():
            raise OutOfTime
        lib.llama_set_n_threads(self._ctx, n_threads, n_threads)
        start = time.perf_counter_ns()
        code = lib.llama_decode(self._ctx, lib.llama_batch_get_one(self._tokens, n_tokens))
        lib.llama_synchronize(self._ctx)
        took = time.perf_counter_ns() - start
        if code:
            raise OutOfTime
        self._token_s = self._token_s or took / 1e9 / 4  # a prompt's token takes far less than a written one
        return took


def identity(cores: Cores) -> str:
    """What a measurement depends on: processor, cores, affinity, and llama.cpp's build."""
    affinity = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    parts = (_processor(), str(cores), str(affinity), build_text())
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "CPU part"):
                return value.strip()
    except OSError:
        pass
    return f"{platform.processor()} {platform.machine()}"
