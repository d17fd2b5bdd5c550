"""The arithmetic under the latency plot: steps, limits, stamping, rolling figures."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from playground.ui.plots import downsample, scale
from playground.ui.plots.figures import Shown
from playground.workspace.series import Answer


def shown_with(gaps_ms: list[int], thinking: int = 0) -> Shown:
    answer = Answer()
    t = 0
    for number, ms in enumerate(gaps_ms):
        t += ms * 1_000_000
        answer.tokens.append((t, 0, 0, ms * 1_000_000, 0, 0, 0, 1, number < thinking, 0))
    return Shown("A", answer, len(gaps_ms))


@pytest.mark.parametrize(
    ("least", "step"), [(0.03, 0.05), (1, 1), (1.1, 2), (2.2, 2.5), (7, 10), (10, 10), (2600, 5000)]
)
def test_steps_are_round(least: float, step: float) -> None:
    assert scale.nice_step(least) == pytest.approx(step)


def test_labels_tell_neighbours_apart() -> None:
    for step in (0.025, 0.05, 0.25, 0.5, 1, 2.5, 25, 500):
        labels = [scale.label(i * step, step) for i in range(8)]
        assert len(set(labels)) == 8
        assert float(labels[3].replace(",", "")) == pytest.approx(3 * step)
    assert scale.label(12_000, 2000) == "12k"


def test_a_following_axis_holds_its_data_and_seldom_moves() -> None:
    ends = [scale.follow(n, 64) for n in range(1, 5000)]
    assert all(end > n for n, end in enumerate(ends, 1))
    assert all(n / end > 0.7 for n, end in enumerate(ends, 1) if n > 64)
    assert len(set(ends)) < 30


def test_one_outlier_does_not_set_the_height() -> None:
    assert scale.y_top(15, 18, 400, 400, 30) == pytest.approx(1.3 * 2.3 * 15)
    assert scale.y_top(15, 40, 400, 400, 30) == pytest.approx(52)
    assert scale.y_top(15, 16, 17, 400, 1000) == pytest.approx(22.5)
    assert scale.y_top(15, 16, 40, 41, 1000) == pytest.approx(52)
    assert scale.y_top(15, 16, 400, 400, 1000) == 90


def test_the_wait_for_the_prompt_does_not_set_the_height() -> None:
    shown = shown_with([90] + [15] * 95)
    known = shown.stats()
    assert (known.p99, known.largest) == (15.0, 15.0)
    assert Shown("A", shown.answer, 1).stats().largest == 90.0


def test_only_labels_side_by_side_make_room_for_one_another() -> None:
    assert scale.clusters([200.0, 10.0, 18.0, 26.0, 100.0], 15) == [[1, 2, 3], [4], [0]]


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
def test_few_and_many_dots_are_stamped_alike(ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    x, y = random.uniform(-20, 220, 3000), random.uniform(-20, 120, 3000)
    shades = downsample.shades(10, 20, 30, 0.9)
    inks = []
    for dense_from in (1, 10**9):
        monkeypatch.setattr(downsample, "_DENSE_FROM", dense_from)
        ink = downsample.Ink(200, 100, ratio, shades)
        ink.stamp(x, y)
        inks.append(ink)
    assert (inks[0].seen == inks[1].seen).all()
    for ink in inks:
        inner = ink.colors[ink.pad : -ink.pad, ink.pad : -ink.pad]
        assert (inner == shades[ink.seen]).all()


def test_a_dot_outside_leaves_no_trace_and_one_inside_is_round() -> None:
    ink = downsample.Ink(20, 20, 1.0, downsample.shades(255, 0, 0, 1))
    ink.stamp(np.array([-9.0, 29, 10, 10]), np.array([10.0, 10, -9, 29]))
    assert not ink.seen.any()
    ink.stamp(np.array([10.5]), np.array([5.5]))
    assert ink.seen[5, 10] == 255
    assert ink.seen[4, 10] == ink.seen[6, 10] == ink.seen[5, 9] == ink.seen[5, 11] > ink.seen[4, 9] > 0


def test_a_line_keeps_its_extremes_in_every_column() -> None:
    x = np.linspace(0, 100, 50_000)
    y = np.random.default_rng(2).normal(50, 5, 50_000)
    y[31_234] = 500
    few_x, few_y = downsample.columns(x, y)
    assert len(few_x) <= 204
    assert few_y.max() == 500
    assert few_y.min() == y.min()
    assert (np.diff(few_x) >= 0).all()


@pytest.mark.parametrize("part", [(0, 40), (0, 1), (0, 3), (1, 2), (3, 20), (7, 9), (8, 30), (20, 40), (39, 40)])
def test_the_mean_of_eight_is_the_same_in_every_slice(part: tuple[int, int]) -> None:
    gaps = np.random.default_rng(3).integers(1, 100, 40).tolist()
    expected = [np.nan] + [float(np.mean(gaps[max(1, i - 7) : i + 1])) for i in range(1, 40)]
    np.testing.assert_allclose(shown_with(gaps).mean(slice(*part)), expected[slice(*part)])


def test_the_rate_is_the_same_in_every_slice() -> None:
    shown = shown_with([10] * 20 + [20] * 20)
    whole = shown.rate(slice(0, 40))
    assert whole[19] == pytest.approx(100)
    assert whole[39] == pytest.approx(50)
    np.testing.assert_allclose(shown.rate(slice(25, 33)), whole[25:33])


def test_phases_are_runs() -> None:
    assert shown_with([10] * 5, thinking=3).phases() == [(0, 3, "thinking"), (3, 5, "answer")]
    assert shown_with([10] * 5).phases() == [(0, 5, "answer")]
    assert shown_with([]).phases() == []


def test_only_what_the_axis_shows_is_taken() -> None:
    shown = shown_with([10] * 1000)
    assert shown.between("token", 100, 200) == slice(98, 202)
    part = shown.between("time", 1.0, 2.0)
    assert shown.xs("time", part)[1] >= 0.98
    assert 98 <= part.stop - part.start <= 104


def test_drawing_never_imports_the_masked_arrays() -> None:
    """Their import, on the window's thread in the middle of the first answer, takes 90 ms."""
    program = (
        "import sys, numpy as np\n"
        "from playground.ui.plots.downsample import Ink, shades\n"
        "from playground.ui.plots.reading_painting import _highest\n"
        "from playground.ui.plots import dots, latency, memory, stack_painting, stacking\n"
        "from playground.workspace import slow_tokens, spill\n"
        "ink = Ink(40, 20, 1.0, shades(255, 0, 0, 1.0))\n"
        "ink.stamp(np.arange(30.0), np.arange(30.0))\n"
        "ink.stamp_triangles(np.array([3.0, 3.2, 17.0]))\n"
        "_highest(np.arange(100.0), np.arange(100.0), 10)\n"
        "assert 'numpy.ma' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
