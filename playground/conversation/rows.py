"""Chats to rows and back: every SQL statement about them. Runs on the store's thread only."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection
from typing import Any, TypeAlias, cast, get_args

from playground.conversation.tree import Chat, ChatHead, LaneRecord, Node, NodeState, Role

Write: TypeAlias = Callable[[sqlite3.Connection], None]
"""One change; made from a snapshot, so that what it came from may change meanwhile."""


def put_chat(chat: Chat) -> Write:
    """Head and lanes; the turns are saved one by one."""
    head = (chat.id, clean(chat.title), chat.created, chat.updated)
    lanes = [_lane_row(chat.id, place, lane) for place, lane in enumerate(chat.lanes)]

    def write(db: sqlite3.Connection) -> None:
        db.execute(
            """INSERT INTO chats (id, title, created, updated) VALUES (?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET title = excluded.title, created = excluded.created,
               updated = max(updated, excluded.updated)""",
            head,
        )
        db.execute("DELETE FROM lanes WHERE chat = ?", (head[0],))
        db.executemany("INSERT INTO lanes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lanes)

    return write


def put_node(node: Node, chat_id: str) -> Write:
    """A turn with all it has; keeps its place when it was there before."""
    row = (node.id, chat_id, node.parent, node.role, clean(node.text), clean(node.thinking), node.created,
           node.state, node.lane, node.send, clean(node.model), _json(node.record))  # fmt: skip
    series = node.series

    def write(db: sqlite3.Connection) -> None:
        # A turn may come before its chat's head, and its chat may be gone by another window's hand.
        db.execute(
            "INSERT OR IGNORE INTO chats (id, title, created, updated) VALUES (?, '', ?, ?)",
            (chat_id, row[6], row[6]),
        )
        db.execute("UPDATE chats SET updated = max(updated, ?) WHERE id = ?", (row[6], chat_id))
        db.execute(
            """INSERT INTO nodes
               (id, chat, parent, role, text, thinking, created, state, lane, send, model, record)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
               parent = excluded.parent, role = excluded.role,
               text = excluded.text, thinking = excluded.thinking,
               created = excluded.created, state = excluded.state, lane = excluded.lane, send = excluded.send,
               model = excluded.model, record = excluded.record""",
            row,
        )
        if series:
            db.execute("INSERT OR REPLACE INTO series VALUES (?, ?)", (row[0], series))
        else:
            db.execute("DELETE FROM series WHERE node = ?", (row[0],))

    return write


def grow_node(node_id: str, text: str, thinking: str) -> Write:
    """The text so far of a turn that is being written."""

    def write(db: sqlite3.Connection) -> None:
        db.execute("UPDATE nodes SET text = ?, thinking = ? WHERE id = ?", (clean(text), clean(thinking), node_id))

    return write


def put_title(chat_id: str, title: str) -> Write:
    """A chat's name."""
    return lambda db: _do(db, "UPDATE chats SET title = ? WHERE id = ?", clean(title), chat_id)


def put_deleted(chat_id: str, by: int | None) -> Write:
    """Mark a chat as deleted by a process, or with None as not deleted."""
    when = time.time() if by is not None else None
    return lambda db: _do(db, "UPDATE chats SET deleted = ?, deleted_by = ? WHERE id = ?", when, by, chat_id)


def put_state(key: str, value: dict[str, Any]) -> Write:
    """A small record of the app's own."""
    text = _json(value)
    return lambda db: _do(db, "INSERT OR REPLACE INTO state VALUES (?, ?)", key, text)


def purge(db: sqlite3.Connection, is_alive: Callable[[int], bool]) -> None:
    """Remove for good what was deleted by processes that have ended."""
    gone = [
        chat
        for chat, by in db.execute("SELECT id, deleted_by FROM chats WHERE deleted IS NOT NULL")
        if not is_alive(by)
    ]
    if gone:
        db.executemany("DELETE FROM chats WHERE id = ?", [(chat,) for chat in gone])


def read_heads(db: sqlite3.Connection, only: Collection[str] | None = None) -> list[ChatHead]:
    """The chats that are not deleted, newest first."""
    rows = db.execute(
        """SELECT id, title, updated, (SELECT group_concat(letter, '') FROM
               (SELECT letter FROM lanes WHERE chat = chats.id ORDER BY position))
           FROM chats WHERE deleted IS NULL ORDER BY updated DESC, id"""
    )
    return [
        ChatHead(id, title, updated, letters or "A")
        for id, title, updated, letters in rows
        if only is None or id in only
    ]


def read_chat(db: sqlite3.Connection, chat_id: str, live: Collection[str] = ()) -> Chat | None:
    """A whole chat; None when there is none or it is deleted.

    A turn in state “writing” that is not in ``live`` was cut off by a crash and comes as “stopped”.
    """
    head = db.execute(
        "SELECT title, created, updated FROM chats WHERE id = ? AND deleted IS NULL", (chat_id,)
    ).fetchone()
    if head is None:
        return None
    chat = Chat(chat_id, *head)
    for row in db.execute(
        """SELECT id, parent, role, text, thinking, created, state, lane, send, model, record, data
           FROM nodes LEFT JOIN series ON series.node = nodes.id WHERE chat = ? ORDER BY seq""",
        (chat_id,),
    ):
        node = _node(row)
        if node.state == "writing" and node.id not in live:
            node.state = "stopped"
        chat.nodes[node.id] = node
    for node in chat.nodes.values():
        if node.parent not in chat.nodes:
            node.parent = None
    chat.lanes = [
        _lane(row, chat) for row in db.execute("SELECT * FROM lanes WHERE chat = ? ORDER BY position", (chat_id,))
    ]
    return chat


def read_state(db: sqlite3.Connection, key: str) -> dict[str, Any] | None:
    """A small record of the app's own; None when it was never set."""
    row = db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
    return _object(row[0]) if row else None


def search(db: sqlite3.Connection, text: str) -> list[ChatHead]:
    """Chats in whose title or turns every word of the text occurs, in any case of letters, newest first."""
    words = list(dict.fromkeys(text.casefold().split()))[:8]
    found: set[str] | None = None
    for word in words:

        def has(value: str, word: str = word) -> bool:
            return word in value.casefold()

        db.create_function("has", 1, has, deterministic=True)
        hits = db.execute(
            """SELECT id FROM chats WHERE has(title)
               UNION SELECT chat FROM nodes WHERE has(text) OR has(thinking)"""
        )
        ids = {row[0] for row in hits}
        found = ids if found is None else found & ids
    return read_heads(db, found)


def clean(text: str) -> str:
    """The text as UTF-8 can hold it: halves of a broken surrogate pair become question marks."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _do(db: sqlite3.Connection, statement: str, *values: Any) -> None:
    db.execute(statement, values)


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} can’t be kept in a record")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _lane_row(chat_id: str, place: int, lane: LaneRecord) -> tuple[Any, ...]:
    settings = {"sampling": lane.sampling, "samplers": lane.samplers, "load": lane.load}
    return (
        chat_id,
        lane.letter,
        place,
        clean(lane.model_path),
        lane.on,
        _json(settings),
        clean(lane.system),
        lane.leaf,
    )


def _lane(row: tuple[Any, ...], chat: Chat) -> LaneRecord:
    _, letter, _, model_path, is_on, settings, system, leaf = row
    kept = _object(settings)
    if leaf is not None and leaf not in chat.nodes:
        # Its last turn never reached the disk: the newest one the lane can see is where it stands.
        leaf = next((node.id for node in reversed(chat.nodes.values()) if node.lane in ("", letter)), None)
    return LaneRecord(
        letter,
        model_path,
        bool(is_on),
        dict(kept.get("sampling") or {}),
        list(kept.get("samplers") or []),
        dict(kept.get("load") or {}),
        system,
        leaf,
    )


def _node(row: tuple[Any, ...]) -> Node:
    id, parent, role, text, thinking, created, state, lane, send, model, record, series = row
    return Node(
        id,
        parent,
        cast(Role, role if role in get_args(Role) else "user"),
        text,
        thinking,
        created,
        cast(NodeState, state if state in get_args(NodeState) else "done"),
        lane,
        send,
        model,
        _object(record),
        series or b"",
    )
