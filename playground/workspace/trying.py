"""“Try another”: an answer's continuation drawn again from any of its tokens, with another preset, in another lane.

The first lane and its answer stay as they are. Both are on one engine, so what they have in common is read once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playground.conversation.tree import Node, new_id
from playground.settings.presets import Preset, changed_names
from playground.translate import tr
from playground.workspace.answers import Answers, kept_answer
from playground.workspace.jobs import Jobs
from playground.workspace.lane import Lane
from playground.workspace.presets import Presets
from playground.workspace.series import Rows
from playground.workspace.signal import Signal
from playground.workspace.state import State
from playground.workspace.token_spans import Place, before, token_at
from playground.workspace.tuning import Tuning


@dataclass(frozen=True, slots=True)
class Point:
    """A token of an answer."""

    node: str
    """Id of the turn."""
    index: int
    """The first token that is drawn anew; 0: all of them."""


class Trying:
    """Draws continuations again."""

    def __init__(
        self,
        state: State,
        jobs: Jobs,
        answers: Answers,
        tuning: Tuning,
        presets: Presets,
        add_lane: Callable[[], Lane | None],
    ) -> None:
        """``add_lane``: one more lane like the active one, which stays active."""
        self._state = state
        self._jobs = jobs
        self._answers = answers
        self._tuning = tuning
        self._presets = presets
        self._add_lane = add_lane
        self._lanes: list[Lane] = []
        """Lanes that were made for trying: the next try goes there again."""
        self._pointed: tuple[str, Point | Place] | None = None
        self.preset_key = ""
        """The preset to try with; empty: the first that differs from the lane's own sampling."""
        self.changed: Signal[[]] = Signal()

    def point_at(self, letter: str, index: int) -> None:
        """The user points at a token of a lane's last answer, in a plot or in the text; a negative index: at none."""
        lane = self._state.find_lane(letter) if index >= 0 else None
        node = self._node(lane) if lane is not None else None
        self._pointed = (letter, Point(node.id, index)) if node is not None else None

    def point_to(self, letter: str, at: Point | Place | None) -> None:
        """The user points at a token or a character of any of a lane's answers, or at none."""
        self._pointed = (letter, at) if at is not None else None

    def try_here(self) -> Lane | None:
        """Try another from what is pointed at, else in the active lane from where its answer is."""
        letter, at = self._pointed or ("", None)
        if at is None or self._state.find_lane(letter) is None:
            return self.try_another(self._state.active)
        return self.try_place(letter, at) if isinstance(at, Place) else self.try_another(letter, at)

    def try_place(self, letter: str, place: Place) -> Lane | None:
        """Try another from the token with this character.

        One that no token made, as in a text that was edited, is a place, too.
        """
        lane = self._state.lane(letter)
        node = self._node(lane, place)
        if node is None or node.id != place.node:
            self._tell_nothing_here()
            return None
        index = token_at(node, self._tokens(lane, node), place)
        if index is not None:
            return self.try_another(letter, Point(node.id, index))
        chars = place.at + (0 if place.thoughts else len(node.thinking))
        return self._try(lane, node, None, cut_at(node, chars))

    def can_try(self, letter: str) -> bool:
        """Whether the lane shows an answer that can be drawn again."""
        lane = self._state.lane(letter)
        return lane.model is not None and self._node(lane) is not None

    def choose(self, key: str) -> None:
        """Which preset the next tries are drawn with."""
        self.preset_key = key
        self.changed.emit()

    def preset_for(self, lane: Lane) -> Preset:
        """The preset that a try of this lane's answer would have."""
        presets = self._presets.of(lane)
        chosen = next((preset for preset in presets if preset.key == self.preset_key), None)
        others = (preset for preset in presets if changed_names(lane.sampling, lane.samplers, preset))
        return chosen or next(others, presets[0])

    def try_another(self, letter: str, point: Point | None = None) -> Lane | None:
        """Draw a continuation again in a second lane; that lane, or None with a sentence told.

        ``point``: from where; by default where the answer is now, or its beginning once it has ended.
        """
        lane = self._state.lane(letter)
        node = self._node(lane, point)
        if node is None:
            self._tell_nothing_here()
            return None
        tokens = self._tokens(lane, node)
        if point is not None and point.node == node.id:
            index = point.index
        else:
            index = len(tokens) if node.state == "writing" else 0
        index = min(max(index, 0), len(tokens))
        return self._try(lane, node, index, begun_at(node, tokens, index))

    def _tell_nothing_here(self) -> None:
        self._state.told.emit(tr("There is no answer here that could be drawn again."))

    def _try(self, lane: Lane, node: Node, index: int | None, begun: Node | None) -> Lane | None:
        """Draw what follows ``begun`` in another lane."""
        if lane.model is None:
            self._tell_nothing_here()
            return None
        preset = self.preset_for(lane)
        other = self._lane_like(lane)
        if other is None:
            return None
        self._tuning.set_setup(other.letter, dict(lane.sampling), lane.samplers)
        self._tuning.set_setup(other.letter, preset.applied, preset.samplers)
        other.system, other.thinking = lane.system, lane.thinking
        tried = {"node": node.id, "at_index": index, "preset": preset.label}
        self._answers.begin_from(other, node.parent, begun, {"tried": tried})
        return other

    def _node(self, lane: Lane, point: Point | Place | None = None) -> Node | None:
        """The answer that is meant: the pointed one, if this lane shows it, else the last."""
        answers = [node for node in lane.path if node.role == "assistant" and (node.text or node.thinking)]
        if point is not None:
            found = next((node for node in answers if node.id == point.node), None)
            if found is not None:
                return found
        return answers[-1] if answers else None

    def _tokens(self, lane: Lane, node: Node) -> Rows:
        """The figures of an answer, live or kept."""
        job = next((job for job in self._jobs.all.values() if job.node is node), None) or self._jobs.finished.get(
            node.id
        )
        if job is not None:
            return job.answer.tokens
        return kept_answer(node).tokens

    def _lane_like(self, lane: Lane) -> Lane | None:
        """A lane for the try, on the same engine: one made for that before, or a new one."""
        for other in self._state.lanes:
            same = other.model == lane.model and other.load == lane.load
            if other is not lane and any(made is other for made in self._lanes) and same and not other.busy:
                return other
        before = self._state.active
        self._state.active = lane.letter
        try:
            added = self._add_lane()
        finally:
            if self._state.active != before:
                self._state.active = before
                self._state.active_changed.emit()
        if added is not None:
            self._lanes = [*(one for one in self._lanes if one in self._state.lanes), added]
        return added


def begun_at(node: Node, tokens: Rows, index: int) -> Node | None:
    """The answer as it stood before its token ``index``; None where that is nothing."""
    if not len(tokens):
        return None
    ends = tokens.view["chars"]
    # An answer that was continued begins with text that none of its own tokens made.
    chars = before(node, tokens) + (int(ends[min(index, len(tokens)) - 1]) if index > 0 else 0)
    return cut_at(node, chars)


def cut_at(node: Node, chars: int) -> Node | None:
    """The answer's first characters, thoughts included; None where that is nothing."""
    thinking, text = node.thinking[:chars], node.text[: max(0, chars - len(node.thinking))]
    if not thinking and not text:
        return None
    return Node(new_id(), node.parent, "assistant", text, thinking, lane=node.lane)
