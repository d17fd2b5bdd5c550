"""A real engine loses its weights' pages again and again: the lane, the plot and the answer's record say so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_factory import random_model
from page_out import Pressure, cannot_page_out
from workspace_driver import Driver

from playground.workspace.marks import kept_marks

pytestmark = pytest.mark.timeout(300)
LIMIT_S = 120


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Some hundred megabytes that llama.cpp computes with as they are in the file, and that are on the disk."""
    path = tmp_path / "large.gguf"
    random_model(path, width=512, layers=16, n_ctx=8192)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return path


@pytest.fixture
def driver(model: Path) -> Iterator[Driver]:
    made = Driver(model)
    made.workspace.lanes[0].load = {"n_threads": 1, "n_ctx": 8192}
    made.start()
    made.until(lambda: made.workspace.lanes[0].state == "ready")
    made.workspace.set_many("A", {"ignore_eos": True, "max_tokens": 100_000})
    yield made
    made.close()


@pytest.fixture
def pressure(driver: Driver, model: Path) -> Pressure:
    """What takes the model's pages from the engine, while it is entered; skips where the system doesn't let it."""
    pid = next(iter(driver.workspace.engines.all.values())).process.pid  # type: ignore[attr-defined]
    if why := cannot_page_out(pid, model):
        pytest.skip(why)
    return Pressure(pid, model)


def test_tokens_that_wait_for_the_disk_are_told_and_it_is_taken_back(driver: Driver, pressure: Pressure) -> None:
    w = driver.workspace
    lane = w.lanes[0]
    assert w.send("Hello")
    with pressure:
        driver.until(lambda: lane.notice is not None, LIMIT_S)
        assert lane.busy, "the answer goes on"
        notice = lane.notice
        assert notice is not None
        assert notice.level == "warn"
        assert notice.title == "Tokens wait for the disk: memory is short"
        assert "of the model’s weights" in notice.text
        assert "smaller quant" in notice.text
        assert lane.engine.spill is not None
        assert lane.engine.spill.read > 1_000_000
        assert "tokens wait for the disk" in lane.engine.spells[-1].words
        assert not lane.engine.spells[-1].end_ns
        assert "tokens wait for the disk" in lane.answer.marks[-1].text
    driver.until(lambda: lane.notice is None, LIMIT_S)
    assert lane.engine.spill is None
    assert lane.engine.spells[-1].end_ns > lane.engine.spells[-1].begin_ns
    w.stop()
    driver.idle()
    node = lane.path[-1]
    kept = kept_marks(node.record, lane.answer.tokens.view["t_ns"], lane.answer.asked_ns)
    assert any("tokens wait for the disk" in mark.text for mark in kept)


def test_a_prompt_that_waits_for_the_disk_is_told_before_its_first_token(driver: Driver, pressure: Pressure) -> None:
    w = driver.workspace
    lane = w.lanes[0]
    w.set_many("A", {"max_tokens": 8})
    with pressure:
        assert w.send("Tell me about the sea and the ships on it. " * 160)
        driver.until(lambda: lane.notice is not None or len(lane.answer.tokens), LIMIT_S)
        assert lane.state == "prompt"
        notice = lane.notice
        assert notice is not None
        assert notice.title == "The prompt waits for the disk: memory is short"
        assert "while the prompt is read" in notice.text
        assert "the prompt waits for the disk" in lane.engine.spells[-1].words
    w.stop()
    driver.idle()
    assert "the prompt waits for the disk" in lane.path[-1].record["spills"][0]["words"]


def test_an_answer_that_ends_while_memory_is_short_leaves_the_card(driver: Driver, pressure: Pressure) -> None:
    w = driver.workspace
    lane = w.lanes[0]
    assert w.send("Hello")
    with pressure:
        driver.until(lambda: lane.notice is not None, LIMIT_S)
        w.stop()
        driver.idle()
    assert lane.notice is not None
    assert lane.notice.title.startswith("Tokens wait")
    w.act("A", "dismiss")
    assert lane.notice is None


def test_a_button_of_the_card_ends_the_answer_and_loads_anew(driver: Driver, model: Path) -> None:
    w = driver.workspace
    lane = w.lanes[0]
    assert w.send("Hello")
    driver.until(lambda: len(lane.answer.tokens) > 2)
    w.act("A", "reload_with:n_ctx=1024")
    driver.until(lambda: lane.state == "ready" and lane.engine.info is not None and lane.engine.info.n_ctx == 1024)
    assert lane.path[-1].record["reason"] == "stopped"
    assert lane.path[-1].text or lane.path[-1].state == "stopped"
