"""The plot and the text point at each other: hover both ways, clicks, tries from a word."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.actions.table import ACTIONS
from playground.app import App
from playground.conversation.tree import Node
from playground.protocol.events import Phase, Token
from playground.ui.plots.selection import selection
from playground.workspace.lane import ModelRef
from playground.workspace.series import Answer
from playground.workspace.trying import Point

WORDS = ["# Sea", "\n\n", "The **deep**", " [blue](https://example.com/a)", " one", " and", " another", " one", "."]


class Desk:
    """The window with an answer that has known tokens."""

    def __init__(self, app: App, qtbot: QtBot) -> None:
        self.app, self.qtbot, self.window = app, qtbot, app.window
        self.window.resize(1440, 900)
        self.lane = app.workspace.lanes[0]
        self.lane.model = ModelRef("/models/m.gguf", "Some model", "Q8_0")
        self.plot.warm_up()

    @property
    def plot(self) -> Any:
        assert self.window.plots is not None
        return self.window.plots.latency

    @property
    def transcript(self) -> Any:
        assert self.window.lanes is not None
        return self.window.lanes.view("A").transcript

    def answer(self, words: list[str], thoughts: int = 0, turns: int = 0) -> Node:
        chat = self.app.workspace.chat
        parent = None
        path = []
        for n in range(turns):
            path.append(chat.add(Node(f"t{n}", parent, "user", "A question that takes a line.\n\n" * 4)))
            parent = path[-1].id
        user = chat.add(Node("u", parent, "user", "What is the sea?"))
        node = chat.add(Node("a", "u", "assistant", lane="A", model="Some model · Q8_0"))
        answer = self.lane.answer = Answer()
        answer.node, answer.started_ns = node.id, 1
        for index, text in enumerate(words):
            phase: Phase = "thinking" if index < thoughts else "answer"
            answer.add(Token(1, index, 5, text, (index + 1) * 10**7, 9 * 10**6, 10**6, index, phase))
            if index < thoughts:
                node.thinking += text
            else:
                node.text += text
        node.series = answer.to_bytes()
        self.lane.path = [*path, user, node]
        self.lane.path_changed.emit()
        self.lane.changed.emit()
        self.qtbot.waitUntil(lambda: node.id in self.transcript.turns and len(self.plot.canvas.picture.shown) == 1)
        self.qtbot.waitUntil(lambda: self.plot.canvas.picture.shown[0].n == len(words))
        return node

    def body(self, node: Node) -> Any:
        return self.transcript.turns[node.id].body

    def marked(self, node: Node) -> str:
        """The words that are tinted."""
        body = self.body(node)
        return words_in(body, *body._marked) if body._marked else ""

    def hover_point(self, index: int) -> None:
        frame = self.plot.canvas.picture.frame
        at = QPointF(float(frame.px(index + 1)), float(frame.py(10.0))).toPoint()
        point(self.plot.canvas.viewport(), at)

    def place(self, node: Node, word: str) -> QPoint:
        """The middle of a word on screen, in its viewport."""
        body = self.body(node)
        cursor = QTextCursor(body.markdown)
        cursor.setPosition(body.plain_text().index(word) + len(word) // 2)
        return body.cursorRect(cursor).center()


def point(widget: Any, at: QPoint) -> None:
    """Move the mouse there, also if it is there already from a test before."""
    QTest.mouseMove(widget, at + QPoint(1, 0))
    QTest.mouseMove(widget, at)


def words_in(body: Any, start: int, end: int) -> str:
    cursor = QTextCursor(body.markdown)
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    return str(cursor.selectedText())


@pytest.fixture
def desk(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_window(qtbot, monkeypatch) as app:
        yield Desk(app, qtbot)


def test_a_point_names_its_token_and_tints_it_in_the_text(desk: Desk) -> None:
    node = desk.answer(WORDS)
    desk.hover_point(3)
    assert desk.marked(node) == " blue"
    assert desk.plot.head.hover.text().startswith("token 4 “ [blue](https://example.…” · 10.0 ms")
    desk.hover_point(7)
    assert desk.marked(node) == " one"
    assert words_in(desk.body(node), 0, desk.body(node)._marked[0]).endswith("another")
    assert desk.app.workspace.trying._pointed == ("A", Point("a", 7))
    point(desk.plot.canvas.viewport(), QPoint(2, 2))
    assert desk.marked(node) == ""


def test_a_word_marks_its_point(desk: Desk) -> None:
    node = desk.answer(WORDS)
    viewport = desk.body(node).viewport()
    point(viewport, desk.place(node, "another"))
    desk.qtbot.waitUntil(lambda: desk.plot.canvas.hover is not None)
    assert desk.plot.canvas.hover.index == 6
    assert "token 7 “ another”" in desk.plot.head.hover.text()
    assert desk.marked(node) == ""
    point(viewport, desk.place(node, "blue"))
    desk.qtbot.waitUntil(lambda: desk.plot.canvas.hover.index == 3)
    point(desk.window.composer, QPoint(5, 5))
    desk.qtbot.waitUntil(lambda: desk.plot.canvas.hover is None)


def test_a_click_on_a_point_scrolls_the_text_to_it(desk: Desk) -> None:
    long = [f" word{n}" + ("\n\n" if n % 12 == 11 else "") for n in range(1200)]
    node = desk.answer(long)
    bar = desk.transcript.verticalScrollBar()
    assert bar.value() == bar.maximum() > 2000
    desk.plot.canvas.clicked.emit(type("At", (), {"letter": "A", "index": 30}))
    assert bar.value() < 600
    assert desk.marked(node) == " word30"
    box = desk.body(node).line_top(desk.body(node)._marked[0])
    y = desk.body(node).viewport().mapTo(desk.transcript.viewport(), QPoint(0, box)).y()
    assert 0 <= y < desk.transcript.viewport().height()


def test_thoughts_are_unfolded_where_a_click_leads_there(desk: Desk) -> None:
    node = desk.answer([" hm", " well", " then", "The", " sea"], thoughts=3)
    turn = desk.transcript.turns[node.id]
    desk.hover_point(1)
    assert desk.marked(node) == ""
    desk.plot.canvas.clicked.emit(type("At", (), {"letter": "A", "index": 1}))
    assert turn.thinking.head.open
    body = turn.thinking.body
    assert words_in(body, *body._marked) == " well"


def test_another_continuation_from_a_word_of_the_menu(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    node = desk.answer(WORDS)
    tried: list[Any] = []
    monkeypatch.setattr(desk.app.workspace.trying, "try_another", lambda *args: tried.append(args))
    turn, viewport = desk.transcript.turns[node.id], desk.body(node).viewport()
    menu = turn.menu(viewport.mapToGlobal(desk.place(node, "another")))
    item = next(action for action in menu.actions() if action.text().startswith("Try another from “another” on"))
    item.trigger()
    assert tried == [("A", Point("a", 6))]
    assert not any(action.text().startswith("Try") for action in turn.menu().actions())


def test_the_action_tries_from_the_word_under_the_mouse(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    node = desk.answer(WORDS)
    tried: list[Any] = []
    monkeypatch.setattr(desk.app.workspace.trying, "try_another", lambda *args: tried.append(args))
    point(desk.body(node).viewport(), desk.place(node, "deep"))
    desk.qtbot.waitUntil(lambda: desk.app.workspace.trying._pointed is not None)
    action = next(action for action in ACTIONS if action.keys == ("Ctrl+Alt+Return",))
    action.run(desk.app.workspace, desk.window)
    assert tried == [("A", Point("a", 2))]


def test_a_range_of_the_plot_selects_its_text(desk: Desk) -> None:
    node = desk.answer(WORDS)
    body = desk.body(node)
    desk.plot.canvas.choose(selection("token", 4, 7))
    desk.qtbot.waitUntil(lambda: body.textCursor().selectedText() == " blue one and another")
    desk.plot.canvas.choose(None)
    desk.qtbot.waitUntil(lambda: not body.textCursor().hasSelection())


def test_what_is_switched_at_the_plot_is_kept_as_a_setting(desk: Desk) -> None:
    for button, name in ((desk.plot.head.bars, "plot_bars"), (desk.plot.head.split, "plot_split")):
        button.click()
        assert desk.app.preferences.value("app", name) is True
    assert desk.plot.histogram
    assert desk.plot.split
    desk.app.preferences.set("plot_bars", False)
    assert not desk.plot.histogram
    assert not desk.plot.head.bars.isChecked()
