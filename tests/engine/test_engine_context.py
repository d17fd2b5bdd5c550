"""A full context is a state with a sentence, never a crash, never text cut in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf_factory import EOS, random_model

from engine.driver import Answer, Engine
from playground.protocol.events import Started


@pytest.fixture
def narrow(engine: Engine, tmp_path: Path) -> Engine:
    """256 tokens, four slots."""
    path = tmp_path / "random.gguf"
    random_model(path)
    engine.load(path, n_ctx=256, n_threads=1)
    return engine


ENDLESS = {"ignore_eos": True, "temp": 0.0}


def test_a_prompt_that_is_too_long_is_refused_with_the_numbers(narrow: Engine) -> None:
    answer = narrow.answer("word " * 200)
    assert answer.end.reason == "context_full"
    assert answer.end.n_drawn == 0
    assert "256" in answer.end.message
    assert f"{answer.end.n_prompt:,}" in answer.end.message
    assert not answer.of(Started)
    assert narrow.answer("short", max_tokens=2).end.reason == "max_tokens"


def test_an_answer_stops_where_the_context_is_full(narrow: Engine) -> None:
    answer = narrow.answer("hi", **ENDLESS)
    assert answer.end.reason == "context_full"
    assert answer.end.n_past == 256
    assert len(answer.tokens) == 256 - answer.end.n_prompt
    assert "256" in answer.end.message


def test_idle_conversations_make_room(narrow: Engine) -> None:
    for slot in "BCD":
        narrow.answer("x" * 50, slot, max_tokens=4, **ENDLESS)
    answer = narrow.answer("hi", "A", **ENDLESS)
    assert answer.end.n_past == 256


def test_lanes_that_write_share_the_pool(narrow: Engine) -> None:
    jobs = [narrow.start(f"{slot} says", slot, **ENDLESS) for slot in "ABCD"]
    for job in jobs:
        narrow.finished(job)
    answers = [Answer(narrow, job) for job in jobs]
    assert all(answer.end.reason == "context_full" for answer in answers)
    assert max(answer.end.n_past for answer in answers) == 256
    assert all("256" in answer.end.message for answer in answers)


def test_a_full_context_leaves_the_engine_usable(narrow: Engine) -> None:
    first = narrow.answer("hi", **ENDLESS)
    again = narrow.answer("hi", **ENDLESS)
    assert again.ids == first.ids
    assert EOS not in first.ids
