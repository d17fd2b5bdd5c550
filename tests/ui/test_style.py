from __future__ import annotations

from collections.abc import Iterator

import pytest
from panel_kit import show_active
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from playground.ui.style import mark, style_sheet
from playground.ui.theme import TOKENS, Theme


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme("dark")
    theme.apply(qapp)
    yield theme
    KEPT.clear()


KEPT: list[QWidget] = []
"""Python's references; without them the windows would go at once."""


def shown(qtbot: QtBot, *children: QWidget) -> None:
    window = QWidget()
    column = QVBoxLayout(window)
    for child in children:
        column.addWidget(child)
    qtbot.addWidget(window)
    show_active(qtbot, window)
    KEPT.append(window)


def colors_of(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name().upper() for x in range(image.width()) for y in range(image.height())}


def test_the_sheet_is_filled_in_both_schemes(qapp: QApplication) -> None:
    for scheme in ("dark", "light"):
        sheet = style_sheet(Theme(scheme))
        assert "$" not in sheet
        assert sheet.count("{") == sheet.count("}")
        assert TOKENS["chrome"][scheme == "light"] in sheet


def test_a_click_leaves_the_focus_in_the_field(qtbot: QtBot, theme: Theme) -> None:
    field, button = QLineEdit(), QPushButton("Stop")
    shown(qtbot, field, button)
    field.setFocus()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert field.hasFocus()
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert button.hasFocus()


def test_the_focus_ring_has_the_accent(qtbot: QtBot, theme: Theme) -> None:
    field, button = QLineEdit(), QPushButton("Stop")
    shown(qtbot, field, button)
    field.setFocus()
    assert TOKENS["accent"][0] not in colors_of(button.grab().toImage())
    button.setFocus(Qt.FocusReason.TabFocusReason)
    assert TOKENS["accent"][0] in colors_of(button.grab().toImage())


def test_heights(qtbot: QtBot, theme: Theme) -> None:
    plain, small, field, combo = QPushButton("Load"), QPushButton("Load"), QLineEdit(), QComboBox()
    own = QPushButton("Mine")
    own.setFixedHeight(40)
    mark(small, small="true")
    shown(qtbot, plain, small, field, combo, own)
    assert [w.height() for w in (plain, small, field, combo, own)] == [28, 24, 28, 28, 40]


def test_marks_change_the_look_at_once(qtbot: QtBot, theme: Theme) -> None:
    label = QLabel("Not loaded")
    shown(qtbot, label)
    mark(label, tone="danger", size="title")
    assert label.palette().windowText().color() == QColor(TOKENS["danger"][0])
    assert label.fontInfo().pixelSize() == 20


def test_a_check_box_shows_its_state(qtbot: QtBot, theme: Theme) -> None:
    box = QCheckBox()
    shown(qtbot, box)
    assert TOKENS["inverse"][0] not in colors_of(box.grab().toImage())
    box.setChecked(True)
    assert TOKENS["inverse"][0] in colors_of(box.grab().toImage())


def test_changing_the_scheme_restyles_what_is_open(qtbot: QtBot, qapp: QApplication, theme: Theme) -> None:
    surface = QWidget()
    mark(surface, surface="chrome")
    surface.setMinimumSize(20, 20)
    shown(qtbot, surface)
    told: list[str] = []
    theme.changed.connect(lambda: told.append(theme.scheme))
    theme.choose("light")
    qapp.sendPostedEvents(None, QEvent.Type.LayoutRequest)
    assert told == ["light"]
    assert surface.grab().toImage().pixelColor(QPoint(5, 5)).name().upper() == TOKENS["chrome"][1]
    theme.choose("dark")
