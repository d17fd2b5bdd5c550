from __future__ import annotations

import pytest
from panel_kit import Desk, NowClock, dressed, model_info, show_active
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from playground.settings.load import FIELDS
from playground.ui.sampling.model_facts import buffers_of, count_words, facts_of
from playground.ui.sampling.model_tab import ModelTab
from playground.workspace.lane import Lane


class Bench:
    def __init__(self, qtbot: QtBot, app: QApplication, lanes: int = 1) -> None:
        self.desk = Desk(lanes)
        self.tab = ModelTab(self.desk, dressed(app), NowClock())
        self.tab.resize(312, 700)
        qtbot.addWidget(self.tab)
        show_active(qtbot, self.tab)


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Bench:
    return Bench(qtbot, qapp)


def test_every_load_option_has_a_row(bench: Bench) -> None:
    assert list(bench.tab.rows) == [row.name for row in FIELDS.fields]


def test_options_wait_until_they_are_applied(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.loaded()
    assert not bench.tab.bar.isVisible()
    bench.tab.rows["n_ctx"].choose(8192)
    bench.tab.rows["use_mmap"].choose(False)
    assert bench.tab.bar.isVisible()
    assert "The chat stays." in bench.tab.bar.text.text()
    assert bench.desk.lane().load == {}
    bench.desk.lane().changed.emit()
    assert bench.tab.rows["n_ctx"].value == 8192
    qtbot.mouseClick(bench.tab.bar.apply, Qt.MouseButton.LeftButton)
    assert bench.desk.lane().load == {"n_ctx": 8192, "use_mmap": False}
    assert bench.desk.reloads == ["A"]
    assert not bench.tab.bar.isVisible()


def test_threads_need_no_reload_and_a_fixed_count_is_not_governed(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.loaded()
    assert bench.tab.governor.value is True
    assert bench.tab.governor.reason == ""
    bench.tab.rows["n_threads"].choose(1)
    assert bench.desk.lane().load == {"n_threads": 1}
    assert not bench.tab.bar.isVisible()
    assert "fixed" in bench.tab.governor.reason
    bench.tab.rows["n_threads"].choose(0)
    assert bench.tab.governor.reason == ""
    qtbot.mouseClick(bench.tab.governor.findChild(QCheckBox), Qt.MouseButton.LeftButton)
    assert bench.desk.governed is False
    assert bench.desk.reloads == []


def test_undo_and_setting_back_leave_nothing_waiting(qtbot: QtBot, bench: Bench) -> None:
    bench.tab.rows["n_ctx"].choose(8192)
    qtbot.mouseClick(bench.tab.bar.undo, Qt.MouseButton.LeftButton)
    assert bench.tab.rows["n_ctx"].value == FIELDS["n_ctx"].default
    bench.tab.rows["n_batch"].choose(1024)
    bench.tab.rows["n_batch"].reset()
    assert not bench.tab.bar.isVisible()
    assert bench.desk.reloads == []


def test_no_reload_in_the_middle_of_an_answer(bench: Bench) -> None:
    bench.desk.loaded()
    bench.desk.lane().state = "writing"
    bench.tab.rows["n_ctx"].choose(8192)
    assert not bench.tab.bar.apply.isEnabled()
    assert "stop it first" in bench.tab.bar.apply.toolTip()
    bench.desk.lane().state = "ready"
    bench.desk.lane().changed.emit()
    assert bench.tab.bar.apply.isEnabled()


def test_gpu_layers_say_why_they_are_greyed(bench: Bench) -> None:
    row = bench.tab.rows["n_gpu_layers"]
    assert row.reason == ""
    bench.desk.loaded()
    assert row.reason == "This build has no GPU backend."
    bench.desk.lane().engine.gpu = "Some card"
    bench.desk.lane().changed.emit()
    assert row.reason == ""


def test_what_waits_belongs_to_its_lane(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=2)
    bench.tab.rows["n_ctx"].choose(8192)
    bench.desk.set_active("B")
    assert bench.tab.rows["n_ctx"].value == 4096
    assert not bench.tab.bar.isVisible()
    bench.desk.set_active("A")
    assert bench.tab.rows["n_ctx"].value == 8192


def test_a_value_out_of_range_does_not_wait(qtbot: QtBot, bench: Bench) -> None:
    row = bench.tab.rows["n_ctx"]
    row.number.setFocus()
    row.number.selectAll()
    qtbot.keyClicks(row.number, "5")
    qtbot.keyClick(row.number, Qt.Key.Key_Return)
    assert "256" in row.error
    assert not bench.tab.bar.isVisible()


def test_facts(bench: Bench) -> None:
    assert bench.tab.facts.isHidden()
    bench.desk.loaded()
    facts = dict(bench.tab.facts.facts)
    assert facts["Parameters"] == "596 M"
    assert facts["Context, trained"] == "40,960 tokens"
    assert facts["Licence"] == "Apache-2.0"
    assert dict(bench.tab.buffers.facts)["KV cache"] == "0.47 GB"
    assert bench.tab.path.path.endswith("Qwen3-0.6B-Q8_0.gguf")


def test_the_path_is_copied_whole(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.loaded()
    button = bench.tab.path.findChild(type(bench.tab.path.layout().itemAt(2).widget()))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == "/models/Qwen3-0.6B-Q8_0.gguf"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (134_515_008, "135 M"),
        (1_235_814_432, "1.24 B"),
        (999, "999"),
        (70_553_706_496, "70.6 B"),
        (999_600_000, "1.00 B"),
    ],
)
def test_counts_in_words(n: int, words: str) -> None:
    assert count_words(n) == words


def test_facts_without_an_engine() -> None:
    assert facts_of(Lane("A")) == buffers_of(Lane("A")) == []
    lane = Lane("A")
    lane.engine.info = model_info(repack_bytes=5_000_000, gpu_bytes=2_000_000, licence="")
    assert ("of them repacked", "5 MB") in buffers_of(lane)
    assert ("Licence", "not stated in the file") in facts_of(lane)
