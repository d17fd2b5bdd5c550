"""A range of the latency plot: chosen by drag and by key, its figures, its histogram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyqtgraph
import pytest
from plot_kit import Stand, fill, steady
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPaintEvent, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(autouse=True)
def every_move_counts() -> Iterator[None]:
    """pyqtgraph drops moves that come sooner than a mouse sends them."""
    before = pyqtgraph.getConfigOption("mouseRateLimit")
    pyqtgraph.setConfigOption("mouseRateLimit", 0)
    yield
    pyqtgraph.setConfigOption("mouseRateLimit", before)


def drag(stand: Stand, start: QPoint, end: QPoint, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
    viewport = stand.canvas.viewport()

    def send(kind: QEvent.Type, at: QPoint, button: Any, down: Any) -> None:
        event = QMouseEvent(kind, QPointF(at), QPointF(viewport.mapToGlobal(at)), button, down, keys)
        QApplication.sendEvent(viewport, event)

    send(QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for share in (0.3, 0.6, 1.0):
        at = QPointF(start) + (QPointF(end) - QPointF(start)) * share
        send(QEvent.Type.MouseMove, at.toPoint(), NONE, LEFT)
    send(QEvent.Type.MouseButtonRelease, end, LEFT, NONE)
    stand.tick()


def stand_of(qtbot: QtBot, lanes: int = 1, width: int = 760) -> Stand:
    stand = Stand(qtbot, lanes=lanes, width=width)
    for number, lane in enumerate(stand.workspace.lanes):
        gaps = steady(200, 10.0 + 10 * number)
        gaps[99:149] = [20.0 + 10 * number] * 50
        fill(lane, gaps)
    return stand.show()


def words(stand: Stand, key: str = "dots") -> str:
    return " ".join(text for text, _ in stand.pane.head.legend.buttons[key].runs)


def test_a_drag_chooses_tokens_and_tells_their_figures(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    told: list[Any] = []
    stand.pane.range_chosen.connect(lambda *args: told.append(args))
    drag(stand, stand.place(99.6, 5), stand.place(149.4, 15))
    assert told[-1] == ("A", 99, 148)
    assert words(stand).startswith("50 tokens selected, median 20.0  p95 20.0  p99 20.0")
    assert words(stand, "rate") == "tok/s 50.0"
    stand.pane.resize(520, 218)
    assert words(stand).startswith("n 50 median 20.0  p95 20.0")
    stand.pane.resize(760, 218)
    assert "50 tokens selected" in stand.pane.accessibleName()
    middle = stand.image().pixelColor(stand.place(120, 3))
    assert middle != stand.theme.color("canvas") == stand.image().pixelColor(stand.place(60, 3))
    stand.grow(10.0).tick()
    assert words(stand).startswith("50 tokens selected")


def test_a_click_beside_the_dots_lets_it_go(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    told: list[Any] = []
    stand.pane.range_chosen.connect(lambda *args: told.append(args))
    drag(stand, stand.place(20, 5), stand.place(40, 5))
    assert stand.canvas.chosen is not None
    beside = QPoint(int(stand.frame.rect.right()) - 2, int(stand.frame.rect.center().y()))
    QTest.mouseMove(stand.canvas.viewport(), beside)
    QTest.mouseClick(stand.canvas.viewport(), LEFT, pos=beside)
    stand.tick()
    assert stand.canvas.chosen is None
    assert told[-1] == ("A", 0, -1)
    assert words(stand).startswith("ms per token")


def test_zoomed_in_a_drag_pans_and_shift_chooses(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.canvas.view.setXRange(50, 100, padding=0)
    stand.canvas.zoomed_by_hand()
    stand.tick()
    assert stand.canvas.zoomed
    assert "in sight" in words(stand)
    before = stand.range
    drag(stand, stand.place(60, 5), stand.place(80, 5))
    assert stand.canvas.chosen is None
    assert stand.range[0] < before[0] - 10
    drag(stand, stand.place(stand.range[0] + 9.5, 5), stand.place(stand.range[0] + 19.5, 5), SHIFT)
    assert stand.canvas.chosen is not None
    assert "10 tokens selected" in words(stand)


def test_percentiles_are_those_of_what_is_in_sight(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    assert "median 10.0" in words(stand)
    stand.canvas.view.setXRange(105, 145, padding=0)
    stand.canvas.zoomed_by_hand()
    stand.tick()
    assert words(stand).startswith("41 tokens in sight, median 20.0")
    stand.pane.zoom_back()
    stand.tick()
    assert "median 10.0" in words(stand)


@pytest.mark.parametrize("axis", ["time", "first"])
def test_the_chosen_tokens_stay_chosen_on_another_axis(qtbot: QtBot, axis: Any) -> None:
    stand = stand_of(qtbot)
    drag(stand, stand.place(99.6, 5), stand.place(149.4, 5))
    stand.pane.set_axis(axis)
    stand.tick()
    assert stand.canvas.chosen.axis == axis
    assert words(stand).startswith("50 tokens selected, median 20.0")


def test_the_keyboard_chooses_too(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.canvas.setFocus()
    stand.canvas.point_at("A", 120)
    for _ in range(4):
        QTest.keyClick(stand.canvas, Qt.Key.Key_Right, SHIFT)
    stand.tick()
    assert words(stand).startswith("5 tokens selected")
    QTest.keyClick(stand.canvas, Qt.Key.Key_0)
    stand.tick()
    assert stand.canvas.chosen is None


def test_of_several_lanes_each_has_its_figures(qtbot: QtBot) -> None:
    stand = stand_of(qtbot, lanes=2)
    drag(stand, stand.place(99.6, 5), stand.place(149.4, 5))
    assert (words(stand, "A"), words(stand, "B")) == ("20.0", "30.0")
    assert "50 tokens selected" in stand.pane.head.legend.buttons["B"].toolTip()
    assert stand.pane.head.subtitle.text() == "ms, of the tokens selected"


def test_another_answer_lets_the_range_go(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    drag(stand, stand.place(20, 5), stand.place(40, 5))
    stand.workspace.lanes[0].answer = type(stand.workspace.lanes[0].answer)()
    fill(stand.workspace.lanes[0], steady(10))
    stand.grow(10.0).tick()
    assert stand.canvas.chosen is None


@pytest.mark.parametrize("lanes", [1, 3])
def test_the_histogram_counts_what_is_meant(qtbot: QtBot, lanes: int) -> None:
    stand = stand_of(qtbot, lanes=lanes)
    wide = stand.frame.rect.width()
    assert stand.canvas.picture.bars is None
    QTest.mouseClick(stand.pane.head.bars, LEFT)
    stand.tick()
    assert stand.frame.rect.width() < wide - 80
    bars = stand.canvas.picture.bars
    assert [int(one.counts.sum()) for one in bars] == [199] * lanes
    drag(stand, stand.place(99.6, 5), stand.place(149.4, 5))
    assert int(stand.canvas.picture.bars[0].counts.sum()) == 50
    assert np.count_nonzero(stand.canvas.picture.bars[0].counts) == 1
    rect = stand.frame.rect
    y = float(stand.frame.py(20.0))
    lane = stand.theme.lane("A")
    assert stand.has_color(lane, stand.canvas.width() - 110, y - 6, stand.canvas.width() - 28, y + 6)
    assert not stand.has_color(lane, stand.canvas.width() - 100, rect.bottom() - 20, stand.canvas.width() - 28, 9999)


def test_while_an_answer_grows_only_the_new_part_and_the_bars_are_painted(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.pane.show_histogram(True)
    stand.grow(10.0).tick()  # the axis may take a step
    whole: list[int] = []
    stand.canvas.paint_all = lambda *args: whole.append(1)
    before = stand.canvas.picture.bars
    stand.grow(10.0, 10.0).tick()
    assert not whole
    assert stand.canvas.picture.bars is not before


class _Painted(QObject):
    """How much of a widget was painted since."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.region = QRegion()
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return False


def test_what_changes_reaches_the_screen(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    qtbot.waitExposed(stand.pane)
    stand.tick()
    viewport = stand.canvas.viewport()
    painted = _Painted(viewport)
    drag(stand, stand.place(20, 5), stand.place(40, 5))
    qtbot.waitUntil(lambda: painted.region.contains(stand.place(30, 5)))
    painted.region = QRegion()
    stand.pane.show_histogram(True)
    stand.tick()
    qtbot.waitUntil(lambda: painted.region.contains(QPoint(viewport.width() - 40, viewport.height() // 2)))
