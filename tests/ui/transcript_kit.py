"""A lane with turns, a workspace that notes what it is asked, and a transcript over both."""

from __future__ import annotations

from typing import Any

from playground.conversation.tree import Chat, Node
from playground.protocol.events import Token
from playground.ui.chat.transcript import Transcript
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme
from playground.workspace.lane import Lane, ModelRef

MODEL = "Qwen3 0.6B · Q8_0"


class Notes:
    """Keeps a real tree; notes every call."""

    def __init__(self) -> None:
        self.chat = Chat("c")
        self.calls: list[tuple[Any, ...]] = []

    def regenerate(self, letter: str, node_id: str | None = None) -> None:
        self.calls.append(("regenerate", letter, node_id))

    def edit(self, letter: str, node_id: str, text: str) -> None:
        self.calls.append(("edit", letter, node_id, text))

    def continue_answer(self, letter: str) -> None:
        self.calls.append(("continue", letter))

    def walk(self, letter: str, node_id: str, step: int) -> None:
        self.calls.append(("walk", letter, node_id, step))

    def versions(self, letter: str, node_id: str) -> tuple[int, int]:
        node = self.chat.nodes[node_id]
        siblings = self.chat.siblings(node)
        return siblings.index(node) + 1, len(siblings)


class Stage:
    """The whole scene of a transcript test."""

    def __init__(self, qtbot: Any, width: int = 600, height: int = 500) -> None:
        self.qtbot = qtbot
        self.theme, self.clock = Theme("dark"), FrameClock()
        self.lane, self.workspace = Lane("A"), Notes()
        self.lane.model = ModelRef("/models/m.gguf", "Qwen3 0.6B", "Q8_0")
        self.lane.state = "ready"
        self.view = Transcript(self.lane, self.workspace, self.theme, self.clock)
        qtbot.addWidget(self.view)
        self.view.resize(width, height)
        self.view.show()
        qtbot.waitExposed(self.view)

    def add(self, role: Any, text: str, **more: Any) -> Node:
        """A turn at the end of the path, not told yet."""
        parent = self.lane.leaf
        node = Node(f"n{len(self.workspace.chat.nodes)}", parent, role, text, **more)
        if role == "assistant":
            node.lane, node.model = "A", MODEL
        self.workspace.chat.add(node)
        self.lane.path = [*self.lane.path, node]
        return node

    def talk(self, turns: int, text: str = "Some words of an answer. " * 8) -> None:
        """A conversation of so many turns."""
        for n in range(turns):
            self.add("user" if n % 2 == 0 else "assistant", f"question {n}" if n % 2 == 0 else text)
        self.lane.path_changed.emit()

    def begin(self, text: str = "") -> Node:
        """An answer begins."""
        node = self.add("assistant", text, state="writing")
        self.lane.writing, self.lane.state = node, "writing"
        self.lane.path_changed.emit()
        return node

    def grow(self, node: Node, text: str) -> None:
        """The answer being written gets longer; waits until it is shown."""
        node.text += text
        self.lane.grew.emit()
        self.settle()

    def think(self, node: Node, text: str, tokens: int = 1) -> None:
        """More thoughts."""
        self.lane.state = "thinking"
        node.thinking += text
        first = len(self.lane.answer.tokens)
        for n in range(first, first + tokens):
            self.lane.answer.add(Token(1, n, 5, "t", 10**9 + n * 10**8, 9 * 10**7, 10**7, n, phase="thinking"))
        self.lane.grew.emit()
        self.settle()

    def end(self, node: Node, state: Any = "done", **record: Any) -> None:
        """The answer ends."""
        node.state = state
        node.record |= record
        self.lane.writing, self.lane.state = None, "ready"
        self.lane.grew.emit()
        self.lane.changed.emit()
        self.settle()

    def settle(self) -> None:
        """Wait for the next tick of the clock."""
        ticked: list[int] = []
        self.clock.mark("test", lambda: ticked.append(1))
        self.qtbot.waitUntil(lambda: bool(ticked), timeout=3000)

    def turn(self, node: Node) -> Any:
        """The widget that shows a turn."""
        return self.view.turns[node.id]
