"""Settings take effect at once and are kept; keys can be changed, and a conflict is said before it is made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.actions.keymap import KEYS
from playground.actions.table import ACTIONS
from playground.app import App
from playground.ui.preferences import TABLES
from playground.ui.settings.window import SettingsWindow

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        yield made


@pytest.fixture
def settings(app: App, qtbot: QtBot) -> SettingsWindow:
    app.window.view.show_settings("app")
    found = app.window.findChild(SettingsWindow)
    assert found is not None
    qtbot.waitUntil(found.isActiveWindow)
    return found


def kept(home: Path) -> dict[str, object]:
    path = home / "config" / "settings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def test_every_row_of_every_table_and_every_action_is_there(settings: SettingsWindow) -> None:
    wanted = {(table, row.name) for table, fields in TABLES.items() for row in fields.fields}
    assert set(settings.rows) == wanted
    assert set(settings.keys.rows) == {action.id for action in ACTIONS}
    settings.search.setText("context size")
    assert not settings.rows["load", "n_ctx"].isHidden()
    assert settings.rows["load", "use_mmap"].isHidden()


def test_a_change_takes_effect_at_once_and_is_saved(
    app: App, settings: SettingsWindow, home: Path, qtbot: QtBot
) -> None:
    settings.rows["app", "theme"].choose("contrast-light")
    assert (app.theme.scheme, app.theme.contrast) == ("light", True)
    settings.rows["app", "send_key"].choose("ctrl+enter")
    assert app.window.composer.send_key == "ctrl+enter"
    settings.rows["load", "n_ctx"].choose(8192)
    settings.rows["sampling", "temp"].choose(0.3)
    assert app.workspace.lanes[0].load["n_ctx"] == 8192
    assert app.workspace.lanes[0].sampling["temp"] == 0.3
    settings.rows["app", "reduced_motion"].choose(True)
    assert app.window.style().styleHint(app.window.style().StyleHint.SH_Widget_Animation_Duration) == 0
    qtbot.waitUntil(lambda: len(kept(home)) == 5)
    assert kept(home)["load"] == {"n_ctx": 8192}
    settings.rows["app", "reduced_motion"].choose(False)
    app.preferences.set("theme", "dark")
    assert settings.rows["app", "theme"].value == "dark"


def test_text_grows_and_shrinks_by_keys(app: App, qtbot: QtBot, home: Path) -> None:
    window = app.window
    label, button = window.lanes.view("A").header.name, window.toolbar.add
    before = (label.font().pixelSize(), button.height(), window.status.height())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Plus, CTRL)
    assert app.theme.scale == 1.3
    qtbot.waitUntil(lambda: label.font().pixelSize() == round(before[0] * 1.3))
    qtbot.waitUntil(lambda: button.height() > before[1] and window.status.height() > before[2])
    for _ in range(9):
        qtbot.keyClick(window, Qt.Key.Key_Minus, CTRL)
    assert app.theme.scale == 0.8
    qtbot.keyClick(window, Qt.Key.Key_0, CTRL)
    qtbot.waitUntil(lambda: (label.font().pixelSize(), button.height(), window.status.height()) == before)


def test_a_key_is_changed_by_pressing_it_and_stays(
    app: App, settings: SettingsWindow, home: Path, qtbot: QtBot
) -> None:
    settings.show_section("keys")
    button = settings.keys.rows["view.plots"].button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.text() == "Press keys…"
    qtbot.keyClick(button, Qt.Key.Key_G)
    assert "needs Ctrl, Alt or a function key" in settings.keys.note.text()
    qtbot.keyClick(button, Qt.Key.Key_G, CTRL | SHIFT)
    assert button.text() == "Ctrl+Shift+G"
    qtbot.waitUntil(lambda: kept(home).get("keys") == {"view.plots": ["Ctrl+Shift+G"]})
    qtbot.mouseClick(settings.keys.rows["view.plots"].reset, Qt.MouseButton.LeftButton)
    assert button.text() == "Ctrl+J"


def test_a_key_of_another_action_is_moved_only_when_asked(settings: SettingsWindow, qtbot: QtBot) -> None:
    settings.show_section("keys")
    rows = settings.keys.rows
    button = rows["view.plots"].button
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(button, Qt.Key.Key_B, CTRL)
    assert "Ctrl+B belongs to “Show or hide the sidebar”" in settings.keys.note.text()
    assert KEYS.keys("view.sidebar") == ("Ctrl+B",)
    qtbot.mouseClick(settings.keys.take_over, Qt.MouseButton.LeftButton)
    assert rows["view.plots"].button.text() == "Ctrl+B"
    assert rows["view.sidebar"].button.text() == "none"
    assert settings.keys.note.text() == ""
    qtbot.mouseClick(settings.keys.reset_all, Qt.MouseButton.LeftButton)
    assert rows["view.sidebar"].button.text() == "Ctrl+B"


def test_the_next_start_has_what_was_set(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "config").mkdir(parents=True)
    (home / "config" / "settings.json").write_text(
        json.dumps({"font_scale": 1.2, "keys": {"chat.new": ["Ctrl+K"]}, "load": {"n_ctx": 2048}})
    )
    with open_window(qtbot, monkeypatch) as app:
        assert app.theme.scale == 1.2
        assert KEYS.keys("chat.new") == ("Ctrl+K",)
        assert KEYS.keys("view.palette") == ("Ctrl+Shift+P",)
        app.preferences.set("font_scale", 1.0)
