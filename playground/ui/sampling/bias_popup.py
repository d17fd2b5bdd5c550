"""The editor of logit biases: text is typed, its tokens are seen, and each gets a bias."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from playground.protocol.events import Piece, Tokenized
from playground.settings.field import Field, SettingError
from playground.settings.sampling import bias_entry, read_bias
from playground.translate import later, tr
from playground.ui.editor_popup import ValuePopup, escaped
from playground.ui.style import mark
from playground.ui.theme import Theme

Tokenize = Callable[[str, list[int], Callable[[Tokenized], None]], bool]
"""Asks the engine for the tokens of a text and of ids; False: no model is loaded."""
_NEVER = "never"


def shown(text: str) -> str:
    """A token's text with its spaces visible."""
    return escaped(text).replace(" ", "·")


class BiasPopup(ValuePopup):
    """A line to type in, the tokens of it, and the table of biases."""

    def __init__(
        self, tokenize: Tokenize, field: Field, theme: Theme, take: Callable[[Any], None], parent: QWidget
    ) -> None:
        super().__init__(field, theme, take, parent)
        self._tokenize = tokenize
        self._texts: dict[int, str] = {}
        self.typed: list[Piece] = []
        """The tokens of what stands in the line."""
        self.text, self.bias = QLineEdit(), QLineEdit("-2")
        self.add, self.remove = QPushButton(tr("Add")), QPushButton(tr("Remove"))
        self.tokens = QLabel()
        self.table = QTableWidget(0, 3)
        self._fill()
        self.text.textChanged.connect(self._ask)
        self.text.returnPressed.connect(self.add_typed)
        self.bias.returnPressed.connect(self.add_typed)
        self.add.clicked.connect(self.add_typed)
        self.remove.clicked.connect(self.remove_selected)
        self.resize(400, 400)

    def help_text(self) -> str:
        """What a bias does."""
        return tr(
            "Type a text and see its tokens. Below 0 they come less often, above 0 more often, “never” forbids them."
        )

    def _fill(self) -> None:
        for button in (self.add, self.remove):
            mark(button, kind="quiet", small="true")
        self.text.setPlaceholderText(tr("Text; a space before a word matters"))
        self.text.setAccessibleName(tr("Text to tokenise"))
        self.bias.setAccessibleName(tr("Bias"))
        self.bias.setToolTip(tr("A number like -2 or 1.5, or “never”"))
        self.bias.setFixedWidth(64)
        self.tokens.setWordWrap(True)
        self.tokens.setTextFormat(Qt.TextFormat.PlainText)
        mark(self.tokens, tone="2", mono="true")
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        row.addWidget(self.bias)
        row.addWidget(self.add)
        self.table.setHorizontalHeaderLabels([tr("Token"), "Id", tr("Bias")])
        self.table.setAccessibleName(tr("Logit biases"))
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        below = QHBoxLayout()
        below.addWidget(self.remove)
        below.addStretch()
        self.body.addLayout(row)
        self.body.addWidget(self.tokens)
        self.body.addWidget(self.table, 1)
        self.body.addLayout(below)

    # The value

    def open_at(self, corner: QPoint, value: Any) -> None:
        """With the focus in the line."""
        super().open_at(corner, value)
        self.text.setFocus()

    def show_value(self, value: Any) -> None:
        """One row an entry; one that can't be read is told and left out."""
        self.table.setRowCount(0)
        self.text.clear()
        for entry in value:
            try:
                self._put(*read_bias(entry))
            except SettingError as error:
                self.show_error(str(error))
        ids = [self._id(row) for row in range(self.table.rowCount())]
        if ids:
            self._tokenize("", ids, self._name)

    def read_value(self) -> Any:
        """The table's rows as entries. Raises SettingError."""
        cells = [(self._id(row), self._cell(row, 2).text()) for row in range(self.table.rowCount())]
        return self.field.check([bias_entry(token, _number(bias)) for token, bias in cells])

    def add_typed(self) -> None:
        """Give each token of the typed text the bias."""
        try:
            bias = _number(self.bias.text())
        except SettingError as error:
            self.show_error(str(error))
            return
        if not self.typed:
            self.show_error(
                tr("Type the text whose tokens should get the bias.") if not self.text.text() else tr(_NO_MODEL)
            )
            return
        self.show_error("")
        for piece in self.typed:
            self._texts[piece.id] = piece.text
            self._put(piece.id, bias)
        self.text.clear()

    def remove_selected(self) -> None:
        """Take the selected rows out."""
        for row in sorted({index.row() for index in self.table.selectedIndexes()}, reverse=True):
            self.table.removeRow(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes rows out; Enter in the line adds, with Ctrl it applies."""
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if event.key() == Qt.Key.Key_Delete and self.table.hasFocus():
            self.remove_selected()
        elif enter and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.accept()
        else:
            super().keyPressEvent(event)

    def _id(self, row: int) -> int:
        return int(self._cell(row, 1).text())

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.table.item(row, column)
        if item is None:
            raise IndexError(f"no cell {row}, {column}")
        return item

    def _put(self, token: int, bias: float) -> None:
        """A row for a token; one that is there gets the new bias."""
        rows = [row for row in range(self.table.rowCount()) if self._id(row) == token]
        row = rows[0] if rows else self.table.rowCount()
        if not rows:
            self.table.insertRow(row)
        fixed = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        for column, text in enumerate((shown(self._texts.get(token, "")), str(token), _words(bias))):
            item = QTableWidgetItem(text)
            if column < 2:
                item.setFlags(fixed)
            self.table.setItem(row, column, item)

    # The engine

    def _ask(self, text: str) -> None:
        self.typed = []
        if not text:
            self.tokens.setText("")
        elif not self._tokenize(text, [], lambda told: self._told(text, told)):
            self.tokens.setText(tr(_NO_MODEL))

    def _told(self, text: str, told: Tokenized) -> None:
        if text == self.text.text():
            self.typed = list(told.text)
            self.tokens.setText(" | ".join(f"{shown(piece.text)} {piece.id}" for piece in told.text))

    def _name(self, told: Tokenized) -> None:
        for row in range(self.table.rowCount()):
            token = self._id(row)
            piece = next((piece for piece in told.ids if piece.id == token), None)
            if piece is not None:
                self._texts[token] = piece.text
                self._cell(row, 0).setText(shown(piece.text))


_NO_MODEL = later("The tokens can be seen once the model is loaded.")


def _number(text: str) -> float:
    """A bias as it is typed. Raises SettingError."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    if plain.lower() == _NEVER:
        return -math.inf
    try:
        value = float(plain)
    except ValueError:
        raise SettingError(tr("A bias is a number, or “{never}”; not “{text}”.", never=_NEVER, text=text)) from None
    if not math.isfinite(value):
        raise SettingError(tr("A bias is a number, or “{never}”; not “{text}”.", never=_NEVER, text=text))
    return value


def _words(bias: float) -> str:
    return _NEVER if bias == -math.inf else f"{bias:g}"
