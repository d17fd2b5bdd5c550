"""“Try another” on the real engine: the continuation from any token, in a second lane, the first untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workspace_driver import Driver

from engine.conftest import QUIET
from playground.engine.slots import FRESH
from playground.workspace.token_spans import Place
from playground.workspace.trying import Point

pytestmark = pytest.mark.usefixtures("no_threads_left")


@pytest.fixture
def driver(starter_path: Path) -> Iterator[Driver]:
    made = Driver(starter_path)
    made.workspace.set_load("A", QUIET)
    made.workspace.set_many("A", {"temp": 0.0, "max_tokens": 24})
    made.start()
    yield made
    made.close()


def test_the_continuation_is_drawn_again_from_a_token(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.send("Write a sentence about the sea.")
    driver.idle()
    first = lane.path[-1]
    text, at = first.text, 9
    head = text[: int(lane.answer.tokens.view["chars"][at - 1])]
    w.trying.choose("known:greedy")
    w.trying.point_at("A", at)
    other = w.trying.try_here()
    assert other is not None
    driver.idle()
    again = other.path[-1]
    assert (other.letter, w.active, lane.path[-1]) == ("B", "A", first)
    assert again.parent == first.parent
    assert again.text.startswith(head)
    assert again.text == text or len(again.text) > len(text)
    assert again.record["tried"] == {"node": first.id, "at_index": at, "preset": "Always the likeliest token"}
    assert other.sampling["temp"] == 0.0
    assert (other.sampling["top_k"], other.sampling["max_tokens"]) == (40, 24)
    assert first.text == text
    assert len(w.engines.all) == 1
    # All that both have in common; llama.cpp's last few tokens of a prompt are always read anew (slots.FRESH).
    assert other.answer.n_reused == other.answer.n_prompt - FRESH > first.record["n_prompt"] - FRESH


def test_from_a_word_of_the_text_and_of_one_that_was_edited(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", {"ignore_eos": True})
    w.send("Write a sentence about the sea.")
    driver.idle()
    first = lane.path[-1]
    at = len(first.text) // 2
    ends = lane.answer.tokens.view["chars"].tolist()
    index = next(n for n, end in enumerate(ends) if end > at)
    other = w.trying.try_place("A", Place(first.id, at))
    assert other is not None
    driver.idle()
    assert other.path[-1].record["tried"]["at_index"] == index
    assert other.path[-1].text.startswith(first.text[: ends[index - 1]])
    w.edit("A", first.id, "The sea is edited, blue and wide")
    edited = lane.path[-1]
    w.trying.point_to("A", Place(edited.id, edited.text.index(" blue")))
    again = w.trying.try_here()
    assert again is other
    driver.idle()
    assert again.path[-1].text.startswith("The sea is edited,")
    assert again.path[-1].record["tried"]["at_index"] is None
    assert w.trying.try_place("A", Place("gone", 3)) is None
    assert driver.told[-1] == "There is no answer here that could be drawn again."


def test_another_preset_leads_elsewhere_and_the_lane_is_used_again(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.send("Write a sentence about the sea.")
    driver.idle()
    first = lane.path[-1]
    w.trying.choose("neutral")
    texts = set()
    for _ in range(3):
        other = w.try_another("A", Point(first.id, 4))
        assert other is not None
        assert other.letter == "B"
        driver.idle()
        texts.add(other.path[-1].text)
    assert len(texts | {first.text}) > 1
    assert len(w.lanes) == 2
    assert w.versions("B", other.path[-1].id) == (3, 3)
    assert (lane.sampling["temp"], other.sampling["temp"]) == (0.0, 1.0)


def test_in_the_middle_of_an_answer_it_goes_on_from_there(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", {"max_tokens": 3000, "ignore_eos": True})
    w.send("Tell me a long story.")
    driver.until(lambda: len(lane.answer.tokens) >= 12)
    begun, drawn = lane.path[-1].text, len(lane.answer.tokens)
    other = w.try_another("A")
    assert other is not None
    assert lane.busy
    driver.until(lambda: len(other.answer.tokens) > 20 and len(lane.answer.tokens) > drawn + 20)
    w.stop()
    driver.idle()
    assert other.path[-1].text.startswith(begun)
    assert lane.path[-1].text.startswith(begun)
    assert lane.path[-1].record["n_drawn"] > drawn
    assert other.path[-1].record["tried"]["at_index"] >= 12


def test_old_answers_and_empty_lanes(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    assert not w.trying.can_try("A")
    assert w.try_another("A") is None
    assert "no answer" in driver.told[-1]
    w.send("Say hello.")
    driver.idle()
    chat, first = w.chat.id, lane.path[-1]
    driver.until(lambda: bool(first.series))
    w.new_chat()
    w.open_chat(chat)
    driver.until(lambda: w.chat.id == chat and bool(w.lanes[0].path))
    w.jobs.finished.clear()
    node = w.lanes[0].path[-1]
    other = w.try_another("A", Point(node.id, 2))
    assert other is not None
    driver.idle()
    head = node.text[: int(w.lanes[0].answer.tokens.view["chars"][1])]
    assert head
    assert other.path[-1].text.startswith(head)
