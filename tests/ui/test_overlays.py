"""Earlier answers over the one on screen: chosen by the menu, drawn as thin lines, lined up by what the axis counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from plot_kit import Stand, fill, steady
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAction, QImage, QPainter
from pytestqt.qtbot import QtBot

from playground.conversation.tree import Chat, Node
from playground.ui.plots import overlay
from playground.workspace.lane import Lane
from playground.workspace.overlays import MOST, Overlays


def at_once(work: Callable[[], Any], then: Callable[[Any], None]) -> None:
    then(work())


def kept(gaps: list[float], first: float = 620.0) -> tuple[bytes, dict[str, Any]]:
    """An answer as it is kept: its figures, and what its record says of the wait."""
    lane = fill(Lane("A"), gaps)
    return lane.answer.to_bytes(), {"ttft_s": first / 1000, "sampling": {"temp": 0.8}}


class Desk:
    """A chat with three versions of the last answer and one earlier turn, and the plot of the newest version."""

    def __init__(self, qtbot: QtBot, lanes: int = 1) -> None:
        self.stand = Stand(qtbot, lanes, width=720)
        state = self.stand.workspace
        chat = state.chat = Chat("c")
        question = chat.add(Node("q1", None, "user", "One?"))
        self.add(chat, "turn", question.id, steady(30, 40.0), temp=0.8)
        chat.add(Node("q2", "turn", "user", "Two?"))
        self.add(chat, "v1", "q2", steady(300, 30.0), temp=0.2)
        self.add(chat, "v2", "q2", steady(120, 10.0), temp=0.8)
        chat.add(Node("now", "q2", "assistant", "Here", lane="A", record={"sampling": {"temp": 0.8}}))
        state.lanes[0].path = chat.path("now")
        fill(state.lanes[0], steady(200, 20.0))
        self.overlays = Overlays(state, {}, at_once)
        self.stand.pane.bar.use(self.overlays)
        self.told: list[str] = []
        self._told = state.told.connect(self.told.append)
        self.stand.show()

    @staticmethod
    def add(chat: Chat, id: str, parent: str, gaps: list[float], temp: float) -> None:
        series, record = kept(gaps)
        record["sampling"] = {"temp": temp}
        chat.add(Node(id, parent, "assistant", f"Answer {id}", lane="A", series=series, record=record))

    def over(self, *ids: str) -> Desk:
        for id in ids:
            self.overlays.set_over(id, True)
        self.stand.tick()
        return self

    @property
    def picture(self) -> Any:
        return self.stand.canvas.picture

    def items(self) -> list[QAction]:
        return [
            item
            for item in self.stand.pane.bar.menu(self.stand.pane.axis).actions()
            if not item.isSeparator() and item.isEnabled()
        ]

    def line_at(self, x: float, height: float) -> bool:
        """Whether a line in lane A's hue passes here; ``height`` in milliseconds of the axis."""
        px, py = round(float(self.stand.frame.px(x))), round(float(self.stand.frame.py(height)))
        column = self.stand.pixels()[py - 3 : py + 4, px]
        return bool((column[:, 0] - column[:, 2] > 60).any())  # far more blue than red


def test_the_menu_offers_versions_first_and_says_what_differs(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    texts = [item.text() for item in desk.items()]
    assert texts[:3] == ["A · version 2 · “Answer v2”", "A · version 1 · temp 0.2", "A · turn 1 · “Answer turn”"]
    assert texts[3:] == ["Token number", "Time", "Time since the first token"]
    desk.items()[1].trigger()
    desk.stand.tick()
    assert [over.key for over in desk.picture.overs] == ["v1"]
    assert [item.isChecked() for item in desk.items()[:3]] == [False, True, False]
    assert desk.items()[-1].text() == "Take all away"


def test_an_earlier_answer_is_a_thin_line_with_a_read_out(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    assert not desk.stand.pane.bar.isVisible()
    desk.over("v1")
    frame, over = desk.stand.frame, desk.picture.overs[0]
    rate = float(frame.rate_in_ms(1000 / 30))
    assert desk.stand.range[1] > 300, "the longer answer is in sight, too"
    assert desk.line_at(150, rate)
    assert desk.line_at(250, rate)
    assert over.n == 300
    button = desk.stand.pane.bar.legend.buttons["v1"]
    assert desk.stand.pane.bar.isVisible()
    assert "version 1 of lane A, median 30.0 ms, 33" in button.accessibleName()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desk.stand.tick().canvas.picture.overs == []
    assert desk.stand.range[1] < 300
    assert desk.stand.pane.bar.isVisible()
    desk.overlays.clear()
    desk.stand.tick()
    assert not desk.stand.pane.bar.isVisible()


def test_with_several_lanes_it_is_a_line_of_mean_latency(qtbot: QtBot) -> None:
    desk = Desk(qtbot, lanes=2)
    fill(desk.stand.workspace.lanes[1], steady(200, 5.0))
    desk.over("v1")
    assert desk.line_at(250, 30.0)


@pytest.mark.parametrize(
    ("axis", "words", "second"), [("time", "Time", 0.62 + 9.0), ("first", "Time since the first token", 9.0)]
)
def test_answers_are_lined_up_by_the_axis(qtbot: QtBot, axis: Any, words: str, second: float) -> None:
    desk = Desk(qtbot)
    desk.over("v1")
    with qtbot.waitSignal(desk.stand.pane.axis_changed) as chosen:
        next(
            item for item in desk.items() if item.text() == {"time": "Time"}.get(axis, "Time since the first token")
        ).trigger()
    assert chosen.args == [axis]
    over = desk.stand.tick().canvas.picture.overs[0]
    assert over.x(axis, 300 - 1) == pytest.approx(second - 0.03, abs=0.001)
    assert desk.stand.frame.axis == axis


def test_no_more_than_can_be_told_apart(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    for n in range(MOST):
        desk.add(desk.stand.workspace.chat, f"more{n}", "q2", steady(20), 0.8)
    desk.over("v1", "v2", "turn", "more0", "more1")
    assert [over.key for over in desk.picture.overs] == ["v1", "v2", "turn", "more0"]
    assert desk.told == ["Four answers are the most that can be laid over."]


def test_what_a_lane_shows_itself_is_not_over_it_and_another_chat_has_none(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.over("v1", "v2")
    state = desk.stand.workspace
    state.lanes[0].path = state.chat.path("v1")
    state.lanes[0].path_changed.emit()
    assert [over.key for over in desk.stand.tick().canvas.picture.overs] == ["v2"]
    state.chat = Chat("other")
    state.chat_changed.emit()
    assert desk.stand.tick().canvas.picture.overs == []


def test_broken_figures_are_said_and_left_out(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.stand.workspace.chat.add(Node("bad", "q2", "assistant", "x", lane="A", series=b"nonsense"))
    desk.over("bad")
    assert desk.told == ["The figures of that answer can’t be read."]
    assert desk.picture.overs == []


def test_what_grows_under_overlays_is_the_picture_painted_at_once(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.over("v1", "v2")
    desk.stand.workspace.lanes[0].state = "writing"
    for _ in range(6):
        desk.stand.grow(20.0, 22.0, 40.0).tick()
    seen = desk.stand.pixels()
    desk.stand.canvas.refresh()
    assert (abs(seen - desk.stand.pixels()).sum(axis=2) > 0).sum() <= 8


def test_names_at_the_ends_of_lines_are_whole_and_apart(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.add(desk.stand.workspace.chat, "long", "q2", steady(64 * 5 + 20, 30.5), 0.8)
    desk.over("v1", "long")
    named = [one for one in _texts(desk) if "version" in one[0]]
    assert [name for name, _ in named] == ["version 1", "version 4"]
    boxes = [box for _, box in named]
    assert not boxes[0].intersects(boxes[1])
    assert all(box.right() <= desk.stand.frame.rect.right() + 1 for box in boxes)


def _texts(desk: Desk) -> list[tuple[str, QRectF]]:
    """What is written into the plot, and where."""
    found: list[tuple[str, QRectF]] = []

    class Pen(QPainter):
        def drawText(self, *arguments: Any) -> None:
            found.append((arguments[-1], arguments[0]))

    image = QImage(desk.stand.canvas.size(), QImage.Format.Format_RGB32)
    with Pen(image) as p:
        overlay.paint_overs(p, desk.picture, desk.stand.theme)
    return found
