"""Events: what an engine tells. All times are ``time.perf_counter_ns()``, one clock for all processes of a machine."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from playground.protocol.commands import BenchTest
from playground.protocol.measured import Measured

PROTOCOL_VERSION = 2
"""Raised with every change of a message; both sides refuse a stranger."""

Finish: TypeAlias = Literal["end", "stop_string", "max_tokens", "stopped", "context_full", "failed"]
"""Why an answer ended: the model's own end token, a stop string, the limit, the user, no room, a fault."""

Phase: TypeAlias = Literal["thinking", "answer"]

Variation: TypeAlias = Literal["prefix", "batch", "threads", "pieces", "tweaked"]
"""What changed the bits of an answer: a reused prefix, other lanes in the batch, the thread count (with flash
attention), how the prompt was cut, sampling changed while it was written."""

ThreadsReason: TypeAlias = Literal["busy", "quiet", "shared", "asked", "trial"]
"""Other programs need the cores; they are free again; engines run together; the user set a count; a short try
whether another count is faster."""


BenchPhase: TypeAlias = Literal["warm_up", "depth", "prompt", "writing"]

BenchEnd: TypeAlias = Literal["done", "stopped", "refused", "failed"]

LoadFault: TypeAlias = Literal[
    "missing", "not_a_file", "not_gguf", "truncated", "unsupported", "memory", "context", "cancelled", "other"
]


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """First event of every engine."""

    version: int
    pid: int
    build: str
    """llama-cpp-python's version and llama.cpp's system info in words."""
    gpu: str = ""
    """Name of the GPU device the build can use; empty: none."""
    gpu_reason: str = ""
    """Why there is none, for the greyed controls."""
    rss: int = 0
    """Bytes the process occupies before a model is loaded."""


class LoadProgress(msgspec.Struct, frozen=True, tag="load_progress"):
    """Reading the file."""

    fraction: float
    t_ns: int


class ModelInfo(msgspec.Struct, frozen=True):
    """What was loaded. Sizes in bytes."""

    path: str
    name: str
    arch: str
    quant: str
    """llama.cpp's name of the file type: ``Q4_1``."""
    n_params: int
    size: int
    """Bytes of all tensors."""
    n_ctx: int
    """Tokens the context holds, shared by the engine's slots."""
    n_ctx_train: int
    n_vocab: int
    n_layer: int
    n_threads: int
    n_batch: int
    n_ubatch: int
    n_gpu_layers: int
    n_seq_max: int
    flash_attn: bool
    mmap: bool
    has_template: bool
    can_think: bool
    """The template reacts to ``enable_thinking``."""
    recurrent: bool
    """Recurrent or hybrid: a kept prefix can't be cut, only continued."""
    weights_bytes: int
    """Model buffers in all; with mmap they are file-backed."""
    repack_bytes: int
    """The part of the weights that llama.cpp copied into private memory."""
    kv_bytes: int
    compute_bytes: int
    gpu_bytes: int
    """What of all these lies on the GPU."""
    default_sampling: dict[str, Any] = {}
    """The file's own ``general.sampling.*``, by our field names."""
    licence: str = ""
    n_cores: int = 0
    """Fast physical cores that the engine may use: what engines that run together share. 0: not known."""
    auto_threads: int = 0
    """Threads that “automatic” takes on this machine."""


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """Ready to generate."""

    info: ModelInfo
    seconds: float


class Tuned(msgspec.Struct, frozen=True, tag="tuned"):
    """What a short measurement after the load found; the engine computes with it already."""

    machine: Measured | None
    """None: there was none."""
    seconds: float
    skipped: str = ""
    """A sentence on why not."""


class LoadFailed(msgspec.Struct, frozen=True, tag="load_failed"):
    """The model is not loaded; the process ends."""

    kind: LoadFault
    message: str
    """A sentence: what happened, what to do."""
    detail: str = ""
    """llama.cpp's own words."""


class Started(msgspec.Struct, frozen=True, tag="started"):
    """A job's prompt is known; reading it begins."""

    job: int
    t_ns: int
    n_prompt: int
    n_reused: int
    """Tokens of the prompt that were still in the KV cache, or computed once for another slot."""
    seed: int
    """The seed in force, also when the user left it random."""
    thinking: bool
    """The prompt ends inside a thinking block."""
    plain: bool = False
    """Completed as plain text, without a chat template."""
    note: str = ""
    """One sentence worth showing, e.g. that the model has no chat template."""
    n_restored: int = 0
    """The part of ``n_reused`` that came from a saved state."""
    repeatable: bool = False
    """The canonical plan is taken: the same answer comes again, token for token."""


class PromptProgress(msgspec.Struct, frozen=True, tag="prompt_progress"):
    """Reading the prompt."""

    job: int
    done: int
    total: int
    t_ns: int


class Token(msgspec.Struct, frozen=True, tag="token"):
    """One drawn token. The answer is the concatenation of ``text``; the engine joined the UTF-8 once."""

    job: int
    index: int
    """0 for the first drawn token of the answer."""
    id: int
    text: str
    """What became certain with this token; empty while a character or a possible stop string is open."""
    t_ns: int
    decode_ns: int
    """Time in llama_decode for the batch that gave the logits."""
    sample_ns: int
    n_past: int
    """Tokens in this slot's context after it."""
    phase: Phase = "answer"
    n_batch: int = 1
    """Slots that shared that batch."""


class SamplingChanged(msgspec.Struct, frozen=True, tag="sampling_changed"):
    """The new sampling draws the token ``at_index`` first."""

    job: int
    at_index: int
    t_ns: int


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """A job's last event."""

    job: int
    reason: Finish
    t_ns: int
    n_prompt: int
    n_drawn: int
    n_past: int
    message: str = ""
    """A sentence when reason is ``context_full`` or ``failed``."""
    stop_string: str = ""
    varies: list[Variation] = []
    """Why the same request may give another text next time; empty: it is repeatable (given seed and settings)."""


class ThreadsChanged(msgspec.Struct, frozen=True, tag="threads_changed"):
    """From now on the engine computes with another number of threads."""

    t_ns: int
    n_threads: int
    before: int
    reason: ThreadsReason
    phase: Literal["prompt", "writing"] = "writing"


class StatesSaved(msgspec.Struct, frozen=True, tag="states_saved"):
    """The slots are in the folder of saved states; the process ends."""

    n: int
    bytes: int
    seconds: float


class Memory(msgspec.Struct, frozen=True, tag="memory"):
    """What the process occupies now, in bytes; with each sample the KV cache in use in tokens."""

    t_ns: int
    rss: int
    file: int
    """File-backed resident pages: mapped weights (and libraries)."""
    anon: int
    """Private resident memory: KV cache, compute buffers, the rest."""
    swap: int
    major_faults: int
    """Pages read from disk since the process started."""
    kv_used: int
    """Tokens in the cache, all slots."""
    available: int
    """What the machine could give without swapping."""
    total: int


class TokenCount(msgspec.Struct, frozen=True, tag="token_count"):
    """Answer to CountTokens."""

    request: int
    n: int


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """Answer to Render; ``error`` is a sentence when the template failed."""

    request: int
    text: str
    n_tokens: int
    error: str = ""


class BenchProgress(msgspec.Struct, frozen=True, tag="bench_progress"):
    """How far a Bench is."""

    request: int
    index: int
    """The test it is at."""
    phase: BenchPhase
    repeat: int
    """From 0; −1 while warming up."""
    fraction: float
    """Of the whole request, from 0 to 1."""
    t_ns: int


class BenchRow(msgspec.Struct, frozen=True, tag="bench_row"):
    """One test, measured."""

    request: int
    index: int
    test: BenchTest
    samples_ns: list[int]
    """How long each repeat took; llama-bench divides the test's tokens by it."""
    n_threads: int
    n_threads_batch: int
    started_s: float
    """Seconds since 1970."""


class BenchDone(msgspec.Struct, frozen=True, tag="bench_done"):
    """A Bench's last event."""

    request: int
    reason: BenchEnd
    message: str = ""
    """A sentence when reason is ``refused`` or ``failed``."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A command that can't be carried out; nothing changed."""

    message: str


Event: TypeAlias = (
    Hello
    | LoadProgress
    | Loaded
    | Tuned
    | LoadFailed
    | Started
    | PromptProgress
    | Token
    | SamplingChanged
    | Finished
    | ThreadsChanged
    | StatesSaved
    | Memory
    | TokenCount
    | Rendered
    | BenchProgress
    | BenchRow
    | BenchDone
    | Refused
)
