"""The bottom line."""

from __future__ import annotations

import time
from typing import Any

import pytest
from chrome_fake import GB, QWEN, FakeClock, FakeWorkspace, dress, load
from pytestqt.qtbot import QtBot

from playground.protocol.events import Memory
from playground.ui.status_bar import StatusBar


@pytest.fixture
def made(qtbot: QtBot) -> Any:
    def make(workspace: Any, clock: Any = None) -> Any:
        bar = StatusBar(workspace, dress(), clock)
        qtbot.addWidget(bar)
        bar.resize(1200, 26)
        bar.show()
        return bar

    return make


def test_nothing_runs_at_first(made: Any) -> None:
    bar = made(FakeWorkspace())
    assert bar.engines.text() == "No engine running"
    assert bar.processor.text() == ""
    assert not bar.free.isVisible()


def test_memory_is_that_of_the_window_and_of_each_engine_once(made: Any) -> None:
    workspace = FakeWorkspace(3)
    a, b, c = workspace.lanes
    load(a, rss=int(1.5 * GB))
    b.model, b.engine, b.state = a.model, a.engine, "ready"
    load(c, QWEN, rss=1 * GB, n_threads=4)
    bar = made(workspace)
    bar.set_own_rss(200_000_000)
    assert bar.engines.text() == "2 engines running"
    assert bar.processor.text() == "CPU · 4 threads"
    assert bar.own.text() == "Playground 2.7 GB"
    assert bar.free.text() == "free 4.7 of 8.0 GB"
    assert bar.meter.fraction == pytest.approx(3.3 / 8, abs=0.01)
    c.state = "failed"
    c.changed.emit()
    assert bar.engines.text() == "1 engine running"
    assert bar.own.text() == "Playground 1.7 GB"


def test_streaming_marks_the_clock_at_most_once_a_second(made: Any) -> None:
    workspace, clock = FakeWorkspace(), FakeClock()
    lane = load(workspace.lanes[0])
    bar = made(workspace, clock)
    lane.engine.memory.add(Memory(time.perf_counter_ns(), 2 * GB, 0, 0, 0, 0, 0, 3 * GB, 8 * GB))
    bar._shown_at += 1000
    lane.grew.emit()
    assert not clock.marks
    bar._shown_at -= 1002
    for _ in range(50):
        lane.grew.emit()
    assert len(clock.marks) == 1
    clock.tick()
    assert bar.own.text() == "Playground 2.0 GB"
    assert bar.free.text() == "free 3.0 of 8.0 GB"


def test_lanes_that_come_later_are_followed(made: Any) -> None:
    workspace = FakeWorkspace()
    bar = made(workspace)
    lane = workspace.add_lane()
    load(lane)
    lane.changed.emit()
    assert bar.engines.text() == "1 engine running"


def test_a_toast_stands_for_a_while_and_gives_the_line_back(made: Any, qtbot: QtBot) -> None:
    bar = made(FakeWorkspace())
    bar.toast("Copied 2 turns of lane A as Markdown.")
    assert bar.toast_text.text() == "Copied 2 turns of lane A as Markdown."
    assert bar.toast_text.isVisible()
    assert not bar.engines.isVisible()
    assert bar._toast_timer.interval() == 4000
    bar._toast_timer.timeout.emit()
    assert not bar.toast_text.isVisible()
    assert bar.engines.isVisible()


def test_before_an_engine_tells_the_machine_can_be_told(made: Any) -> None:
    bar = made(FakeWorkspace())
    bar.set_own_rss(150_000_000, 5 * GB, 8 * GB)
    assert bar.free.text() == "free 5.0 of 8.0 GB"
    assert bar.own.text() == "Playground 0.1 GB"


def test_a_warning_stays_as_long_as_it_lasts(made: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.status_bar.TOAST_MS", 30)
    bar = made(FakeWorkspace())
    bar.hold("The disk is full.")
    bar.toast("The disk is full.")
    assert (bar.toast_text.text(), bar.toast_icon._name) == ("The disk is full.", "warning")
    bar.toast("Copied.")
    assert (bar.toast_text.text(), bar.toast_icon._name) == ("Copied.", "check-circle")
    qtbot.waitUntil(lambda: bar.toast_text.text() == "The disk is full.")
    assert bar.toast_icon._name == "warning"
    bar.hold("")
    assert not bar.toast_text.isVisible()
    assert bar.engines.isVisible()
