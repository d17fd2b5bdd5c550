"""The figures of a kept answer in its lane: at once, or, where there are very many, a moment later."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from playground.conversation.tree import Chat, Node
from playground.workspace.answers import UNPACKED_AT_ONCE, Answers
from playground.workspace.series import TOKEN_DTYPE, Answer
from playground.workspace.state import State


class Desk:
    """A chat with kept answers; what is to be read in the background waits in ``later``."""

    def __init__(self, **tokens: int) -> None:
        self.state = State()
        self.later: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self.state.chat = Chat("c")
        self.state.chat.add(Node("q", None, "user", "?"))
        for name, n in tokens.items():
            self.state.chat.add(Node(name, "q", "assistant", "x", lane="A", series=kept(n), record={"ttft_s": 0.5}))
        jobs: Any = SimpleNamespace(finished={}, job_of=lambda lane: None)
        self.answers = Answers(
            self.state, jobs, lambda lane: None, lambda work: work(), lambda *work: self.later.append(work)
        )
        self.lane = self.state.lanes[0]

    def read(self) -> None:
        """What was asked of the background, in order."""
        for work, then in self.later:
            then(work())
        self.later.clear()


def kept(n: int) -> bytes:
    answer = Answer()
    rows = np.zeros(n, TOKEN_DTYPE)
    rows["t_ns"] = np.cumsum(np.random.default_rng(n).integers(9_000_000, 20_000_000, n)) + 10**9
    for row in rows.tolist():
        answer.tokens.append(row)
    return answer.to_bytes()


def test_few_are_there_at_once_and_many_come() -> None:
    desk = Desk(short=50, long=40_000)
    assert len(desk.state.chat.nodes["long"].series) > UNPACKED_AT_ONCE
    desk.answers.show_leaf(desk.lane, "short")
    assert (len(desk.lane.answer.tokens), desk.later) == (50, [])
    changes: list[bool] = []
    desk.answers.show_leaf(desk.lane, "long")
    link = desk.lane.changed.connect(lambda: changes.append(True))
    assert not len(desk.lane.answer.tokens)
    desk.read()
    assert len(desk.lane.answer.tokens) == 40_000
    assert desk.lane.answer.ttft_ns == 500_000_000
    assert changes == [True]
    link()


def test_who_went_on_meanwhile_keeps_what_he_sees() -> None:
    desk = Desk(short=50, long=40_000)
    desk.answers.show_leaf(desk.lane, "long")
    desk.answers.show_leaf(desk.lane, "short")
    desk.read()
    assert len(desk.lane.answer.tokens) == 50
