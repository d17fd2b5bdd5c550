"""The plot's tokens and the transcripts' words: pointing at one marks the other."""

from __future__ import annotations

from playground.conversation.tree import Node
from playground.gauges.probe import MACHINE
from playground.ui.lanes_area import LanesArea
from playground.ui.plots.latency import LatencyPane
from playground.workspace.lane import Lane
from playground.workspace.series import Answer
from playground.workspace.token_spans import Place, Span, spans_of, token_at
from playground.workspace.trying import Point
from playground.workspace.workspace import Workspace


class TokenLink:
    """Ties both together; does nothing while nothing is pointed at."""

    def __init__(self, workspace: Workspace, lanes: LanesArea, plot: LatencyPane) -> None:
        self._workspace, self._lanes, self._plot = workspace, lanes, plot
        self._marked: tuple[str, str] | None = None
        """Lane and turn with a tint."""
        self._in_text = False
        """The mouse is at a word of a transcript, or was there last."""
        plot.name_token = self.text_of
        plot.frequency = lambda: workspace.gauges.series.get(("frequency", MACHINE))
        plot.token_hovered.connect(self._hovered)
        plot.token_clicked.connect(self._clicked)
        plot.range_chosen.connect(self._chosen)
        lanes.pointed.connect(self._pointed)
        lanes.tried.connect(lambda letter, place: workspace.trying.try_place(letter, place))

    def text_of(self, answer: Answer, index: int) -> str:
        """What a token says; empty where that is not known."""
        found = self._find(answer)
        if found is None:
            return ""
        node = found[1]
        spans = spans_of(node, answer.tokens, index, index)
        return "".join((node.thinking if span.thoughts else node.text)[span.start : span.end] for span in spans)

    def _find(self, answer: Answer) -> tuple[Lane, Node] | None:
        """The turn on screen that an answer's figures are of."""
        if answer.node:
            for lane in self._workspace.lanes:
                for node in reversed(lane.path):
                    if node.id == answer.node:
                        return lane, node
        return None

    def _spans(self, letter: str, first: int, last: int) -> tuple[Lane, Node, list[Span]] | None:
        answer = self._plot.answer_of(letter)
        found = self._find(answer) if answer is not None else None
        if answer is None or found is None:
            return None
        return *found, spans_of(found[1], answer.tokens, first, last)

    def _hovered(self, letter: str, index: int) -> None:
        found = self._spans(letter, index, index) if index >= 0 else None
        self._in_text = False
        self._workspace.trying.point_to(letter, Point(found[1].id, index) if found is not None else None)
        self._unmark()
        if found is not None:
            lane, node, spans = found
            self._lanes.view(lane.letter).transcript.mark(node.id, spans)
            self._marked = (lane.letter, node.id)

    def _unmark(self) -> None:
        if self._marked is not None and any(lane.letter == self._marked[0] for lane in self._workspace.lanes):
            self._lanes.view(self._marked[0]).transcript.mark(self._marked[1], ())
        self._marked = None

    def _clicked(self, letter: str, index: int) -> None:
        found = self._spans(letter, index, index)
        if found is not None:
            lane, node, spans = found
            transcript = self._lanes.view(lane.letter).transcript
            if not transcript.isVisible():  # lanes are tabs
                self._workspace.set_active(lane.letter)
            transcript.show_place(node.id, spans)
            self._marked = (lane.letter, node.id)

    def _chosen(self, letter: str, first: int, last: int) -> None:
        found = self._spans(letter, first, last)
        if found is not None:
            lane, node, spans = found
            self._lanes.view(lane.letter).transcript.select(node.id, spans)

    def _pointed(self, letter: str, place: Place | None) -> None:
        if place is None and not self._in_text:
            return  # the plot is pointed at meanwhile
        self._in_text = place is not None
        self._workspace.trying.point_to(letter, place)
        index = self._index_of(letter, place) if place is not None else None
        if index is None:
            self._plot.point_at("", -1)
        else:
            self._plot.point_at(letter, index)

    def _index_of(self, letter: str, place: Place) -> int | None:
        """The token shown in the plot that made a character."""
        answer = self._plot.answer_of(letter)
        found = self._find(answer) if answer is not None and answer.node == place.node else None
        return token_at(found[1], answer.tokens, place) if answer is not None and found is not None else None
