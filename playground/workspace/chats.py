"""The chats: new, open, rename, delete with undo, and what comes back at the next start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playground.conversation.tree import Chat, ChatHead, LaneRecord, new_id
from playground.translate import tr
from playground.workspace.answers import Answers
from playground.workspace.jobs import Jobs
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.loading import Loading
from playground.workspace.ports import Shelf
from playground.workspace.signal import Signal
from playground.workspace.state import State, record_of, restore_settings

LAST = "last_chat"


class Chats:
    """Which chat is open, and the list of all."""

    def __init__(self, state: State, shelf: Shelf, answers: Answers, jobs: Jobs, loading: Loading) -> None:
        self._state = state
        self._shelf = shelf
        self._answers = answers
        self._jobs = jobs
        self._loading = loading
        self._deleted: list[ChatHead] = []
        self.deleted: Signal[[str]] = Signal()
        """A chat's id."""
        self.brought_back: Signal[[str]] = Signal()

    def start(self, ready: Callable[[], None]) -> None:
        """Bring back what was open; ``ready`` is called when the lanes stand."""
        self._shelf.list_chats(self._listed)

        def last(kept: dict[str, Any] | None) -> None:
            records = [LaneRecord(**lane) for lane in (kept or {}).get("lanes", []) if isinstance(lane, dict)]
            chat_id = str((kept or {}).get("chat", ""))

            def opened(chat: Chat | None) -> None:
                if chat is not None:
                    self._show(chat)
                elif records:
                    fresh = Chat(new_id(), lanes=[replace(record, leaf=None) for record in records])
                    self._show(fresh)
                ready()

            self._shelf.open_chat(chat_id, opened) if chat_id else opened(None)

        self._shelf.get_state(LAST, last)

    def new_chat(self) -> None:
        """An empty chat with the same lanes."""
        if not self._state.chat.nodes:
            self._state.chat_changed.emit()
            return
        records = [replace(record_of(lane), leaf=None) for lane in self._state.lanes]
        self._show(Chat(new_id(), lanes=records))
        self.remember()

    def open_chat(self, chat_id: str) -> None:
        """Show a kept chat; answers under way in the one before go on."""
        if chat_id == self._state.chat.id:
            return
        running = next((job.chat for job in self._jobs.all.values() if job.chat.id == chat_id), None)

        def opened(chat: Chat | None) -> None:
            if chat is None:
                self._state.told.emit(tr("That chat could not be read."))
                return
            self._show(chat)
            self.remember()

        if running is not None:
            opened(running)
        else:
            self._shelf.open_chat(chat_id, opened)

    def rename_chat(self, chat_id: str, title: str) -> None:
        """Give a chat another title."""
        title = " ".join(title.split())[:200]
        if not title:
            return
        if chat_id == self._state.chat.id:
            self._state.chat.title = title
            self._state.chat_changed.emit()
        self._shelf.rename_chat(chat_id, title)
        self._put(next((replace(h, title=title) for h in self._state.heads if h.id == chat_id), None))

    def delete_chat(self, chat_id: str) -> None:
        """Delete a chat; `undo_delete` brings it back in this session."""
        head = next((head for head in self._state.heads if head.id == chat_id), None)
        for job in [job for job in self._jobs.all.values() if job.chat.id == chat_id]:
            self._jobs.stop_job(job)
        if head is not None:
            self._deleted.append(head)
            self._state.heads = [other for other in self._state.heads if other.id != chat_id]
        self._shelf.delete_chat(chat_id)
        self.deleted.emit(chat_id)
        self._state.heads_changed.emit()
        if chat_id == self._state.chat.id:
            records = [replace(record_of(lane), leaf=None) for lane in self._state.lanes]
            self._show(Chat(new_id(), lanes=records))
            self.remember()

    def undo_delete(self) -> None:
        """Bring back the chat deleted last."""
        if self._deleted:
            head = self._deleted.pop()
            self._shelf.undelete_chat(head.id)
            self.brought_back.emit(head.id)
            self._put(head)
            self.open_chat(head.id)

    @property
    def can_undo(self) -> bool:
        """Whether a deleted chat can be brought back."""
        return bool(self._deleted)

    def search_chats(self, text: str, reply: Callable[[list[ChatHead]], None]) -> None:
        """Chats whose title or turns hold the text."""
        self._shelf.search(text, reply)

    def remember(self) -> None:
        """Keep what is open, for the next start."""
        chat = self._state.chat
        lanes = [record_of(lane) for lane in self._state.lanes]
        self._shelf.set_state(
            LAST,
            {
                "chat": chat.id if chat.nodes else "",
                "lanes": [{name: getattr(lane, name) for name in LaneRecord.__slots__} for lane in lanes],
            },
        )

    def touched(self, chat: Chat) -> None:
        """A chat got a turn or another title: first in the list."""
        if any(head.id == chat.id for head in self._deleted):
            return
        letters = "".join(lane.letter for lane in chat.lanes) or "A"
        self._put(ChatHead(chat.id, chat.title, chat.updated, letters))
        if chat is self._state.chat:
            self.remember()

    def _put(self, head: ChatHead | None) -> None:
        if head is None:
            return
        others = [other for other in self._state.heads if other.id != head.id]
        self._state.heads = sorted([head, *others], key=lambda other: -other.updated)
        self._state.heads_changed.emit()

    def _listed(self, heads: list[ChatHead]) -> None:
        here = {head.id for head in self._state.heads}
        merged = [*self._state.heads, *(head for head in heads if head.id not in here)]
        self._state.heads = sorted(merged, key=lambda head: -head.updated)
        self._state.heads_changed.emit()

    def _show(self, chat: Chat) -> None:
        before = {lane.letter: lane for lane in self._state.lanes}
        self._state.chat = chat
        lanes = []
        for record in chat.lanes or [LaneRecord("A")]:
            lane = before.get(record.letter) or Lane(record.letter)
            restore_settings(lane, record)
            lane.model = self._model(record.model_path)
            lane.notice, lane.note, lane.writing = None, "", None
            lane.state = "empty"
            self._loading.attach_loaded(lane)
            leaf = record.leaf if record.leaf in chat.nodes else None
            self._answers.show_leaf(lane, leaf)
            lanes.append(lane)
        changed = [lane.letter for lane in lanes] != list(before)
        self._state.lanes = lanes
        if self._state.active not in {lane.letter for lane in lanes}:
            self._state.active = lanes[0].letter
        if changed:
            self._state.lanes_changed.emit()
        for lane in lanes:
            lane.sampling_changed.emit()
            lane.changed.emit()
        self._state.active_changed.emit()
        self._state.chat_changed.emit()

    def _model(self, path: str) -> ModelRef | None:
        if not path:
            return self._state.starter
        known = self._state.model_at(path)
        if known is None:
            name = path.replace("\\", "/").rsplit("/", 1)[-1]
            known = ModelRef(path, name.removesuffix(".gguf"))
        return known
