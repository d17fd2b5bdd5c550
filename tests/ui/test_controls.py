from __future__ import annotations

from typing import Any

import pytest
from panel_kit import dressed, show_active
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from playground.settings.load import FIELDS as LOAD
from playground.settings.sampling import FIELDS
from playground.ui.controls import BoolRow, ChoiceRow, NumberRow, SettingRow, TextRow, row_for
from playground.ui.editor_popup import escaped, unescaped
from playground.ui.fields import read_number
from playground.ui.slider import Scale
from playground.ui.theme import Theme

SLIDERS = [row for table in (FIELDS, LOAD) for row in table.fields if row.slider]


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return dressed(qapp)


def made(qtbot: QtBot, theme: Theme, name: str) -> tuple[Any, list[tuple[str, Any]]]:
    table = FIELDS if name in FIELDS else LOAD
    row = row_for(table[name], theme)
    seen: list[tuple[str, Any]] = []
    row.changed.connect(lambda *change: seen.append(change))
    row.resize(288, row.height())
    qtbot.addWidget(row)
    show_active(qtbot, row)
    return row, seen


def type_in(qtbot: QtBot, row: NumberRow, text: str) -> None:
    row.number.setFocus()
    row.number.selectAll()
    qtbot.keyClicks(row.number, text)
    qtbot.keyClick(row.number, Qt.Key.Key_Return)


def test_with_larger_text_a_choice_stays_within_its_row(qtbot: QtBot, theme: Theme) -> None:
    row, _told = made(qtbot, theme, "flash_attn")
    row.resize(280, row.height())
    row.show()
    try:
        for scale in (1.25, 1.5):
            theme.set_scale(scale)
            QApplication.processEvents()
            row.resize(280 + round(8 * scale), row.height())
            assert row.combo.fontMetrics().height() <= row.combo.height() - 4
            assert row.combo.geometry().bottom() < row.height()
    finally:
        theme.set_scale(1.0)
        QApplication.processEvents()


def wheel(widget: QWidget) -> QWheelEvent:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle, widget.mapToGlobal(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event


@pytest.mark.parametrize("field", SLIDERS, ids=lambda row: row.name)
def test_every_slider_reaches_only_what_its_field_accepts(field: Any) -> None:
    scale = Scale(field)
    places = [at / 200 for at in range(201)]
    values = [scale.value(place) for place in places]
    for value in values:
        assert field.check(value) == value
    inner = [scale.position(value) for value in values]
    assert inner == sorted(inner)
    for value in [field.default, *values]:
        assert scale.position(scale.value(scale.position(value))) == pytest.approx(scale.position(value), abs=0.02)


@pytest.mark.parametrize("field", SLIDERS, ids=lambda row: row.name)
def test_stepping_stays_within_the_field(field: Any) -> None:
    scale = Scale(field)
    for steps in (-10, -1, 1, 10):
        value = field.default
        for _ in range(300):
            value = scale.stepped(value, steps)
            assert field.check(value) == value


def test_a_drag_tells_each_value_and_its_end(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "top_p")
    ended: list[str] = []
    row.released.connect(ended.append)
    slider = row.slider
    middle = slider.height() // 2
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(6, middle))
    qtbot.mouseMove(slider, QPoint(slider.width() // 2, middle))
    assert seen[0] == ("top_p", 0.0)
    assert seen[-1][1] == pytest.approx(0.5, abs=0.02)
    assert ended == []
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, middle))
    assert ended == ["top_p"]
    assert row.number.text() == f"{seen[-1][1]:.2f}"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (Qt.Key.Key_Right, 0.96), (Qt.Key.Key_Left, 0.94), (Qt.Key.Key_PageDown, 0.85),
        (Qt.Key.Key_Home, 0.0), (Qt.Key.Key_End, 1.0),
    ],
)  # fmt: skip
def test_keys_on_the_slider(qtbot: QtBot, theme: Theme, key: Qt.Key, value: float) -> None:
    row, seen = made(qtbot, theme, "top_p")
    qtbot.keyClick(row.slider, key)
    assert seen == [("top_p", pytest.approx(value))]


def test_the_wheel_acts_only_with_the_focus(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "top_k")
    for control in (row.slider, row.number):
        if focused := QApplication.focusWidget():
            focused.clearFocus()
        assert not wheel(control).isAccepted()
    assert seen == []
    row.slider.setFocus()
    wheel(row.slider)
    row.number.setFocus()
    wheel(row.number)
    assert seen == [("top_k", 41), ("top_k", 42)]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("top_k", "off", 0), ("top_k", "1,000", 1000), ("temp", "0,7", 0.7), ("penalty_last_n", "whole context", -1),
        ("temp", " 1.25 ", 1.25), ("seed", "random", -1), ("n_threads", "automatic", 0),
        ("penalty_present", "−0.5", -0.5),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(name: str, text: str, value: float) -> None:
    field = (FIELDS if name in FIELDS else LOAD)[name]
    assert read_number(field, text) == value


def test_a_refused_value_stays_visible_and_is_not_applied(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "top_p")
    height = row.height()
    type_in(qtbot, row, "1.5")
    assert seen == []
    assert row.error == "Top-p goes from 0 to 1; 1.5 is outside."
    assert row.number.property("invalid") == "true"
    assert row.number.text() == "1.5"
    assert row.height() > height
    type_in(qtbot, row, "0.5")
    assert seen == [("top_p", 0.5)]
    assert row.error == ""
    assert row.height() == height


def test_escape_brings_the_old_value_back(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "top_p")
    type_in(qtbot, row, "none of it")
    assert row.error
    qtbot.keyClick(row.number, Qt.Key.Key_Escape)
    assert (row.number.text(), row.error, seen) == ("0.95", "", [])


def test_leaving_the_field_applies(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "top_k")
    row.number.setFocus()
    row.number.selectAll()
    qtbot.keyClicks(row.number, "12")
    row.slider.setFocus()
    assert seen == [("top_k", 12)]


def test_a_value_from_outside_tells_nobody(qtbot: QtBot, theme: Theme) -> None:
    for field in (*FIELDS.fields, *LOAD.fields):
        row, seen = made(qtbot, theme, field.name)
        for value in (field.off, *field.special, *field.choices, True, field.default):
            if isinstance(value, type(field.default)):
                row.set_value(value)
        assert seen == []


def test_the_dot_and_the_ways_back(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "temp")
    assert row.mark.isHidden()
    row.set_value(1.2)
    assert not row.mark.isHidden()
    qtbot.mouseClick(row.mark, Qt.MouseButton.LeftButton)
    row.set_value(1.2)
    qtbot.mouseDClick(row.label, Qt.MouseButton.LeftButton)
    row.set_value(1.2)
    qtbot.mouseDClick(row.slider, Qt.MouseButton.LeftButton)
    assert seen == [("temp", 0.8)] * 3
    row.set_base(0.6)
    assert not row.mark.isHidden()


def test_words_and_neutral_values(qtbot: QtBot, theme: Theme) -> None:
    row, _ = made(qtbot, theme, "temp")
    row.set_value(1.0)
    assert row.number.text() == "off"
    assert row.slider.accessibleDescription().startswith("off. ")
    assert row.slider.accessibleName() == row.number.accessibleName() == "Temperature"
    row, _ = made(qtbot, theme, "n_gpu_layers")
    assert row.number.text() == "all"
    row.set_reason("No GPU here.")
    assert not row.slider.isEnabled()
    assert row.toolTip() == "No GPU here."


def test_a_field_without_slider_steps_over_its_word(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "max_tokens")
    assert row.slider is None
    row.number.setFocus()
    qtbot.keyClick(row.number, Qt.Key.Key_Up)
    qtbot.keyClick(row.number, Qt.Key.Key_Down)
    assert seen == [("max_tokens", 1), ("max_tokens", -1)]
    assert row.number.text() == "until done"


def test_choices_and_switches(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "mirostat")
    assert isinstance(row, ChoiceRow)
    row.combo.setFocus()
    qtbot.keyClick(row.combo, Qt.Key.Key_Down)
    switch, switched = made(qtbot, theme, "ignore_eos")
    assert isinstance(switch, BoolRow)
    qtbot.mouseClick(switch.label, Qt.MouseButton.LeftButton)
    assert (seen, switched) == ([("mirostat", "1")], [("ignore_eos", True)])


@pytest.mark.parametrize("text", ["\n", "a\\nb", "tab\there", "\\", "\r\n", "plain", "\\x"])
def test_escapes_round_trip(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert "\n" not in escaped(text)


def test_a_list_is_edited_one_a_line(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "dry_sequence_breakers")
    assert isinstance(row, TextRow)
    qtbot.mouseClick(row.button, Qt.MouseButton.LeftButton)
    popup = row.popup
    assert popup.editor.toPlainText() == '\\n\n:\n"\n*'
    popup.editor.setPlainText("\\n\n###")
    popup.apply()
    assert seen == [("dry_sequence_breakers", ["\n", "###"])]
    assert row.summary == "“\\n” “###”"
    assert popup.isHidden()


def test_a_refused_text_keeps_the_popup_open(qtbot: QtBot, theme: Theme) -> None:
    row, seen = made(qtbot, theme, "stop")
    row.button.click()
    row.popup.editor.setPlainText("x" * 201)
    row.popup.apply()
    assert not row.popup.isHidden()
    row.popup.cancel()
    assert (seen, row.summary) == ([], "none")
    row.button.click()
    assert row.popup.editor.toPlainText() == ""
    row.popup.editor.setPlainText("END")
    row.popup.close()  # as a click elsewhere does
    assert seen == [("stop", ["END"])]


@pytest.mark.parametrize("stretch", [100, 112])
def test_nothing_overlaps_in_a_narrow_panel(qtbot: QtBot, theme: Theme, stretch: int) -> None:
    for field in (*FIELDS.fields, *LOAD.fields):
        row = row_for(field, theme)
        qtbot.addWidget(row)
        for child in row.findChildren(QWidget):
            font = child.font()
            font.setStretch(stretch)
            child.setFont(font)
        row.resize(256, row.height())
        row.show()
        parts = [c for c in row.children() if isinstance(c, QWidget) and not c.isHidden()]
        for part in parts:
            assert row.rect().contains(part.geometry()), field.name
            for other in parts:
                assert part is other or not part.geometry().intersects(other.geometry()), field.name
        if isinstance(row, NumberRow) and row.slider:
            assert row.slider.width() >= 40


def test_the_row_explains_itself(qtbot: QtBot, theme: Theme) -> None:
    row, _ = made(qtbot, theme, "top_k")
    told: list[str] = []
    assert isinstance(row, SettingRow)
    row.hinted.connect(told.append)
    row.slider.setFocus()
    assert told
    assert "Keeps only the k likeliest tokens." in told[0]
    assert "40, llama.cpp’s default" in told[0]
    assert "from 0 to 1,000,000" in row.toolTip()
