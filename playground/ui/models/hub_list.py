"""What the Hub found, or the shelf: a list of two lines a row, under headings where there are sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from playground.hub.search import Found
from playground.hub.shelf import Shelf
from playground.translate import tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.workspace.model_words import count_words, month_words

_ENTRY = Qt.ItemDataRole.UserRole
ROW, HEADING = 62, 34
_NEAR_END = 300
"""Pixels from the end at which more is asked for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row; a heading where ``repo`` is empty."""

    repo: str
    title: str
    right: str = ""
    """Beside the title: downloads, or the size."""
    facts: str = ""
    about: str = ""
    """Third line."""
    tone: str = "text-3"
    tip: str = ""


def of_shelf(shelf: Shelf, free: int) -> list[Entry]:
    """The shelf by sizes. ``free``: bytes of memory that could be given; 0: not known."""
    rows = []
    for size in shelf.sizes:
        rows.append(Entry("", tr(size.name), tip=tr(size.about)))
        for one in shelf.of(size):
            big = bool(free) and one.least_bytes > free
            active = tr(", {active:g} B active", active=one.active) if one.active != one.n_params else ""
            rows.append(
                Entry(
                    one.repo,
                    one.name,
                    f"{one.n_params:g} B{active}",
                    f"{one.family} · {one.licence}",
                    tr("too big for what is free now") if big else tr(one.why),
                    "warn" if big else "text-3",
                    f"{one.repo}\n{tr(one.why)}",
                )
            )
    return rows


def of_found(found: Sequence[Found], free: int) -> list[Entry]:
    """Results of a search."""
    return [_of(one, free) for one in found]


def _of(one: Found, free: int) -> Entry:
    parts = [one.author, count_words(one.n_params) if one.n_params else "", one.licence]
    about, tone = (
        tr("{likes:,} likes · changed {modified}", likes=one.likes, modified=month_words(one.modified)),
        "text-3",
    )
    if one.gated:
        about = tr("gated: its terms must be accepted · {about}", about=about)
    # By four and a half bits a weight, before its files are known.
    if free and one.n_params * 4.5 / 8 > free:
        about, tone = tr("too big for what is free now"), "warn"
    return Entry(
        one.repo,
        one.name.removesuffix("-GGUF").removesuffix("-gguf"),
        f"↓ {count_words(one.downloads)}",
        " · ".join(part for part in parts if part),
        about,
        tone,
        one.repo,
    )


class _EntryRow(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        entry: Entry = index.data(_ENTRY)
        return QSize(160, ROW if entry.repo else HEADING)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        entry: Entry = index.data(_ENTRY)
        theme, box = self._theme, option.rect
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not entry.repo:
            p.setFont(theme.font(12, 500))
            p.setPen(theme.color("text-2"))
            p.drawText(box.adjusted(10, 8, -8, 0), Qt.AlignmentFlag.AlignVCenter, entry.title)
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = chosen and bool(option.state & QStyle.StateFlag.State_HasFocus)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            p.setPen(theme.color("accent") if focused else Qt.PenStyle.NoPen)
            p.setBrush(theme.color("hover"))
            p.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -1.5), 8, 8)
        self._words(p, box.adjusted(10, 5, -10, -6), entry)

    def _words(self, p: QPainter, room: QRect, entry: Entry) -> None:
        theme, middle = self._theme, Qt.AlignmentFlag.AlignVCenter
        top = QRect(room.left(), room.top(), room.width(), 18)
        p.setFont(theme.font(11))
        p.setPen(theme.color("text-2"))
        p.drawText(top, middle | Qt.AlignmentFlag.AlignRight, entry.right)
        wide = p.fontMetrics().horizontalAdvance(entry.right)
        p.setFont(theme.font(13, 500))
        p.setPen(theme.color("text-1"))
        _draw(p, top.adjusted(0, 0, -wide - 10, 0), entry.title)
        p.setFont(theme.font(11))
        p.setPen(theme.color("text-2"))
        _draw(p, top.translated(0, 17), entry.facts)
        last = top.translated(0, 33)
        p.setPen(theme.color(entry.tone))
        if entry.tone == "warn":
            p.drawPixmap(last.left(), last.center().y() - 5, icons.pixmap("warning", theme.hex("warn"), 12))
            last.setLeft(last.left() + 17)
        _draw(p, last, entry.about)


def _draw(p: QPainter, box: QRect, text: str) -> None:
    shown = p.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, box.width())
    p.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)


class HubList(QListView):
    """A click or Enter opens a repository; near the end it asks for more."""

    picked = Signal(str)
    more_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._items = QStandardItemModel(self)
        self._shown: list[Entry] = []
        self.setModel(self._items)
        self.setItemDelegate(_EntryRow(theme, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; }")
        self.setAccessibleName(tr("Models on the Hub"))
        self.clicked.connect(lambda index: self._pick(index))
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._look())
        theme.changed.connect(self.viewport().update)

    @property
    def entries(self) -> list[Entry]:
        """What is listed."""
        return self._shown

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """List these; what is only added leaves the rest alone."""
        kept = len(self._shown) if self._shown == list(entries[: len(self._shown)]) else 0
        if not kept:
            self._items.clear()
            self.scrollToTop()
        for entry in entries[kept:]:
            item = QStandardItem(f"{entry.title}, {entry.right}, {entry.facts}" if entry.repo else entry.title)
            item.setData(entry, _ENTRY)
            item.setToolTip(entry.tip)
            if not entry.repo:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self._items.appendRow(item)
        self._shown = list(entries)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._pick(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _pick(self, index: QModelIndex) -> None:
        entry: Entry | None = index.data(_ENTRY)
        if entry is not None and entry.repo:
            self.picked.emit(entry.repo)

    def _look(self) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() - bar.value() < _NEAR_END:
            self.more_wanted.emit()
