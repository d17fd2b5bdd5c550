"""A repeatable answer comes again token for token, whatever else the machine and the engine do.

More repeats: PLAYGROUND_ROUNDS=1000 pytest tests/engine/test_engine_repeatable.py
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from gguf_factory import CHATML, random_model

from engine.driver import Answer, Engine
from playground.protocol.commands import SetThreads, Stop
from playground.protocol.events import Finished, Hello, Started, Token

REPEATS = int(os.environ.get("PLAYGROUND_ROUNDS", "50"))
PROMPT = "Tell a story. " + " ".join(f"Mention the number {n * 17 % 101}." for n in range(8))
WANTED = {"temp": 0.9, "seed": 7, "max_tokens": 12, "ignore_eos": True, "repeatable": True}


def loaded(path: Path, **options: object) -> Engine:
    engine = Engine()
    engine.until_type(Hello)
    engine.load(path, n_ctx=2048, **options)
    return engine


def test_again_and_again_the_same_while_other_lanes_write_and_threads_change(starter_path: Path) -> None:
    """Prompt of several pieces, drawn at temperature 0.9; the ordinary lanes come, go and stop at random."""
    dice = random.Random(4)
    engine = loaded(starter_path, n_threads=2)
    known: list[int] = []
    others: list[int] = []
    for turn in range(REPEATS):
        if turn == REPEATS // 2:
            engine.close()
            engine = loaded(starter_path, n_threads=1, flash_attn="on")
            others = []
        if dice.random() < 0.4:
            text = f"{PROMPT} {turn}" if dice.random() < 0.3 else f"Count to {turn}."
            others.append(engine.start(text, f"other {turn % 3}", temp=1.0, max_tokens=dice.randrange(2, 40)))
        if others and dice.random() < 0.4:
            engine.send(Stop(others.pop()))
        job = engine.start(PROMPT, "R", **WANTED)
        engine.until(lambda event, job=job: isinstance(event, Token) and event.job == job)  # type: ignore[misc]
        engine.send(SetThreads(dice.choice((1, 2))))
        answer = Answer(engine, job)
        assert answer.end.reason == "max_tokens"
        assert answer.end.varies == []
        assert answer.of(Started)[0].repeatable
        known = known or [token.id for token in engine.of(job, Token)]
        assert [token.id for token in engine.of(job, Token)] == known, f"repeat {turn} differs"
    engine.close()


def test_repeatable_answers_wait_for_each_other_and_leave_the_cache_alone(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "random.gguf"
    random_model(path)
    engine.load(path, n_ctx=2048, n_threads=1)
    engine.answer("an ordinary question of some length", "A", temp=0.0, max_tokens=8)
    jobs = [engine.start("a question", "A", temp=0.0, max_tokens=8, repeatable=True) for _ in range(3)]
    answers = [[token.id for token in engine.of(job, Token)] for job in jobs if engine.finished(job)]
    assert answers[0] == answers[1] == answers[2]
    after = engine.answer("an ordinary question of some length", "A", temp=0.0, max_tokens=8)
    assert after.of(Started)[0].n_reused > 0


def test_a_repeatable_answer_can_be_stopped_and_begun_anew(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "random.gguf"
    random_model(path, n_ctx=16384)
    engine.load(path, n_ctx=16384, n_threads=1)
    job = engine.start("x" * 900, "A", temp=0.0, repeatable=True, ignore_eos=True)
    engine.until(lambda event: isinstance(event, Token))  # the first leaves at once
    engine.send(Stop(job))
    assert engine.finished(job).reason == "stopped"
    assert engine.answer("a question", "A", temp=0.0, max_tokens=4, repeatable=True).end.n_drawn == 4


@pytest.mark.parametrize(
    ("reason", "before", "asked"),
    [("prefix", {"slot": "A"}, {"slot": "A"}), ("batch", {"slot": "B"}, {"slot": "A"})],
)
def test_an_ordinary_answer_says_why_it_may_vary(
    engine: Engine, tmp_path: Path, reason: str, before: dict[str, str], asked: dict[str, str]
) -> None:
    path = tmp_path / "random.gguf"
    random_model(path)
    engine.load(path, n_ctx=2048, n_threads=1)
    first = engine.answer("a question of some length to begin with", **before, temp=0.0, max_tokens=4)
    assert first.end.varies == []
    second = engine.answer("a question of some length to begin with, and more", **asked, temp=0.0, max_tokens=4)
    assert reason in second.end.varies


def test_a_tweaked_answer_says_so(engine: Engine, tmp_path: Path) -> None:
    from playground.protocol.commands import Sampling, Tweak

    path = tmp_path / "random.gguf"
    random_model(path, n_ctx=16384)
    engine.load(path, n_ctx=16384, n_threads=1)
    job = engine.start("a question", "A", temp=0.0, ignore_eos=True)
    engine.until_type(Token)
    engine.send(Tweak(job, Sampling({"temp": 0.5, "max_tokens": 5, "ignore_eos": True})))
    end = engine.finished(job)
    assert isinstance(end, Finished)
    assert "tweaked" in end.varies


def test_the_record_tells_the_threads_in_force_and_a_date_in_the_prompt(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "random.gguf"
    random_model(path, template="{{ strftime_now('%d %b %Y') }}" + CHATML)
    engine.load(path, n_ctx=2048, n_threads=2)
    engine.send(SetThreads(1, shared=True))
    answer = engine.answer("a question", "A", temp=0.0, max_tokens=4, repeatable=True)
    assert answer.of(Started)[0].n_threads == 1
    assert answer.end.varies == ["date"]
    plain = engine.answer("a question", "A", temp=0.0, max_tokens=4, repeatable=True, use_template=False)
    assert plain.end.varies == []


def test_fewer_threads_than_a_fresh_engine_has_are_a_reason_with_flash_attention(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "random.gguf"
    random_model(path)
    engine.load(path, n_ctx=2048, n_threads=2, flash_attn="on")
    assert engine.answer("a question", "A", temp=0.0, max_tokens=4).end.varies == []
    engine.send(SetThreads(1, shared=True))
    assert "threads" in engine.answer("another question", "A", temp=0.0, max_tokens=4).end.varies
    engine.send(SetThreads(1))
    assert "threads" not in engine.answer("one more question", "A", temp=0.0, max_tokens=4).end.varies
