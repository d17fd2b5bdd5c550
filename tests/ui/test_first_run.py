"""The page of an empty lane."""

from __future__ import annotations

from typing import Any

import pytest
from chrome_fake import QWEN, STARTER, FakeWorkspace, dress, load
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout
from pytestqt.qtbot import QtBot

from playground import translate
from playground.models.starter import STARTER as FILE
from playground.settings import sampling
from playground.ui.chat.first_run import PROMPTS, FirstRun
from playground.workspace.lane import Notice, NoticeAction


@pytest.fixture
def page(qtbot: QtBot) -> Any:
    def make(workspace: Any, width: int = 900) -> Any:
        made = FirstRun(workspace.lanes[0], workspace, dress())
        qtbot.addWidget(made)
        made.resize(width, made.heightForWidth(width))
        made.show()
        return made

    return make


def card(page: Any, key: str) -> Any:
    return next(card for card in page.cards if card.prompt.key == key)


def test_the_starter_says_what_it_is_good_for_and_what_not(page: Any) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    made = page(workspace)
    assert made.heading.text() == "Ready to answer."
    assert "learning what the controls do" in made.sentence.text()
    assert "facts wrong" in made.sentence.text()
    assert made.source.text() == "SmolLM2 135M Instruct · Q4_1 · 98 MB · Apache-2.0 · HuggingFaceTB"


def test_a_click_sends_the_prompt(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    qtbot.mouseClick(card(page(workspace), "run"), Qt.MouseButton.LeftButton)
    assert workspace.called("send") == [("Write a Python function that reverses a string.",)]


def test_heat_sets_the_temperature_before_it_sends(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    qtbot.mouseClick(card(page(workspace), "heat"), Qt.MouseButton.LeftButton)
    assert [c[0] for c in workspace.calls] == ["set_sampling", "send"]
    assert workspace.called("set_sampling") == [("A", "temp", 1.5)]


def test_two_at_once_opens_a_second_lane_with_another_temperature(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    qtbot.mouseClick(card(page(workspace), "two"), Qt.MouseButton.LeftButton)
    assert [c[0] for c in workspace.calls] == ["add_lane", "set_sampling", "send"]
    assert workspace.called("set_sampling") == [("B", "temp", 0.2)]


def test_every_temperature_passes_the_table() -> None:
    for prompt in PROMPTS:
        if prompt.temperature is not None:
            assert sampling.FIELDS["temp"].check(prompt.temperature) == prompt.temperature


def test_loading_shows_how_far_and_can_be_cancelled(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    lane = workspace.lanes[0]
    lane.model, lane.state, lane.fraction = STARTER, "loading", 0.42
    made = page(workspace)
    assert made.percent.text() == "42 %"
    lane.fraction = 0.7
    lane.changed.emit()
    assert made.percent.text() == "70 %"
    qtbot.mouseClick(made.cancel, Qt.MouseButton.LeftButton)
    assert workspace.called("cancel_load") == [("A",)]


def test_without_a_starter_it_offers_the_same_file_by_name_size_and_digest(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    made = page(workspace)
    assert FILE.file in made.sentence.text()
    assert FILE.sha256 in made.source.text().replace(" ", "")
    assert "98 MB" in made.source.text()
    qtbot.mouseClick(made.download, Qt.MouseButton.LeftButton)
    assert workspace.called("act") == [("A", "download_starter")]
    assert not any(c.isVisible() for c in made.cards)
    workspace.lanes[0].notice = Notice("info", "x", "y", (NoticeAction("download_starter", "Download"),))
    workspace.lanes[0].changed.emit()
    assert not made.offers.isVisible()  # the notice's own button does it


def test_before_the_library_was_looked_through_nothing_is_offered(page: Any) -> None:
    workspace = FakeWorkspace()
    workspace.searched = False
    made = page(workspace)
    assert made.heading.text() == "Looking for models…"
    assert not made.offers.isVisible()
    workspace.searched = True
    workspace.models_changed.emit()
    assert made.offers.isVisible()


def test_another_model_is_called_by_its_name(page: Any) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0], QWEN)
    assert "Qwen3 0.6B" in page(workspace).sentence.text()


def test_cards_stack_in_a_narrow_lane_and_every_line_is_shown(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    made = page(workspace, 340)
    assert made._cards_row.direction() == QBoxLayout.Direction.TopToBottom
    lines = [made.sentence, *made.cards]
    qtbot.waitUntil(lambda: all(w.width() <= 340 for w in lines))
    qtbot.waitUntil(lambda: all(w.height() >= w.heightForWidth(w.width()) for w in lines))


def test_three_quants_are_offered_where_they_can_be_made(page: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    assert page(workspace).quants.isHidden()
    workspace.outside["starter_quants"] = lambda _letter: None
    made = page(workspace)
    assert not made.quants.isHidden()
    qtbot.mouseClick(made.compare, Qt.MouseButton.LeftButton)
    assert workspace.called("act") == [("A", "starter_quants")]


def test_a_ready_lane_says_so_in_the_user_s_language(page: Any) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    translate.use("de")
    try:
        assert page(workspace).heading.text() == "Bereit zu antworten."
    finally:
        translate.use("en")
