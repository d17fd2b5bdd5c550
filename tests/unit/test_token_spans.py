"""Which token made which characters, also in thoughts, in an answer that was continued, and where nothing was made."""

from __future__ import annotations

from playground.conversation.tree import Node
from playground.protocol.events import Phase, Token
from playground.workspace.series import Answer
from playground.workspace.token_spans import Place, Span, spans_of, token_at


def write(begun: str, *pieces: tuple[str, Phase]) -> tuple[Node, Answer]:
    """An answer made of these tokens, behind a text that was there."""
    node, answer = Node("n", None, "assistant", begun), Answer()
    for index, (text, phase) in enumerate(pieces):
        answer.add(Token(1, index, 5, text, index, 1, 1, index, phase))
        if phase == "thinking":
            node.thinking += text
        else:
            node.text += text
    return node, answer


def test_each_token_has_its_characters_and_each_character_its_token() -> None:
    node, answer = write(
        "", ("Hm", "thinking"), (" so", "thinking"), ("The", "answer"), ("", "answer"), (" sea", "answer")
    )
    spans = [spans_of(node, answer.tokens, n, n) for n in range(5)]
    assert spans == [[Span(0, 2, True)], [Span(2, 5, True)], [Span(0, 3)], [Span(3, 3)], [Span(3, 7)]]
    at = [token_at(node, answer.tokens, Place("n", place, True)) for place in range(5)]
    assert at == [0, 0, 1, 1, 1]
    assert [token_at(node, answer.tokens, Place("n", place)) for place in range(8)] == [2, 2, 2, 4, 4, 4, 4, None]


def test_a_range_is_one_run_of_each() -> None:
    node, answer = write("", ("Hm", "thinking"), (" so", "thinking"), ("The", "answer"), (" sea", "answer"))
    assert spans_of(node, answer.tokens, 1, 2) == [Span(2, 5, True), Span(0, 3)]
    assert spans_of(node, answer.tokens, 2, 3) == [Span(0, 7)]
    assert spans_of(node, answer.tokens, 2, 9) == []


def test_what_a_continued_answer_began_with_is_no_tokens() -> None:
    node, answer = write("It was", (" the", "answer"), (" sea", "answer"))
    assert spans_of(node, answer.tokens, 0, 1) == [Span(6, 14)]
    assert token_at(node, answer.tokens, Place("n", 3)) is None
    assert token_at(node, answer.tokens, Place("n", 6)) == 0


def test_without_tokens_there_is_nothing() -> None:
    node, answer = write("edited text")
    assert spans_of(node, answer.tokens, 0, 0) == []
    assert token_at(node, answer.tokens, Place("n", 2)) is None
