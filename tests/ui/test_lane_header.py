"""The lane's head and its model picker."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from chrome_fake import GEMMA, QWEN, STARTER, FakeClock, FakeWorkspace, answer, dress, load
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton
from pytestqt.qtbot import QtBot

from playground.ui.chat.lane_header import LaneHeader
from playground.ui.chat.model_picker import ModelPicker, group_of, grouped
from playground.workspace.lane import ModelRef


@pytest.fixture
def made(qtbot: QtBot) -> Any:
    def make(workspace: Any, width: int = 800, scheme: Any = "dark") -> Any:
        clock = FakeClock()
        header = LaneHeader(workspace.lanes[0], workspace, dress(scheme), clock)
        qtbot.addWidget(header)
        header.resize(width, 40)
        header.show()
        return header, clock

    return make


def test_it_shows_model_state_and_figures(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = load(workspace.lanes[0])
    header, _ = made(workspace)
    assert header.name.text() == "SmolLM2 135M Instruct"
    assert header.pill.text() == "Q4_1 · 98 MB"
    assert header.state.text() == "Ready"
    assert header.figures.text == "loaded in 0.4 s   0.36 GB"
    answer(lane)
    lane.state = "writing"
    lane.changed.emit()
    assert header.state.text() == "Writing"
    assert header.figures.text.startswith("66.7 tok/s   TTFT 0.62 s")


def test_two_rows_in_a_narrow_lane_and_nothing_overlaps(made: Any) -> None:
    workspace = FakeWorkspace(2)
    lane = answer(load(workspace.lanes[0]))
    for width in (300, 340, 420, 519, 520, 700, 1200):
        for state in ("ready", "prompt", "queued"):
            lane.state, lane.detail, lane.fraction = state, "waiting for B", 0.35
            header, _ = made(workspace, width)
            header.refresh()
            assert header.height() == (62 if width < 520 else 40)
            shown = [header.badge, header.name, header.pill, header.state, header.figures]
            shown += [b for b in (header.on, header.eject, header.more) if not b.isHidden()]
            boxes = [w.geometry() for w in shown if w.width() > 0]
            for i, box in enumerate(boxes):
                assert header.rect().contains(box), (width, state, box)
                assert not any(box.intersects(other) for other in boxes[i + 1 :]), (width, state)


def test_a_note_stands_in_a_line_of_its_own(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = load(workspace.lanes[0])
    header, _ = made(workspace)
    assert not header.note.isVisible()
    lane.note = "This model has no chat template; your text is simply continued."
    lane.changed.emit()
    assert header.note.text() == lane.note
    assert header.height() == 64
    lane.note = ""
    lane.changed.emit()
    assert header.height() == 40


def test_the_seconds_run_only_while_something_moves(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = load(workspace.lanes[0])
    header, _ = made(workspace)
    assert not header._seconds.isActive()
    lane.state = "loading"
    lane.changed.emit()
    assert header._seconds.isActive()
    lane.last_sign_ns = time.perf_counter_ns() - 7_200_000_000
    header._seconds.timeout.emit()
    assert re.search(r"no sign for (7|8|9|\d\d+) s", header.state.text())
    lane.state = "ready"
    lane.changed.emit()
    assert not header._seconds.isActive()


def test_growing_marks_the_clock_and_does_not_paint_at_once(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = answer(load(workspace.lanes[0]))
    lane.state = "writing"
    header, clock = made(workspace)
    before = header.figures.text
    for _ in range(100):
        lane.grew.emit()
    assert len(clock.marks) == 1
    assert header.figures.text == before
    clock.tick()


def test_a_click_makes_the_lane_active_and_the_eye_takes_it_out(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace(2)
    load(workspace.lanes[0])
    header, _ = made(workspace)
    qtbot.mouseClick(header.name, Qt.MouseButton.LeftButton)
    assert workspace.called("set_active") == [("A",)]
    qtbot.mouseClick(header.on, Qt.MouseButton.LeftButton)
    assert workspace.called("set_on") == [("A", False)]
    qtbot.mouseClick(header.eject, Qt.MouseButton.LeftButton)
    assert workspace.called("unload") == [("A",)]


def test_loading_can_be_cancelled(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    lane = workspace.lanes[0]
    lane.model, lane.state = STARTER, "loading"
    header, _ = made(workspace)
    assert header.eject.isHidden()
    qtbot.mouseClick(header.cancel, Qt.MouseButton.LeftButton)
    assert workspace.called("cancel_load") == [("A",)]


def test_the_menu_copies_the_conversation_and_removes_the_lane(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace(2)
    answer(load(workspace.lanes[0], can_think=True), n=3)
    header, _ = made(workspace)
    qtbot.mouseClick(header.more, Qt.MouseButton.LeftButton)
    menu = header.findChild(QMenu)
    actions = {action.text(): action for action in menu.actions()}
    assert actions["Think before answering"].isChecked()
    with qtbot.waitSignal(header.copied) as copied:
        actions["Copy conversation"].trigger()
    assert copied.args == ["Copied 2 turns of lane A as Markdown."]
    assert "How much?" in QGuiApplication.clipboard().text()
    actions["Think before answering"].trigger()
    assert workspace.called("set_thinking") == [("A", False)]
    actions["Remove lane A"].trigger()
    qtbot.waitUntil(lambda: workspace.called("remove_lane") == [("A",)])


def test_a_removed_lane_leaves_no_dead_view_behind(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace(2)
    lane = load(workspace.lanes[0])
    header, _ = made(workspace)
    gone = []
    header.destroyed.connect(lambda: gone.append(True))
    header.deleteLater()
    qtbot.waitUntil(lambda: bool(gone))
    lane.changed.emit()
    workspace.lanes_changed.emit()
    workspace.active_changed.emit()


@pytest.fixture
def picker(qtbot: QtBot) -> Any:
    def make(models: Any, current: Any = None) -> Any:
        made = ModelPicker(models, current, dress(), None)
        qtbot.addWidget(made)
        made.show()
        return made

    return make


def test_models_stand_under_where_they_came_from() -> None:
    assert list(grouped([STARTER, QWEN, GEMMA])) == ["Came with the app", "LM Studio"]
    assert group_of(ModelRef("/x", "X")) == "On this machine"
    assert group_of(ModelRef("/x", "X", source="Hub: a/b")) == "Hugging Face cache"


def test_the_current_model_is_selected_and_enter_chooses(picker: Any, qtbot: QtBot) -> None:
    made = picker([STARTER, QWEN, GEMMA], QWEN)
    assert made.search.isHidden()
    with qtbot.waitSignal(made.chosen) as chosen:
        qtbot.keyClick(made.list, Qt.Key.Key_Down)
        qtbot.keyClick(made.list, Qt.Key.Key_Return)
    assert chosen.args == [GEMMA]


def test_many_models_can_be_searched_by_keyboard(picker: Any, qtbot: QtBot) -> None:
    many = [ModelRef(f"/{i}", f"Model {i}", "Q8_0", 10**9) for i in range(20)]
    made = picker([*many, QWEN])
    assert made.search.isVisible()
    qtbot.keyClicks(made.search, "qwen")
    with qtbot.waitSignal(made.chosen) as chosen:
        qtbot.keyClick(made.search, Qt.Key.Key_Return)
    assert chosen.args == [QWEN]


def test_a_search_without_hits_says_so_and_enter_does_nothing(picker: Any, qtbot: QtBot) -> None:
    made = picker([ModelRef(f"/{i}", f"Model {i}") for i in range(20)])
    qtbot.keyClicks(made.search, "zzz")
    assert made._items.item(0).text() == "No model is called that."
    qtbot.keyClick(made.search, Qt.Key.Key_Return)
    assert made.isVisible()


def test_a_file_can_be_opened_instead(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    header, _ = made(workspace)
    qtbot.mouseClick(header.pill, Qt.MouseButton.LeftButton)
    popup = header.findChild(ModelPicker)
    other = next(b for b in popup.findChildren(QPushButton) if b.text() == "Open a GGUF file…")
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    dialog = header.findChild(QFileDialog)
    dialog.fileSelected.emit("/tmp/x.gguf")
    dialog.close()
    assert workspace.called("open_path") == [("/tmp/x.gguf", "A")]
