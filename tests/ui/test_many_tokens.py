"""A hundred thousand tokens in the latency plot: what the pixels show is the highest of what stands there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from plot_kit import Stand, fill
from pytestqt.qtbot import QtBot

from playground.ui.plots import painting
from playground.workspace.lane import Lane

TOKENS = 100_000


def spiky(seed: int) -> NDArray[np.float64]:
    """Steady latencies with a spike in a hundred, none of them above the axis."""
    random = np.random.default_rng(seed)
    gaps = random.uniform(8, 12, TOKENS)
    spikes = random.random(TOKENS) < 0.0008
    gaps[spikes] = random.uniform(14, 30, int(spikes.sum()))
    gaps[500:3000] = random.uniform(20, 32, 2500)  # makes room on the axis
    return gaps


def highest(stand: Stand, index: NDArray[Any], values: NDArray[Any]) -> dict[int, float]:
    """For each column of pixels the y of the highest value that stands there."""
    columns = np.floor(stand.frame.px(index)).astype(int)
    heights = stand.frame.py(values)
    found: dict[int, float] = {}
    for column, y in zip(columns.tolist(), heights.tolist(), strict=True):
        found[column] = min(y, found.get(column, y))
    return found


def blue(stand: Stand) -> NDArray[np.bool_]:
    """Which pixels have a hue: only the lane's dots and lines do."""
    pixels = stand.pixels()
    return np.asarray(pixels[:, :, 0] - pixels[:, :, 2] > 40)


@pytest.mark.parametrize("axis", ["token", "time", "first"])
def test_no_spike_vanishes_in_any_column(qtbot: QtBot, axis: Any) -> None:
    stand = Stand(qtbot, width=860)
    gaps = spiky(5)
    fill(stand.workspace.lanes[0], gaps)
    stand.pane.set_axis(axis)
    stand.pane.show_series("rate", False)
    stand.show()
    shown, frame, seen = stand.canvas.picture.shown[0], stand.frame, blue(stand)
    whole = slice(0, shown.n)
    assert frame.y1 > 32, "nothing is cut off"
    top = highest(stand, shown.xs(axis, whole)[1:], shown.ms[1:])
    for column, y in top.items():
        if frame.rect.left() + 4 < column < frame.rect.right() - 2:
            # A dot is two and a half pixels wide: it may reach a pixel beyond its column and its height.
            near = seen[round(y) - 2 : round(y) + 3, column - 1 : column + 2]
            assert near.any(), f"the highest of column {column} is not drawn"
            above = min(top.get(column + dx, y) for dx in (-2, -1, 0, 1, 2))
            assert not seen[int(frame.rect.top()) : round(above) - 3, column].any(), f"column {column} is too high"


def test_a_lane_among_four_keeps_the_extremes_of_its_line(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=4, width=860)
    for number, lane in enumerate(stand.workspace.lanes):
        fill(lane, spiky(number))
    stand.show()
    picture = stand.canvas.picture
    for shown in picture.visible:
        seen = painting.trace(picture.frame, shown)
        assert seen.part == slice(0, TOKENS)
        x, y = painting.line_of(picture, seen)
        assert len(x) <= 2 * picture.frame.rect.width() + 4, "no more points than the pixels can show"
        mean = shown.mean(seen.part)[1:]
        top = highest(stand, np.arange(2, TOKENS + 1), mean)
        drawn: dict[int, float] = {}
        for column, height in zip(np.floor(x).astype(int).tolist(), y.tolist(), strict=True):
            drawn[column] = min(height, drawn.get(column, height))
        assert drawn.keys() == top.keys()
        assert all(drawn[column] == pytest.approx(max(y, picture.frame.rect.top() + 1)) for column, y in top.items())


def test_a_kept_answer_of_that_length_comes_back_whole() -> None:
    lane = fill(Lane("A"), spiky(3))
    kept = lane.answer.to_bytes()
    fresh = Lane("A").answer
    fresh.load(kept)
    assert np.array_equal(fresh.tokens.view, lane.answer.tokens.view)
    assert len(kept) < 3_000_000


def test_percentiles_of_four_long_answers_are_spread_over_the_pictures(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=4, width=860)
    for number, lane in enumerate(stand.workspace.lanes):
        fill(lane, spiky(number))
        lane.state = "writing"
    stand.show()
    assert {letter: stats.n for letter, stats in stand.pane._stats.items()} == dict.fromkeys("ABCD", TOKENS)
    stand.pane._stats_at.clear()
    for lane in stand.workspace.lanes:
        stand.grow(10.0, letter=lane.letter)
        lane.state = "ready"
    taken = []
    for _ in range(4):
        stand.clock.tick()
        taken.append(sum(stats.n == TOKENS + 1 for stats in stand.pane._stats.values()))
    assert taken == [1, 2, 3, 4]
    assert not stand.clock.marks
