"""The library as a table: a row for each model, a heading for each family where they are grouped."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPixmap, QResizeEvent

from playground.models.kinds import KIND_WORDS
from playground.models.model_file import ModelFile
from playground.models.notes import Note
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.row_table import RowTable, beside
from playground.ui.theme import Theme
from playground.workspace import model_words as words
from playground.workspace.words import format_bytes

Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    key: str
    title: str
    sort: str
    """The order that a click on its title asks for, see `models.shelf.SORTS`; empty: none."""
    width: int
    right: bool = False
    least: int = 0
    """Table width in pixels below which it gives way."""


COLUMNS = (
    Column("name", later("Name"), "name", 220),
    Column("quant", later("Quant"), "", 92),
    Column("size", later("Size"), "size", 78, right=True),
    Column("context", later("Context"), "context", 82, right=True, least=620),
    Column("source", later("Source"), "source", 170, least=740),
    Column("used", later("Last used"), "used", 104, least=860),
    Column("label", later("Label"), "", 110, least=980),
    Column("speed", later("Tok/s"), "speed", 70, right=True, least=520),
)

_NO_NOTE = Note()


@dataclass(frozen=True, slots=True)
class Row:
    """A model, or a heading where ``model`` is None."""

    model: ModelFile | None
    heading: str = ""
    note: Note = _NO_NOTE
    letters: str = ""
    """Lanes that use it."""
    twins: int = 0
    """How many files of this content there are, if more than one."""


class LibraryModel(QAbstractTableModel):
    """Rows and columns for the table."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rows: list[Row] = []
        self._now = time.time()

    def show_rows(self, rows: Sequence[Row]) -> bool:
        """Show these; whether other rows than before are there."""
        self._now = time.time()
        same = [_key(row) for row in rows] == [_key(row) for row in self.rows]
        if same:
            self.rows = list(rows)
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return False
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()
        return True

    def rowCount(self, parent: Index | None = None) -> int:
        """Models and headings."""
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        """Titles over the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tr("Sort by {title}", title=tr(column.title)) if column.sort else None
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can't be chosen."""
        heading = self.rows[index.row()].model is None
        return Qt.ItemFlag.NoItemFlags if heading else Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = 0) -> Any:
        """A cell."""
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        model = row.model
        if model is None:
            return self._heading(row, column, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, model, column.key)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, model, column.key)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.DecorationRole and column.key == "name":
            return self._mark(row, model)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.color(_tone(row, model, column.key))
        return None

    def _heading(self, row: Row, column: Column, role: int) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and column.key == "name":
            return row.heading
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._theme.color("text-3")
        return self._theme.font(11, 500) if role == Qt.ItemDataRole.FontRole else None

    def _text(self, row: Row, model: ModelFile, key: str) -> str:
        texts = {
            "name": lambda: model.name if model.kind == "model" else f"{model.name} · {tr(KIND_WORDS[model.kind])}",
            "quant": lambda: model.quant or ("…" if model.pending else words.NONE),
            "size": lambda: format_bytes(model.size),
            "context": lambda: "…" if model.pending else words.context_words(model.n_ctx_train),
            "source": lambda: words.source_words(model),
            "used": lambda: words.when_words(row.note.last_used, self._now),
            "label": lambda: row.note.label,
            "speed": lambda: words.speed_words(row.note),
        }
        return texts[key]()

    def _tip(self, row: Row, model: ModelFile, key: str) -> str:
        if key == "speed":
            return tr("Measured here at the last answer") if row.note.tok_s else tr("Not measured here yet")
        said = [model.error] if model.error else []
        if model.away:
            said.append(tr("Its folder isn’t there or doesn’t answer now."))
        if row.twins:
            said.append(tr("The same file lies here {twins}.", twins=words.times_words(row.twins)))
        return "\n".join([*said, model.path])

    def _mark(self, row: Row, model: ModelFile) -> QPixmap:
        theme = self._theme
        if row.letters:
            return icons.badge(row.letters[0], theme.lane(row.letters[0]), theme.color("canvas"), 14)
        if model.error:
            return icons.pixmap("warning-circle", theme.hex("danger"), 14)
        if model.away:
            return icons.pixmap("cloud-slash", theme.hex("text-3"), 14)
        if row.twins:
            return icons.pixmap("copy", theme.hex("text-3"), 14)
        return icons.pixmap("cube", theme.hex("disabled"), 14)


def _key(row: Row) -> tuple[str, str]:
    return (row.model.path if row.model else "", row.heading)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    return beside(column.right)


def _tone(row: Row, model: ModelFile, key: str) -> str:
    if model.error or model.away:
        return "text-3"
    return "text-1" if key in ("name", "label", "speed") else "text-2"


class LibraryTable(RowTable):
    """Enter opens a model, Delete asks for its removal, a click on a title sorts."""

    picked = Signal(str)
    """A model's path; empty: none is chosen."""
    open_wanted = Signal(str)
    delete_wanted = Signal(str)
    sort_wanted = Signal(str)
    menu_wanted = Signal(str, QPoint)

    def __init__(self, theme: Theme) -> None:
        self.rows_model = LibraryModel(theme)
        super().__init__(theme, self.rows_model, tr("Models on this machine"), 28, hover=True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setMinimumSectionSize(40)
        head.sectionClicked.connect(self._title_clicked)
        for number, column in enumerate(COLUMNS):
            self.setColumnWidth(number, column.width)
        self._quiet = False
        self._selected = ""
        self.selectionModel().currentRowChanged.connect(lambda *_: self._picked())
        self.doubleClicked.connect(lambda index: self.open_wanted.emit(self._path(index)))
        self.customContextMenuRequested.connect(self._menu)

    @property
    def selected(self) -> str:
        """The chosen model's path; empty: none."""
        return self._selected

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these; what was chosen stays so, and the place in the list too."""
        top, self._quiet = self.verticalScrollBar().value(), True
        if self.rows_model.show_rows(rows):
            self.clearSpans()
            for number, row in enumerate(rows):
                if row.model is None:
                    self.setSpan(number, 0, 1, len(COLUMNS))
            self.verticalScrollBar().setValue(top)
            at = self._row_of(self._selected)
            if at >= 0:
                self.setCurrentIndex(self.rows_model.index(at, 0))
        self._quiet = False
        if self._row_of(self._selected) < 0 and self._selected:
            self._selected = ""
            self.picked.emit("")

    def select(self, path: str) -> bool:
        """Choose a model; False where the list doesn't have it."""
        at = self._row_of(path)
        if at < 0:
            return False
        self.setCurrentIndex(self.rows_model.index(at, 0))
        self.scrollTo(self.rows_model.index(at, 0))
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Columns of less weight give way; the name has what is left."""
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter and Delete; arrows move."""
        path = self._selected
        if path and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_wanted.emit(path)
        elif path and event.key() == Qt.Key.Key_Delete:
            self.delete_wanted.emit(path)
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        room = self.viewport().width()
        left = room
        for number, column in enumerate(COLUMNS):
            gone = room < column.least
            self.setColumnHidden(number, gone)
            left -= 0 if gone or not number else column.width
        self.setColumnWidth(0, max(140, left))

    def _row_of(self, path: str) -> int:
        rows = self.rows_model.rows
        return next((n for n, row in enumerate(rows) if row.model is not None and row.model.path == path), -1)

    def _path(self, index: Index) -> str:
        row = self.rows_model.rows[index.row()] if 0 <= index.row() < len(self.rows_model.rows) else None
        return row.model.path if row is not None and row.model is not None else ""

    def _picked(self) -> None:
        path = self._path(self.currentIndex())
        if not self._quiet and path != self._selected:
            self._selected = path
            self.picked.emit(path)

    def _title_clicked(self, section: int) -> None:
        if COLUMNS[section].sort:
            self.sort_wanted.emit(COLUMNS[section].sort)

    def _menu(self, where: QPoint) -> None:
        path = self._path(self.indexAt(where))
        if path:
            self.menu_wanted.emit(path, self.viewport().mapToGlobal(where))


def rows_of(
    models: Sequence[ModelFile],
    notes: Mapping[str, Note],
    twins: Mapping[str, Sequence[ModelFile]],
    users: Mapping[str, str],
    groups: Mapping[str, Sequence[ModelFile]] | None,
) -> list[Row]:
    """The table's rows: under headings where ``groups`` is given."""

    def row(model: ModelFile) -> Row:
        return Row(
            model,
            note=notes.get(model.path, Note()),
            letters=users.get(model.path, ""),
            twins=len(twins.get(model.path, ())),
        )

    if groups is None:
        return [row(model) for model in models]
    rows = []
    for family, members in groups.items():
        rows.append(Row(None, f"{family} · {words.total_words(members)}"))
        rows += [row(model) for model in members]
    return rows
