"""Commands: what the app asks of an engine. One engine process serves one model."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from playground.protocol.measured import Measured
from playground.protocol.numbers import Number


class Message(msgspec.Struct, frozen=True):
    """One turn as a chat template sees it."""

    role: str
    """``system``, ``user`` or ``assistant``."""
    content: str
    thinking: str = ""
    """What the model thought before an assistant turn; most templates drop it."""


class Sampling(msgspec.Struct, frozen=True):
    """Values of `playground.settings.sampling`, checked by that table on both sides."""

    values: dict[str, Any] = {}
    """Field name to value; a field that is absent has its default."""
    samplers: list[str] = []
    """Order of the chain, llama.cpp's names; empty means llama.cpp's default order."""


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Load the model; the first command an engine gets. Answered by LoadProgress…, then Loaded or LoadFailed."""

    path: str
    options: dict[str, Any] = {}
    """Values of `playground.settings.load`; absent fields have their default."""
    states: str = ""
    """Folder of saved states: what long conversations left in the KV cache. Empty: none is kept."""
    states_budget: Number = 0
    """Bytes that all saved states in that folder may take."""
    machine: Measured | None = None
    """What was measured on this machine before; used where options are automatic, if it is still the same machine."""
    tune_s: float = 0.0
    """Seconds that a measurement after the load may take, if ``machine`` is none of this one; answered by Tuned."""


class CancelLoad(msgspec.Struct, frozen=True, tag="cancel_load"):
    """Give up loading; answered by LoadFailed(kind="cancelled")."""


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Write an answer. Several may run at once; they share each batch."""

    job: Number
    """Chosen by the app, unique in this engine's life; every event of the answer carries it."""
    slot: str
    """Whose conversation this is (a lane's letter): its KV cache is kept for the next turn."""
    messages: list[Message]
    """The conversation, rendered by the model's template. If the last is an assistant turn, it is continued."""
    sampling: Sampling = Sampling()
    max_tokens: Number = -1
    """Negative: until the model ends or the context is full."""
    stop: list[str] = []
    use_template: bool = True
    """False: the contents are joined as they are and completed."""
    thinking: bool | None = None
    """Whether to think before answering, for templates that can be told; None is True, as in llama.cpp."""


class Tweak(msgspec.Struct, frozen=True, tag="tweak"):
    """Change the sampling of a running answer from the next token on; answered by SamplingChanged."""

    job: Number
    sampling: Sampling


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop a running answer, also in the middle of its prompt; answered by Finished(reason="stopped")."""

    job: Number


class CountTokens(msgspec.Struct, frozen=True, tag="count_tokens"):
    """How many tokens a text has; answered by TokenCount."""

    request: Number
    text: str


class Tokenize(msgspec.Struct, frozen=True, tag="tokenize"):
    """The tokens of a text as typed, then those with the ids; answered by Tokenized."""

    request: Number
    text: str
    ids: list[Number] = []


class CheckFormat(msgspec.Struct, frozen=True, tag="check_format"):
    """Whether a grammar or a JSON schema can be followed; answered by FormatChecked. One of the two is empty."""

    request: Number
    grammar: str = ""
    json_schema: str = ""


class Render(msgspec.Struct, frozen=True, tag="render"):
    """The prompt as the model would see it; answered by Rendered."""

    request: Number
    messages: list[Message]
    use_template: bool = True
    thinking: bool | None = None


class SetThreads(msgspec.Struct, frozen=True, tag="set_threads"):
    """Use this many threads from the next decode on: engines that run together share the cores."""

    n_threads: Number
    """0: as loaded."""
    governed: bool = True
    """Let the governor go below that count while other programs need the cores."""
    shared: bool = False
    """The count is this engine's share, because others compute too."""


class BenchTest(msgspec.Struct, frozen=True):
    """One measurement: read ``n_prompt`` tokens, then write ``n_gen``, both after ``n_depth`` that aren't timed."""

    n_prompt: Number = 0
    n_gen: Number = 0
    n_depth: Number = 0


class Bench(msgspec.Struct, frozen=True, tag="bench"):
    """Measure speed with made-up tokens. Answered by BenchProgress…, a BenchRow for each test, then BenchDone.

    Nobody writes meanwhile; what the KV cache held of chats is put back afterwards.
    """

    request: Number
    tests: list[BenchTest]
    repeats: Number = 5
    n_threads: Number = 0
    """While writing; 0: as loaded."""
    n_threads_batch: Number = 0
    """While reading; 0: as ``n_threads``, and if that is 0 too, as loaded."""


class StopBench(msgspec.Struct, frozen=True, tag="stop_bench"):
    """Stop measuring; answered by BenchDone(reason="stopped"). Rows that are complete stand."""

    request: Number


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """Unload and end the process. Closing the pipe does the same, without saving."""

    save: bool = False
    """Before that, keep what the slots hold in the folder of saved states; answered by StatesSaved."""


Command: TypeAlias = (
    Load
    | CancelLoad
    | Generate
    | Tweak
    | Stop
    | CountTokens
    | Tokenize
    | CheckFormat
    | Render
    | SetThreads
    | Bench
    | StopBench
    | Quit
)
