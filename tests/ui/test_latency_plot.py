"""The latency plot as its user sees it: what lands, what is marked, what the mouse and the buttons do."""

from __future__ import annotations

import numpy as np
import pytest
from plot_kit import MS, Stand, fill, steady
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.ui.plots.latency_head import LatencyHead
from playground.workspace.series import Answer, Mark


def wheel(stand: Stand, at: QPoint, notches: int) -> None:
    viewport = stand.canvas.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def test_hidden_it_computes_nothing_and_catches_up_when_shown(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    stand.pane.warm_up()
    fill(stand.workspace.lanes[0], steady(50))
    stand.grow(15.0)
    assert not stand.clock.marks
    assert stand.canvas.picture.shown == []
    stand.show()
    assert stand.canvas.picture.shown[0].n == 51
    stand.pane.hide()
    stand.grow(15.0)
    assert not stand.clock.marks
    assert stand.canvas.picture.shown[0].n == 51


def test_many_batches_are_one_paint(qtbot: QtBot) -> None:
    stand = Stand(qtbot).show()
    fill(stand.workspace.lanes[0], steady(10))
    for _ in range(20):
        stand.grow(15.0)
    assert len(stand.clock.marks) == 1
    assert stand.tick().canvas.picture.shown[0].n == 30


def test_empty_it_says_what_will_come(qtbot: QtBot) -> None:
    stand = Stand(qtbot).show()
    assert stand.canvas.picture.empty
    assert "no tokens yet" in stand.pane.accessibleName()
    middle = stand.frame.rect.center()
    assert stand.has_color(
        stand.theme.color("text-3"), middle.x() - 60, middle.y() - 8, middle.x() + 60, middle.y() + 8
    )


def test_figures_stand_in_the_head_and_in_the_accessible_name(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(101, 20.0))
    stand.show()
    buttons = stand.pane.head.legend.buttons
    assert "median 20.0 ms" in buttons["dots"].accessibleName()
    assert "50.0 tokens a second" in buttons["rate"].accessibleName()
    assert "median 20.0 ms" in stand.pane.accessibleName()
    assert "101 tokens" in stand.pane.accessibleName()


def test_pause_freezes_the_view_while_the_answer_goes_on(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(30))
    stand.show()
    qtbot.mouseClick(stand.pane.head.pause, Qt.MouseButton.LeftButton)
    assert stand.pane.paused
    assert stand.pane.head.pause.accessibleName() == "Resume the plot"
    stand.grow(*[15.0] * 70).tick()
    assert stand.canvas.picture.shown[0].n == 30
    qtbot.mouseClick(stand.pane.head.pause, Qt.MouseButton.LeftButton)
    assert stand.tick().canvas.picture.shown[0].n == 100


def test_wheel_zooms_around_the_mouse_and_double_click_goes_back(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(400))
    stand.show()
    whole = stand.range
    assert not stand.pane.head.back.isVisible()
    at = stand.place(100, 15)
    wheel(stand, at, 5)
    low, high = stand.tick().range
    assert high - low < 0.7 * (whole[1] - whole[0])
    assert abs(stand.frame.x_at(at.x()) - 100) < 2
    assert stand.pane.head.back.isVisible()
    stand.grow(15.0).tick()
    assert stand.range == (low, high)
    QTest.mouseDClick(stand.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert stand.tick().range == whole
    assert not stand.pane.head.back.isVisible()


def test_dragging_pans_and_the_button_goes_back(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(400))
    stand.show()
    whole = stand.range
    wheel(stand, stand.place(200, 15), 6)
    before = stand.tick().range
    viewport = stand.canvas.viewport()
    start = stand.frame.rect.center().toPoint()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for step in (10, 30, 60):
        QTest.mouseMove(viewport, start + QPoint(step, 0))
        QApplication.processEvents()
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start + QPoint(60, 0))
    after = stand.tick().range
    assert after[0] < before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0])
    qtbot.mouseClick(stand.pane.head.back, Qt.MouseButton.LeftButton)
    assert stand.tick().range == whole


def test_a_new_answer_is_shown_whole_again(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    lane = fill(stand.workspace.lanes[0], steady(400))
    stand.show()
    wheel(stand, stand.place(200, 15), 6)
    lane.answer = Answer()
    fill(lane, steady(20))
    lane.changed.emit()
    stand.tick()
    assert not stand.canvas.zoomed
    assert stand.range[1] == 64


def test_the_axis_counts_tokens_or_seconds(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(400, 10.0))
    stand.show()
    assert stand.range[1] > 400
    with qtbot.waitSignal(stand.pane.axis_changed) as chosen:
        qtbot.mouseClick(stand.pane.head.axis, Qt.MouseButton.LeftButton)
    assert chosen.args == ["time"]
    low, high = stand.tick().range
    assert low == 0
    assert 4.6 < high < 6
    assert "since the first token" in stand.pane.head.axis.accessibleName()
    qtbot.mouseClick(stand.pane.head.axis, Qt.MouseButton.LeftButton)
    low, high = stand.tick().range
    assert low < 0
    assert float(stand.frame.px(0.0)) == pytest.approx(stand.frame.rect.left() + 24, abs=1)
    assert stand.canvas.picture.shown[0].x("first", 10) == pytest.approx(0.1)
    assert "token numbers" in stand.pane.head.axis.accessibleName()


def test_a_series_is_hidden_by_its_read_out(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=3)
    for lane in stand.workspace.lanes:
        fill(lane, steady(60, 10.0 + 5 * "ABC".index(lane.letter)))
    stand.show()
    rect, blue = stand.frame.rect, stand.theme.lane("A")
    y = float(stand.frame.py(10.0))
    assert stand.has_color(blue, rect.left() + 60, y - 4, rect.right() - 60, y + 4)
    button = stand.pane.head.legend.buttons["A"]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert "Show it" in button.accessibleName()
    stand.tick()
    assert [s.letter for s in stand.canvas.picture.visible] == ["B", "C"]
    assert not stand.has_color(blue, rect.left() + 60, rect.top(), rect.right() - 60, rect.bottom())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(stand.tick().canvas.picture.visible) == 3


def test_a_lane_hidden_among_several_shows_again_when_it_is_the_only_one(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=2)
    for lane in stand.workspace.lanes:
        fill(lane, steady(30))
    stand.show()
    stand.pane.show_series("A", False)
    stand.workspace.lanes.pop()
    stand.workspace.lanes_changed.emit()
    assert [s.letter for s in stand.tick().canvas.picture.visible] == ["A"]


def test_theme_switch_restyles_the_plot(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(60))
    stand.show()
    dark = stand.image().pixelColor(2, 2)
    assert dark == stand.theme.color("canvas")
    stand.theme.choose("light")
    stand.tick()
    assert stand.image().pixelColor(2, 2) == stand.theme.color("canvas") != dark


def test_one_outlier_flattens_nothing_and_stays_visible(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    gaps = steady(200)
    gaps[100] = 400.0
    fill(stand.workspace.lanes[0], gaps)
    stand.show()
    assert 20 <= stand.frame.step * stand.frame.lines <= 60
    rect, x = stand.frame.rect, float(stand.frame.px(101))
    blue = stand.theme.lane("A")
    assert stand.has_color(blue, x - 4, rect.top(), x + 4, rect.top() + 8)
    assert not stand.has_color(blue, x + 20, rect.top(), x + 60, rect.top() + 8)
    stand.point_at(101, stand.frame.y1)
    assert stand.pane.head.hover.text().startswith("token 101 · 400 ms (decode 399.8, sampling 0.2)")


def test_hovering_tells_the_token_in_the_head_and_by_signal(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(200, 20.0))
    stand.show()
    with qtbot.waitSignal(stand.pane.token_hovered) as told:
        stand.point_at(123, 20)
    assert told.args == ["A", 122]
    assert stand.pane.head.hover.text() == "token 123 · 20.0 ms (decode 19.8, sampling 0.2) · 50.0 tok/s"
    assert not stand.pane.head.legend.isVisible()
    with qtbot.waitSignal(stand.pane.token_clicked) as clicked:
        QTest.mouseClick(stand.canvas.viewport(), Qt.MouseButton.LeftButton, pos=stand.place(123, 20))
    assert clicked.args == ["A", 122]
    with qtbot.waitSignal(stand.pane.token_hovered) as told:
        QTest.mouseMove(stand.canvas.viewport(), QPoint(4, 4))
    assert told.args == ["", -1]
    assert stand.pane.head.legend.isVisible()


def test_where_there_is_little_room_the_head_says_why_a_token_was_slow(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    gaps = steady(200, 20.0)
    gaps[100] = 400.0
    lane = fill(stand.workspace.lanes[0], gaps)
    lane.answer.marks.append(Mark(0, 100, "2 → 1 threads"))
    stand.show()
    stand.point_at(101, stand.frame.y1)
    head = stand.pane.head
    assert head.hover.text() == "token 101 · 400 ms · From token 101: 2 → 1 threads"
    assert head.hover.width() >= head.hover.sizeHint().width()
    roomy = LatencyHead(stand.theme)
    qtbot.addWidget(roomy)
    roomy.resize(900, roomy.height())
    roomy.show()
    roomy.show_hover("token 101 · 400 ms (decode 399.8, sampling 0.2) · Slow: why", "token 101 · 400 ms · Slow: why")
    assert "(decode" in roomy.hover.text()
    roomy.resize(400, roomy.height())
    assert roomy.hover.text() == "token 101 · 400 ms · Slow: why"


def test_read_outs_have_room_for_a_larger_text(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(200, 20.0))
    stand.show()
    dots = stand.pane.head.legend.buttons["dots"]
    before, level = dots.width_at(0), dots.level
    try:
        stand.theme.set_scale(1.5)
        assert dots.width_at(0) > 1.3 * before
        assert dots.width() == dots.width_at(dots.level)
        assert dots.level >= level
    finally:
        stand.theme.set_scale(1.0)
    assert dots.width_at(0) == before


def test_with_several_lanes_the_nearest_in_height_is_told(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=2)
    fill(stand.workspace.lanes[0], steady(60, 10.0))
    fill(stand.workspace.lanes[1], steady(60, 20.0))
    stand.show()
    assert stand.point_at(30, 19).pane.head.hover.text().startswith("B · token 30 · 20.0 ms")
    assert stand.point_at(31, 10.5).pane.head.hover.text().startswith("A · token 31 · 10.0 ms")


@pytest.mark.parametrize("axis", ["token", "time"])
def test_prompt_and_first_token_are_marked(qtbot: QtBot, axis: str) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(200))
    stand.pane.set_axis("time" if axis == "time" else "token")
    stand.show()
    rect = stand.frame.rect
    x = float(stand.frame.px(0.62 if axis == "time" else 0.5))
    assert stand.has_color(stand.theme.color("text-2"), x - 1, rect.top() + 10, x + 2, rect.bottom() - 30)
    QTest.mouseMove(stand.canvas.viewport(), QPoint(int(x) - 16, int(rect.center().y())))
    assert stand.pane.head.hover.text().startswith("prompt, 486 tokens, 37 reused, 0.62 s")


def test_the_prompt_is_seen_before_the_first_token(qtbot: QtBot) -> None:
    stand = Stand(qtbot).show()
    answer = stand.workspace.lanes[0].answer
    answer.asked_ns = answer.started_ns = 10**12
    answer.n_prompt, answer.prompt_done, answer.prompt_ns = 2000, 500, 10**12 + 1500 * MS
    stand.pane.set_axis("time")
    stand.workspace.lanes[0].grew.emit()
    stand.tick()
    assert not stand.canvas.picture.empty
    edge = float(stand.frame.px(1.5))
    y = stand.frame.rect.top() + 4
    assert stand.image().pixelColor(int(edge) - 6, int(y)) == stand.theme.color("raised")
    assert stand.image().pixelColor(int(edge) + 6, int(y)) == stand.theme.color("canvas")


def test_a_change_of_sampling_says_what_changed(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    lane = fill(stand.workspace.lanes[0], steady(200))
    lane.answer.marks.append(Mark(0, 80, "temp 0.9"))
    stand.show()
    stand.point_at(81, 1)
    assert stand.pane.head.hover.text().endswith("From token 81: temp 0.9")
    assert stand.canvas.toolTip() == "From token 81: temp 0.9"
    stand.point_at(120, 1)
    assert stand.canvas.toolTip() == ""


@pytest.mark.parametrize("width", [860, 480, 288, 210])
@pytest.mark.parametrize("lanes", [1, 4])
def test_read_outs_never_cover_the_title(qtbot: QtBot, width: int, lanes: int) -> None:
    stand = Stand(qtbot, lanes=lanes, width=width, height=140)
    for lane in stand.workspace.lanes:
        fill(lane, steady(200, 123.4))
    stand.show()
    head = stand.pane.head
    shown = [w for w in (head.legend, head.median, head.back, head.axis, head.pause) if w.isVisible()]
    for widget in shown:
        assert head.title.geometry().right() < widget.geometry().left()
        assert widget.geometry().right() < head.width()
    for button in head.legend.buttons.values():
        assert not button.isVisible() or button.geometry().right() <= head.legend.width()


@pytest.mark.parametrize("lanes", [1, 4])
def test_the_narrowest_dock_still_tells_the_figures(qtbot: QtBot, lanes: int) -> None:
    stand = Stand(qtbot, lanes=lanes, width=240, height=140)
    for lane in stand.workspace.lanes:
        fill(lane, steady(200))
    stand.show()
    assert stand.pane.head.title.text() == "Latency"
    assert all(button.isVisible() for button in stand.pane.head.legend.buttons.values())
    stand.pane.resize(860, 140)
    assert stand.tick().pane.head.title.text() == "Token latency"


def test_short_answers_use_the_height_whatever_the_wait_for_the_prompt(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=3)
    for lane, ms in zip(stand.workspace.lanes, (15.0, 11.0, 9.0), strict=True):
        fill(lane, steady(60, ms, first=90.0))
    stand.show()
    assert 15 < stand.frame.y1 <= 40


def test_a_hundred_thousand_tokens_keep_their_one_spike(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    gaps = np.full(100_000, 10.0)
    gaps[77_777] = 28.0
    gaps[10] = 35.0  # makes room on the axis
    gaps[60:1200] = 25.0
    fill(stand.workspace.lanes[0], gaps)
    stand.show()
    x, y = float(stand.frame.px(77_778)), float(stand.frame.py(28.0))
    assert stand.frame.y1 > 28
    assert stand.has_color(stand.theme.lane("A"), x - 2, y - 2, x + 2, y + 2)


def test_the_keyboard_walks_zooms_and_goes_back(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(200, 20.0))
    stand.show()
    stand.canvas.setFocus(Qt.FocusReason.TabFocusReason)
    whole = stand.range
    qtbot.keyClick(stand.canvas, Qt.Key.Key_Left)
    qtbot.keyClick(stand.canvas, Qt.Key.Key_Left)
    assert stand.pane.head.hover.text().startswith("token 199 · 20.0 ms")
    qtbot.keyClick(stand.canvas, Qt.Key.Key_Plus)
    assert stand.range[1] - stand.range[0] < whole[1] - whole[0]
    assert stand.pane.head.hover.text().startswith("token 199 · 20.0 ms")
    qtbot.keyClick(stand.canvas, Qt.Key.Key_0)
    assert stand.tick().range == whole


def test_a_click_leaves_the_keyboard_where_it_is(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(200))
    stand.show()
    stand.pane.head.pause.setFocus()
    QTest.mouseClick(stand.canvas.viewport(), Qt.MouseButton.LeftButton, pos=stand.place(100, 15))
    assert not stand.canvas.hasFocus()


def test_grown_token_by_token_it_looks_as_drawn_at_once(qtbot: QtBot) -> None:
    gaps = [620.0, *np.random.default_rng(4).uniform(10, 20, 55).tolist(), 300.0, 12.0]
    grown, fresh = Stand(qtbot), Stand(qtbot)
    fill(grown.workspace.lanes[0], gaps[:30])
    grown.show()
    for gap in gaps[30:]:
        grown.grow(gap).tick()
    fill(fresh.workspace.lanes[0], gaps)
    fresh.show()
    assert grown.image() == fresh.image()


@pytest.mark.parametrize("axis", ["token", "time", "first"])
@pytest.mark.parametrize("lanes", [1, 3])
def test_what_grew_piece_by_piece_is_the_picture_painted_at_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, lanes: int, axis: str
) -> None:
    stand = Stand(qtbot, lanes)
    stand.pane.set_axis(axis)
    for lane in stand.workspace.lanes:
        fill(lane, steady(3))
        lane.state = "writing"
    stand.show().tick()
    grown: list[int] = []
    growth = stand.canvas.paint_growth

    def note(*arguments: object) -> object:
        found = growth(*arguments)
        grown.append(found is not None)
        return found

    monkeypatch.setattr(stand.canvas, "paint_growth", note)
    waits = np.random.default_rng(7).gamma(4, 4, 3000)
    for step, size in enumerate([1, 2, 5, 9, 30, 40, 41, 200, 3, 400, 1, 700, 8, 500, 2, 2]):
        for lane in stand.workspace.lanes:
            stand.grow(*waits[step * 40 : step * 40 + size], letter=lane.letter)
        if step == 5:
            stand.workspace.lanes[0].answer.marks.append(Mark(1, 40, "temp 0.9"))
        stand.tick()
        seen = stand.pixels()
        stand.canvas.refresh()
        apart = np.abs(seen - stand.pixels()).sum(axis=2)
        # Qt rounds a slanted line that a clip cuts a little otherwise.
        assert np.count_nonzero(apart) <= 8, step
        assert apart.max() < 100, step
    assert sum(grown) >= 5, "most pictures only grow"
