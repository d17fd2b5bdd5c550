"""Earlier answers of the open chat that the latency plot lays over the ones on screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from playground.conversation.tree import Node
from playground.translate import tr
from playground.workspace.answers import kept_answer
from playground.workspace.marks import sampling_words
from playground.workspace.ports import Background
from playground.workspace.series import Answer
from playground.workspace.signal import Signal
from playground.workspace.state import State

MOST = 4
"""Answers over the ones on screen, at most: more lines than that can't be told apart."""
OFFERED = 24
"""Newest answers that are offered."""
_WORDS = 40
_DIFFERENCES = 2


class Finished(Protocol):
    """An answer that ended in this session, see `jobs.Job`."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that can be laid over."""

    id: str
    """Of its turn."""
    letter: str
    name: str
    """“version 1”, “turn 2”."""
    words: str
    """What sets it apart from the answer on screen, or how it begins."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """An answer laid over, with its figures."""

    id: str
    letter: str
    name: str
    answer: Answer
    record: Mapping[str, Any]
    model: str


class Overlays:
    """Which earlier answers are laid over; their figures are unpacked in the background."""

    def __init__(self, state: State, finished: Mapping[str, Finished], background: Background) -> None:
        self._state, self._finished, self._background = state, finished, background
        self._chosen: dict[str, Answer | None] = {}
        """By turn; None while the figures are being read."""
        self.changed: Signal[[]] = Signal()
        state.chat_changed.connect(self._forget_strangers)

    def choices(self) -> list[Choice]:
        """What can be laid over: other versions of the answers on screen first, then other turns, newest first."""
        now = self._on_screen()
        parents = {node.parent for node in now}
        with_figures = [node for node in self._state.chat.nodes.values() if self._has_figures(node) and node not in now]
        with_figures.sort(key=lambda node: (node.parent in parents, node.created), reverse=True)
        return [
            Choice(node.id, node.lane, self._name(node), self._words(node, now), node.id in self._chosen)
            for node in with_figures[:OFFERED]
        ]

    @property
    def full(self) -> bool:
        """Whether no more can be laid over."""
        return len(self._chosen) >= MOST

    def set_over(self, node_id: str, over: bool) -> None:
        """Lay an answer over, or take it away."""
        node = self._state.chat.nodes.get(node_id)
        if not over:
            if self._chosen.pop(node_id, self) is not self:
                self.changed.emit()
            return
        if node is None or node_id in self._chosen:
            return
        if self.full:
            self._state.told.emit(tr("Four answers are the most that can be laid over."))
            return
        job = self._finished.get(node_id)
        self._chosen[node_id] = job.answer if job is not None else None
        if job is not None:
            self.changed.emit()
        else:
            self._background(lambda: kept_answer(node), lambda answer: self._read(node_id, answer))

    def clear(self) -> None:
        """Take all away."""
        if self._chosen:
            self._chosen.clear()
            self.changed.emit()

    def shown(self) -> list[Earlier]:
        """What is laid over now, in the order it was chosen; an answer that a lane shows itself is not."""
        if not self._chosen:
            return []
        nodes, now = self._state.chat.nodes, {node.id for node in self._on_screen()}
        return [
            Earlier(node.id, node.lane, self._name(node), answer, node.record, node.model)
            for node_id, answer in self._chosen.items()
            if answer is not None and node_id not in now and (node := nodes.get(node_id)) is not None
        ]

    def _read(self, node_id: str, answer: Answer) -> None:
        if node_id not in self._chosen:
            return
        if not len(answer.tokens):
            del self._chosen[node_id]
            self._state.told.emit(tr("The figures of that answer can’t be read."))
        else:
            self._chosen[node_id] = answer
        self.changed.emit()

    def _forget_strangers(self) -> None:
        """Another chat was opened."""
        if any(node_id not in self._state.chat.nodes for node_id in self._chosen):
            self.clear()

    def _on_screen(self) -> list[Node]:
        """The answer that each lane's plot shows."""
        answers = ([node for node in lane.path if node.role == "assistant"] for lane in self._state.lanes)
        return [mine[-1] for mine in answers if mine]

    def _has_figures(self, node: Node) -> bool:
        return node.role == "assistant" and node.state != "writing" and bool(node.series or node.id in self._finished)

    def _name(self, node: Node) -> str:
        chat = self._state.chat
        versions = chat.siblings(node)
        version = tr("version {n}", n=versions.index(node) + 1)
        if any(other.parent == node.parent for other in self._on_screen()):
            return version
        turn = sum(one.role == "user" for one in chat.path(node.id))
        words = tr("turn {n}", n=turn)
        return f"{words}, {version}" if len(versions) > 1 else words

    def _words(self, node: Node, now: list[Node]) -> str:
        """How its model or settings differ from those of the answer its lane shows, else its first words."""
        like = next((other for other in now if other.lane == node.lane), None)
        found = []
        if like is not None:
            if node.model and node.model != like.model:
                found.append(node.model)
            found += _differences(node.record.get("sampling"), like.record.get("sampling"))
        if found:
            return " · ".join(found)
        text = " ".join((node.text or node.thinking)[: 4 * _WORDS].split())
        return f"“{text[:_WORDS]}…”" if len(text) > _WORDS else f"“{text}”"


def _differences(mine: object, other: object) -> list[str]:
    """“temp 0.5” for each sampler value that differs; a record may be a stranger's."""
    if not isinstance(mine, dict) or not isinstance(other, dict):
        return []
    changed = {name: value for name, value in mine.items() if name != "max_tokens" and other.get(name) != value}
    few = dict(list(changed.items())[:_DIFFERENCES])
    return [sampling_words(few)] if few else []
