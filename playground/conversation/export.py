"""Chats as Markdown to read and as JSON to take elsewhere and back."""

from __future__ import annotations

import re
import time
from datetime import datetime

import msgspec

from playground.conversation.rows import clean
from playground.conversation.tree import Chat, LaneRecord, Node, new_id
from playground.translate import later, tr

FORMAT = "playground-chat"
VERSION = 1
MAX_IMPORT = 256 * 1024 * 1024
"""Bytes of a JSON export."""
MAX_NODES = 200_000
LETTERS = "ABCD"

_UNFINISHED = {
    "writing": later("unfinished"),
    "stopped": later("stopped"),
    "context_full": later("ended because the context was full"),
    "failed": later("ended by a fault"),
}


class ImportFault(ValueError):
    """A file that is no export of a chat; the message is a sentence for the user."""


class _File(msgspec.Struct):
    """The layout of a JSON export."""

    format: str
    version: int
    id: str
    title: str
    created: float
    updated: float
    lanes: list[LaneRecord]
    nodes: list[Node]


def path_as_markdown(chat: Chat, leaf: str | None, system: str = "") -> str:
    """One path through a chat, from the first turn to ``leaf``."""
    turns = chat.path(leaf)
    day = datetime.fromtimestamp(turns[0].created if turns else chat.created)
    parts = [f"# {_one_line(chat.title) or tr('Chat')}", f"{day:%Y-%m-%d %H:%M}"]
    if system:
        parts += ["## System", system]
    for turn in turns:
        parts.append(f"## {_heading(turn)}")
        if turn.thinking.strip():
            parts.append("\n".join(f"> {line}".rstrip() for line in turn.thinking.strip().splitlines()))
        parts.append(_closed(turn.text.strip()))
        if turn.state in _UNFINISHED:
            parts.append(f"*({tr(_UNFINISHED[turn.state])})*")
    return "\n\n".join(part for part in parts if part) + "\n"


def chat_as_json(chat: Chat) -> str:
    """A whole chat with all versions of its turns, its lanes and the figures of its answers."""
    file = _File(
        FORMAT,
        VERSION,
        chat.id,
        chat.title,
        chat.created,
        chat.updated,
        chat.lanes,
        list(chat.nodes.values()),
    )
    plain = msgspec.to_builtins(file, enc_hook=_plain)
    return msgspec.json.format(msgspec.json.encode(_all_clean(plain)), indent=1).decode()


def chat_from_json(data: str | bytes) -> Chat:
    """A chat of its own, with new ids, from an export. Raises ImportFault with a sentence."""
    if len(data) > MAX_IMPORT:
        raise ImportFault(
            tr("The file is larger than {max_import} MB, which no chat is.", max_import=MAX_IMPORT // 2**20)
        )
    try:
        head = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        kind = msgspec.json.decode(head["format"], type=str)
        version = msgspec.json.decode(head["version"], type=int)
    except (msgspec.MsgspecError, UnicodeError, KeyError, RecursionError):
        raise ImportFault(tr("This is not a chat exported by this app.")) from None
    if kind != FORMAT:
        raise ImportFault(tr("This is not a chat exported by this app."))
    if version > VERSION:
        raise ImportFault(tr("This chat was exported by a newer version of the app. Update the app to read it."))
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ImportFault(tr("The export is damaged: {error}.", error=error)) from None
    return _built(file)


def file_name(chat: Chat, ending: str) -> str:
    """A name for the exported file that every system takes: “2025-02-01 Sea animals.md”."""
    title = re.sub(r"[^\w\s().,+-]+", " ", chat.title)
    title = " ".join(title.split()).strip(". ")[:60].strip() or tr("Chat")
    return f"{datetime.fromtimestamp(chat.updated):%Y-%m-%d} {title}.{ending}"


def _built(file: _File) -> Chat:
    """The tree, checked, under new ids: an import never overwrites the chat it came from."""
    if len(file.nodes) > MAX_NODES:
        raise ImportFault(
            tr("The export has {nodes:,} turns, more than {max_nodes:,}.", nodes=len(file.nodes), max_nodes=MAX_NODES)
        )
    ids: dict[str, str] = {}
    sends: dict[str, str] = {"": ""}
    chat = Chat(new_id(), file.title, file.created, file.updated)
    for number, node in enumerate(file.nodes, 1):
        if node.id in ids:
            raise ImportFault(tr("The export is damaged: turn {number} has the id of an earlier one.", number=number))
        if node.parent is not None and node.parent not in ids:
            raise ImportFault(
                tr("The export is damaged: turn {number} answers a turn that doesn’t stand before it.", number=number)
            )
        if node.lane not in ("", *LETTERS):
            raise ImportFault(
                tr(
                    "The export is damaged: turn {number} belongs to a lane “{lane}”.",
                    number=number,
                    lane=node.lane[:20],
                )
            )
        if not _is_date(node.created):
            raise ImportFault(tr("The export is damaged: turn {number} has no possible date.", number=number))
        ids[node.id] = node.id = new_id()
        node.parent = ids[node.parent] if node.parent is not None else None
        node.send = sends.setdefault(node.send, new_id())
        if node.state == "writing":
            node.state = "stopped"
        chat.nodes[node.id] = node
    if not (_is_date(file.created) and _is_date(file.updated)):
        raise ImportFault(tr("The export is damaged: it has no possible date."))
    letters = [lane.letter for lane in file.lanes]
    if len(set(letters)) < len(letters) or not set(letters) <= set(LETTERS):
        raise ImportFault(tr("The export is damaged: its lanes are not A to D, each once."))
    for lane in file.lanes:
        if lane.leaf is not None and lane.leaf not in ids:
            raise ImportFault(
                tr("The export is damaged: lane {letter} ends at a turn that isn’t there.", letter=lane.letter)
            )
        lane.leaf = ids[lane.leaf] if lane.leaf is not None else None
    chat.lanes = file.lanes
    return chat


def _is_date(seconds: float) -> bool:
    """Between 1990 and a year from now, by the machine's clock."""
    return 631_152_000 <= seconds <= time.time() + 366 * 86_400


def _heading(turn: Node) -> str:
    if turn.role == "user":
        return tr("You")
    if turn.role == "system":
        return tr("System")
    lane = f"{turn.lane} · " if turn.lane else ""
    return _one_line(f"{lane}{turn.model or tr('Assistant')}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _closed(text: str) -> str:
    """The text with an open code fence closed, so that an unfinished turn doesn't swallow the next."""
    fence = ""
    for line in text.splitlines():
        found = re.match(r" {0,3}(`{3,}|~{3,})(.*)$", line)
        if not found:
            continue
        if not fence:
            fence = found[1]
        elif found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _plain(value: object) -> object:
    """NumPy's numbers as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise NotImplementedError(tr("{name} can’t be exported", name=type(value).__name__))


def _all_clean(value: object) -> object:
    """Every text inside as UTF-8 can hold it."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_all_clean(key): _all_clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_all_clean(entry) for entry in value]
    return value
