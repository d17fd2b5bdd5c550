"""A vocabulary: its facts, what it makes of a text, and a search through its tokens."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from playground.models.gguf import GgufError
from playground.models.inspect import Tokenizer
from playground.protocol.events import Tokenized
from playground.translate import tr
from playground.ui.models.facts import Facts
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Label
from playground.workspace.words import format_number

_MOST = 200
"""Tokens that are listed."""
_TYPING_MS = 200


class TokenizerView(QWidget):
    """Cuts by the engine where a lane has the model; searches the file's own list in any case."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms
        self._path = ""
        self._asked = 0
        theme = rooms.theme
        self.facts = Facts(theme)
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Type a text"))
        self.field.setAccessibleName(tr("Text to try the tokenizer on"))
        self.count = Label(theme, "", 12, "text-1", 500, wrap=True)
        self.pieces, self.tokens = QPlainTextEdit(), QPlainTextEdit()
        for box, name in (
            (self.pieces, tr("Tokens of the text")),
            (self.tokens, tr("Tokens of the vocabulary with that text")),
        ):
            box.setReadOnly(True)
            box.setFont(theme.font(12, mono=True))
            box.setAccessibleName(name)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self.try_it)
        self.field.textChanged.connect(lambda _text: self._typing.start())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.facts)
        column.addWidget(Label(theme, tr("Try it"), 12, "text-2", 500))
        column.addWidget(self.field)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.count)
        left.addWidget(self.pieces, 1)
        right.addWidget(Label(theme, tr("In the vocabulary, with this text in them"), 12, "text-2", wrap=True))
        right.addWidget(self.tokens, 1)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addLayout(left, 1)
        row.addLayout(right, 1)
        column.addLayout(row, 1)

    def show_file(self, path: str, tokenizer: Tokenizer | None) -> None:
        """Show another file's."""
        self._path = path
        if tokenizer is None:
            self.facts.show_facts([(tr("Vocabulary"), tr("none"))])
            return
        special = ", ".join(f"{name} {number:,}" for name, number in tokenizer.special.items())
        flags = ", ".join(f"{name}: {tr('yes') if on else tr('no')}" for name, on in tokenizer.flags.items())
        rows = [
            (tr("Kind"), f"{tokenizer.model}{f', {tokenizer.pre}' if tokenizer.pre else ''}"),
            (tr("Tokens"), format_number(tokenizer.n_tokens)),
            (tr("Merges"), format_number(tokenizer.n_merges) if tokenizer.n_merges else ""),
            (tr("Special"), special),
            (tr("Flags"), flags),
        ]
        self.facts.show_facts([(word, value) for word, value in rows if value])
        self.try_it()

    def try_it(self) -> None:
        """Cut the text into its tokens, and list those of the vocabulary that have it in them."""
        text, path = self.field.text(), self._path
        self._asked += 1
        asked = self._asked
        if not text:
            self.count.setText("")
            self.pieces.setPlainText("")
            self.tokens.setPlainText("")
            return
        self._cut(text, asked)

        def came(found: list[str]) -> None:
            if asked == self._asked:
                self.tokens.setPlainText("\n".join(found) or tr("No token has this text in it."))

        self._rooms.background(lambda: _search(path, text), came)

    def _cut(self, text: str, asked: int) -> None:
        workspace = self._rooms.workspace

        def came(event: Tokenized) -> None:
            if asked == self._asked:
                count = len(event.text)
                self.count.setText(f"{count:,} {'token' if count == 1 else 'tokens'}")
                shown = [f"{piece.id:>8,}  “{piece.text}”" for piece in event.text[:_MOST]]
                self.pieces.setPlainText("\n".join(shown))

        letters = [lane.letter for lane in workspace.lanes if lane.model and lane.model.path == self._path]
        if not any(workspace.questions.tokenize(letter, text, [], came) for letter in letters):
            self.count.setText(tr("Its tokens are shown once a lane has this model."))
            self.pieces.setPlainText("")


def _search(path: str, text: str) -> list[str]:
    """Tokens with the text in them, the shortest first: “id  token”."""
    from playground.models.inspect import tokens

    # How vocabularies write a space: byte-level BPE, SentencePiece.
    spelt = {text, text.replace(" ", "Ġ"), text.replace(" ", "▁")}
    found = []
    try:
        for number, token in enumerate(tokens(Path(path))):
            if any(one in token for one in spelt):
                found.append((len(token), number, token))
    except (GgufError, OSError) as error:
        return [str(error)]
    shown = [f"{number:>8,}  {token}" for _, number, token in sorted(found)[:_MOST]]
    more = len(found) - len(shown)
    return [*shown, tr("… and {more:,} more", more=more)] if more > 0 else shown
