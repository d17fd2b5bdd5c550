"""The left pane: search, chats by date, the models shelf."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from playground.conversation.tree import ChatHead
from playground.translate import later, tr
from playground.ui.chat_list import NEW_CHAT, ChatList
from playground.ui.model_shelf import ModelShelf
from playground.ui.theme import Theme
from playground.ui.widgets import (
    Divider,
    ElidedLabel,
    IconButton,
    Label,
    LaneWatch,
    SearchField,
    TextButton,
    bind,
)

UNDO_MS = 8000
_FEW = 5
"""With fewer chats than this the pane says where they are kept."""
_SEARCH_AFTER_MS = 200
KEPT = later("Chats are kept on this disk, as they are written. Nothing is sent anywhere.")


class UndoBar(QWidget):
    """“Deleted “…”. Undo”, for eight seconds."""

    undone = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.setProperty("surface", "raised")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 6, 4)
        self.label = ElidedLabel(theme, px=12, tone="text-2")
        self.undo = TextButton(theme, tr("Undo"), "link")
        self.undo.clicked.connect(self._undo)
        row.addWidget(self.label, 1)
        row.addWidget(self.undo)
        self.hide()

    def offer(self, title: str) -> None:
        """Say what was deleted, and offer to bring it back."""
        self.label.setText(tr("Deleted “{title}”.", title=title))
        self.show()
        self._timer.start(UNDO_MS)

    def _undo(self) -> None:
        self._timer.stop()
        self.hide()
        self.undone.emit()


class Sidebar(QWidget):
    """Chats and models."""

    def __init__(self, workspace: Any, theme: Theme) -> None:
        super().__init__()
        self._workspace, self._theme = workspace, theme
        self._found: dict[str, ChatHead] = {}
        """Chats that the store found by their text, by id."""
        self._searched = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SEARCH_AFTER_MS)
        self._timer.timeout.connect(self._search_texts)
        self.setProperty("surface", "chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(200)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._make_head())
        column.addLayout(self._make_list(), 1)
        self.undo_bar = UndoBar(theme)
        self.undo_bar.undone.connect(self._undo)
        column.addWidget(self.undo_bar)
        column.addWidget(Divider(theme))
        self.shelf = ModelShelf(workspace, theme)
        column.addWidget(self.shelf)
        bind(self, workspace.heads_changed, self.refresh)
        bind(self, workspace.chat_changed, self.refresh)
        self.watch = LaneWatch(self, workspace, self._lanes_changed)
        self.refresh()

    def _make_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(10, 10, 10, 6)
        head.setSpacing(6)
        self.search = SearchField(self._theme, tr("Search chats"))
        self.search.textChanged.connect(self._typed)
        self.search.installEventFilter(self)
        self.new = IconButton(self._theme, "note-pencil", tr("New chat"), "Ctrl+N")
        self.new.clicked.connect(self._new_chat)
        head.addWidget(self.search, 1)
        head.addWidget(self.new)
        return head

    def _make_list(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(0)
        self.list = ChatList(self._theme, self._workspace.rename_chat)
        self.list.opened.connect(self._open)
        self.list.deleted.connect(self._delete)
        self.note = Label(self._theme, tr(KEPT), 12, "text-3", wrap=True)
        self.note.setContentsMargins(8, 6, 8, 6)
        column.addWidget(self.list)
        column.addWidget(self.note)
        column.addStretch(1)
        column.setStretchFactor(self.list, 1000)
        return column

    def focus_search(self) -> None:
        """Put the caret into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def rename(self, chat_id: str) -> None:
        """Edit a chat's title in its row."""
        self.search.clear()
        self.list.rename(chat_id)

    def _new_chat(self) -> None:
        self.search.clear()
        self._workspace.new_chat()

    def _lanes_changed(self) -> None:
        # Dots follow the lanes of the open chat; the heads bring the rest.
        if self._workspace.chat.id not in {head.id for head in self._workspace.heads}:
            self.refresh()

    def refresh(self) -> None:
        """Show the chats as they are now, filtered by the search."""
        heads, text = self._all_heads(), self.search.text().strip().casefold()
        if text:
            own = [head for head in heads if text in (head.title or tr(NEW_CHAT)).casefold()]
            here = {head.id for head in own}
            known = {head.id for head in heads}
            more = [h for h in self._found.values() if h.id not in here and h.id in known]
            heads = sorted([*own, *more], key=lambda head: -head.updated)
        self.list.show_heads(heads, self._workspace.chat.id)
        self._show_note(len(heads), bool(text))

    def _show_note(self, shown: int, searching: bool) -> None:
        self.note.setText(tr("No chat has that in its title or text.") if searching else tr(KEPT))
        self.note.setVisible(shown == 0 if searching else shown < _FEW)
        rows = self.list.chats.rowCount()
        height = sum(self.list.sizeHintForRow(row) for row in range(rows)) if shown < _FEW else 0
        # A short list ends where its rows end, so that the sentence stands right below.
        self.list.setMaximumHeight(height + 4 if shown < _FEW else 16_777_215)

    def _all_heads(self) -> list[ChatHead]:
        heads, chat = list(self._workspace.heads), self._workspace.chat
        if chat.id not in {head.id for head in heads}:
            letters = "".join(lane.letter for lane in self._workspace.lanes) or "A"
            heads.insert(0, ChatHead(chat.id, chat.title, time.time(), letters))
        return heads

    def _typed(self, text: str) -> None:
        self._found = {}
        if text.strip():
            self._timer.start()
        else:
            self._timer.stop()
        self.refresh()

    def _search_texts(self) -> None:
        search = getattr(self._workspace, "search_chats", None)
        self._searched = text = self.search.text().strip()
        if search is not None and text:
            search(text, lambda heads: self._text_found(text, heads))

    def _text_found(self, text: str, heads: list[ChatHead]) -> None:
        if text == self.search.text().strip():
            self._found = {head.id: head for head in heads}
            self.refresh()

    def _open(self, chat_id: str) -> None:
        if chat_id != self._workspace.chat.id:
            self._workspace.open_chat(chat_id)

    def _delete(self, chat_id: str) -> None:
        head = next((head for head in self._workspace.heads if head.id == chat_id), None)
        if head is None:
            return  # a chat without a turn yet is not kept
        self._workspace.delete_chat(chat_id)
        self.undo_bar.offer(head.title or tr(NEW_CHAT))

    def _undo(self) -> None:
        self._workspace.undo_delete()
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """From the search field: Esc clears, ↓ goes to the list, Enter opens the first hit."""
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._search_key(event.key())
        return super().eventFilter(watched, event)

    def _search_key(self, key: int) -> bool:
        if key == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            return True
        if key == Qt.Key.Key_Down:
            self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.text().strip():
            first = next((row for row in self.list.chats.rows if isinstance(row, ChatHead)), None)
            if first is not None:
                self._open(first.id)
            return True
        return False
