"""Events: what an engine tells. All times are ``time.perf_counter_ns()``, one clock for all processes of a machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from playground.protocol.commands import BenchTest
from playground.protocol.measured import Measured
from playground.protocol.numbers import Count, Number

PROTOCOL_VERSION = 7
"""Raised with every change of a message; both sides refuse a stranger."""

Finish: TypeAlias = Literal["end", "stop_string", "max_tokens", "stopped", "context_full", "failed"]
"""Why an answer ended: the model's own end token, a stop string, the limit, the user, no room, a fault."""

Phase: TypeAlias = Literal["thinking", "answer"]

Variation: TypeAlias = Literal["prefix", "batch", "threads", "pieces", "tweaked", "date"]
"""What changed the bits of an answer: a reused prefix, other lanes in the batch, the thread count (with flash
attention), how the prompt was cut, sampling changed while it was written, the date in the prompt."""

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

    version: Number
    pid: Number
    build: str
    """llama-cpp-python's version and llama.cpp's system info in words."""
    gpu: str = ""
    """Name of the GPU device the build can use; empty: none."""
    gpu_reason: str = ""
    """Why there is none, for the greyed controls."""
    rss: Number = 0
    """Bytes the process occupies before a model is loaded."""
    gpu_free: Number = 0
    """Bytes of the GPU's memory that could be given then."""
    gpu_total: Number = 0


class LoadProgress(msgspec.Struct, frozen=True, tag="load_progress"):
    """Reading the file."""

    fraction: float
    t_ns: Number


class ModelInfo(msgspec.Struct, frozen=True):
    """What was loaded. Sizes in bytes."""

    path: str
    name: str
    arch: str
    quant: str
    """llama.cpp's name of the file type: ``Q4_1``."""
    n_params: Number
    size: Number
    """Bytes of all tensors."""
    n_ctx: Count
    """Tokens the context holds, shared by the engine's slots."""
    n_ctx_train: Count
    n_vocab: Count
    n_layer: Count
    n_threads: Count
    n_batch: Count
    n_ubatch: Count
    n_gpu_layers: Count
    n_seq_max: Count
    flash_attn: bool
    mmap: bool
    has_template: bool
    can_think: bool
    """The template reacts to ``enable_thinking``."""
    recurrent: bool
    """Recurrent or hybrid: a kept prefix can't be cut, only continued."""
    weights_bytes: Number
    """Model buffers in all; with mmap they are file-backed."""
    repack_bytes: Number
    """The part of the weights that llama.cpp copied into private memory."""
    kv_bytes: Number
    compute_bytes: Number
    gpu_bytes: Number
    """What of all these lies on the GPU."""
    default_sampling: dict[str, Any] = {}
    """The file's own ``general.sampling.*``, by our field names."""
    licence: str = ""
    n_cores: Count = 0
    """Fast physical cores that the engine may use: what engines that run together share. 0: not known."""
    auto_threads: Count = 0
    """Threads that “automatic” takes on this machine."""
    description: str = ""
    """llama.cpp’s own words: “llama 1B Q4_K - Medium”."""
    backends: str = ""
    """What it can compute with, as llama-bench names it: “CPU”, “CUDA”, “Vulkan,BLAS”."""
    commit: str = ""
    """The state of llama.cpp’s source that the build was made from."""


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """Ready to generate."""

    info: ModelInfo
    seconds: float
    note: str = ""
    """Sentences on what was decided otherwise than asked, e.g. a smaller context."""


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

    job: Number
    t_ns: Number
    n_prompt: Count
    n_reused: Count
    """Tokens of the prompt that were still in the KV cache, or computed once for another slot."""
    seed: Number
    """The seed in force, also when the user left it random."""
    thinking: bool
    """The prompt ends inside a thinking block."""
    plain: bool = False
    """Completed as plain text, without a chat template."""
    note: str = ""
    """One sentence worth showing, e.g. that the model has no chat template."""
    n_restored: Count = 0
    """The part of ``n_reused`` that came from a saved state."""
    repeatable: bool = False
    """The canonical plan is taken: the same answer comes again, token for token."""
    n_threads: Count = 0
    """Threads that write as it begins; 0: not told."""


class Reused(msgspec.Struct, frozen=True, tag="reused"):
    """Less of a prompt is there than Started said: the answer that was reading it as well has ended."""

    job: Number
    n_reused: Count
    n_restored: Count = 0


class PromptProgress(msgspec.Struct, frozen=True, tag="prompt_progress"):
    """Reading the prompt."""

    job: Number
    done: Count
    total: Number
    t_ns: Number


class Token(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag="token"):
    """One drawn token. The answer is the concatenation of ``text``; the engine joined the UTF-8 once."""

    job: Number
    index: Count
    """0 for the first drawn token of the answer."""
    id: Count
    text: str
    """What became certain with this token; empty while a character or a possible stop string is open."""
    t_ns: Number
    decode_ns: Number
    """Time in llama_decode for the batch that gave the logits."""
    sample_ns: Number
    n_past: Count
    """Tokens in this slot's context after it."""
    phase: Phase = "answer"
    n_batch: Annotated[int, msgspec.Meta(ge=0, le=32767)] = 1
    """Slots that shared that batch."""
    wait_ns: Number = 0
    """Since this slot's token before: what the engine computed for other slots only, their draws and prompts."""


class SamplingChanged(msgspec.Struct, frozen=True, tag="sampling_changed"):
    """The new sampling draws the token ``at_index`` first."""

    job: Number
    at_index: Count
    t_ns: Number


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """A job's last event."""

    job: Number
    reason: Finish
    t_ns: Number
    n_prompt: Count
    n_drawn: Count
    n_past: Count
    message: str = ""
    """A sentence when reason is ``context_full`` or ``failed``."""
    stop_string: str = ""
    varies: list[Variation] = []
    """Why the same request may give another text next time; empty: it is repeatable (given seed and settings)."""


class ThreadsChanged(msgspec.Struct, frozen=True, tag="threads_changed"):
    """From now on the engine computes with another number of threads."""

    t_ns: Number
    n_threads: Count
    before: Count
    reason: ThreadsReason
    phase: Literal["prompt", "writing"] = "writing"


class StatesSaved(msgspec.Struct, frozen=True, tag="states_saved"):
    """The slots are in the folder of saved states; the process ends."""

    n: Count
    bytes: Number
    seconds: float


class Memory(msgspec.Struct, frozen=True, tag="memory"):
    """What the process occupies now, in bytes; with each sample the KV cache in use in tokens."""

    t_ns: Number
    rss: Number
    file: Number
    """File-backed resident pages: mapped weights (and libraries)."""
    anon: Number
    """Private resident memory: KV cache, compute buffers, the rest."""
    swap: Number
    major_faults: Number
    """Pages read from disk since the process started."""
    kv_used: Count
    """Tokens in the cache, all slots."""
    available: Number
    """What the machine could give without swapping."""
    total: Number
    read_bytes: Number = 0
    """Read from the disk since the process started, mapped pages included; 0 where the system doesn't say."""
    swap_used: Number = 0
    """Of the whole machine."""
    swap_total: Number = 0
    gpu_used: Number = 0
    """Of the GPU that the model lies on, by all programs; 0 where none is used."""
    gpu_total: Number = 0


class TokenCount(msgspec.Struct, frozen=True, tag="token_count"):
    """Answer to CountTokens."""

    request: Number
    n: Count


class Piece(msgspec.Struct, frozen=True):
    """A token and its text."""

    id: Count
    text: str
    """Bytes that are no character alone are shown as “�”; empty for an id that the vocabulary doesn't have."""
    special: bool = False
    """A control token, which typed text never becomes."""


class Tokenized(msgspec.Struct, frozen=True, tag="tokenized"):
    """Answer to Tokenize."""

    request: Number
    text: list[Piece]
    """The text's tokens."""
    ids: list[Piece]
    """The tokens that were asked for by id, in that order."""


class FormatChecked(msgspec.Struct, frozen=True, tag="format_checked"):
    """Answer to CheckFormat."""

    request: Number
    error: str
    """A sentence; empty: it can be followed."""
    line: Count
    """Where the error is, from 1; 0: not at one line."""
    grammar: str
    """The grammar in force: of a JSON schema the one made of it."""


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """Answer to Render; ``error`` is a sentence when the template failed."""

    request: Number
    text: str
    n_tokens: Count
    error: str = ""


class BenchProgress(msgspec.Struct, frozen=True, tag="bench_progress"):
    """How far a Bench is."""

    request: Number
    index: Count
    """The test it is at."""
    phase: BenchPhase
    repeat: Count
    """From 0; −1 while warming up."""
    fraction: float
    """Of the whole request, from 0 to 1."""
    t_ns: Number


class BenchRow(msgspec.Struct, frozen=True, tag="bench_row"):
    """One test, measured."""

    request: Number
    index: Count
    test: BenchTest
    samples_ns: list[Number]
    """How long each repeat took; llama-bench divides the test's tokens by it."""
    n_threads: Count
    n_threads_batch: Count
    started_s: float
    """Seconds since 1970."""


class BenchDone(msgspec.Struct, frozen=True, tag="bench_done"):
    """A Bench's last event."""

    request: Number
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
    | Reused
    | PromptProgress
    | Token
    | SamplingChanged
    | Finished
    | ThreadsChanged
    | StatesSaved
    | Memory
    | TokenCount
    | Tokenized
    | FormatChecked
    | Rendered
    | BenchProgress
    | BenchRow
    | BenchDone
    | Refused
)
