"""The list of chats: grouped by date, painted by a delegate, renamed in place."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QDateTime,
    QEvent,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from playground.conversation.tree import ChatHead
from playground.translate import later, tr
from playground.ui.theme import Theme
from playground.workspace.words import day_group, join_letters

HEAD = Qt.ItemDataRole.UserRole
_ROW, _HEADING = 28, 30
_DOT, _DOT_GAP = 5, 9
Index = QModelIndex | QPersistentModelIndex
NEW_CHAT = later("New chat")


class ChatModel(QAbstractListModel):
    """Headings (text) and chats (`ChatHead`) in one column."""

    def __init__(self, rename: Callable[[str, str], object]) -> None:
        super().__init__()
        self._rename = rename
        self.rows: list[str | ChatHead] = []

    def show(self, heads: Sequence[ChatHead], now: float) -> None:
        """Show these chats, newest first; only what is different is announced."""
        rows: list[str | ChatHead] = []
        group = ""
        for head in heads:
            if day_group(head.updated, now) != group:
                group = day_group(head.updated, now)
                rows.append(group)
            rows.append(head)
        if [_key(row) for row in rows] == [_key(row) for row in self.rows]:
            changed = [i for i, row in enumerate(rows) if row != self.rows[i]]
            self.rows = rows
            for i in changed:
                self.dataChanged.emit(self.index(i), self.index(i))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def row_of(self, chat_id: str) -> int:
        """Row of a chat, −1 when it isn't shown."""
        return next((i for i, r in enumerate(self.rows) if isinstance(r, ChatHead) and r.id == chat_id), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Headings and chats."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can't be chosen."""
        row = self.rows[index.row()]
        if isinstance(row, str):
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Title or heading; the `ChatHead` as HEAD."""
        row = self.rows[index.row()]
        if role == HEAD:
            return row if isinstance(row, ChatHead) else None
        title = row if isinstance(row, str) else row.title or tr(NEW_CHAT)
        if role == Qt.ItemDataRole.EditRole or role == Qt.ItemDataRole.DisplayRole:
            return title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if isinstance(row, str) or len(row.letters) < 2:
                return title
            return tr("{title}, lanes {letters}", title=title, letters=join_letters(row.letters))
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename a chat; an empty title changes nothing."""
        row, title = self.rows[index.row()], " ".join(str(value).split())
        if isinstance(row, str) or not title or title == row.title:
            return False
        self._rename(row.id, title)
        return True


def _key(row: str | ChatHead) -> str:
    return row if isinstance(row, str) else f"chat:{row.id}"


class _ChatRow(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, _ROW if index.data(HEAD) is not None else _HEADING if index.row() else 22)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, box, head = self._theme, option.rect, index.data(HEAD)
        if head is None:
            p.setFont(theme.font(11))
            p.setPen(theme.color("text-2"))
            p.drawText(box.adjusted(6, 0, -6, -4), Qt.AlignmentFlag.AlignBottom, index.data())
            return
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.color("hover"))
            p.drawRoundedRect(QRectF(box), 6, 6)
        dots = head.letters if len(head.letters) > 1 else ""
        p.setFont(theme.font(13))
        p.setPen(theme.color("text-1" if selected else "text-2"))
        room = _title_room(box, dots)
        title = p.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideRight, room.width())
        p.drawText(room, Qt.AlignmentFlag.AlignVCenter, title)
        self._dots(p, box, dots)

    def _dots(self, p: QPainter, box: QRect, letters: str) -> None:
        p.setPen(Qt.PenStyle.NoPen)
        x = box.right() - 8 - _DOT_GAP * len(letters) + (_DOT_GAP - _DOT)
        for letter in letters:
            p.setBrush(self._theme.lane(letter))
            p.drawEllipse(QRectF(x, box.center().y() - _DOT / 2 + 0.5, _DOT, _DOT))
            x += _DOT_GAP

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(tr("Chat title"))
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        editor.setGeometry(option.rect)

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        head = index.data(HEAD) if index.isValid() else None
        if event.type() == QEvent.Type.ToolTip and head is not None:
            lanes = tr("\nLanes {letters}", letters=join_letters(head.letters)) if len(head.letters) > 1 else ""
            when = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(head.updated)), QLocale.FormatType.ShortFormat)
            QToolTip.showText(event.globalPos(), f"{index.data()}\n{when}{lanes}", view)
            return True
        return super().helpEvent(event, view, option, index)


def _title_room(box: QRect, dots: str) -> QRect:
    return box.adjusted(8, 0, -8 - (_DOT_GAP * len(dots) + 6 if dots else 0), 0)


class ChatList(QListView):
    """The chats. Click or Enter opens, F2 or a double click renames, Del deletes."""

    opened = Signal(str)
    deleted = Signal(str)

    def __init__(self, theme: Theme, rename: Callable[[str, str], object]) -> None:
        super().__init__()
        self.chats = ChatModel(rename)
        self._later: Callable[[], None] | None = None
        self.setModel(self.chats)
        self.setItemDelegate(_ChatRow(theme, self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(trigger.DoubleClicked | trigger.EditKeyPressed)
        self.setAccessibleName(tr("Chats"))
        self.setStyleSheet("QListView { background: transparent; }")
        self.clicked.connect(self._open)
        self._theme = theme
        theme.changed.connect(self.viewport().update)

    def show_heads(self, heads: Sequence[ChatHead], selected: str) -> None:
        """Show these chats with one selected; waits while a title is being edited."""
        if self.state() == QAbstractItemView.State.EditingState:
            self._later = lambda: self.show_heads(heads, selected)
            return
        self.chats.show(heads, time.time())
        row = self.chats.row_of(selected)
        if row >= 0:
            self.setCurrentIndex(self.chats.index(row))
        else:
            self.clearSelection()

    def closeEditor(self, editor: QWidget, hint: QStyledItemDelegate.EndEditHint) -> None:
        """Catch up with what came while a title was being edited."""
        super().closeEditor(editor, hint)
        later, self._later = self._later, None
        if later is not None:
            later()

    def _head(self, index: QModelIndex) -> ChatHead | None:
        head = index.data(HEAD) if index.isValid() else None
        return head if isinstance(head, ChatHead) else None

    def _open(self, index: QModelIndex) -> None:
        head = self._head(index)
        if head is not None:
            self.opened.emit(head.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Del deletes."""
        head = self._head(self.currentIndex())
        if head is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(head.id)
        elif head is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit(head.id)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open, rename, delete."""
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        head = self._head(index)
        if head is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Open")).triggered.connect(lambda: self.opened.emit(head.id))
        menu.addAction(tr("Rename\tF2")).triggered.connect(lambda: self.rename(head.id))
        menu.addSeparator()
        menu.addAction(tr("Delete\tDel")).triggered.connect(lambda: self.deleted.emit(head.id))
        where = self.viewport().mapToGlobal(self.visualRect(index).center()) if keyboard else event.globalPos()
        menu.popup(where)

    def rename(self, chat_id: str) -> None:
        """Edit a chat's title in its row."""
        row = self.chats.row_of(chat_id)
        if row >= 0:
            self.setCurrentIndex(self.chats.index(row))
            self.edit(self.currentIndex())
