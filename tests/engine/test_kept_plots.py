"""What a plot shows of an answer is there again in another session: tokens, prompt, marks, memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from workspace_driver import Driver

from playground.workspace.lane import Lane


@pytest.fixture
def driver(starter_path: Path) -> Iterator[Driver]:
    made = opened(starter_path)
    yield made
    made.close()


def opened(starter_path: Path) -> Driver:
    made = Driver(starter_path)
    made.start()
    made.until(lambda: made.workspace.lanes[0].state == "ready")
    made.workspace.set_many("A", {"max_tokens": 3000, "ignore_eos": True})
    return made


def seen(lane: Lane) -> dict[str, object]:
    """All that the latency plot draws of a lane's answer, in milliseconds since the send."""
    answer = lane.answer
    return {
        "marks": [(mark.index, round((mark.t_ns - answer.asked_ns) / 1e6), mark.text) for mark in answer.marks],
        "prompt": (answer.n_prompt, answer.n_reused, round((answer.started_ns - answer.asked_ns) / 1e6)),
        "speed": round(answer.prompt_tok_s),
        "first": round(answer.ttft_ns / 1e6),
        "memory": len(answer.memory),
    }


def test_another_session_shows_the_same_plots(driver: Driver, starter_path: Path) -> None:
    w = driver.workspace
    lane = w.lanes[0]
    assert w.send("Tell me about trees.")
    driver.until(lambda: len(lane.answer.tokens) >= 3)
    samples = lane.engine.memory.rows
    known = len(samples)
    w.set_sampling("A", "temp", 0.7)
    driver.until(lambda: lane.answer.marks and len(samples) > known)  # a sample comes every quarter of a second
    w.stop("A")
    driver.idle()
    driver.until(lambda: all(node.series for node in lane.path if node.role == "assistant"))
    before, tokens, memory = seen(lane), lane.answer.tokens.view.copy(), lane.answer.memory.view.copy()
    assert "temp 0.7" in [mark.text for mark in lane.answer.marks]
    assert len(memory)
    driver.close()

    again = opened(starter_path)
    try:
        lane = again.workspace.lanes[0]
        assert seen(lane) == before
        assert np.array_equal(lane.answer.tokens.view, tokens)
        assert np.array_equal(lane.answer.memory.view, memory)
    finally:
        again.close()


def test_a_lane_that_joins_is_marked_in_the_other_answer_for_good(driver: Driver) -> None:
    w = driver.workspace
    first, second = w.lanes[0], w.add_lane()
    assert second is not None
    driver.until(lambda: second.state == "ready")
    w.set_many("B", {"max_tokens": 5, "ignore_eos": True})
    second.on = False
    assert w.send("Tell me about trees.")
    driver.until(lambda: len(first.answer.tokens) >= 3)
    second.on, first.on = True, False
    assert w.send("And stones?")
    driver.until(lambda: not second.busy)
    w.stop("A")
    driver.idle()
    texts = [mark.text for mark in first.answer.marks]
    lanes = [text for text in texts if text.startswith("lane")]
    assert lanes == ["lane B joined: both answers are computed together", "lane B is done writing"]
    chat = w.chat.id
    driver.until(lambda: all(node.series for lane in w.lanes for node in lane.path if node.role == "assistant"))
    w.jobs.finished.clear()
    w.new_chat()
    w.open_chat(chat)
    driver.until(lambda: w.chat.id == chat and bool(w.lanes[0].path))
    assert [mark.text for mark in w.lanes[0].answer.marks] == texts
