"""A GUI thread for store tests: runs what the store delivers, on the test's own thread."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from playground.conversation.store import Store
from playground.conversation.tree import Chat, LaneRecord, Node

PATIENCE_S = 100


class Desk:
    def __init__(self, path: Path) -> None:
        self.queue: queue.Queue[Callable[[], None]] = queue.Queue()
        self.complaints: list[str] = []
        self.store = Store(path, self.queue.put, self.complaints.append)
        self.store.start()

    def ask(self, question: Callable[..., None], *args: Any) -> Any:
        """The reply to a question."""
        box: list[Any] = []
        question(*args, box.append)
        self.until(lambda: bool(box))
        return box[0]

    def until(self, done: Callable[[], bool]) -> None:
        """Run deliveries until something is so."""
        while not done():
            self.queue.get(timeout=PATIENCE_S)()

    def chat(self, chat_id: str) -> Chat | None:
        found = self.ask(self.store.open_chat, chat_id)
        assert found is None or isinstance(found, Chat)
        return found

    def titles(self) -> list[str]:
        return [head.title for head in self.ask(self.store.list_chats)]

    def save(self, chat: Chat) -> None:
        self.store.save_chat(chat)
        for node in chat.nodes.values():
            self.store.save_node(node, chat.id)

    def flush(self) -> None:
        """Wait until all is on disk; a slow one may take its time."""
        assert self.store.flush(PATIENCE_S)

    def close(self) -> None:
        assert self.store.close(PATIENCE_S)


Desks: TypeAlias = Callable[..., Desk]
"""Opens the chats, in the test's folder or a given one."""


def a_chat(id: str = "c1", title: str = "Sea animals") -> Chat:
    """A question, two versions of the answer in lane A, one in lane B."""
    chat = Chat(id, title, created=1_700_000_000.0, updated=1_700_000_000.0)
    for n, (tail, parent, role, text, lane) in enumerate(
        [
            ("u", None, "user", "List five animals that live in the sea.", ""),
            ("a", "u", "assistant", "A whale, a shark…", "A"),
            ("b", "u", "assistant", "Sure! Dolphin, Öhrchenqualle", "B"),
            ("a2", "u", "assistant", "```\nno fence end", "A"),
        ]
    ):
        chat.add(
            Node(
                f"{id}-{tail}",
                f"{id}-{parent}" if parent else None,
                role,  # type: ignore[arg-type]
                text,
                thinking="hm" if tail == "b" else "",
                created=1_700_000_000.0 + n,
                state="stopped" if tail == "a2" else "done",
                lane=lane,
                send="s1" if not lane else "",
                model="SmolLM2 135M Instruct Q4_1" if lane else "",
                record={"seed": 7, "sampling": {"temp": 0.8}} if lane else {},
                series=b"\x00\x01\xff" * 100 if lane else b"",
            )
        )
    chat.lanes = [
        LaneRecord(
            "A",
            "/models/ä b.gguf",
            True,
            {"temp": 0.8},
            ["top_k", "temp"],
            {"n_ctx": 4096},
            "Be brief.",
            f"{id}-a2",
        ),
        LaneRecord("B", "", False, leaf=f"{id}-b"),
    ]
    return chat
