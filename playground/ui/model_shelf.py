"""The shelf of models at the foot of the sidebar: which there are, which lanes use them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from playground.translate import tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton, Label, LaneWatch, TextButton, ask_for_gguf, bind
from playground.workspace.lane import ModelRef
from playground.workspace.words import format_bytes, model_tag, short_name

_REF, _LETTERS = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_ROW, _MAX_ROWS = 28, 6
_BADGE = 14
Index = QModelIndex | QPersistentModelIndex


class _ShelfRow(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, _ROW)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, box = self._theme, option.rect
        letters: str = index.data(_LETTERS) or ""
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # names of models and files
        focused = option.state & QStyle.StateFlag.State_HasFocus
        if option.state & QStyle.StateFlag.State_MouseOver or focused:
            p.setPen(theme.color("accent") if focused else Qt.PenStyle.NoPen)
            p.setBrush(theme.color("hover"))
            p.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        left = self._marks(p, box, letters)
        self._texts(p, box, left, index.data(_REF), bool(letters))

    def _marks(self, p: QPainter, box: QRect, letters: str) -> int:
        """Badges of the lanes that use it, or a quiet dot; returns where the name begins."""
        theme, x, middle = self._theme, box.left() + 7, box.center().y() + 0.5
        if not letters:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.color("disabled"))
            p.drawEllipse(QPointF(x + _BADGE / 2, middle), 2.5, 2.5)
            return x + _BADGE + 8
        for letter in letters:
            badge = icons.badge(letter, theme.lane(letter), theme.color("canvas"), _BADGE)
            p.drawPixmap(QPointF(x, middle - _BADGE / 2), badge)
            x += _BADGE + 2
        return x + 6

    def _texts(self, p: QPainter, box: QRect, left: int, ref: ModelRef, used: bool) -> None:
        theme = self._theme
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        p.setFont(theme.font(11))
        p.setPen(theme.color("text-2"))
        size = format_bytes(ref.size) if ref.size else ""
        wide = p.fontMetrics().horizontalAdvance(size)
        p.drawText(box.adjusted(0, 0, -8, 0), right, size)
        quant_right = box.right() - 8 - wide - 10
        quant = p.fontMetrics().horizontalAdvance(ref.quant)
        p.setFont(theme.font(13))
        name = short_name(ref.name)
        room = quant_right - quant - 8 - left
        # In a narrow sidebar the quant gives way before the name becomes unreadable.
        if room >= min(72, p.fontMetrics().horizontalAdvance(name)):
            p.setFont(theme.font(11))
            p.drawText(QRect(quant_right - quant, box.top(), quant, box.height()), right, ref.quant)
            p.setFont(theme.font(13))
        else:
            room = quant_right - left
        p.setPen(theme.color("text-1" if used else "text-2"))
        shown = p.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, room)
        p.drawText(QRect(left, box.top(), room, box.height()), Qt.AlignmentFlag.AlignVCenter, shown)


class _ShelfView(QListView):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.clicked.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class _ShelfButton(TextButton):
    """Its words end in “…” where a narrow sidebar has no room for large ones; the tooltip has them all."""

    def __init__(self, theme: Theme, text: str, kind: str, icon: str, small: bool) -> None:
        super().__init__(theme, text, kind, icon, small)
        self._words = text
        self.setAccessibleName(text)

    def sizeHint(self) -> QSize:
        """Room for all of its words."""
        metrics = self.fontMetrics()
        hint = super().sizeHint()
        more = metrics.horizontalAdvance(self._words) - metrics.horizontalAdvance(self.text())
        return QSize(hint.width() + more, hint.height())

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(min(64, self.sizeHint().width()), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say what there is room for."""
        super().resizeEvent(event)
        lacking = self.sizeHint().width() - self.width()
        metrics = self.fontMetrics()
        room = metrics.horizontalAdvance(self._words) - lacking
        short = metrics.elidedText(self._words, Qt.TextElideMode.ElideRight, room) if lacking > 0 else self._words
        if short != self.text():
            self.setText(short)
            self.setToolTip("" if short == self._words else self._words)


class ModelShelf(QWidget):
    """Models with quant and size; a click loads one into the active lane."""

    def __init__(self, workspace: Any, theme: Theme) -> None:
        super().__init__()
        self._workspace, self._theme = workspace, theme
        self._items = QStandardItemModel(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 8, 6, 8)
        column.setSpacing(2)
        column.addLayout(self._make_head())
        column.addWidget(self._make_list())
        self.open = _ShelfButton(theme, tr("Open a model file"), "quiet", "plus", small=True)
        self.open.clicked.connect(self._ask)
        self.get = _ShelfButton(theme, tr("Get another model"), "quiet", "download-simple", small=True)
        self.get.clicked.connect(lambda: self._workspace.act(self._workspace.active, "find_models"))
        column.addWidget(self.get, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.open, 0, Qt.AlignmentFlag.AlignLeft)
        bind(self, workspace.models_changed, self.refresh)
        bind(self, workspace.active_changed, self.refresh)
        self.watch = LaneWatch(self, workspace, self.refresh)
        theme.changed.connect(self.list.viewport().update)
        self.refresh()

    def _make_head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setContentsMargins(6, 0, 2, 2)
        head.addWidget(Label(self._theme, tr("Models"), 11, "text-2"))
        head.addStretch(1)
        self.plus = IconButton(self._theme, "plus", tr("Open a model file"), size=24)
        self.plus.clicked.connect(self._ask)
        head.addWidget(self.plus)
        return head

    def _make_list(self) -> QListView:
        self.list = _ShelfView()
        self.list.setModel(self._items)
        self.list.setItemDelegate(_ShelfRow(self._theme, self.list))
        self.list.setMouseTracking(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setStyleSheet("QListView { background: transparent; }")
        self.list.setAccessibleName(tr("Models"))
        self.list.clicked.connect(self._take)
        return self.list

    def refresh(self) -> None:
        """Show models and users as they are now; quiet when nothing is different."""
        users: dict[str, str] = {}
        for lane in self._workspace.lanes:
            if lane.model is not None:
                users[lane.model.path] = users.get(lane.model.path, "") + lane.letter
        rows = [(ref, users.get(ref.path, "")) for ref in self._workspace.models]
        if rows == [(i.data(_REF), i.data(_LETTERS)) for i in map(self._items.item, range(self._items.rowCount()))]:
            return
        self._items.clear()
        for ref, letters in rows:
            self._items.appendRow(self._row(ref, letters))
        self.list.setVisible(bool(rows))
        self.list.setFixedHeight(min(len(rows), _MAX_ROWS) * _ROW + 2)

    def _row(self, ref: ModelRef, letters: str) -> QStandardItem:
        used = tr(", used by lane {letters}", letters=", ".join(letters)) if letters else ""
        item = QStandardItem(f"{ref.name}, {model_tag(ref)}{used}")
        item.setToolTip(
            tr(
                "{name} · {tag}\n{path}\nClick to load it into the active lane",
                name=ref.name,
                tag=model_tag(ref),
                path=ref.path,
            )
        )
        item.setData(ref, _REF)
        item.setData(letters, _LETTERS)
        return item

    def _take(self, index: QModelIndex) -> None:
        workspace, ref = self._workspace, index.data(_REF)
        current = workspace.lane(workspace.active)
        same = current.model is not None and current.model.path == ref.path
        # The model that is there already is loaded again only when it isn't running.
        if not same or current.state in ("empty", "unloaded", "failed"):
            workspace.choose_model(workspace.active, ref)

    def _ask(self) -> None:
        ask_for_gguf(self, lambda path: self._workspace.open_path(path))
