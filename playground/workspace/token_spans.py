"""Between an answer's tokens and the characters of its text: which token made what. Pure; by arrays that exist."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from playground.conversation.tree import Node
from playground.workspace.series import Rows


@dataclass(frozen=True, slots=True)
class Place:
    """A character of an answer."""

    node: str
    """Id of the turn."""
    at: int
    thoughts: bool = False
    """It is one of the thoughts, not of the text."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run of an answer's characters: of its thoughts, or of its text. Empty for a token that made none."""

    start: int
    end: int
    thoughts: bool = False


def before(node: Node, tokens: Rows) -> int:
    """Characters that none of the tokens made: what an answer that was continued began with."""
    made = int(tokens.view["chars"][-1]) if len(tokens) else 0
    return max(0, len(node.thinking) + len(node.text) - made)


def spans_of(node: Node, tokens: Rows, first: int, last: int) -> list[Span]:
    """What the tokens from ``first`` to ``last``, that one included, made; thoughts first."""
    n, thoughts = len(tokens), len(node.thinking)
    if not 0 <= first <= last < n:
        return []
    ends, base = tokens.view["chars"], before(node, tokens)
    start = base + (int(ends[first - 1]) if first else 0)
    end = base + int(ends[last])
    if end <= thoughts and tokens.view["thinking"][last]:
        return [Span(start, end, True)]
    if start >= thoughts:
        return [Span(start - thoughts, end - thoughts)]
    return [Span(start, thoughts, True), Span(0, max(0, end - thoughts))]


def token_at(node: Node, tokens: Rows, place: Place) -> int | None:
    """The token that made a character; None for one that none of them made."""
    at = place.at + (0 if place.thoughts else len(node.thinking)) - before(node, tokens)
    if at < 0 or not len(tokens):
        return None
    index = bisect_right(tokens.view["chars"], at)
    return index if index < len(tokens) else None
