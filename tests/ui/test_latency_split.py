"""What a token's time went into: in the hover, and as stacked bars."""

from __future__ import annotations

import numpy as np
import pytest
from plot_kit import MS, Stand, fill, steady
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from playground.ui.plots.figures import Shown
from playground.ui.plots.split import PARTS, color_of, parts_of, shares_of


def stand_of(qtbot: QtBot, n: int = 60, width: int = 760, lanes: int = 1) -> Stand:
    """Tokens of 20 ms: 12 of decoding, 2 of sampling, 5 of waiting, 1 of the rest."""
    stand = Stand(qtbot, width=width, lanes=lanes)
    for lane in stand.workspace.lanes:
        rows = fill(lane, steady(n, 20.0, first=40.0)).answer.tokens.view
        rows["decode_ns"], rows["sample_ns"], rows["wait_ns"] = 12 * MS, 2 * MS, 5 * MS
    return stand.show()


def test_the_hover_tells_all_parts_that_are_worth_it(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.point_at(30, 20)
    told = stand.pane.head.hover.text()
    assert told.startswith("token 30 · 20.0 ms (decode 12.0, sampling 2.0, waiting for other lanes 5.0, text 1.0)")


def test_the_parts_add_up_whatever_was_measured(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    shown = stand.canvas.picture.shown[0]
    shown.rows["decode_ns"][7] = 90 * MS
    parts = parts_of(shown, slice(0, shown.n))
    assert np.allclose(parts.sum(axis=0), shown.ms)
    assert parts.min() >= 0
    assert shares_of(shown, slice(10, 60)) == pytest.approx((0.6, 0.1, 0.25, 0.05))
    assert shares_of(Shown("A", shown.answer, 0), slice(0, 0)) == ()


@pytest.mark.parametrize("axis", ["token", "time"])
def test_bars_stack_the_parts_at_their_heights(qtbot: QtBot, axis: str) -> None:
    stand = stand_of(qtbot)
    stand.pane.set_axis("time" if axis == "time" else "token")
    QTest.mouseClick(stand.pane.head.split, Qt.MouseButton.LeftButton)
    stand.tick()
    x = float(stand.frame.px(stand.canvas.picture.shown[0].x(stand.frame.axis, 29)))
    image = stand.image()
    for part, ms in zip(PARTS, (6.0, 13.0, 16.5, 19.6), strict=True):
        color = color_of(part, "A", stand.theme)
        y = float(stand.frame.py(ms))
        assert stand.has_color(color, x - 1, y, x + 1, y), part.key
    assert image.pixelColor(int(x), int(stand.frame.py(22.0))) == stand.theme.color("canvas")
    names = list(stand.pane.head.legend.buttons)
    assert names == ["dots", "decode", "sample", "wait", "rest", "rate"]
    assert "Waiting: 25 % of the time" in stand.pane.head.legend.buttons["wait"].toolTip()


def test_a_part_can_be_left_out(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.pane.show_split(True)
    stand.tick()
    QTest.mouseClick(stand.pane.head.legend.buttons["decode"], Qt.MouseButton.LeftButton)
    stand.tick()
    x = float(stand.frame.px(30))
    assert not stand.has_color(
        color_of(PARTS[0], "A", stand.theme), x, stand.frame.py(11), x, stand.frame.rect.bottom() - 2
    )
    assert stand.has_color(color_of(PARTS[1], "A", stand.theme), x, stand.frame.py(1.5), x, stand.frame.py(0.5))


def test_of_very_many_tokens_the_slowest_stay(qtbot: QtBot) -> None:
    stand = Stand(qtbot, width=520)
    gaps = np.full(60_000, 10.0)
    gaps[33_333], gaps[100:2000] = 24.0, 22.0
    rows = fill(stand.workspace.lanes[0], gaps).answer.tokens.view
    rows["decode_ns"] = 6 * MS
    rows["wait_ns"][33_333] = 18 * MS - 200_000
    stand.show()
    stand.pane.show_split(True)
    stand.tick()
    x = float(stand.frame.px(33_334))
    assert stand.has_color(color_of(PARTS[2], "A", stand.theme), x - 2, stand.frame.py(23), x + 2, stand.frame.py(15))


def test_what_grows_looks_as_if_painted_whole(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    stand.pane.show_split(True)
    stand.tick()
    for ms in (12.0, 25.0, 9.0):
        stand.grow(ms).tick()
    grown = stand.pixels()
    stand.canvas.refresh()
    stand.tick()
    assert (grown == stand.pixels()).all()


def test_several_lanes_stay_dots(qtbot: QtBot) -> None:
    stand = stand_of(qtbot, lanes=2)
    stand.pane.show_split(True)
    stand.tick()
    assert not stand.canvas.picture.split
    assert not stand.pane.head.split.isVisible()
    assert list(stand.pane.head.legend.buttons) == ["A", "B"]


def test_a_slow_token_has_a_ring_and_a_word(qtbot: QtBot) -> None:
    stand = stand_of(qtbot)
    rows = stand.workspace.lanes[0].answer.tokens.view
    rows["gap_ns"][29], rows["wait_ns"][29] = 60 * MS, 45 * MS
    stand.grow(20.0).tick()
    warn = stand.theme.color("warn")
    x, y = float(stand.frame.px(30)), max(float(stand.frame.py(60.0)), stand.frame.rect.top() + 5.5)
    assert stand.has_color(warn, x - 6, y - 6, x + 6, y + 6)
    stand.point_at(30, 60)
    assert stand.pane.head.hover.text().endswith("Slow: waited 45.0 ms for other lanes")
    stand.point_at(40, 20)
    assert "Slow" not in stand.pane.head.hover.text()


def test_a_ring_that_comes_later_is_painted_by_itself(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.plots.latency.STATS_EVERY_S", 0.0)
    stand = stand_of(qtbot)
    rows = stand.workspace.lanes[0].answer.tokens.view
    rows["gap_ns"][29], rows["decode_ns"][29], rows["wait_ns"][29] = 36 * MS, 34 * MS, 0
    stand.pane.zoom_back()
    stand.grow(20.0).tick()
    assert stand.canvas.picture.slow == {"A": {}}
    whole: list[int] = []
    paint_all = stand.canvas.paint_all
    stand.canvas.paint_all = lambda *args: whole.append(1)
    rows["decode_ns"][29], rows["wait_ns"][29] = 14 * MS, 20 * MS
    stand.grow(20.0).tick()
    assert stand.canvas.picture.slow == {"A": {29: "waited 20.0 ms for other lanes"}}
    assert not whole
    x, y = float(stand.frame.px(30)), float(stand.frame.py(36.0))
    assert stand.has_color(stand.theme.color("warn"), x - 5, y - 5, x + 5, y + 5)
    stand.canvas.paint_all = paint_all
