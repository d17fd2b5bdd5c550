"""The row that stands for the plots in small windows."""

from __future__ import annotations

from typing import Any

import pytest
from chrome_fake import QWEN, FakeClock, FakeWorkspace, answer, dress, load
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from playground.ui.plots.readout import PlotReadout


@pytest.fixture
def made(qtbot: QtBot) -> Any:
    def make(workspace: Any, width: int = 900) -> tuple[PlotReadout, FakeClock]:
        clock = FakeClock()
        row = PlotReadout(workspace, dress(), clock)
        qtbot.addWidget(row)
        row.resize(width, row.height())
        row.show()
        clock.tick()
        return row, clock

    return make


def colors(row: PlotReadout) -> set[str]:
    image = row.grab().toImage()
    return {QColor(image.pixel(x, y)).name() for x in range(image.width()) for y in range(image.height())}


def test_empty_it_is_forty_pixels_of_one_sentence(made: Any) -> None:
    row, _ = made(FakeWorkspace())
    assert row.height() == 40
    assert row.text == ""
    assert dress().color("text-3").name() in colors(row)


def test_latency_speed_and_memory(made: Any) -> None:
    workspace = FakeWorkspace()
    answer(load(workspace.lanes[0]), 200, ms=15)
    row, _ = made(workspace)
    assert row.text == "A 15.0 ms · 66.7 tok/s   0.36 of 5.1 GB"
    assert row.accessibleName() == f"Latency and memory: {row.text}"
    assert dress().lane("A").name() in colors(row)


def test_every_lane_has_its_badge_and_a_shared_engine_counts_once(made: Any) -> None:
    workspace = FakeWorkspace(3)
    a, b, c = workspace.lanes
    load(a)
    b.model, b.engine, b.state = a.model, a.engine, "ready"
    load(c, QWEN, rss=1_000_000_000)
    for lane in (a, b, c):
        answer(lane, 50, ms=10)
    row, _ = made(workspace)
    assert row.text.endswith("1.36 of 6.1 GB")
    assert {dress().lane(letter).name() for letter in "ABC"} <= colors(row)


def test_tokens_repaint_through_the_clock_and_hidden_nothing(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = load(workspace.lanes[0])
    row, clock = made(workspace)
    answer(lane, 20)
    lane.grew.emit()
    lane.grew.emit()
    assert len(clock.marks) == 1
    clock.tick()
    assert "15.0 ms" in row.accessibleName()
    row.hide()
    lane.grew.emit()
    assert not clock.marks
    row.show()
    assert clock.marks


def test_a_click_and_return_ask_for_the_plots(made: Any, qtbot: QtBot) -> None:
    row, _ = made(FakeWorkspace())
    with qtbot.waitSignal(row.opened):
        qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(row.opened):
        qtbot.keyClick(row, Qt.Key.Key_Return)


@pytest.mark.parametrize("width", [900, 480, 300, 200])
def test_it_paints_at_any_width(made: Any, width: int) -> None:
    workspace = FakeWorkspace(3)
    for lane in workspace.lanes:
        answer(load(lane), 30)
    row, _ = made(workspace, width)
    assert not row.grab().isNull()
