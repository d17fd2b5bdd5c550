"""A tiny workspace for the chrome's tests: the real state and lanes, actions written down instead of done."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
from PySide6.QtWidgets import QApplication

from playground.conversation.tree import ChatHead, Node, new_id
from playground.protocol.events import Memory, ModelInfo, Token
from playground.protocol.numbers import Count, Number
from playground.ui.theme import Theme, load_fonts
from playground.workspace.gauges import Gauges
from playground.workspace.lane import EngineFacts, Lane, ModelRef
from playground.workspace.signal import Signal
from playground.workspace.state import State

STARTER = ModelRef("/models/smol.gguf", "SmolLM2 135M Instruct", "Q4_1", 98_362_432, "Apache-2.0", "HuggingFaceTB")
QWEN = ModelRef("/models/qwen.gguf", "Qwen3 0.6B", "Q8_0", 639_000_000, "Apache-2.0", "LM Studio")
GEMMA = ModelRef("/models/gemma.gguf", "Gemma 3 1B", "Q4_K_M", 806_000_000, "Gemma", "LM Studio")
GB = 10**9

_ints = {f.name: 0 for f in msgspec.structs.fields(ModelInfo) if f.type in (Number, Count)}
_bools = {f.name: False for f in msgspec.structs.fields(ModelInfo) if f.type is bool}


def info(**more: Any) -> ModelInfo:
    given = {"path": "", "name": "x", "arch": "llama", "quant": "Q4_1", "n_threads": 2, "n_ctx": 4096}
    return ModelInfo(**(_ints | _bools | given | more))


class FakeClock:
    """Keeps what was marked; `tick` paints it."""

    def __init__(self) -> None:
        self.marks: dict[object, Callable[[], None]] = {}

    def mark(self, key: object, paint: Callable[[], None], least_ms: int = 0) -> None:
        self.marks[key] = paint

    def tick(self) -> None:
        marks, self.marks = self.marks, {}
        for paint in marks.values():
            paint()


class FakeWorkspace(State):
    """Writes actions down in ``calls``; ``accepts`` says whether a send is taken."""

    def __init__(self, lanes: int = 1) -> None:
        super().__init__()
        self.lanes = [Lane(letter) for letter in "ABCD"[:lanes]]
        self.models = [STARTER, QWEN, GEMMA]
        self.calls: list[tuple[Any, ...]] = []
        self.accepts = True
        self.together = False
        self.searched = True
        engines = SimpleNamespace(all={}, changed=Signal(), sampled=Signal(), rested=Signal())
        self.gauges = Gauges(engines, lambda work: work(), lambda work, then: None)  # type: ignore[arg-type]
        self.replies: list[Callable[[int], None]] = []
        self.outside: dict[str, Callable[[str], None]] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))

    def send(self, text: str) -> bool:
        self.calls.append(("send", text))
        return self.accepts

    def count_tokens(self, text: str, reply: Callable[[int], None]) -> None:
        self.calls.append(("count_tokens", text))
        self.replies.append(reply)

    def add_lane(self, ref: ModelRef | None = None) -> Lane | None:
        self.calls.append(("add_lane", ref))
        lane = Lane("ABCD"[len(self.lanes)])
        lane.model = self.lanes[0].model
        self.lanes.append(lane)
        self.lanes_changed.emit()
        return lane

    def search_chats(self, text: str, reply: Callable[[list[ChatHead]], None]) -> None:
        self.calls.append(("search_chats", text))

    def delete_chat(self, chat_id: str) -> None:
        self.calls.append(("delete_chat", chat_id))
        self.heads = [head for head in self.heads if head.id != chat_id]
        self.heads_changed.emit()

    def rename_chat(self, chat_id: str, title: str) -> None:
        self.calls.append(("rename_chat", chat_id, title))
        self.heads = [ChatHead(h.id, title, h.updated, h.letters) if h.id == chat_id else h for h in self.heads]
        self.heads_changed.emit()

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]


def load(lane: Lane, ref: ModelRef = STARTER, rss: int = 360_000_000, **more: Any) -> Lane:
    """Put a loaded model into a lane, with one memory sample."""
    lane.model = ref
    lane.engine = EngineFacts(info(name=ref.name, quant=ref.quant, **more), 0.4)
    lane.engine.memory.add(Memory(time.perf_counter_ns(), rss, 0, 0, 0, 0, 0, int(4.7 * GB), 8 * GB))
    lane.state = "ready"
    lane.last_sign_ns = time.perf_counter_ns()
    return lane


def answer(lane: Lane, n: int = 200, ms: float = 15.0, ttft_s: float = 0.62, thinking: bool = False) -> Lane:
    """Give a lane an answer of n tokens, as if the last came just now."""
    now = time.perf_counter_ns()
    step = int(ms * 1e6)
    first = now - (n - 1) * step
    lane.answer.asked_ns = first - int(ttft_s * 1e9)
    lane.answer.started_ns = lane.answer.asked_ns + 1000
    phase: Any = "thinking" if thinking else "answer"
    for i in range(n):
        lane.answer.add(Token(1, i, 5, "x", first + i * step, step - 1000, 1000, 40 + i, phase))
    lane.n_past = 40 + n
    user = Node(new_id(), None, "user", "How much?")
    lane.path = [
        user,
        Node(new_id(), user.id, "assistant", "x" * n, lane=lane.letter, model="SmolLM2 · Q4_1"),
    ]
    return lane


_fonts: list[bool] = []


def dress(scheme: Any = "dark") -> Theme:
    """The theme with its style sheet on the running application."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    if not _fonts:
        load_fonts()
        _fonts.append(True)
    theme = Theme(scheme)
    theme.apply(app)
    return theme
