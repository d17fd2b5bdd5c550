"""The window's panes for lanes that come and go, at the sizes people have."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.app import App
from playground.ui.lanes_area import arrangement


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        yield made


def test_without_a_model_the_first_page_offers_the_starter(app: App) -> None:
    notice = app.workspace.lanes[0].notice
    assert notice is not None
    assert [action.key for action in notice.actions] == ["download_starter", "open_file"]
    assert "98 MB" in notice.text


def test_the_title_has_room_for_larger_text(app: App, qtbot: QtBot) -> None:
    title = app.window.toolbar.title
    usual = title.width()
    app.preferences.set("font_scale", 1.25)
    qtbot.waitUntil(lambda: title.width() > usual and title.width() == title.sizeHint().width())
    app.preferences.set("font_scale", 1.0)
    qtbot.waitUntil(lambda: title.width() == usual)


def test_lanes_come_and_go_at_every_size(app: App, qtbot: QtBot) -> None:
    window = app.window
    assert window.lanes is not None
    for width, height in ((1440, 900), (1280, 800), (1024, 700), (900, 640)):
        window.resize(width, height)
        for count in (2, 3, 4):
            qtbot.mouseClick(window.toolbar.add, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(lambda count=count: len(window.lanes.views()) == count)
            app.workspace.set_active("ABCD"[count - 1])
            qtbot.waitUntil(lambda: window.lanes.view(app.workspace.active).isVisible())
            shown = [view for view in window.lanes.views() if view.isVisible()]
            assert all(view.width() >= 280 for view in shown)
        for letter in "DCB":
            app.workspace.remove_lane(letter)
        qtbot.waitUntil(lambda: len(window.lanes.views()) == 1)


def test_panes_become_overlays_where_room_is_short(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.resize(1440, 900)
    assert window.left.shown
    assert window.right.shown
    window.resize(1024, 700)
    assert not window.left.shown
    window.toggle_sidebar()
    assert window.sidebar.isVisible()
    qtbot.mouseClick(window.composer, Qt.MouseButton.LeftButton)
    assert not window.sidebar.isVisible()
    window.resize(1440, 900)
    assert window.sidebar.isVisible()


def test_every_action_of_the_palette_is_found_by_typing(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.show_palette()
    qtbot.keyClicks(window.palette_popup._field, "light col")
    qtbot.keyClick(window.palette_popup._field, Qt.Key.Key_Return)
    assert app.theme.scheme == "light"
    assert not window.palette_popup.isVisible()
    app.theme.choose("dark")


def test_no_command_runs_under_its_key(app: App) -> None:
    app.window.show_palette()
    found = app.window.palette_popup._list
    for row in range(found.count()):
        item = found.item(row)
        key = found.itemWidget(item)
        words = found.fontMetrics().horizontalAdvance(item.text())
        assert words + key.sizeHint().width() < found.viewport().width(), item.text()
        assert item.toolTip() in ("", item.data(Qt.ItemDataRole.UserRole).title)


def test_a_draft_stays_when_no_model_can_answer(app: App, qtbot: QtBot) -> None:
    field = app.window.composer.findChild(QPlainTextEdit)
    qtbot.keyClicks(field, "Are you there?")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert app.window.composer.text() == "Are you there?"


@pytest.mark.parametrize(
    ("lanes", "width", "as_what"),
    [
        (1, 600, "row"), (2, 640, "row"), (2, 600, "tabs"), (3, 1128, "row"),
        (3, 1024, "tabs"), (4, 1280, "grid"), (4, 1024, "tabs"), (4, 1800, "row"),
    ],
)  # fmt: skip
def test_lanes_are_arranged_for_the_room(lanes: int, width: int, as_what: str) -> None:
    assert arrangement(lanes, width) == as_what


def test_turns_that_cant_be_saved_keep_the_window_open_once(app: App, qtbot: QtBot) -> None:
    full = ["The disk is full, so the newest turns are not saved yet."]

    def write(db: sqlite3.Connection) -> None:
        if full:
            error = sqlite3.OperationalError(full[0])
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    status = app.window.status
    app.store._disk.put(("test", "full"), write)
    qtbot.waitUntil(lambda: status.toast_text.text().startswith("The disk is full"))
    app.window.close()
    assert app.window.isVisible()
    assert "close the window again to lose them" in status.toast_text.text()
    full.clear()
    qtbot.waitUntil(lambda: not app.store.stuck and not status.toast_text.isVisible(), timeout=20_000)
    app.window.close()
    assert not app.window.isVisible()


def test_a_window_that_was_leaving_asks_at_once_and_can_be_used(app: App, qtbot: QtBot) -> None:
    def write(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    app.store._disk.put(("test", "broken"), write)
    qtbot.waitUntil(lambda: app.store.stuck)
    app.window.status.toast("Keeping the chats’ memory for the next start.")
    app.window.setEnabled(False)
    app.window.close()
    assert app.window.isVisible()
    assert app.window.isEnabled()
    assert "close the window again to lose them" in app.window.status.toast_text.text()
    app.window.close()
    assert not app.window.isVisible()


@pytest.fixture
def hanging(app: App, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A write hangs; a call ends that, with an error if one is named."""
    monkeypatch.setattr("playground.conversation.disk.HANGS_S", 0.0)
    goes_on, errors = threading.Event(), [""]

    def write(db: sqlite3.Connection) -> None:
        goes_on.wait(120)
        if error := errors[0]:
            raise sqlite3.OperationalError(error)

    def go_on(error: str = "") -> None:
        errors[0] = error
        goes_on.set()

    app.store._disk.put(("test", "hangs"), write)
    qtbot.waitUntil(lambda: app.store.stuck)
    yield go_on
    go_on()


def test_a_window_closes_once_what_hung_is_written(app: App, qtbot: QtBot, hanging: Callable[[str], None]) -> None:
    app.window.close()
    assert app.window.isVisible()
    assert not app.window.isEnabled()
    assert "The window closes once it has" in app.window.status.toast_text.text()
    hanging("")
    qtbot.waitUntil(lambda: not app.window.isVisible(), timeout=60_000)


def test_a_window_can_be_used_again_when_what_hung_has_failed(
    app: App, qtbot: QtBot, hanging: Callable[[str], None]
) -> None:
    app.window.close()
    assert not app.window.isEnabled()
    hanging("disk I/O error")
    qtbot.waitUntil(app.window.isEnabled, timeout=60_000)
    assert app.window.isVisible()
    assert "not saved yet" in app.window.status.toast_text.text()
    app.window.close()
    app.window.close()  # each new trouble is said once more
    assert not app.window.isVisible()


def test_a_window_that_is_told_twice_closes(app: App, qtbot: QtBot) -> None:
    def write(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    app.store._disk.put(("test", "broken"), write)
    qtbot.waitUntil(lambda: app.store.stuck)
    app.window.close()
    assert app.window.isVisible()
    app.window.close()
    assert not app.window.isVisible()
