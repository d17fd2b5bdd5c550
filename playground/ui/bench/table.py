"""The measured tests as llama-bench lists them, each against the run before or a chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QTableView

from playground.bench.report import COLUMNS, cells_of, columns_of, speed
from playground.bench.result import Result
from playground.bench.statistics import Ratio, ratio
from playground.translate import tr
from playground.ui import icons
from playground.ui.row_table import RowTable, beside
from playground.ui.theme import Theme
from playground.workspace.bench_words import difference_words

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_CAN_GO = ("backend", "params", "size", "model", "threads")
_OF_MODEL = ("params", "size", "model")
_LOOKS = {"faster": ("arrow-up", "ok"), "slower": ("warning", "warn")}
"""Verdicts that are marked: icon and token."""


@dataclass(frozen=True, slots=True)
class Row:
    """A result, what it is held against, and by how much it differs."""

    result: Result
    other: Result | None = None

    @property
    def against(self) -> Ratio | None:
        """How many times as fast."""
        return ratio(self.result.samples_ts, self.other.samples_ts) if self.other is not None else None


class ResultModel(QAbstractTableModel):
    """Rows and columns for the table."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[Row] = []
        self.columns: list[tuple[str, str]] = []
        """Key and title."""

    def show_rows(self, rows: Sequence[Row], other: str) -> None:
        """Show these; ``other`` names what they are held against, in the title of its column."""
        self.beginResetModel()
        self.rows = list(rows)
        self.columns = [(name, COLUMNS[name].title) for name in columns_of([row.result for row in rows])]
        if any(row.other is not None for row in rows):
            self.columns += [("other", other), ("difference", tr("difference"))]
        self.columns.append(("verdict", ""))
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """Tests."""
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Columns."""
        return len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Titles over the columns."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        key, title = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        return _alignment(key) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = 0) -> Any:
        """A cell."""
        key, row = self.columns[index.column()][0], self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return tr(_text(key, row)) if key == "verdict" else _text(key, row)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(key)
        if role == Qt.ItemDataRole.DecorationRole:
            look = _LOOKS.get(_text(key, row)) if key == "verdict" else None
            return icons.pixmap(look[0], self._theme.hex(look[1]), 12) if look is not None else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.color(_tone(key, row))
        return self._theme.font(12, 600) if role == Qt.ItemDataRole.FontRole and key == "t/s" else None


def _alignment(key: str) -> Qt.AlignmentFlag:
    return beside(COLUMNS[key].right if key in COLUMNS else key in ("other", "difference"))


def _text(key: str, row: Row) -> str:
    special: dict[str, Callable[[], str]] = {
        "other": lambda: speed(row.other) if row.other is not None else "–",
        "difference": lambda: difference_words(row.against)[0],
        "verdict": lambda: difference_words(row.against)[1],
        "t/s": lambda: speed(row.result),
    }
    return special[key]() if key in special else cells_of(row.result)[key]


def _tone(key: str, row: Row) -> str:
    if key == "verdict":
        return _LOOKS.get(difference_words(row.against)[1], ("", "text-2"))[1]
    return "text-1" if key in ("test", "t/s", "difference") else "text-2"


class ResultTable(RowTable):
    """Shows a `ResultModel`; Ctrl+C copies all of it."""

    copy_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        self.rows_model = ResultModel(theme)
        super().__init__(theme, self.rows_model, tr("Measured tests"), 28, title_padding=11)
        self._widths: dict[str, int] = {}
        """Pixels that each column wants."""
        self._same: set[str] = set()
        """Columns that may go, because they say the same in every row, or what belongs to the model named there."""
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        head = self.horizontalHeader()
        head.setSectionsClickable(False)
        head.setStretchLastSection(True)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)

    def show_rows(self, rows: Sequence[Row], other: str = "before") -> None:
        """Show these."""
        self.rows_model.show_rows(rows, other)
        self._widths, self._same = {}, set()
        named = any(key == "name" for key, _ in self.rows_model.columns)
        for column, (key, _) in enumerate(self.rows_model.columns):
            self.setColumnHidden(column, False)
            wanted = max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))
            self._widths[key] = min(280, wanted + 8)
            self.setColumnWidth(column, self._widths[key])
            same = len({_text(key, row) for row in self.rows_model.rows}) == 1
            if key in _CAN_GO and (same or (named and key in _OF_MODEL)):
                self._same.add(key)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns that needn't be there go where room is short."""
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C is for the whole table."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        keys, left = list(self._widths), sum(self._widths.values())
        for key in _CAN_GO:
            goes = key in self._same and left > self.viewport().width()
            left -= self._widths[key] if goes else 0
            if key in keys:
                self.setColumnHidden(keys.index(key), goes)
