"""The small plots of readings under the memory plot: switched on and off, told, and costing nothing while off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from chrome_fake import QWEN, FakeClock, FakeWorkspace, dress
from PySide6.QtCore import QPoint
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from test_memory_plot import MB, give, memory
from waiting import wait_until

from playground.gauges.probe import MACHINE, Missing
from playground.protocol.events import Token
from playground.settings.readings import READINGS
from playground.ui.plots import reading_tracks
from playground.ui.plots.memory import MemoryPane
from playground.workspace.gauges import GAUGE_DTYPE
from playground.workspace.series import Rows

START = 10**12


class Stand:
    """A memory pane over engines that wrote for eight seconds."""

    def __init__(self, qtbot: QtBot, lanes: int = 1, height: int = 260) -> None:
        self.workspace = FakeWorkspace(lanes)
        self.clock = FakeClock()
        for number, lane in enumerate(self.workspace.lanes):
            give(lane, 360, 8, QWEN if number else lane.model or QWEN)
            lane.engine.pid = 100 + number
        self.gauges = self.workspace.gauges
        self.gauges.missing = {}
        self.pane = MemoryPane(self.workspace, dress(), self.clock)
        qtbot.addWidget(self.pane)
        self.pane.resize(560, height)
        self.pane.show()
        self.pane.warm_up()
        self.tick()

    def tick(self) -> Stand:
        self.clock.tick()
        QApplication.processEvents()
        return self

    def tell(self, name: str, values: list[float], key: int = MACHINE) -> Stand:
        """A value each half second."""
        rows = self.gauges.series.setdefault((name, key), Rows(GAUGE_DTYPE, 64))
        for index, value in enumerate(values):
            rows.append((START + index * 500_000_000, value))
        return self

    def on(self, *names: str) -> Stand:
        self.gauges.set_on(frozenset(names))
        return self.tick()

    @property
    def shown(self) -> list[tuple[str, str]]:
        return [(track.label, track.words()) for track in self.pane.plot.tracks]  # type: ignore[union-attr]

    @property
    def plot(self) -> Any:
        return self.pane.plot


@pytest.fixture
def stand(qtbot: QtBot) -> Stand:
    return Stand(qtbot)


def test_off_there_is_none_and_none_is_computed(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("nothing is on")

    stand.tell("cpu_load", [50.0] * 16)
    monkeypatch.setattr("playground.ui.plots.memory.make_tracks", never)
    stand.workspace.lanes[0].engine.memory.add(memory(8.25, 400))
    stand.workspace.lanes[0].grew.emit()
    stand.tick()
    assert stand.shown == []
    assert stand.plot.frame.tracks == []
    assert stand.plot.frame.rect == stand.plot.frame.foot


def test_on_it_stands_under_the_stack_with_its_newest_value(stand: Stand) -> None:
    stand.tell("cpu_load", [50.0] * 15 + [97.4]).on("cpu_load", "context")
    assert stand.shown == [("CPU, machine", "97 %"), ("Context filled", "25 %")]
    frame = stand.plot.frame
    assert len(frame.tracks) == 2
    assert frame.rect.bottom() < frame.tracks[0].top() < frame.tracks[1].top() < frame.foot.bottom()
    (line,) = stand.plot.tracks[0].lines
    assert line.x.tolist() == pytest.approx([index / 2 for index in range(16)])
    stand.on()
    assert stand.shown == []


def test_each_engine_has_its_line(qtbot: QtBot) -> None:
    stand = Stand(qtbot, 2)
    stand.tell("engine_load", [40.0], 100).tell("engine_load", [55.0], 101).on("engine_load")
    assert stand.shown == [("CPU, engines", "A 40  B 55 %")]
    stand.workspace.lanes[1].state = "unloaded"
    stand.workspace.lanes[1].changed.emit()
    stand.tick()
    assert stand.shown == [("CPU, engines", "40 %")]


def test_the_mouse_tells_the_value_of_then(stand: Stand) -> None:
    stand.tell("cpu_load", [float(index) for index in range(16)]).on("cpu_load")
    track = stand.plot.tracks[0]
    assert track.words(2.1) == "4 %"
    assert track.words(0.0) == "0 %"
    frame = stand.plot.frame
    middle = frame.tracks[0].center()
    QTest.mouseMove(stand.plot.viewport(), QPoint(round(float(frame.px(2.0))), round(middle.y())))
    QApplication.processEvents()
    assert stand.plot.hover is not None
    assert READINGS["cpu_load"].track is not None
    assert READINGS["cpu_load"].track.help in stand.plot.toolTip()


def test_a_pause_breaks_the_line(stand: Stand) -> None:
    lane = stand.workspace.lanes[0]
    lane.engine.memory.add(memory(60.0, 360))
    stand.tell("cpu_load", [10.0, 20.0])
    rows = stand.gauges.series["cpu_load", MACHINE]
    rows.append((START + 60 * 10**9, 30.0))
    stand.on("cpu_load")
    (line,) = stand.plot.tracks[0].lines
    assert np.isnan(line.y[2])
    assert line.y[[0, 1, 3]].tolist() == [10, 20, 30]


def test_tokens_per_joule_come_from_power_and_the_lanes_tokens(stand: Stand) -> None:
    answer = stand.workspace.lanes[0].answer
    for index in range(80):
        answer.add(Token(1, index, 5, "x", START + index * 100_000_000, 0, 0, index))
    stand.tell("power", [20.0] * 16).on("tokens_per_joule")
    assert stand.shown == [("Tokens per joule", "0.50 tok/J")], "ten tokens a second at twenty watts"


def test_too_many_for_the_height_are_counted_and_the_stack_keeps_its_room(qtbot: QtBot) -> None:
    stand = Stand(qtbot, height=218)
    for name in ("engine_load", "cpu_load", "frequency", "power"):
        stand.tell(name, [1.0])
    stand.on("engine_load", "cpu_load", "frequency", "power", "context")
    assert len(stand.plot.tracks) == 5
    assert 0 < len(stand.plot.frame.tracks) < 5
    assert stand.plot.frame.rect.height() >= 50
    stand.pane.resize(560, 420)
    QApplication.processEvents()
    assert len(stand.plot.frame.tracks) == 5


def test_the_menu_offers_what_this_machine_has_and_says_why_not(stand: Stand) -> None:
    stand.gauges.missing = {"frequency": Missing(), "power": Missing("Only the administrator may.")}
    found = {row.name: why for row, why in reading_tracks.offered(stand.gauges, stand.pane._tracks)}
    assert "frequency" not in found, "there is none"
    assert "gpu_filled" not in found
    assert found["power"] == found["tokens_per_joule"] == "Only the administrator may."
    menu = stand.pane.readings.menu_of(
        reading_tracks.offered(stand.gauges, stand.pane._tracks), frozenset({"cpu_load"})
    )
    items = {item.text(): item for item in menu.actions()}
    assert items["CPU, machine"].isChecked()
    assert not items["CPU, engines"].isChecked()
    assert not items["Power"].isEnabled()
    assert items["Power"].toolTip() == "Only the administrator may."
    chosen: list[tuple[str, bool]] = []
    stand.gauges.chosen.connect(lambda name, on: chosen.append((name, on)))
    items["Context filled"].trigger()
    assert chosen == [("context", True)]
    assert stand.tick().shown == [("Context filled", "25 %")]
    menu.deleteLater()


def test_gpu_and_disk_are_offered_where_they_are_told(stand: Stand) -> None:
    lane = stand.workspace.lanes[0]
    lane.engine.memory.add(memory(8.25, 360, gpu_used=3000 * MB, gpu_total=4000 * MB, read_bytes=10 * MB))
    lane.engine.memory.add(memory(8.75, 360, gpu_used=3000 * MB, gpu_total=4000 * MB, read_bytes=60 * MB))
    lane.grew.emit()
    stand.on("gpu_filled", "disk_reads")
    assert stand.shown == [("Disk reads", "100 MB/s"), ("GPU memory filled", "75 %")]


def test_only_a_pane_in_sight_lets_them_be_read(stand: Stand) -> None:
    engine: Any = stand.gauges._engines
    engine.all[1] = type("Working", (), {"sent": {1}, "facts": stand.workspace.lanes[0].engine})()
    stand.pane.hide()
    stand.gauges.set_on(frozenset({"cpu_load"}))
    assert not stand.gauges.reading
    stand.pane.show()
    assert stand.gauges.reading
    stand.pane.hide()
    engine.all.clear()
    stand.gauges.close()
    wait_until(lambda: not stand.gauges.reading)
