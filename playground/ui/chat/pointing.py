"""Marks, selects and finds the characters of an answer in the widgets that show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QTextCursor

from playground.ui.chat.body import Body
from playground.workspace.token_spans import Place, Span

if TYPE_CHECKING:
    from playground.ui.chat.answer_turn import AnswerTurn


def mark(turn: AnswerTurn, spans: Sequence[Span]) -> None:
    """Tint these characters and no others of the turn."""
    ranges = {id(body): found for body, found in _ranges(turn, spans)}
    for body in _bodies(turn):
        body.mark_range(*ranges.get(id(body), (0, 0)))


def select(turn: AnswerTurn, spans: Sequence[Span]) -> None:
    """Select these characters and no others of the turn."""
    ranges = {id(body): found for body, found in _ranges(turn, spans)}
    for body in _bodies(turn):
        body.select_range(*ranges.get(id(body), (0, 0)))


def top_of(turn: AnswerTurn, spans: Sequence[Span]) -> int:
    """Where the line with the first of these characters begins in the turn, px; folded thoughts: their head."""
    for body, (start, _) in _ranges(turn, spans):
        return body.mapTo(turn, QPoint(0, body.line_top(start))).y()
    return turn.thinking.y() if spans and spans[0].thoughts else 0


def place_at(turn: AnswerTurn, body: Body, position: int) -> Place:
    """The character of the answer at a position of one of its documents."""
    thoughts = body is not turn.body
    source = turn.node.thinking if thoughts else turn.node.text
    return Place(turn.node.id, body.places.offset(source, position), thoughts)


def word_at(turn: AnswerTurn, at: QPoint) -> tuple[str, Place] | None:
    """The word at a global point and where it begins; None: there is no word."""
    for body in _bodies(turn):
        local = body.viewport().mapFromGlobal(at)
        position = body.position_at(QPointF(local)) if body.viewport().rect().contains(local) else -1
        if position < 0:
            continue
        cursor = QTextCursor(body.markdown)
        cursor.setPosition(position)
        cursor.select(QTextCursor.SelectionType.WordUnderCursor)
        if word := cursor.selectedText().strip():
            return word, place_at(turn, body, cursor.selectionStart())
    return None


def _bodies(turn: AnswerTurn) -> Iterator[Body]:
    yield turn.body
    if turn.thinking.body is not None:
        yield turn.thinking.body


def _ranges(turn: AnswerTurn, spans: Sequence[Span]) -> Iterator[tuple[Body, tuple[int, int]]]:
    """Spans that are on screen, as ranges of the documents that show them."""
    for span in spans:
        body = turn.thinking.body if span.thoughts else turn.body
        if body is None or body.isHidden() or (span.thoughts and not turn.thinking.head.open):
            continue
        source = turn.node.thinking if span.thoughts else turn.node.text
        yield body, (body.places.position(source, span.start), body.places.position(source, span.end))
