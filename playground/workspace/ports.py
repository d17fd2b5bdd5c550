"""What the workspace asks of the outside: threads, engine processes, the store. Implemented elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from playground.conversation.tree import Chat, ChatHead, Node
from playground.protocol.commands import Command
from playground.protocol.events import Event
from playground.workspace.lane import ModelRef

if TYPE_CHECKING:
    from playground.supervisor.incoming import Watch
    from playground.supervisor.outcome import Outcome

Post: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a function soon on the workspace's own thread; may be called from any thread."""


class Spawned(Protocol):
    """What an engine process offers, see `supervisor.process`."""

    def start(self, watch: Watch | None = None) -> None: ...
    def send(self, command: Command) -> None: ...
    def kill(self) -> None: ...
    def close(self, save: bool = False) -> None: ...
    def close_soon(self, save: bool = False) -> None: ...


Spawn: TypeAlias = "Callable[[Path, Callable[[list[Event]], None], Callable[[Outcome], None]], Spawned]"

Background: TypeAlias = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""Runs the first function on another thread and hands its result to the second on the workspace's."""

ReadModel: TypeAlias = Callable[[str], ModelRef | str]
"""Reads a file's header: a model, or a sentence on what is wrong with it."""


class Keeper(Protocol):
    """What keeps the conversation, see `conversation.store`."""

    def save_chat(self, chat: Chat) -> None: ...
    def save_node(self, node: Node, chat_id: str) -> None: ...
    def grow_node(self, chat_id: str, node_id: str, text: str, thinking: str) -> None: ...


class Shelf(Protocol):
    """What keeps the chats, see `conversation.store`."""

    def list_chats(self, reply: Callable[[list[ChatHead]], None]) -> None: ...
    def open_chat(self, chat_id: str, reply: Callable[[Chat | None], None]) -> None: ...
    def save_chat(self, chat: Chat) -> None: ...
    def rename_chat(self, chat_id: str, title: str) -> None: ...
    def delete_chat(self, chat_id: str) -> None: ...
    def undelete_chat(self, chat_id: str) -> None: ...
    def search(self, text: str, reply: Callable[[list[ChatHead]], None]) -> None: ...
    def get_state(self, key: str, reply: Callable[[dict[str, Any] | None], None]) -> None: ...
    def set_state(self, key: str, value: dict[str, Any]) -> None: ...


class Store(Keeper, Shelf, Protocol):
    """Both sides of the store."""
