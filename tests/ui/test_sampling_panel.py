from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from panel_kit import Desk, NowClock, dressed, show_active
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from playground.settings.field import SettingError
from playground.settings.load import FIELDS as LOAD
from playground.settings.sampling import CHAIN, DEFAULT_ORDER, FIELDS, neutral_values, with_optional
from playground.ui.controls import NumberRow
from playground.ui.sampling.chain_flags import command_line, moved
from playground.ui.sampling.panel import RightPanel
from playground.workspace import history

NUMBERS = [row for row in FIELDS.fields if row.kind in ("int", "float")]


class Bench:
    """A panel on a desk."""

    def __init__(self, qtbot: QtBot, app: QApplication, lanes: int = 1) -> None:
        self.desk = Desk(lanes)
        self.panel = RightPanel(self.desk, dressed(app), NowClock())
        self.panel.resize(312, 860)
        qtbot.addWidget(self.panel)
        show_active(qtbot, self.panel)
        self.tab = self.panel.sampling
        self.rows = self.tab.rows

    def value(self, name: str, letter: str = "A") -> Any:
        return self.desk.lane(letter).sampling[name]


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Bench:
    return Bench(qtbot, qapp)


def type_in(qtbot: QtBot, row: Any, text: str) -> None:
    row.number.setFocus()
    row.number.selectAll()
    qtbot.keyClicks(row.number, text)
    qtbot.keyClick(row.number, Qt.Key.Key_Return)


def test_every_field_of_the_table_has_a_row(bench: Bench) -> None:
    assert set(bench.rows) == {row.name for row in FIELDS.fields}
    assert set(bench.tab.stages) == {stage.name for stage in CHAIN}
    for name, row in bench.rows.items():
        assert row.field is FIELDS[name]
        assert FIELDS[name].help in row.toolTip()


@pytest.mark.parametrize("field", NUMBERS, ids=lambda row: row.name)
def test_a_value_out_of_range_is_refused_with_the_tables_sentence(qtbot: QtBot, bench: Bench, field: Any) -> None:
    outside = str(int(field.high) + 1)
    with pytest.raises(SettingError) as refused:
        field.parse(outside)
    assert bench.panel.show_setting(field.name)
    row = bench.rows[field.name]
    assert isinstance(row, NumberRow)
    before = bench.value(field.name)
    type_in(qtbot, row, outside)
    assert row.error == str(refused.value)
    assert row.number.property("invalid") == "true"
    assert bench.value(field.name) == before
    assert bench.desk.tweaks == []


def test_a_typed_value_reaches_the_lane_at_once(qtbot: QtBot, bench: Bench) -> None:
    type_in(qtbot, bench.rows["temp"], "0,6")
    assert bench.value("temp") == 0.6
    assert bench.desk.tweaks == ["A"]
    assert bench.panel.head.status.text() == "1 changed"
    assert bench.tab.presets.combo.shown_text == "llama.cpp defaults, changed"
    assert not bench.rows["temp"].mark.isHidden()


def test_values_set_elsewhere_show_and_nothing_comes_back(bench: Bench) -> None:
    bench.desk.set_many(
        "A", {"top_k": 7, "stop": ["END"], "grammar": 'root ::= "a"', "ignore_eos": True, "mirostat": "2"}
    )
    assert bench.desk.tweaks == ["A"]
    assert bench.rows["top_k"].number.text() == "7"
    assert bench.rows["stop"].summary == "“END”"
    assert bench.rows["ignore_eos"].box.isChecked()
    assert bench.rows["mirostat"].combo.currentText() == "2"


def test_a_drag_acts_while_it_goes_on(qtbot: QtBot, bench: Bench) -> None:
    slider = bench.rows["min_p"].slider
    seen = []
    bench.desk.lane().sampling_changed.connect(lambda: seen.append(bench.value("min_p")))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(6, 12))
    for x in range(10, slider.width() - 6, 5):
        qtbot.mouseMove(slider, QPoint(x, 12))
    assert len(seen) > 5
    assert seen == sorted(seen)
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)


def test_neutralise_and_reset(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.set_sampling("A", "temp", 0.3)
    qtbot.mouseClick(bench.tab.presets.neutral_button, Qt.MouseButton.LeftButton)
    assert {name: bench.value(name) for name in neutral_values()} == neutral_values()
    assert bench.rows["temp"].number.text() == "off"
    assert bench.rows["top_k"].number.text() == "off"
    qtbot.mouseClick(bench.tab.presets.reset_button, Qt.MouseButton.LeftButton)
    assert bench.desk.lane().sampling == FIELDS.defaults()
    assert bench.panel.head.status.text() == "as shipped"
    assert not bench.tab.presets.reset_button.isEnabled()


def test_the_model_files_own_values_are_a_preset(bench: Bench) -> None:
    combo = bench.tab.presets.combo
    assert combo.findData("model") == -1
    bench.desk.loaded(default_sampling={"temp": 0.6, "top_k": 20, "top_p": 9.0, "no_such_thing": 1})
    place = combo.findData("model")
    combo.setCurrentIndex(place)
    combo.activated.emit(place)
    assert (bench.value("temp"), bench.value("top_k"), bench.value("top_p")) == (0.6, 20, 0.95)
    assert bench.panel.head.status.text() == "as the preset"
    assert bench.rows["temp"].mark.isHidden()
    bench.rows["temp"].choose(0.7)
    assert combo.shown_text == "From the model file, changed"
    bench.rows["temp"].reset()
    assert bench.value("temp") == 0.6


def test_own_presets_from_the_menu(qtbot: QtBot, bench: Bench, tmp_path: Path) -> None:
    control, combo = bench.tab.preset, bench.tab.presets.combo
    bench.desk.presets.begin(tmp_path)
    bench.rows["temp"].choose(0.35)
    control.save_under("Cool")
    assert combo.shown_text == "Cool"
    assert bench.panel.head.status.text() == "as the preset"
    bench.rows["temp"].choose(0.4)
    assert combo.shown_text == "Cool, changed"
    words = [action.text() for action in control.menu().actions()]
    assert "Rename…" in words
    assert "Apply to all lanes" not in words
    control.save()
    assert combo.shown_text == "Cool"
    control.use("defaults")
    assert bench.value("temp") == 0.8
    control.use("own:cool")
    assert bench.value("temp") == 0.4
    assert bench.desk.undo_sampling("A")
    assert bench.value("temp") == 0.8
    control.use("own:cool")
    control.delete()
    assert combo.findData("own:cool") == -1
    assert bench.value("temp") == 0.4


def test_presets_travel_by_clipboard_and_by_drop(qtbot: QtBot, bench: Bench, tmp_path: Path) -> None:
    control = bench.tab.preset
    bench.desk.presets.begin(tmp_path / "own")
    bench.rows["top_k"].choose(9)
    control.copy()
    (tmp_path / "friend.json").write_text(QGuiApplication.clipboard().text())
    control.use("defaults")
    control.paste()
    assert bench.value("top_k") == 9
    control.use("defaults")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "friend.json"))])
    drop = QDropEvent(
        QPointF(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    bench.tab.dropEvent(drop)
    assert bench.value("top_k") == 9
    assert len(bench.desk.presets.own) == 2
    QGuiApplication.clipboard().setText("nonsense")
    told: list[str] = []
    bench.desk.told.connect(told.append)
    control.paste()
    assert "isn’t a preset" in told[0]


def test_the_comparison_shows_what_differs(bench: Bench) -> None:
    bench.rows["temp"].choose(0.35)
    bench.tab.preset.compare()
    window = bench.tab.preset._compare
    assert window is not None
    assert window.table.rowCount() == 1
    assert [window.table.item(0, n).text() for n in range(3)] == ["Temperature ≠", "0.35", "0.80"]
    window.only.setChecked(False)
    assert window.table.rowCount() > 30
    window.right.setCurrentIndex(0)
    assert window.summary.text() == "They are the same."


def test_one_lane_s_sampling_for_all(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=3)
    bench.rows["temp"].choose(0.5)
    bench.tab.chain.move_stage("min_p", -1)
    bench.tab.preset.apply_to_all()
    assert [bench.value("temp", letter) for letter in "ABC"] == [0.5] * 3
    assert len({tuple(lane.samplers) for lane in bench.desk.lanes}) == 1


def test_keys_move_a_stage(qtbot: QtBot, bench: Bench) -> None:
    slider = bench.rows["temp"].slider
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert bench.desk.lane().samplers[-2:] == ["temperature", "xtc"]
    assert bench.value("temp") == 0.8
    qtbot.keyClick(bench.rows["temp"].number, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    qtbot.keyClick(bench.tab.stages["temperature"].grip, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert bench.desk.lane().samplers == list(DEFAULT_ORDER)


def test_a_stage_is_dragged_to_another_place(qtbot: QtBot, bench: Bench) -> None:
    stages = bench.tab.chain.stages
    grip = stages["temperature"].grip
    start = grip.rect().center()
    target = stages["top_k"]
    above = grip.mapFromGlobal(target.mapToGlobal(QPoint(5, 2)))
    qtbot.mousePress(grip, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(grip, start - QPoint(0, 30))
    qtbot.mouseMove(grip, above)
    qtbot.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=above)
    order = bench.desk.lane().samplers
    assert order.index("temperature") == order.index("top_k") - 1
    assert "samplers" in bench.tab.presets.combo.shown_text or bench.tab.presets.combo.changed
    tops = [stages[name].mapTo(bench.tab, QPoint(0, 0)).y() for name in order]
    qtbot.waitUntil(lambda: [stages[n].y() for n in order] == sorted(stages[n].y() for n in order))
    assert len(tops) == len(DEFAULT_ORDER)


def test_a_stage_leaves_the_chain_and_comes_back(bench: Bench) -> None:
    stage = bench.tab.stages["xtc"]
    stage.chain_wanted.emit("xtc", False)
    assert "xtc" not in bench.desk.lane().samplers
    assert not bench.rows["xtc_probability"].slider.isEnabled()
    assert "values stay" in bench.rows["xtc_probability"].toolTip()
    stage.chain_wanted.emit("xtc", True)
    assert bench.desk.lane().samplers == list(DEFAULT_ORDER)
    assert bench.rows["xtc_probability"].slider.isEnabled()


def test_the_switch_leaves_value_and_place_alone(qtbot: QtBot, bench: Bench) -> None:
    bench.rows["min_p"].choose(0.17)
    stages = bench.tab.chain.stages
    tops = [stages[name].y() for name in DEFAULT_ORDER]
    stages["min_p"].switch.setFocus()
    qtbot.keyClick(stages["min_p"].switch, Qt.Key.Key_Space)
    assert "min_p" not in bench.desk.lane().samplers
    assert bench.value("min_p") == 0.17
    assert not stages["min_p"].switch.isChecked()
    assert [stages[name].y() for name in DEFAULT_ORDER] == tops
    qtbot.mouseClick(stages["min_p"].switch, Qt.MouseButton.LeftButton)
    assert bench.desk.lane().samplers == list(DEFAULT_ORDER)
    assert bench.rows["min_p"].slider.isEnabled()


def test_an_optional_stage_comes_back_with_the_value_it_had(qtbot: QtBot, bench: Bench) -> None:
    bench.rows["adaptive_target"].choose(0.35)
    switch = bench.tab.stages["adaptive_p"].switch
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert bench.value("adaptive_target") == -1.0
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert bench.value("adaptive_target") == 0.35


def test_every_change_is_undone_and_redone_by_keys(qtbot: QtBot, bench: Bench) -> None:
    undo, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    type_in(qtbot, bench.rows["temp"], "0.3")
    bench.tab.chain.move_stage("min_p", -1)
    bench.tab.neutralise()
    changed = bench.desk.lane().samplers
    slider = bench.rows["top_p"].slider
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Z, undo)
    assert (bench.value("temp"), bench.desk.lane().samplers) == (0.3, changed)
    qtbot.keyClick(slider, Qt.Key.Key_Z, undo)
    assert bench.desk.lane().samplers == list(DEFAULT_ORDER)
    number = bench.rows["temp"].number
    number.setFocus()
    qtbot.keyClick(number, Qt.Key.Key_Z, undo)
    assert bench.value("temp") == 0.8
    qtbot.keyClick(number, Qt.Key.Key_Z, undo)
    assert bench.value("temp") == 0.8
    for _ in range(3):
        qtbot.keyClick(slider, Qt.Key.Key_Z, undo | shift)
    assert (bench.value("temp"), bench.desk.lane().samplers) == (1.0, changed)
    assert bench.desk.tweaks == ["A"] * 9


def test_a_drag_is_undone_as_one_change(qtbot: QtBot, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "TOGETHER_S", 100)  # however slow the machine is
    slider = bench.rows["min_p"].slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(6, 12))
    for x in range(10, slider.width() - 6, 5):
        qtbot.mouseMove(slider, QPoint(x, 12))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton)
    assert bench.value("min_p") > 0.5
    assert bench.desk.undo_sampling("A")
    assert bench.value("min_p") == 0.05
    assert not bench.desk.undo_sampling("A")


def test_optional_stages_stand_in_the_chain_only_while_they_are_on(bench: Bench) -> None:
    bench.rows["adaptive_target"].choose(0.4)
    bench.rows["infill"].choose(True)
    order = bench.desk.lane().samplers
    assert order[-1] == "adaptive_p"
    assert order[order.index("top_p") + 1] == "infill"
    assert "adaptive_p" in bench.tab.order.text.text()
    bench.rows["adaptive_target"].choose(-1.0)
    bench.rows["infill"].choose(False)
    assert bench.desk.lane().samplers == list(DEFAULT_ORDER)


def test_mirostat_greys_what_it_replaces(bench: Bench) -> None:
    bench.rows["mirostat"].choose("2")
    for name in ("top_k", "min_p", "dry_multiplier"):
        assert not bench.rows[name].number.isEnabled()
        assert "Mirostat" in bench.rows[name].toolTip()
    assert bench.rows["temp"].number.isEnabled()
    assert bench.rows["mirostat_tau"].number.isEnabled()
    assert bench.tab.order.text.accessibleName() == "In force: temperature, mirostat"
    bench.rows["mirostat"].choose("off")
    assert bench.rows["top_k"].number.isEnabled()


def test_the_order_box_says_what_is_in_force(bench: Bench) -> None:
    assert bench.tab.order.text.accessibleName() == "In force: top_k, top_p, min_p, temperature"
    bench.rows["top_k"].choose(0)
    assert bench.tab.order.text.accessibleName() == "In force: top_p, min_p, temperature"


def test_flags_go_to_the_clipboard(qtbot: QtBot, bench: Bench) -> None:
    bench.desk.set_many(
        "A",
        {
            "temp": 0.6,
            "top_k": 20,
            "stop": ["\n\n", "it’s"],
            "ignore_eos": True,
            "mirostat": "1",
            "dry_sequence_breakers": [],
        },
    )
    qtbot.mouseClick(bench.tab.order.copy, Qt.MouseButton.LeftButton)
    words = shlex.split(QGuiApplication.clipboard().text())
    assert words[words.index("--temp") + 1] == "0.6"
    assert words[words.index("--top-k") + 1] == "20"
    assert words[words.index("--mirostat") + 1] == "1"
    assert words[words.index("--dry-sequence-breaker") + 1] == "none"
    assert [words[at + 1] for at, word in enumerate(words) if word == "--reverse-prompt"] == ["\\n\\n", "it’s"]
    assert "--ignore-eos" in words
    assert words[-2:] == ["--samplers", ";".join(DEFAULT_ORDER)]
    assert "--top-p" not in words
    assert bench.tab.order.copy.text() == "Copied"


def test_the_copied_flags_are_read_back_by_our_own_command_line() -> None:
    from playground.cli import flags

    values = FIELDS.defaults() | {"temp": 0.35, "top_k": 12, "min_p": 0.0, "seed": 7, "penalty_repeat": 1.1}
    words = shlex.split(command_line(values, DEFAULT_ORDER))
    by_flag = {flag: row for row in FIELDS.fields for flag in row.flags}
    read = {
        by_flag[flag].name: flags.parse(by_flag[flag], text)
        for flag, text in zip(words[:-2:2], words[1:-2:2], strict=True)
    }
    assert FIELDS.complete(read) == values
    assert flags.parse_order(words[-1]) == list(DEFAULT_ORDER)


def test_the_dice_choose_a_seed_that_stays(qtbot: QtBot, bench: Bench) -> None:
    dice = next(
        b
        for b in bench.rows["seed"].findChildren(QAbstractButton)
        if "seed" in b.accessibleName().lower() and b is not bench.rows["seed"].mark
    )
    qtbot.mouseClick(dice, Qt.MouseButton.LeftButton)
    assert bench.value("seed") >= 0
    type_in(qtbot, bench.rows["seed"], "random")
    assert bench.value("seed") == -1


def test_linked_lanes_get_the_change_too(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=3)
    bench.rows["temp"].choose(0.5)
    assert [bench.value("temp", letter) for letter in "ABC"] == [0.5, 0.8, 0.8]
    qtbot.mouseClick(bench.panel.head.link, Qt.MouseButton.LeftButton)
    bench.rows["top_k"].choose(5)
    bench.tab.chain.move_stage("min_p", -1)
    assert [bench.value("top_k", letter) for letter in "ABC"] == [5, 5, 5]
    assert len({tuple(lane.samplers) for lane in bench.desk.lanes}) == 1
    bench.tab.neutralise()
    assert [bench.value("temp", letter) for letter in "ABC"] == [1.0, 1.0, 1.0]


def test_badges_switch_the_lane(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=2)
    bench.desk.set_sampling("B", "temp", 1.5)
    switch = next(s for s in bench.panel.head._switches if s.letter == "B")
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton)
    assert bench.desk.active == "B"
    assert bench.rows["temp"].number.text() == "1.50"
    bench.rows["temp"].choose(0.2)
    assert (bench.value("temp", "A"), bench.value("temp", "B")) == (0.8, 0.2)
    bench.desk.set_sampling("A", "temp", 0.1)
    assert bench.rows["temp"].number.text() == "0.20"


def test_an_error_does_not_follow_to_another_lane(qtbot: QtBot, qapp: QApplication) -> None:
    bench = Bench(qtbot, qapp, lanes=2)
    type_in(qtbot, bench.rows["top_p"], "7")
    assert bench.rows["top_p"].error
    bench.desk.lane().changed.emit()
    assert bench.rows["top_p"].number.text() == "7"
    bench.desk.set_active("B")
    assert bench.rows["top_p"].error == ""
    assert bench.rows["top_p"].number.text() == "0.95"


def test_the_help_line_follows_pointer_and_focus(bench: Bench) -> None:
    bench.rows["min_p"].slider.setFocus()
    assert "Drops tokens less likely" in bench.panel.help_text
    assert "0.05, llama.cpp’s default" in bench.panel.help_text


def test_show_setting_opens_what_hides_it(bench: Bench) -> None:
    for name in [row.name for row in (*FIELDS.fields, *LOAD.fields)]:
        assert bench.panel.show_setting(name)
        row = (bench.rows | bench.panel.model.rows)[name]
        assert row.isVisible(), name
    assert not bench.panel.show_setting("no_such_setting")


@pytest.mark.parametrize("stretch", [100, 112])
def test_nothing_is_wider_than_the_narrowest_panel(qtbot: QtBot, qapp: QApplication, stretch: int) -> None:
    bench = Bench(qtbot, qapp, lanes=4)
    bench.desk.loaded(default_sampling={"temp": 0.5})
    for name in ("top_k", "temp", "penalty_last_n"):
        bench.desk.set_sampling("A", name, -1 if name == "penalty_last_n" else 2)
    for widget in bench.panel.findChildren(QWidget):
        font = widget.font()
        font.setStretch(stretch)
        widget.setFont(font)
    bench.panel.resize(280, 640)
    for key in ("sampling", "model", "prompt"):
        bench.panel.choose(key)
        for stage in bench.tab.stages.values():
            stage.set_expanded(True)
        QApplication.processEvents()
        for widget in bench.panel.findChildren(QWidget):
            if widget.isVisible():
                right = widget.mapTo(bench.panel, QPointF(widget.width(), 0)).x()
                assert right <= 280, (key, widget, widget.accessibleName())


def test_the_chain_fits_the_window_of_the_mock(bench: Bench) -> None:
    stages = [bench.tab.stages[name] for name in DEFAULT_ORDER]
    bottom = bench.tab.order.mapTo(bench.panel, QPoint(0, bench.tab.order.height())).y()
    assert all(stage.height() == 34 for stage in stages)
    assert bottom < 600


def test_orders() -> None:
    order = ["a", "b", "c"]
    assert moved(order, "a", 1) == ["b", "a", "c"]
    assert moved(order, "c", -5) == ["c", "a", "b"]
    on = FIELDS.defaults() | {"infill": True}
    assert with_optional(["temperature"], on) == ["temperature", "infill"]
    assert with_optional(["top_k", "infill", "temperature"], FIELDS.defaults()) == ["top_k", "temperature"]
