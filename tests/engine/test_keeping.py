"""What long chats leave in an engine's memory is kept on disk and gone on with; real engines, a real folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_factory import random_model
from workspace_driver import Driver

from engine.driver import slowly
from playground.workspace.lane import ModelRef
from playground.workspace.ports import Spawn
from playground.workspace.words import lane_figures

pytestmark = pytest.mark.timeout(400)

LONG = "A long question: " + " ".join(f"{index * 7 % 83} is not {index}." for index in range(60))


@pytest.fixture
def model(tmp_path: Path) -> ModelRef:
    path = tmp_path / "model.gguf"
    random_model(path, n_ctx=16384)
    return ModelRef(str(path), "Tiny", "F32", path.stat().st_size)


def start(model: ModelRef, gb: float = 1.0, spawn: Spawn | None = None) -> Driver:
    driver = Driver(None, spawn)
    w = driver.workspace
    w.keeping.begin(driver.paths.states, gb)
    w.set_models([model], model)
    driver.start()
    if not w.lane("A").path:
        w.set_load("A", {"n_ctx": 16384, "n_threads": 1, "n_ubatch": 64})
        w.set_many("A", {"temp": 0.0, "max_tokens": 6, "ignore_eos": True})
        w.reload("A")
    driver.until(lambda: w.lane("A").state == "ready")
    return driver


def leave(driver: Driver) -> None:
    """As the window does: let the engines keep their chats, then end."""
    w = driver.workspace
    if w.leave():
        driver.until(lambda: not w.engines.all)
    driver.close()


@pytest.fixture
def driver(model: ModelRef) -> Iterator[Driver]:
    made = start(model)
    yield made
    made.close()


def ask(driver: Driver, text: str) -> None:
    assert driver.workspace.send(text)
    driver.idle()


def states(driver: Driver) -> list[Path]:
    return sorted(driver.paths.states.glob("*.state"))


def test_a_chat_goes_on_after_unloading(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lane("A")
    ask(driver, LONG)
    assert lane.answer.n_restored == 0
    before = lane.answer.n_prompt
    w.unload("A")
    driver.until(lambda: not w.engines.all)
    assert len(states(driver)) == 1
    driver.until(lambda: w.keeping.used == states(driver)[0].stat().st_size)
    ask(driver, "And then?")
    assert lane.answer.n_restored >= before
    assert lane.path[-1].record["n_restored"] == lane.answer.n_restored
    words = [figure.text for figure in lane_figures(lane)]
    assert f"{lane.answer.n_reused:,} of {lane.answer.n_prompt:,} tokens restored from disk" in words
    ask(driver, "Go on")
    assert lane.answer.n_restored == 0
    words = [figure.text for figure in lane_figures(lane)]
    assert f"{lane.answer.n_reused:,} of {lane.answer.n_prompt:,} tokens reused" in words


def test_a_chat_goes_on_after_a_restart(model: ModelRef) -> None:
    first = start(model)
    ask(first, LONG)
    n_prompt = first.workspace.lane("A").answer.n_prompt
    leave(first)
    second = start(model)
    lane = second.workspace.lane("A")
    assert len(lane.path) == 2
    ask(second, "Where were we?")
    assert lane.answer.n_restored >= n_prompt
    leave(second)


def test_leaving_while_it_writes_keeps_text_and_memory(model: ModelRef) -> None:
    first = start(model, spawn=slowly)
    w, lane = first.workspace, first.workspace.lane("A")
    w.set_many("A", {"max_tokens": -1})
    assert w.send(LONG)
    first.until(lambda: len(lane.answer.tokens) > 5)
    leave(first)
    assert lane.path[-1].state == "stopped"
    assert lane.path[-1].text
    assert len(states(first)) == 1


def test_nothing_to_keep_holds_nothing_up(model: ModelRef) -> None:
    made = start(model)
    assert not made.workspace.leave()
    made.close()


def test_a_deleted_chat_leaves_nothing(model: ModelRef) -> None:
    made = start(model)
    w = made.workspace
    ask(made, LONG)
    w.unload("A")
    made.until(lambda: not w.engines.all)
    assert states(made)
    ask(made, "once more")
    w.delete_chat(w.chat.id)
    made.until(lambda: not states(made))
    # The engine still has it, and keeps it when it ends.
    leave(made)
    assert states(made) == []


def test_a_chat_that_was_brought_back_is_kept(model: ModelRef) -> None:
    made = start(model)
    w = made.workspace
    ask(made, LONG)
    w.delete_chat(w.chat.id)
    w.undo_delete()
    leave(made)
    assert len(states(made)) == 1


def test_clear_and_zero_delete_what_is_there(driver: Driver) -> None:
    w = driver.workspace
    ask(driver, LONG)
    w.unload("A")
    driver.until(lambda: w.keeping.used)
    w.keeping.clear()
    driver.until(lambda: not w.keeping.used)
    assert states(driver) == []
    ask(driver, "again")
    w.keeping.set_gb(0)
    w.unload("A")
    driver.until(lambda: not w.engines.all)
    assert states(driver) == []
