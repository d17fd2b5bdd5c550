"""Questions about the vocabulary and about formats, answered between two tokens."""

from __future__ import annotations

from playground.engine.format_error import FormatError
from playground.engine.grammar import Grammar
from playground.engine.json_schema import to_grammar
from playground.engine.tokens import Vocab
from playground.protocol.commands import CheckFormat, Tokenize
from playground.protocol.events import FormatChecked, Piece, Tokenized
from playground.settings.field import SettingError
from playground.translate import tr

MOST_PIECES = 2000
"""Tokens of a text that are told; the panel has no room for more."""


def answer(vocab: Vocab, command: Tokenize | CheckFormat) -> Tokenized | FormatChecked:
    """The event that answers; never raises for what a user typed."""
    if isinstance(command, Tokenize):
        tokens = vocab.tokenize(command.text, special=False)[:MOST_PIECES]
        return Tokenized(
            command.request,
            [_piece(vocab, token) for token in tokens],
            [_piece(vocab, token) for token in command.ids[:MOST_PIECES]],
        )
    try:
        text = to_grammar(command.json_schema) if command.json_schema.strip() else command.grammar
        if "\0" in text:
            raise FormatError(tr("A grammar can’t contain a zero character."), text[: text.index("\0")].count("\n") + 1)
        if text.strip():
            Grammar(vocab, text).free()
    except (SettingError, ValueError) as error:
        return FormatChecked(command.request, str(error), getattr(error, "line", 0), "")
    return FormatChecked(command.request, "", 0, text)


def _piece(vocab: Vocab, token: int) -> Piece:
    known = 0 <= token < vocab.size
    return Piece(token if known else -1, vocab.text(token), known and token in vocab.control)
