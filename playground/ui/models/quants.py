"""A repository's quantizations: size, bits, verdict, memory as a bar against what is free, speed, and the download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QStyleOptionViewItem, QTableView

from playground.hub.choices import Choice
from playground.hub.verdict import Judged
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.row_table import Cell, RowTable, beside
from playground.ui.theme import Theme
from playground.workspace import model_words as words
from playground.workspace.words import format_bytes

Index: TypeAlias = QModelIndex | QPersistentModelIndex
COLUMNS: tuple[tuple[str, str, int, int], ...] = (
    ("quant", later("Quant"), 130, 0),
    ("file", later("File"), 82, 0),
    ("bits", later("Bits/weight"), 98, 640),
    ("verdict", later("Verdict"), 92, 0),
    ("bar", later("Memory"), 150, 480),
    ("needs", later("Needs"), 82, 560),
    ("speed", later("About tok/s"), 100, 720),
    ("get", "", 76, 0),
)
"""Key, title, width in pixels, table width below which it gives way."""
_RIGHT = ("file", "bits", "needs", "speed", "get")
ROW = 34


@dataclass(frozen=True, slots=True)
class QuantRow:
    """A choice, what it means here, and how far its download is."""

    choice: Choice
    judged: Judged | None = None
    state: str = ""
    """“here”, “38 %”, “paused”… empty: it can be downloaded."""
    suggested: bool = False


class QuantModel(QAbstractTableModel):
    """Rows and columns for the table."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[QuantRow] = []

    def show_rows(self, rows: Sequence[QuantRow]) -> bool:
        """Show these; whether there are other choices than before."""
        other = [row.choice for row in rows] != [row.choice for row in self.rows]
        if other:
            self.beginResetModel()
        self.rows = list(rows)
        if other:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
        return other

    def rowCount(self, parent: Index | None = None) -> int:
        """Choices."""
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Titles over the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(COLUMNS[section][1])
        return _alignment(COLUMNS[section][0]) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """A cell."""
        key, row = COLUMNS[index.column()][0], self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(key, row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(key)
        if role == Qt.ItemDataRole.ToolTipRole:
            return words.judged_words(row.judged) if row.judged is not None and key != "get" else row.choice.path
        if role == Qt.ItemDataRole.DecorationRole and key == "verdict" and row.judged is not None:
            icon, token = words.VERDICTS[row.judged.kind]
            return icons.pixmap(icon, self._theme.hex(token), 14)
        if role == Qt.ItemDataRole.ForegroundRole:
            tone = words.VERDICTS[row.judged.kind][1] if key == "verdict" and row.judged else "text-2"
            return self._theme.color("text-1" if key == "quant" else tone)
        return None

    def _text(self, key: str, row: QuantRow) -> str:
        judged = row.judged
        needs = judged.needs if judged is not None else None
        return {
            "quant": f"{row.choice.label}   {tr('suggested')}" if row.suggested else row.choice.label,
            "file": format_bytes(row.choice.size),
            "bits": words.bits_words(row.choice.bits_per_weight),
            "verdict": judged.words if judged is not None else "",
            "bar": "",
            "needs": format_bytes(needs.whole) if needs is not None else words.NONE,
            "speed": f"{judged.tok_s:.0f}" if judged is not None and judged.tok_s else words.NONE,
            "get": row.state,
        }[key]


def _alignment(key: str) -> Qt.AlignmentFlag:
    return beside(key in _RIGHT)


class _Cell(Cell):
    """Paints the bar of memory and the button; the rest is Qt's."""

    def __init__(self, theme: Theme, view: QuantTable) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().paint(p, option, index)
        key, row = COLUMNS[index.column()][0], self._view.rows_model.rows[index.row()]
        if key == "bar" and row.judged is not None and row.judged.needs is not None:
            self._bar(p, option.rect, row.judged)
        elif key == "get" and not row.state:
            token = "text-1" if self._view.under == (index.row(), index.column()) else "text-2"
            icon = icons.pixmap("download-simple", self._theme.hex(token), 16)
            p.drawPixmap(option.rect.right() - 26, option.rect.center().y() - 8, icon)

    def _bar(self, p: QPainter, cell: QRect, judged: Judged) -> None:
        needs, theme = judged.needs, self._theme
        assert needs is not None
        room = QRectF(cell.left() + 8, cell.center().y() - 4, cell.width() - 24, 9)
        whole = max(self._view.total, judged.free, 1)
        p.save()
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(theme.color("pressed"))
        p.drawRoundedRect(room, 2, 2)
        x = room.left()
        rest = needs.whole - needs.weights.total - needs.cache - needs.compute
        parts = (("weights", needs.weights.total), ("kv", needs.cache), ("compute", needs.compute), ("rest", rest))
        for part, size in parts:
            wide = min(size / whole * room.width(), room.right() - x)
            if wide > 0:
                p.fillRect(QRectF(x, room.top(), max(0.5, wide - 1), room.height()), tint(theme, part))
                x += wide
        pen = QPen(theme.color("text-1"), 1.5, Qt.PenStyle.DotLine)
        p.setPen(pen)
        line = room.left() + judged.free / whole * room.width()
        p.drawLine(QPointF(line, room.top() - 4), QPointF(line, room.bottom() + 4))
        p.restore()


def tint(theme: Theme, part: str) -> QColor:
    """The colour of a part of memory that no lane has yet."""
    return theme.memory_part("", part)


class QuantTable(RowTable):
    """As high as its rows. Enter or a click on the button downloads; a row that is chosen is read exactly."""

    chosen = Signal(object)
    """A `Choice` whose header should be read."""
    wanted = Signal(object)
    """A `Choice` whose button was pressed: download it, or open it where it is here."""

    def __init__(self, theme: Theme) -> None:
        self.rows_model = QuantModel(theme)
        super().__init__(theme, self.rows_model, tr("Quantizations"), ROW)
        self.total = 0
        """Bytes of memory that a bar's whole length stands for."""
        self.under = (-1, -1)
        self.setItemDelegate(_Cell(theme, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().setSectionsClickable(False)
        self.horizontalHeader().setMinimumSectionSize(30)

    def show_rows(self, rows: Sequence[QuantRow], chosen: Choice | None) -> None:
        """Show these, with a row chosen."""
        self.rows_model.show_rows(rows)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + ROW * len(rows) + 2)
        at = next((number for number, row in enumerate(rows) if row.choice == chosen), -1)
        if at >= 0 and self.currentIndex().row() != at:
            self.setCurrentIndex(self.rows_model.index(at, 0))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns of less weight give way; the bar has what is left."""
        super().resizeEvent(event)
        room = self.viewport().width()
        left = room - sum(wide for key, _, wide, least in COLUMNS if room >= least and key != "bar")
        for number, (key, _, wide, least) in enumerate(COLUMNS):
            self.setColumnHidden(number, room < least)
            self.setColumnWidth(number, max(90, left) if key == "bar" else wide)
        if room < 480:
            self.setColumnWidth(0, max(100, left))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click chooses; on the button it downloads."""
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            self._emit(self.wanted if COLUMNS[index.column()][0] == "get" else self.chosen, index.row())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The button under the mouse is brighter."""
        super().mouseMoveEvent(event)
        index = self.indexAt(event.position().toPoint())
        over = index.isValid() and COLUMNS[index.column()][0] == "get"
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        self.under = (index.row(), index.column())

    def leaveEvent(self, event: QEvent) -> None:
        """No button is under it any more."""
        self.under = (-1, -1)
        self.viewport().update()
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter downloads, Space reads the row's header."""
        row = self.currentIndex().row()
        if row >= 0 and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._emit(self.wanted, row)
        elif row >= 0 and event.key() == Qt.Key.Key_Space:
            self._emit(self.chosen, row)
        else:
            super().keyPressEvent(event)

    def _emit(self, signal: Any, row: int) -> None:
        emit: Callable[[object], None] = signal.emit
        emit(self.rows_model.rows[row].choice)
