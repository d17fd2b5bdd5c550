"""The frame clock and what it takes in: marks collapse, nothing posted is lost, and at rest nothing runs."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from playground.ui.bridge import Bridge
from playground.ui.frame_clock import FEW_CORES, SCARCE_TICK_MS, SLOWEST_MS, FrameClock, drawing_budget


@pytest.fixture
def fed(qapp: Any) -> Iterator[tuple[FrameClock, Bridge]]:
    """A clock and the bridge that it takes in."""
    clock = FrameClock()
    bridge = clock.feed = Bridge(clock)
    yield clock, bridge
    bridge.close()


def keep_running(clock: FrameClock, pictures: list[float]) -> None:
    """Ask for picture after picture, as an answer being written does."""

    def paint() -> None:
        pictures.append(time.monotonic())
        clock.mark("keep", paint)

    clock.mark("keep", paint)


def test_marks_of_one_key_are_painted_once_and_then_the_timer_rests(qtbot: QtBot) -> None:
    clock, painted = FrameClock(), []
    assert not clock.running
    for n in range(5):
        clock.mark("a", lambda n=n: painted.append(n))
    clock.mark("b", lambda: painted.append("b"))
    qtbot.waitUntil(lambda: bool(painted))
    assert painted == [4, "b"]
    assert not clock.running


def test_a_mark_of_a_widget_that_is_gone_is_dropped(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error[1]))
    clock, painted = FrameClock(), []

    class View(QLabel):
        def paint(self) -> None:
            self.setText("painted")

    gone, label, still = View(), QLabel(), View()
    qtbot.addWidget(still)
    clock.mark((gone, "figures"), gone.paint)
    clock.mark(label, label.update)
    clock.mark("last", lambda: painted.append(still.paint()))
    delete(gone)  # as a lane's that was closed
    delete(label)
    qtbot.waitUntil(lambda: bool(painted))
    assert still.text() == "painted"
    assert not told


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


def test_what_is_posted_soon_comes_with_the_next_picture_and_before_it(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge]
) -> None:
    clock, bridge = fed
    pictures: list[float] = []
    keep_running(clock, pictures)
    qtbot.waitUntil(lambda: len(pictures) >= 2)
    came: list[int] = []
    bridge.post_soon(lambda: came.append(len(pictures)))
    before = len(pictures)
    qtbot.waitUntil(lambda: bool(came))
    assert came == [before], "taken in at the beginning of the picture that came next"


def test_at_rest_what_is_posted_soon_comes_at_once(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    clock, bridge = fed
    came: list[int] = []
    bridge.post_soon(lambda: came.append(1))
    assert not clock.running
    qtbot.waitUntil(lambda: came == [1])
    clock.mark("a", lambda: None)
    qtbot.waitUntil(lambda: not clock.running)
    bridge.post_soon(lambda: came.append(2))
    qtbot.waitUntil(lambda: came == [1, 2])


def test_what_is_posted_wakes_at_once_and_takes_along_what_waited(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    _, bridge = fed
    came: list[str] = []
    bridge.hold()
    bridge.post_soon(lambda: came.append("token"))
    qtbot.wait(30)
    assert came == [], "held for a picture"
    bridge.post(lambda: came.append("finished"))
    qtbot.waitUntil(lambda: came == ["token", "finished"])


def test_a_clock_that_comes_to_rest_leaves_nothing_waiting(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    _, bridge = fed
    came: list[int] = []
    bridge.hold()
    bridge.post_soon(lambda: came.append(1))
    bridge.release()
    qtbot.waitUntil(lambda: came == [1])


def test_minimised_nothing_is_painted_and_the_answer_is_taken_in_all_the_same(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge]
) -> None:
    clock, bridge = fed
    pictures: list[float] = []
    came: list[int] = []
    keep_running(clock, pictures)
    qtbot.waitUntil(lambda: bool(pictures))
    bridge.post_soon(lambda: came.append(1))
    clock.pause()
    painted = len(pictures)
    bridge.post_soon(lambda: came.append(2))
    qtbot.waitUntil(lambda: came == [1, 2])
    assert not clock.running
    assert len(pictures) == painted
    clock.resume()
    qtbot.waitUntil(lambda: len(pictures) > painted)


def test_something_posted_that_fails_is_told_and_holds_up_nothing(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(str(error[1])))
    clock, bridge = fed
    pictures: list[float] = []
    came: list[int] = []
    keep_running(clock, pictures)
    qtbot.waitUntil(lambda: bool(pictures))

    def fail() -> None:
        raise ValueError("bad token")

    bridge.post_soon(fail)
    bridge.post_soon(lambda: came.append(1))
    painted = len(pictures)
    qtbot.waitUntil(lambda: came == [1] and len(pictures) > painted + 2)
    assert told == ["bad token"]


def test_threads_post_while_pictures_are_made_and_nothing_is_lost_or_out_of_order(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge]
) -> None:
    clock, bridge = fed
    came: dict[int, list[int]] = {n: [] for n in range(4)}

    def take(thread: int, n: int) -> None:
        came[thread].append(n)
        clock.mark("text", lambda: None)

    def post(thread: int) -> None:
        for n in range(300):
            (bridge.post if n % 50 == 49 else bridge.post_soon)(lambda n=n: take(thread, n))
            if n % 20 == 0:
                time.sleep(0.002)

    threads = [threading.Thread(target=post, args=(n,)) for n in came]
    for thread in threads:
        thread.start()
    qtbot.waitUntil(lambda: all(len(seen) == 300 for seen in came.values()))
    for thread in threads:
        thread.join()
    assert all(seen == list(range(300)) for seen in came.values())
    qtbot.waitUntil(lambda: not clock.running)


def test_a_closed_window_takes_nothing_any_more(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    clock, bridge = fed
    came: list[int] = []
    bridge.hold()
    bridge.post_soon(lambda: came.append(1))
    bridge.close()
    bridge.post_soon(lambda: came.append(2))
    bridge.post(lambda: came.append(3))
    bridge.release()
    assert not bridge.take()
    clock.mark("a", lambda: came.append(4))
    qtbot.waitUntil(lambda: came == [4])
    assert not clock.running


def test_figures_come_at_their_own_pace_and_the_last_ones_always(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    clock, _ = fed
    painted: list[tuple[int, float]] = []
    marks = 0
    while len(painted) < 4:
        marks += 1
        clock.mark("figures", lambda newest=marks: painted.append((newest, clock._began)), 250)
        qtbot.wait(10)
    assert all(after[1] - before[1] > 0.2 for before, after in itertools.pairwise(painted)), "four times a second"
    clock.mark("figures", lambda: painted.append((0, 0.0)), 250)
    qtbot.waitUntil(lambda: painted[-1] == (0, 0.0))
    assert not clock.running


def test_dear_pictures_come_further_apart_but_ten_a_second(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    clock = FrameClock()
    used = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: used[0])
    waits: list[int] = []
    for cost in (0.0005, 0.05):  # seconds of work in each picture
        begun: list[float] = []

        def paint(begun: list[float] = begun, cost: float = cost) -> None:
            used[0] += cost
            begun.append(clock._began)
            if len(begun) < 9:
                clock.mark("a", paint)

        clock.mark("a", paint)
        qtbot.waitUntil(lambda begun=begun: len(begun) == 9)
        assert (begun[-1] - begun[-4]) / 3 * 1000 >= SCARCE_TICK_MS - 3
        waits.append(round(clock._interval))
    assert waits == [SCARCE_TICK_MS, SLOWEST_MS]


def test_drawing_takes_less_where_cores_are_few() -> None:
    assert drawing_budget(FEW_CORES) < drawing_budget(FEW_CORES + 1)


def test_text_does_not_wait_for_figures_that_are_not_due(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    clock, bridge = fed
    painted: list[str] = []
    for n in (1, 2):
        clock.mark("figures", lambda: painted.append("figures"), 60_000)
        clock.mark("text", lambda: painted.append("text"))
        qtbot.waitUntil(lambda n=n: painted.count("text") == n)
    assert painted == ["text", "figures", "text"]
    bridge.post_soon(lambda: clock.mark("text", lambda: painted.append("token")))
    qtbot.waitUntil(lambda: painted[-1] == "token")


def test_what_is_watched_is_read_on_this_thread_and_drawn_at_once(qtbot: QtBot, fed: tuple[FrameClock, Bridge]) -> None:
    clock, bridge = fed
    end, begin = os.pipe()
    os.set_blocking(end, False)
    came, drawn, threads = [], [], []

    def ready() -> bool:
        try:
            data = os.read(end, 100)
        except BlockingIOError:
            return True
        threads.append(threading.current_thread())

        def take() -> None:
            came.append(data)
            clock.mark("text", lambda: drawn.append(data))

        bridge.post_soon(take)
        return bool(data)

    bridge.watch(end, ready)
    for word in (b"one", b"two", b"three"):
        os.write(begin, word)
        qtbot.waitUntil(lambda word=word: drawn[-1:] == [word])
    assert set(threads) == {threading.current_thread()}
    bridge.hold()
    os.write(begin, b"four")
    qtbot.wait(30)
    assert came == [b"one", b"two", b"three"], "held for a picture"
    assert bridge.take()
    assert came[-1] == b"four"
    bridge.release()
    os.write(begin, b"five")
    qtbot.waitUntil(lambda: came[-1] == b"five")
    os.close(begin)
    qtbot.waitUntil(lambda: came[-1] == b"")
    os.close(end)


def test_what_marked_something_before_it_failed_is_drawn_all_the_same(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    clock, bridge = fed
    painted: list[int] = []

    def fail() -> None:
        clock.mark("text", lambda: painted.append(1))
        raise ValueError("bad token")

    bridge.post(fail)
    qtbot.waitUntil(lambda: painted == [1])
    assert not clock.running


def test_figures_that_wait_are_painted_though_nothing_comes_any_more_and_then_no_timer_runs(
    qtbot: QtBot, fed: tuple[FrameClock, Bridge]
) -> None:
    clock, bridge = fed
    painted: list[str] = []

    def take() -> None:
        clock.mark("figures", lambda: painted.append("figures"), 400)
        clock.mark("text", lambda: painted.append("text"))

    for n in range(1, 4):
        bridge.post(take)
        qtbot.waitUntil(lambda n=n: painted.count("text") == n)
    qtbot.waitUntil(lambda: painted.count("figures") >= 2)
    qtbot.waitUntil(lambda: not clock.running)
    assert painted[-1] == "figures"
    assert not clock._timer.isActive()
