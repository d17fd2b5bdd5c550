"""The conversation as a tree of turns; nothing is overwritten, edits and retries are siblings.

Pure data: no disk, no Qt. `store` keeps it, `workspace` changes it.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]
NodeState: TypeAlias = Literal["writing", "done", "stopped", "context_full", "failed"]


def new_id() -> str:
    """A fresh id for a chat, a node or a send."""
    return uuid.uuid4().hex


@dataclass(slots=True)
class Node:
    """One turn."""

    id: str
    parent: str | None
    role: Role
    text: str = ""
    thinking: str = ""
    created: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    state: NodeState = "done"
    lane: str = ""
    """Letter of the lane that wrote an assistant turn; empty for user turns."""
    send: str = ""
    """Id shared by the user turns that one press of Send made in several lanes."""
    model: str = ""
    """Model name and quant as shown, for assistant turns."""
    record: dict[str, Any] = field(default_factory=dict)
    """What the answer was made with and how it went: sampling, seed, load options, figures, end."""
    series: bytes = b""
    """The answer's per-token arrays (`workspace.series`), for plots of old answers."""


@dataclass(slots=True)
class LaneRecord:
    """A lane as it is kept with its chat."""

    letter: str
    model_path: str = ""
    on: bool = True
    sampling: dict[str, Any] = field(default_factory=dict)
    samplers: list[str] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=dict)
    system: str = ""
    leaf: str | None = None
    """Last node of its path through the tree."""


@dataclass(slots=True)
class ChatHead:
    """What the sidebar shows of a chat."""

    id: str
    title: str
    updated: float
    letters: str = "A"
    """Letters of its lanes, for the dots."""


@dataclass(slots=True)
class Chat:
    """A conversation: its turns and its lanes."""

    id: str
    title: str = ""
    """Empty: not named yet; shown as “New chat”."""
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    nodes: dict[str, Node] = field(default_factory=dict)
    lanes: list[LaneRecord] = field(default_factory=list)

    def add(self, node: Node) -> Node:
        """Put a node into the tree; its parent must be there."""
        if node.parent is not None and node.parent not in self.nodes:
            raise KeyError(f"no parent {node.parent}")
        self.nodes[node.id] = node
        self.updated = max(self.updated, node.created)
        return node

    def path(self, leaf: str | None) -> list[Node]:
        """The turns from the root to ``leaf``."""
        turns: list[Node] = []
        while leaf is not None:
            node = self.nodes[leaf]
            turns.append(node)
            leaf = node.parent
        turns.reverse()
        return turns

    def siblings(self, node: Node) -> list[Node]:
        """The versions of a turn, oldest first, itself included: same parent, role and lane."""
        return [
            other
            for other in self.nodes.values()
            if other.parent == node.parent and other.role == node.role and other.lane == node.lane
        ]

    def children(self, node_id: str | None, lane: str) -> Iterator[Node]:
        """What follows a node as a lane sees it: user turns, and its own answers."""
        return (n for n in self.nodes.values() if n.parent == node_id and n.lane in ("", lane))

    def newest_leaf(self, node_id: str, lane: str) -> str:
        """The end of the newest branch below a node, as a lane sees it."""
        while True:
            below = list(self.children(node_id, lane))
            if not below:
                return node_id
            node_id = below[-1].id
