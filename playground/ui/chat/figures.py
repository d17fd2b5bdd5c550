"""Words about an answer's thoughts, from its token times."""

from __future__ import annotations

from functools import lru_cache

from playground.conversation.tree import Node
from playground.translate import tr, tr_n
from playground.workspace.lane import Lane
from playground.workspace.series import Answer, Rows


def thinking_words(node: Node, lane: Lane) -> str:
    """“Thought for 3.1 s · 212 tokens”; while at it “Thinking… 3.1 s · 212 tokens”; empty: no thoughts."""
    writing = node is lane.writing
    if not node.thinking and not (writing and lane.state == "thinking"):
        return ""
    seconds, tokens = _figures(node, lane)
    if not tokens:
        return tr("Thinking…") if writing and not node.text else tr("Thoughts")
    count = tr_n(tokens, "1 token", "{n:,} tokens")
    if writing and not node.text:
        return tr("Thinking… {seconds:.1f} s · {count}", seconds=seconds, count=count)
    return tr("Thought for {seconds:.1f} s · {count}", seconds=seconds, count=count)


def _figures(node: Node, lane: Lane) -> tuple[float, int]:
    if node is lane.writing:
        return _of_rows(lane.answer.tokens)
    if node.series:
        return _kept(node.series)
    if lane.path and node is lane.path[-1]:
        return _of_rows(lane.answer.tokens)
    return 0.0, 0


@lru_cache(maxsize=64)
def _kept(series: bytes) -> tuple[float, int]:
    answer = Answer()
    try:
        answer.tokens.load(series)
    except ValueError:
        return 0.0, 0
    return _of_rows(answer.tokens)


def _of_rows(rows: Rows) -> tuple[float, int]:
    """Seconds from the first thought's decode to the last thought, and how many tokens they took."""
    view = rows.view
    thoughts = view["thinking"].nonzero()[0]
    if not len(thoughts):
        return 0.0, 0
    first, last = view[int(thoughts[0])], view[int(thoughts[-1])]
    return float(last["t_ns"] - first["t_ns"] + first["gap_ns"]) / 1e9, len(thoughts)
