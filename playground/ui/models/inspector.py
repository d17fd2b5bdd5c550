"""Everything a GGUF file says of itself: metadata, tensors as a picture and a list, tokenizer, chat template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from PySide6.QtCore import QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTableView, QVBoxLayout, QWidget

from playground.models.inspect import Inspected
from playground.translate import later, tr
from playground.ui.models.notice import NoticeCard
from playground.ui.models.rooms import Rooms
from playground.ui.models.template_view import TemplateView
from playground.ui.models.tensor_picture import TensorPicture
from playground.ui.models.tokenizer_view import TokenizerView
from playground.ui.row_table import RowTable, beside
from playground.ui.theme import Theme
from playground.ui.widgets import Divider, ElidedLabel, IconButton, SearchField, SegmentedControl
from playground.workspace import model_words as words
from playground.workspace.words import format_bytes, format_number

TABS = (
    ("metadata", later("Metadata"), later("Every key of the header")),
    ("tensors", later("Tensors"), later("How large they are, and of which types")),
    ("tokenizer", later("Tokenizer"), later("The vocabulary, and what it makes of a text")),
    ("template", later("Template"), later("How a chat becomes a prompt")),
)


MOST_ROWS = 5000
"""Of a list; five times what the largest models have. A header may claim hundreds of thousands."""


class FilteredTable(QWidget):
    """Rows of plain text with a field that keeps those with all its words."""

    def __init__(self, theme: Theme, titles: Sequence[str], widths: Sequence[int], name: str) -> None:
        super().__init__()
        self._theme = theme
        self.search = SearchField(theme, tr("Search in: {name}", name=name))
        self.items = QStandardItemModel(0, len(titles))
        self.items.setHorizontalHeaderLabels(list(titles))
        self.shown = QSortFilterProxyModel(self)
        self.shown.setSourceModel(self.items)
        self.shown.setFilterKeyColumn(-1)
        self.shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table = RowTable(theme, self.shown, name, 24, lined=False)
        self.table.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        head = self.table.horizontalHeader()
        head.setStretchLastSection(True)
        head.setDefaultAlignment(beside(right=False))
        for number, width in enumerate(widths):
            self.table.setColumnWidth(number, width)
        self.search.textChanged.connect(self.shown.setFilterFixedString)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)

    def show_rows(self, rows: Iterable[Sequence[str]], count: int) -> None:
        """Show others, ``count`` of them: up to `MOST_ROWS`, then how many more there are."""
        self.items.removeRows(0, self.items.rowCount())
        more = count - MOST_ROWS
        last = [(tr("… and {more:,} more", more=more),)] if more > 0 else []
        for row in (*islice(rows, MOST_ROWS), *last):
            items = [QStandardItem(text) for text in row]
            for item in items:
                item.setToolTip(item.text())
            self.items.appendRow(items)


class Inspector(QWidget):
    """Reads a file's header in the background and shows it."""

    closed = Signal()

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms
        self._path = ""
        theme = rooms.theme
        self.setProperty("surface", "canvas")
        self.back = IconButton(theme, "caret-left", tr("Back to the library"), "Esc")
        self.back.clicked.connect(self.closed)
        self.name = ElidedLabel(theme, "", 16, "text-1", 600)
        self.tag = ElidedLabel(theme, "", 12, "text-2")
        self.tabs = SegmentedControl(
            theme, [(key, tr(name), tr(tip)) for key, name, tip in TABS], tr("Parts of the file")
        )
        self.tabs.chosen.connect(self.show_tab)
        self.problem = NoticeCard(theme)
        self.metadata = FilteredTable(
            theme, (tr("Key"), tr("Value"), tr("Type"), tr("Length")), (300, 420, 90, 80), tr("Metadata")
        )
        self.picture = TensorPicture(theme)
        self.tensors = FilteredTable(
            theme, (tr("Name"), tr("Type"), tr("Shape"), tr("Size"), tr("Part")), (280, 80, 170, 90, 110), tr("Tensors")
        )
        self.tokenizer = TokenizerView(rooms)
        self.template = TemplateView(rooms)
        self.stack = QStackedWidget()
        both = QWidget()
        column = QVBoxLayout(both)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.picture)
        column.addWidget(self.tensors, 1)
        self._pages = {
            "metadata": self.metadata,
            "tensors": both,
            "tokenizer": self.tokenizer,
            "template": self.template,
        }
        for page in self._pages.values():
            self.stack.addWidget(page)
        self._compose()
        self.show_tab("metadata")

    def show_file(self, path: str) -> None:
        """Read and show another file."""
        self._path = path
        model = self._rooms.library.find(path)
        self.name.setText(model.name if model is not None else path)
        self.tag.setText(words.tag_words(model) if model is not None else "")
        self.problem.hide()
        self.stack.setVisible(False)

        def came(found: Inspected | str) -> None:
            if path != self._path:
                return
            if isinstance(found, str):
                self.problem.say("danger", tr("It can’t be read."), found)
            else:
                self._show(found)

        self._rooms.library.inspect(path, came)

    def show_tab(self, tab: str) -> None:
        """Show a part."""
        self.tabs.choose(tab)
        self.stack.setCurrentWidget(self._pages[tab])

    def _show(self, found: Inspected) -> None:
        self.stack.setVisible(True)
        self.metadata.show_rows(
            ((pair.key, pair.value, pair.type, f"{pair.length:,}" if pair.length else "") for pair in found.metadata),
            len(found.metadata),
        )
        self.picture.show_file(found)
        self.tensors.show_rows(
            (
                (row.name, row.type, " × ".join(map(format_number, row.shape)), format_bytes(row.size), row.group)
                for row in found.tensors
            ),
            len(found.tensors),
        )
        self.tokenizer.show_file(self._path, found.tokenizer)
        self.template.show_file(self._path, found.templates)

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.back)
        head.addWidget(self.name, 1)
        head.addWidget(self.tag, 1)
        head.addStretch(1)
        head.addWidget(self.tabs)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 10, 16, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(Divider(self._rooms.theme))
        column.addWidget(self.problem)
        column.addWidget(self.stack, 1)
        column.addStretch(0)
