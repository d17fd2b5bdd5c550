"""What a search of the Hub is narrowed by, and its order; author, family and task are behind a button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QCompleter, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from playground.hub.search import FAMILIES, LICENCES, SORTS, TASKS, Query
from playground.translate import later, tr
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton, Label

_SIZES = (
    (later("Any size"), 0, 0),
    (later("Below 1 B"), 0, 1_000_000_000),
    (later("1 to 3 B"), 1_000_000_000, 3_000_000_000),
    (later("3 to 9 B"), 3_000_000_000, 9_000_000_000),
    (later("9 to 35 B"), 9_000_000_000, 35_000_000_000),
    (later("Above 35 B"), 35_000_000_000, 0),
)
"""Words, least and most parameters; 0: no limit."""
FITS = -1
"""Stands in the choice of sizes for what this machine's free memory holds."""
_SORT_WORDS = {
    "trending": later("Trending"),
    "downloads": later("Downloads"),
    "likes": later("Likes"),
    "recent": later("Changed"),
    "new": later("New"),
}
_MAX = 96
"""Characters of a name on the Hub."""


class Filters(QWidget):
    """All but the words. ``free`` is what “Fits here” means, in bytes."""

    changed = Signal(bool)
    """Something else is wanted; True: it was chosen, False: it is being typed."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.free = 0
        self.licence, self.params, self.sort, self.task = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        self.author = _field(tr("Author"), tr("Who published it: a user or an organization of the Hub, as ggml-org"))
        self.family = _field(
            tr("Family or base model"),
            tr(
                "The architecture or family as the Hub tags it, as qwen3; or the repository of the model it was made "
                "from, as Qwen/Qwen3-8B"
            ),
        )
        self.head = Label(theme, "", 11, "text-3")
        self.toggle = IconButton(theme, "sliders-horizontal", tr("More filters: author, family, task"))
        self.toggle.setCheckable(True)
        self._fill()
        self._compose()
        self._connect()

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked for beyond the words."""
        chosen = (self.licence, self.params, self.sort, self.task)
        return any(combo.currentIndex() > 0 for combo in chosen) or any(f.text().strip() for f in self._fields())

    def query(self, text: str) -> Query:
        """What is looked for, with these words."""
        index = self.params.currentData()
        _, least, most = _SIZES[0] if index == FITS else _SIZES[int(index)]
        return Query(
            text,
            author=self.author.text().strip(),
            family=self.family.text().strip(),
            task=str(self.task.currentData() or ""),
            licence=str(self.licence.currentData() or ""),
            sort=str(self.sort.currentData() or "trending"),
            min_params=least,
            max_params=most,
            fits_bytes=self.free if index == FITS else 0,
        )

    def clear(self) -> None:
        """Back to what is shown at the start."""
        for combo in (self.licence, self.params, self.sort, self.task):
            combo.setCurrentIndex(0)
        for field in self._fields():
            field.clear()

    def _fields(self) -> tuple[QLineEdit, ...]:
        return self.author, self.family

    def _fill(self) -> None:
        self.licence.addItem(tr("Any licence"), "")
        for name in LICENCES:
            self.licence.addItem(name, name)
        self.params.addItem(tr(_SIZES[0][0]), 0)
        self.params.addItem(tr("Fits here"), FITS)
        for number, (words, _, _) in enumerate(_SIZES[1:], 1):
            self.params.addItem(tr(words), number)
        for key, (_, meaning) in SORTS.items():
            self.sort.addItem(tr(_SORT_WORDS[key]), key)
            self.sort.setItemData(self.sort.count() - 1, tr(meaning), Qt.ItemDataRole.ToolTipRole)
        self.task.addItem(tr("Any task"), "")
        for key, meaning in TASKS.items():
            self.task.addItem(tr(meaning), key)
            self.task.setItemData(self.task.count() - 1, key, Qt.ItemDataRole.ToolTipRole)
        known = QCompleter(list(FAMILIES), self)
        known.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        known.setFilterMode(Qt.MatchFlag.MatchContains)
        self.family.setCompleter(known)

    def _compose(self) -> None:
        for combo, name in (
            (self.licence, tr("Licence")), (self.params, tr("Size")), (self.sort, tr("Order")), (self.task, tr("Task")),
        ):  # fmt: skip
            combo.setAccessibleName(name)
            combo.setToolTip(name)
            combo.setMinimumWidth(60)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self._more = QWidget()
        for place, rows in ((self._more, ((self.author, self.task), (self.family, None))),
                            (QWidget(), ((self.params, self.licence), (self.head, self.sort)))):  # fmt: skip
            grid = QGridLayout(place)
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setSpacing(6)
            grid.setColumnStretch(0, 1)
            grid.setColumnStretch(1, 1)
            for number, (left, right) in enumerate(rows):
                grid.addWidget(left, number, 0, 1, 1 if right else 2)
                if right:
                    grid.addWidget(right, number, 1)
            column.addWidget(place)
        self.head.setContentsMargins(10, 2, 0, 0)
        self._more.hide()

    def _connect(self) -> None:
        for combo in (self.licence, self.params, self.sort, self.task):
            combo.currentIndexChanged.connect(lambda _index: self.changed.emit(True))
        for field in self._fields():
            field.textChanged.connect(lambda _text: self.changed.emit(False))
            field.returnPressed.connect(lambda: self.changed.emit(True))
        self.toggle.toggled.connect(self._show_more)

    def _show_more(self, shown: bool) -> None:
        """What can't be seen narrows nothing."""
        self._more.setVisible(shown)
        if shown:
            self.author.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.task.setCurrentIndex(0)
        for field in self._fields():
            field.clear()


def _field(name: str, tip: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(name)
    field.setAccessibleName(name)
    field.setToolTip(tip)
    field.setMaxLength(_MAX)
    field.setMinimumWidth(60)
    field.setClearButtonEnabled(True)
    return field
