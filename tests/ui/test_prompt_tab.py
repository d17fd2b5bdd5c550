from __future__ import annotations

import pytest
from panel_kit import Desk, NowClock, dressed, show_active
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from playground.ui.sampling.prompt_tab import PromptTab


class Bench:
    def __init__(self, qtbot: QtBot, app: QApplication, lanes: int = 1) -> None:
        self.desk = Desk(lanes)
        self.desk.loaded()
        self.tab = PromptTab(self.desk, dressed(app), NowClock())
        self.tab.resize(312, 700)
        qtbot.addWidget(self.tab)


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Bench:
    return Bench(qtbot, qapp)


def test_the_prompt_is_asked_for_only_while_it_can_be_seen(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.lane().path_changed.emit()
    assert bench.desk.renders == []
    show_active(qtbot, bench.tab)
    assert "<|im_start|>user" in bench.tab.rendered.toPlainText()
    assert bench.tab.tokens.text() == "7 tokens"
    asked = len(bench.desk.renders)
    bench.desk.prompt = ("other", 1, "")
    bench.desk.lane().path_changed.emit()
    assert bench.tab.rendered.toPlainText() == "other"
    bench.tab.hide()
    bench.desk.lane().path_changed.emit()
    assert len(bench.desk.renders) == asked + 1


def test_a_running_answer_is_not_rendered(qtbot: QtBot, bench: Bench) -> None:
    show_active(qtbot, bench.tab)
    asked = len(bench.desk.renders)
    bench.desk.lane().state = "writing"
    bench.desk.lane().changed.emit()
    assert len(bench.desk.renders) == asked


def test_what_is_typed_reaches_the_lane(qtbot: QtBot, bench: Bench) -> None:
    show_active(qtbot, bench.tab)
    bench.tab.system.setFocus()
    qtbot.keyClicks(bench.tab.system, "Be brief.")
    qtbot.waitUntil(lambda: bench.desk.lane().system == "Be brief.")
    bench.desk.lane().changed.emit()
    assert bench.tab.system.toPlainText() == "Be brief."


def test_typing_is_not_lost_when_the_lane_or_the_tab_goes(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=2)
    show_active(qtbot, bench.tab)
    bench.tab.system.setPlainText("For A")
    bench.desk.set_active("B")
    assert (bench.desk.lane("A").system, bench.desk.lane("B").system) == ("For A", "")
    assert bench.tab.system.toPlainText() == ""
    bench.tab.system.setPlainText("For B")
    bench.tab.hide()
    assert bench.desk.lane("B").system == "For B"


def test_an_error_is_a_sentence(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.prompt = ("", 0, "The template took too long.")
    show_active(qtbot, bench.tab)
    assert bench.tab.note.text() == "The template took too long."
    assert bench.tab.note.isVisible()
    assert bench.tab.tokens.text() == ""


def test_a_model_without_a_template_says_so(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.loaded(has_template=False, can_think=False)
    show_active(qtbot, bench.tab)
    assert "no chat template" in bench.tab.note.text()
    assert not bench.tab.think.isVisible()


def test_thinking_is_switched(qtbot: QtBot, bench: Bench) -> None:
    show_active(qtbot, bench.tab)
    assert bench.tab.think.isVisible()
    buttons = {button.text(): button for button in bench.tab.think.findChildren(QPushButton)}
    assert buttons["Auto"].isChecked()
    for text, wanted in (("On", True), ("Off", False), ("Auto", None)):
        qtbot.mouseClick(buttons[text], Qt.MouseButton.LeftButton)
        assert bench.desk.lane().thinking is wanted
        assert buttons[text].isChecked()


def test_a_late_answer_to_an_old_question_is_dropped(qtbot: QtBot, bench: Bench) -> None:
    replies = []
    bench.desk.render_prompt = lambda letter, reply: replies.append(reply)  # type: ignore[method-assign]
    show_active(qtbot, bench.tab)
    bench.desk.lane().path_changed.emit()
    replies[-1]("new", 2, "")
    replies[0]("old", 1, "")
    assert bench.tab.rendered.toPlainText() == "new"


def test_a_huge_prompt_is_shortened_in_the_middle(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.prompt = ("a" * 50_000 + "b" * 50_000, 40_000, "")
    show_active(qtbot, bench.tab)
    shown = bench.tab.rendered.toPlainText()
    assert shown.startswith("aaa")
    assert shown.endswith("bbb")
    assert "40,000 characters" in shown
