"""A lane: a model, its sampling, and its own path through the conversation."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playground.conversation.tree import Node
from playground.protocol.events import ModelInfo
from playground.settings import sampling as sampling_table
from playground.workspace.series import Answer, MemorySeries
from playground.workspace.signal import Signal

if TYPE_CHECKING:
    from playground.workspace.spill import Spill

LaneState: TypeAlias = Literal[
    "empty",  # no model chosen
    "loading",  # reading the file, fraction
    "ready",
    "queued",  # another engine is writing; detail says who
    "prompt",  # reading the prompt, fraction
    "thinking",
    "writing",
    "stopping",
    "stopped",  # the user stopped the answer
    "full",  # context full
    "failed",  # the engine or the load failed; notice says what happened
    "unloaded",
]
BUSY: frozenset[LaneState] = frozenset({"queued", "prompt", "thinking", "writing", "stopping"})
LETTERS = "ABCD"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model file as a lane names it."""

    path: str
    name: str
    """“SmolLM2 135M Instruct”."""
    quant: str = ""
    """“Q4_1”."""
    size: int = 0
    """Bytes of the file."""
    licence: str = ""
    source: str = ""
    """Where it came from, in words or as an address."""


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """One button of a notice."""

    key: str
    """What `Workspace.act` does: ``reload``, ``reload_ctx:8192``, ``new_chat``, ``choose_model``, ``retry``…"""
    label: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """An inline card: what happened, why and what is kept, what to do."""

    level: Literal["info", "warn", "danger"]
    title: str
    text: str
    actions: tuple[NoticeAction, ...] = ()
    details: str = ""


@dataclass(slots=True)
class Spell:
    """A time that tokens were slow for want of memory."""

    begin_ns: int
    words: str
    end_ns: int = 0
    """0: it lasts."""


@dataclass(slots=True)
class EngineFacts:
    """What is known of the engine behind a lane; shared by the lanes of one model."""

    info: ModelInfo | None = None
    load_seconds: float = 0.0
    note: str = ""
    """What was decided at loading otherwise than asked; said by its lanes until their first answer is there."""
    memory: MemorySeries = field(default_factory=MemorySeries)
    pid: int = 0
    """Of its process; 0: not known yet."""
    gpu: str = ""
    gpu_reason: str = ""
    base_rss: int = 0
    build: str = ""
    """llama.cpp's build and what it uses of the processor, in its own words."""
    spill: Spill | None = None
    """Why its tokens are slow now, where memory is the reason."""
    spells: list[Spell] = field(default_factory=list)
    """When memory was the reason, for the memory plot."""


class Lane:
    """State of one lane. Views read it; only the workspace changes it.

    ``changed`` is emitted for state, header and notice changes; ``path_changed`` when the
    turns are others than before; ``grew`` when the answer being written got longer.
    """

    def __init__(self, letter: str) -> None:
        self.letter = letter
        self.model: ModelRef | None = None
        self.engine: EngineFacts = EngineFacts()
        self.on = True
        self.system = ""
        self.thinking: bool | None = None
        """``enable_thinking`` for templates that know it; None leaves it to the template."""
        self.load: dict[str, Any] = {}
        self.sampling: dict[str, Any] = sampling_table.FIELDS.defaults()
        self.samplers: list[str] = list(sampling_table.DEFAULT_ORDER)

        self.state: LaneState = "empty"
        self.fraction = 0.0
        self.detail = ""
        """Words beside the state: who is waited for, what is read."""
        self.last_sign_ns = time.perf_counter_ns()
        """Last sign of life from the engine."""
        self.notice: Notice | None = None
        self.note = ""
        """One quiet sentence, e.g. that the model has no chat template."""

        self.path: list[Node] = []
        self.writing: Node | None = None
        """The turn being written, the last of ``path``."""
        self.answer = Answer()
        """Figures of the newest answer, live or kept."""
        self.n_past = 0
        """Tokens in this lane's context."""

        self.changed: Signal[[]] = Signal()
        self.path_changed: Signal[[]] = Signal()
        self.grew: Signal[[]] = Signal()
        self.sampling_changed: Signal[[]] = Signal()

    @property
    def busy(self) -> bool:
        """Whether an answer is under way, or waits for its model to be loaded."""
        return self.state in BUSY or self.writing is not None

    @property
    def leaf(self) -> str | None:
        """Id of the last turn."""
        return self.path[-1].id if self.path else None

    @property
    def newest(self) -> Node | None:
        """The newest answer on its path."""
        return next((node for node in reversed(self.path) if node.role == "assistant"), None)

    @property
    def own_figures(self) -> bool:
        """Whether ``answer`` tells of the model that the lane has now; a chat's last one may be another's."""
        made_by = self.newest.record.get("model") if self.newest is not None else None
        return self.model is None or not isinstance(made_by, str) or made_by == self.model.path

    def seen(self) -> None:
        """The engine gave a sign of life."""
        self.last_sign_ns = time.perf_counter_ns()

    def silence_s(self) -> float:
        """Seconds since the engine's last sign of life."""
        return (time.perf_counter_ns() - self.last_sign_ns) / 1e9
