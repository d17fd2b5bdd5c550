"""Panes that are moved and hidden stay so, for each number of lanes; menus and keys follow the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.actions.keymap import KEYS
from playground.actions.table import ACTIONS
from playground.app import App
from playground.ui.pane_grip import PaneGrip


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        made.window.resize(1440, 900)
        yield made


def place(app: App, pane: QWidget) -> QPoint:
    return pane.mapTo(app.window, QPoint(0, 0))


def test_plots_stand_below_above_and_beside_the_chat(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.place_plots("above")
    qtbot.waitUntil(lambda: place(app, window.plots_place).y() < place(app, window.composer).y())
    assert 150 < window.plots_place.height() < 300
    window.place_plots("beside")
    qtbot.waitUntil(lambda: place(app, window.plots_place).x() > place(app, window.composer).x() + 300)
    assert window.plots_place.height() > 500
    window.place_plots("below")
    qtbot.waitUntil(lambda: place(app, window.plots_place).y() > place(app, window.composer).y())
    assert 150 < window.plots_place.height() < 300


def test_sides_are_swapped_and_come_back(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.swap_sides()
    qtbot.waitUntil(lambda: place(app, window.sidebar).x() > 1000)
    assert place(app, window.panel_place).x() == 0
    assert window.sidebar.width() == 240
    window.resize(1024, 700)
    window.toggle_sidebar()
    qtbot.waitUntil(lambda: window.sidebar.isVisible() and place(app, window.sidebar).x() > 700)
    window.resize(1440, 900)
    window.reset_layout()
    qtbot.waitUntil(lambda: place(app, window.sidebar).x() == 0)
    assert window.panel_place.width() == 312


def test_every_number_of_lanes_has_its_own_layout_and_a_restart_keeps_them(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.toggle_plots()
    app.workspace.add_lane()
    assert not window.plots_place.isVisible()
    window.toggle_plots()
    window.toggle_panel()
    assert window.plots_place.isVisible()
    app.workspace.remove_lane("B")
    assert not window.plots_place.isVisible()
    assert window.panel_place.isVisible()
    kept = {"layouts": window.layout_state()["layouts"]}
    window.reset_layout()
    assert window.plots_place.isVisible()
    window.restore_layout(kept)
    assert not window.plots_place.isVisible()
    app.workspace.add_lane()
    assert window.plots_place.isVisible()
    assert not window.panel_place.isVisible()


def grip_of(app: App, pane: QWidget) -> PaneGrip:
    return next(grip for grip in app.window.grips if grip.parentWidget() is pane)


def drag(qtbot: QtBot, grip: PaneGrip, to: QPoint, window: QWidget) -> None:
    """Press, move in two steps, release; ``to`` is in the window's coordinates."""
    start = QPoint(6, 12)
    qtbot.mousePress(grip, Qt.MouseButton.LeftButton, pos=start)
    for at in (to - QPoint(20, 20), to):
        qtbot.mouseMove(grip, grip.mapFrom(window, at))
    assert grip.dragging
    qtbot.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=grip.mapFrom(window, to))


def test_a_pane_is_dragged_to_another_side_and_the_area_is_shown_before(app: App, qtbot: QtBot) -> None:
    window = app.window
    grip = grip_of(app, window.sidebar)
    drag(qtbot, grip, QPoint(1300, 400), window)
    qtbot.waitUntil(lambda: place(app, window.sidebar).x() > 1100)
    assert place(app, window.panel_place).x() < place(app, window.sidebar).x()  # beside the panel, not in its place
    assert window.sidebar.width() == 240
    assert window.panel_place.width() == 312
    drag(qtbot, grip_of(app, window.panel_place), QPoint(10, 400), window)
    qtbot.waitUntil(lambda: place(app, window.panel_place).x() == 0)
    kept = {"layouts": window.layout_state()["layouts"]}
    window.reset_layout()
    qtbot.waitUntil(lambda: place(app, window.sidebar).x() == 0)
    window.restore_layout(json.loads(json.dumps(kept)))
    qtbot.waitUntil(lambda: place(app, window.panel_place).x() == 0)


@pytest.mark.parametrize(
    ("to", "where"), [((700, 90), "above"), ((270, 450), "before"), ((1110, 450), "beside"), ((700, 840), "below")]
)
def test_the_plots_are_dragged_to_each_side_of_the_chat(
    app: App, qtbot: QtBot, to: tuple[int, int], where: str
) -> None:
    window = app.window
    drag(qtbot, grip_of(app, window.plots_place), QPoint(*to), window)
    assert window.layouts.now.plots_at == where
    chat, plots = place(app, window.composer), place(app, window.plots_place)
    sides = {"above": plots.y() < chat.y(), "below": plots.y() > chat.y()}
    sides |= {"before": plots.x() < chat.x(), "beside": plots.x() > chat.x()}
    assert sides[where]


def test_esc_gives_a_drag_up_and_a_drop_outside_changes_nothing(app: App, qtbot: QtBot) -> None:
    window = app.window
    grip = grip_of(app, window.sidebar)
    before = window.layouts.now
    qtbot.mousePress(grip, Qt.MouseButton.LeftButton, pos=QPoint(6, 12))
    qtbot.mouseMove(grip, QPoint(900, 300))
    assert grip.dragging
    qtbot.keyClick(grip, Qt.Key.Key_Escape)
    assert not grip.dragging
    qtbot.mouseRelease(grip, Qt.MouseButton.LeftButton, pos=QPoint(900, 300))
    drag(qtbot, grip, QPoint(700, 2000), window)
    assert window.layouts.now == before


def test_a_grip_has_its_ways_as_a_menu_for_the_keyboard(app: App, qtbot: QtBot) -> None:
    window = app.window
    menu = grip_of(app, window.plots_place).menu()
    said = {action.text(): action for action in menu.actions()}
    said["Plots left of the chat"].trigger()
    assert window.layouts.now.plots_at == "before"
    said["Hide"].trigger()
    assert not window.plots_place.isVisible()
    said["Layout as it was at first"].trigger()
    assert window.plots_place.isVisible()


BAD = {"plots_at": "under", "plots_size": -5, "columns": ["chat", "chat"]}


@pytest.mark.parametrize("kept", [{}, {"layouts": 3}, {"layouts": {"1": BAD}}])
def test_a_layout_that_cant_be_read_is_the_first_one(app: App, kept: dict[str, object]) -> None:
    app.window.restore_layout(kept)
    assert app.window.plots_place.isVisible()
    assert app.window.left.shown


def test_the_menu_has_every_action_with_its_key_and_runs_it(app: App, qtbot: QtBot) -> None:
    menu = app.window.menu
    KEYS.give("view.sidebar", ("Ctrl+Shift+S",))
    menu.refresh()
    items = {item.text().partition("\t")[0]: item for item, _action in menu.items}
    assert set(items) == {action.title for action in ACTIONS}
    assert items["Show or hide the sidebar"].text().endswith("Ctrl+Shift+S")
    assert not items["Stop measuring"].isEnabled()
    items["Show or hide the sidebar"].trigger()
    assert not app.window.sidebar.isVisible()


def test_a_changed_key_works_at_once_and_the_old_one_no_more(app: App, qtbot: QtBot) -> None:
    window = app.window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    KEYS.give("view.sidebar", ("Ctrl+Shift+S",))
    qtbot.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.sidebar.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert not window.sidebar.isVisible()
    assert window.toolbar.sidebar.toolTip().endswith("(Ctrl+Shift+S)")
