"""What long chats leave in their engines' memory, kept on disk: where, how much, and what must not stay."""

from __future__ import annotations

from pathlib import Path

from playground.supervisor import saved_states
from playground.workspace.engines import Engines
from playground.workspace.ports import Background
from playground.workspace.signal import Signal
from playground.workspace.state import State


class Keeping:
    """Tells the engines where to keep it, and deletes what nobody wants."""

    def __init__(self, state: State, engines: Engines, background: Background) -> None:
        self._state, self._engines, self._background = state, engines, background
        self._folder = Path()
        self._forgotten: set[str] = set()
        """Chats that were deleted; an engine may still have them."""
        self.gb = 0.0
        """What may be kept, in GB; 0: nothing is."""
        self.used = 0
        """Bytes that are kept, as last looked."""
        self.changed: Signal[[]] = Signal()
        engines.kept.connect(lambda _saved: self.look())

    def begin(self, folder: Path, gb: float) -> None:
        """From the next load on engines keep their chats there."""
        self._folder = folder
        self._engines.states = str(folder)
        self._set(gb)

    def set_gb(self, gb: float) -> None:
        """Another budget; with 0 what is kept is deleted, too. Running engines have the old one until reloaded."""
        if gb != self.gb:
            self._set(gb)
            if not gb:
                self.clear()

    def look(self) -> None:
        """Learn how much is kept."""
        folder = self._folder

        def seen(used: int) -> None:
            if used != self.used:
                self.used = used
                self.changed.emit()

        if folder.name:
            self._background(lambda: saved_states.usage(folder), seen)

    def clear(self) -> None:
        """Delete all that is kept; chats are read again then, nothing else is lost."""
        folder = self._folder
        self._background(lambda: saved_states.clear(folder), self._deleted)

    def forget(self, chat_id: str) -> None:
        """A chat was deleted: nothing of it may stay."""
        folder = self._folder
        self._forgotten.add(chat_id)
        if folder.name:
            self._background(lambda: saved_states.forget(folder, {chat_id}), self._deleted)

    def keep_again(self, chat_id: str) -> None:
        """It came back."""
        self._forgotten.discard(chat_id)

    def end(self) -> None:
        """Once all engines are gone: delete what they kept against it. Touches the disk, in the last moment."""
        if not self._folder.name:
            return
        if not self.gb:
            saved_states.clear(self._folder)
        elif self._forgotten:
            saved_states.forget(self._folder, self._forgotten)

    def _set(self, gb: float) -> None:
        self.gb = gb
        self._engines.states_budget = int(gb * 1e9)
        self.changed.emit()

    def _deleted(self, trouble: str) -> None:
        if trouble:
            self._state.told.emit(trouble)
        self.look()
