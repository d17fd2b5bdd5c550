"""Chats kept in SQLite as they happen; every call returns at once, answers are delivered later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground.conversation import rows
from playground.conversation.disk import Ask, Deliver, DiskThread
from playground.conversation.tree import Chat, ChatHead, Node


def _ignore(_: str) -> None:
    pass


class Store:
    """The chats' file. Use it from one thread.

    Values are copied when a call is made; the disk is touched on the store's own thread only,
    in the order of the calls, several of them in one transaction. What can't be written now
    (disk full, read-only, another program) is kept and tried again; ``on_error`` gets one
    sentence about it. Replies and sentences come through ``deliver``.
    """

    def __init__(self, path: Path, deliver: Deliver, on_error: Callable[[str], None] = _ignore) -> None:
        self._disk = DiskThread(path, deliver, on_error)
        self._live: set[str] = set()
        """Turns that this session is writing; any other turn in that state was cut off by a crash."""

    @property
    def on_error(self) -> Callable[[str], None]:
        """Gets a sentence when something could not be kept."""
        return self._disk.on_error

    @on_error.setter
    def on_error(self, slot: Callable[[str], None]) -> None:
        self._disk.on_error = slot

    @property
    def on_waiting(self) -> Callable[[str], None]:
        """Gets the sentence why nothing can be written now, and an empty text once that is over."""
        return self._disk.on_waiting

    @on_waiting.setter
    def on_waiting(self, slot: Callable[[str], None]) -> None:
        self._disk.on_waiting = slot

    @property
    def stuck(self) -> bool:
        """Whether closing now would lose something: it could not be written and waits."""
        return self._disk.stuck

    @property
    def hangs(self) -> bool:
        """Whether that is because the disk takes very long; ``on_waiting`` gets an empty text once it is done."""
        return self._disk.hangs

    def start(self) -> None:
        """Open the file, bring its tables up to date, remove what earlier sessions deleted."""
        self._disk.start()

    def list_chats(self, reply: Callable[[list[ChatHead]], None]) -> None:
        """All chats that are not deleted, newest first."""
        self._disk.ask(Ask(rows.read_heads, reply, []))

    def open_chat(self, chat_id: str, reply: Callable[[Chat | None], None]) -> None:
        """A chat with all its turns; None when there is no such chat or it is deleted."""
        live = frozenset(self._live)
        self._disk.ask(Ask(lambda db: rows.read_chat(db, chat_id, live), reply, None))

    def search(self, text: str, reply: Callable[[list[ChatHead]], None]) -> None:
        """Chats with every word of the text in title or turns; a newer search replaces a waiting one."""
        self._disk.ask(Ask(lambda db: rows.search(db, text), reply, [], "search"))

    def get_state(self, key: str, reply: Callable[[dict[str, Any] | None], None]) -> None:
        """What `set_state` kept; None when nothing."""
        self._disk.ask(Ask(lambda db: rows.read_state(db, key), reply, None))

    def save_chat(self, chat: Chat) -> None:
        """Keep a chat's head and lanes."""
        self._disk.put(("chat", chat.id), rows.put_chat(chat))

    def save_node(self, node: Node, chat_id: str) -> None:
        """Keep a turn, new or changed; one that grows is finished by saving it in its final state."""
        if node.state == "writing":
            self._live.add(node.id)
        else:
            self._live.discard(node.id)
        self._disk.put(("node", node.id), rows.put_node(node, chat_id))

    def grow_node(self, chat_id: str, node_id: str, text: str, thinking: str = "") -> None:
        """Keep the text so far of a saved turn; on disk within half a second, the latest only."""
        self._disk.grow(node_id, rows.grow_node(node_id, text, thinking))

    def rename_chat(self, chat_id: str, title: str) -> None:
        """Give a chat a name."""
        self._disk.put(("title", chat_id), rows.put_title(chat_id, title))

    def delete_chat(self, chat_id: str) -> None:
        """Delete a chat; it can be brought back until the app ends."""
        self._disk.put(("deleted", chat_id), rows.put_deleted(chat_id, os.getpid()))

    def undelete_chat(self, chat_id: str) -> None:
        """Bring a deleted chat back."""
        self._disk.put(("deleted", chat_id), rows.put_deleted(chat_id, None))

    def set_state(self, key: str, value: dict[str, Any]) -> None:
        """Keep a small record: which chat was open, the window's layout."""
        self._disk.put(("state", key), rows.put_state(key, value))

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until all is on disk; False when it is not in time. Only this and `close` wait."""
        return self._disk.flush(timeout_s)

    def close(self, timeout_s: float = 3.0) -> bool:
        """Write what is pending and end the thread; False when something could not be written."""
        return self._disk.close(timeout_s)
