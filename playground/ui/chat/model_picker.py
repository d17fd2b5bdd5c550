"""The popup that chooses a lane's model."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from playground.models.starter import STARTER
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.ui.widgets import Divider, SearchField, TextButton
from playground.workspace.lane import ModelRef
from playground.workspace.words import model_tag

SEARCH_FROM = 9
"""With this many models there is a search field."""
_REF = Qt.ItemDataRole.UserRole
_GROUPS = {"": later("On this machine"), "recent": later("Opened before"), "models folder": later("Models folder")}
_WIDTH, _ROWS = 340, 10
_ROW, _HEADING = 28, 26


def group_of(ref: ModelRef) -> str:
    """The heading a model stands under: where its file came from."""
    if ref.source.startswith("Hub") or "://" in ref.source:
        return tr("Hugging Face cache")
    if ref.source.startswith("Ollama: "):
        return "Ollama"
    if ref.source in ("starter", STARTER.source) and ref.name == STARTER.name:
        return tr("Came with the app")
    return tr(_GROUPS.get(ref.source, ref.source))


def grouped(models: Iterable[ModelRef]) -> dict[str, list[ModelRef]]:
    """The models by heading, both in the order they came."""
    groups: dict[str, list[ModelRef]] = {}
    for ref in models:
        groups.setdefault(group_of(ref), []).append(ref)
    return groups


class _ModelRow(QStyledItemDelegate):
    def __init__(self, theme: Theme, current: str) -> None:
        super().__init__()
        self._theme, self._current = theme, current

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(_WIDTH - 12, _ROW if index.data(_REF) is not None else _HEADING)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        ref, box = index.data(_REF), option.rect
        if ref is None:
            p.setFont(self._theme.font(11))
            p.setPen(self._theme.color("text-3"))
            p.drawText(box.adjusted(8, 4, -8, 0), Qt.AlignmentFlag.AlignVCenter, index.data())
            return
        lit = option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if lit:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._theme.color("hover"))
            p.drawRoundedRect(QRectF(box), 6, 6)
        if ref.path == self._current:
            p.drawPixmap(box.left() + 8, box.center().y() - 6, icons.pixmap("check", self._theme.hex("text-1"), 14))
        self._texts(p, box, ref)

    def _texts(self, p: QPainter, box: QRect, ref: ModelRef) -> None:
        p.setFont(self._theme.font(11))
        p.setPen(self._theme.color("text-3"))
        tag = model_tag(ref)
        width = p.fontMetrics().horizontalAdvance(tag)
        p.drawText(box.adjusted(0, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, tag)
        p.setFont(self._theme.font(12))
        p.setPen(self._theme.color("text-1"))
        room = box.adjusted(30, 0, -width - 20, 0)
        name = p.fontMetrics().elidedText(ref.name, Qt.TextElideMode.ElideRight, room.width())
        p.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)


class ModelPicker(QFrame):
    """Lists the models by where they came from; arrow keys, Enter and Esc work from the search field too."""

    chosen = Signal(object)
    """The `ModelRef` that was chosen."""
    file_wanted = Signal()
    """A file from disk is wanted instead."""

    def __init__(self, models: list[ModelRef], current: ModelRef | None, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._models, self._theme = list(models), theme
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAccessibleName(tr("Models"))
        self._items = QStandardItemModel(self)
        self._delegate = _ModelRow(theme, current.path if current else "")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.setSpacing(6)
        self.search = SearchField(theme, tr("Search models"))
        self.search.setVisible(len(models) >= SEARCH_FROM)
        self.search.textChanged.connect(self._fill)
        self.search.installEventFilter(self)
        column.addWidget(self.search)
        column.addWidget(self._make_list())
        column.addWidget(Divider(theme))
        other = TextButton(theme, tr("Open a GGUF file…"), "quiet", "folder-open")
        other.clicked.connect(self._want_file)
        column.addWidget(other)
        self._fill("")
        self._select(current)

    def _make_list(self) -> QListView:
        self.list = QListView()
        self.list.setModel(self._items)
        self.list.setItemDelegate(self._delegate)
        self.list.setMouseTracking(True)
        self.list.setFixedWidth(_WIDTH - 12)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.viewport().setAutoFillBackground(False)
        self.list.setStyleSheet("QListView { background: transparent; }")
        self.list.clicked.connect(self._take)
        self.list.installEventFilter(self)
        return self.list

    def popup(self, where: QPoint) -> None:
        """Open at a point of the screen, moved inwards where it would stick out."""
        self.adjustSize()
        screen = self.screen().availableGeometry()
        x = max(screen.left(), min(where.x(), screen.right() - self.width()))
        y = max(screen.top(), min(where.y(), screen.bottom() - self.height()))
        self.move(x, y)
        self.show()
        (self.list if self.search.isHidden() else self.search).setFocus()

    def _fill(self, text: str) -> None:
        words = text.casefold().split()
        found = [r for r in self._models if all(w in f"{r.name} {r.quant} {r.source}".casefold() for w in words)]
        groups = grouped(found)
        self._items.clear()
        for heading, refs in groups.items():
            if len(groups) > 1:
                self._items.appendRow(_heading(heading))
            for ref in refs:
                self._items.appendRow(_model_item(ref))
        if not found:
            self._items.appendRow(_heading(tr("No model is called that.") if text else tr("No models here yet.")))
        height = sum(_ROW if self._items.item(r).data(_REF) else _HEADING for r in range(self._items.rowCount()))
        self.list.setFixedHeight(min(height, _ROWS * _ROW) + 4)
        self._select(None)
        self.adjustSize()

    def _select(self, ref: ModelRef | None) -> None:
        rows = [r for r in range(self._items.rowCount()) if self._items.item(r).data(_REF) is not None]
        wanted = [r for r in rows if ref is not None and self._items.item(r).data(_REF).path == ref.path]
        if wanted or rows:
            self.list.setCurrentIndex(self._items.index((wanted or rows)[0], 0))

    def _take(self, index: QModelIndex) -> None:
        ref = index.data(_REF)
        if ref is not None:
            self.close()
            self.chosen.emit(ref)

    def _want_file(self) -> None:
        self.close()
        self.file_wanted.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows and Enter act on the list, wherever the focus is."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentIndex())
                return True
            if watched is self.search and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The raised popup."""
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(self._theme.color("line-strong"))
            p.setBrush(self._theme.color("raised"))
            p.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)


def _heading(text: str) -> QStandardItem:
    item = QStandardItem(text)
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    return item


def _model_item(ref: ModelRef) -> QStandardItem:
    item = QStandardItem(f"{ref.name}, {model_tag(ref)}")
    item.setData(ref, _REF)
    item.setToolTip(ref.path)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
    return item
