"""Engines that take turns, on real ones: who waits for whom, and who goes on when one ends badly."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_factory import random_model
from workspace_driver import Driver

from engine.conftest import QUIET
from engine.driver import slowly
from playground.workspace.lane import Lane
from playground.workspace.words import state_words

ENDLESS = {"temp": 0.0, "max_tokens": 7000, "ignore_eos": True}


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    """Three lanes, each with an engine of its own."""
    path = tmp_path / "random.gguf"
    random_model(path, n_ctx=8192)
    made = Driver(path, slowly)
    w = made.workspace
    w.set_load("A", QUIET | {"n_ctx": 8192})
    made.start()
    for n_ctx in (7936, 7680):
        lane = w.add_lane()
        assert lane is not None
        w.set_load(lane.letter, {"n_ctx": n_ctx})
        w.reload(lane.letter)
    made.until(lambda: all(lane.state == "ready" for lane in w.lanes))
    for lane in w.lanes:
        w.set_many(lane.letter, ENDLESS)
    yield made
    made.close()


def writes(lane: Lane) -> bool:
    return lane.state == "writing" and len(lane.answer.tokens) > 2


def test_those_that_wait_say_whose_turn_it_is(driver: Driver) -> None:
    w = driver.workspace
    a, b, c = w.lanes
    w.send("Hi")
    driver.until(lambda: writes(a))
    assert [lane.detail for lane in w.lanes] == ["", "A", "A"]
    w.stop("A")
    driver.until(lambda: writes(b))
    assert a.state == "stopped"
    assert "waiting for B" in state_words(c), "A is done"
    os.kill(b.engine.pid, signal.SIGKILL)
    driver.until(lambda: writes(c))
    assert b.state == "failed"
    w.stop()
    driver.idle()


def test_an_answer_of_another_chat_is_waited_for_in_words(driver: Driver) -> None:
    w = driver.workspace
    w.lanes[1].on = w.lanes[2].on = False
    w.send("Hi")
    first = w.lanes[0]
    driver.until(lambda: writes(first))
    w.new_chat()
    w.lanes[0].on, w.lanes[1].on, w.lanes[2].on = False, True, False
    w.send("Hello")
    waits = w.lanes[1]
    driver.until(lambda: waits.state == "queued")
    assert "waiting for another chat" in state_words(waits)
    for job in list(w.jobs.all.values()):
        w.jobs.stop_job(job)
    driver.idle()


def test_together_no_more_threads_compute_than_there_are_cores(driver: Driver) -> None:
    w = driver.workspace
    w.set_together(True)
    w.send("Hi")
    running = [engine for engine in w.engines.all.values() if engine.id in w.engines.turns.running]
    n_cores = max(engine.facts.info.n_cores for engine in running if engine.facts.info)
    assert len(running) == min(3, n_cores)
    driver.until(lambda: sum(writes(lane) for lane in w.lanes) == len(running))
    waiting = [lane for lane in w.lanes if lane.state == "queued"]
    assert len(waiting) == 3 - len(running)
    for lane in waiting:
        assert lane.detail == ", ".join(other.letter for other in w.lanes if other not in waiting)
    w.stop(next(lane.letter for lane in w.lanes if writes(lane)))
    driver.until(lambda: not any(lane.state == "queued" for lane in w.lanes))
    w.stop()
    driver.idle()
