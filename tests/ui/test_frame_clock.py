"""The frame clock: collapses marks, survives a paint that fails, rests while nothing is dirty."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from playground.ui.frame_clock import FrameClock


def test_marks_of_one_key_are_painted_once_and_then_the_timer_rests(qtbot: QtBot) -> None:
    clock, painted = FrameClock(), []
    assert not clock.running
    for n in range(5):
        clock.mark("a", lambda n=n: painted.append(n))
    clock.mark("b", lambda: painted.append("b"))
    qtbot.waitUntil(lambda: bool(painted))
    assert painted == [4, "b"]
    assert not clock.running


def test_a_paint_that_raises_is_told_and_costs_the_others_nothing(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error[1]))
    clock, painted = FrameClock(), []

    def fail() -> None:
        raise ValueError("no picture")

    clock.mark("bad", fail)
    clock.mark("good", lambda: painted.append(1))
    qtbot.waitUntil(lambda: painted == [1])
    assert [str(error) for error in told] == ["no picture"]
    clock.mark("good", lambda: painted.append(2))
    qtbot.waitUntil(lambda: painted == [1, 2])


def test_a_paint_may_ask_for_the_next_frame(qtbot: QtBot) -> None:
    clock, painted = FrameClock(), []

    def paint() -> None:
        painted.append(1)
        if len(painted) < 3:
            clock.mark("a", paint)

    clock.mark("a", paint)
    qtbot.waitUntil(lambda: len(painted) == 3)
    assert not clock.running


def test_paused_it_paints_nothing_and_catches_up_afterwards(qtbot: QtBot) -> None:
    clock = FrameClock()
    painted: list[int] = []
    add: Callable[[], None] = lambda: painted.append(1)  # noqa: E731
    clock.mark("a", add)
    clock.pause()
    clock.mark("b", add)
    assert not clock.running
    clock.resume()
    qtbot.waitUntil(lambda: len(painted) == 2)
    clock.resume()
    assert not clock.running
