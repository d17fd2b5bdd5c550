"""The turns that are laid out: a few widgets, used again for whatever comes into view."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from playground.conversation.tree import Node
from playground.ui.chat.answer_turn import AnswerTurn
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.turn import Turn, UserTurn
from playground.ui.theme import Theme

SPARE = 16
"""Turns kept laid out beside those in view, so that scrolling back is cheap."""


class TurnPool:
    """Turn widgets by node id, the least recently seen ones first."""

    def __init__(
        self, theme: Theme, highlighter: Highlighter, parent: QWidget, prepare: Callable[[Turn], None]
    ) -> None:
        self._theme, self._highlighter, self._parent, self._prepare = theme, highlighter, parent, prepare
        self._turns: OrderedDict[str, Turn] = OrderedDict()

    def __len__(self) -> int:
        return len(self._turns)

    def all(self) -> list[Turn]:
        """All turn widgets there are."""
        return list(self._turns.values())

    def known(self, node_id: str) -> Turn | None:
        """The widget that shows a node now, if any."""
        return self._turns.get(node_id)

    def take(self, node: Node) -> Turn:
        """A widget that shows the node: its own, one no longer in view, or a new one."""
        turn = self._turns.get(node.id)
        if turn is None:
            turn = self._spare(node) or self._make(node)
            self._turns[node.id] = turn
        self._turns.move_to_end(node.id)
        turn.bind(node)
        return turn

    def keep_only(self, ids: set[str]) -> None:
        """Let turns go that are no longer part of the path."""
        for key in [key for key in self._turns if key not in ids]:
            turn = self._turns.pop(key)
            turn.hide()
            if len(self._turns) < SPARE and not turn.editor:
                self._turns[f"spare {id(turn)}"] = turn
                self._turns.move_to_end(f"spare {id(turn)}", last=False)
            else:
                turn.deleteLater()

    def _spare(self, node: Node) -> Turn | None:
        if len(self._turns) < SPARE and not any(key.startswith("spare") for key in self._turns):
            return None
        kind = _kind(node)
        for key, turn in self._turns.items():
            if type(turn) is kind and turn.isHidden() and not turn.editor:
                del self._turns[key]
                return turn
        return None

    def _make(self, node: Node) -> Turn:
        turn = _kind(node)(self._theme, self._highlighter, self._parent)
        turn.hide()
        self._prepare(turn)
        return turn


def _kind(node: Node) -> type[Turn]:
    return AnswerTurn if node.role == "assistant" else UserTurn
