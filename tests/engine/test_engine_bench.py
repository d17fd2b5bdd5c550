"""Bench on the real engine: rows, stopping, refusals, and a chat that is as right after it as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gguf_factory import mamba_model, random_model
from gguf_memories import hybrid_model, window_model

from engine.conftest import QUIET, Started
from engine.driver import Engine
from playground.protocol import events
from playground.protocol.commands import Bench, BenchTest, Message, StopBench
from playground.protocol.events import BenchDone, BenchProgress, BenchRow

GREEDY = {"temp": 0.0, "max_tokens": 12}
QUESTION = "Write a Python function that reverses a string."


LONG = " ".join(f"{index * 7 % 83} is not {index}." for index in range(40))
MEMORIES: dict[str, Callable[[Path], Any]] = {
    "plain": random_model,
    "window": window_model,
    "recurrent": mamba_model,
    "hybrid": hybrid_model,
}


def run(engine: Engine, request: int, tests: list[BenchTest], repeats: int = 2) -> tuple[list[BenchRow], BenchDone]:
    engine.send(Bench(request, tests, repeats))
    done = engine.until(lambda event: isinstance(event, BenchDone) and event.request == request)
    assert isinstance(done, BenchDone)
    return [event for event in engine.events if isinstance(event, BenchRow) and event.request == request], done


def test_every_test_gets_its_row_and_a_chat_goes_on_as_before(starter: Engine) -> None:
    before = starter.answer(QUESTION, **GREEDY).ids
    tests = [BenchTest(48, 0, 0), BenchTest(0, 6, 0), BenchTest(0, 3, 40), BenchTest(16, 3, 40), BenchTest(0, 3, 72)]
    rows, done = run(starter, 1, tests)
    assert done.reason == "done"
    assert [row.test for row in rows] == tests
    assert all(len(row.samples_ns) == 2 and min(row.samples_ns) > 0 for row in rows)
    assert {row.n_threads for row in rows} == {1}
    fractions = [event.fraction for event in starter.events if isinstance(event, BenchProgress)]
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.8
    after = starter.answer(QUESTION, **GREEDY)
    assert after.ids == before


@pytest.mark.parametrize("kind", MEMORIES)
def test_what_chats_have_in_the_cache_is_there_again_after_it(started: Started, tmp_path: Path, kind: str) -> None:
    """Whole or stopped; the next turn writes what it would have without a benchmark, and reads no more than is new."""
    path = tmp_path / "model.gguf"
    MEMORIES[kind](path)
    seen: list[list[tuple[int, list[int]]]] = []
    for measured in (True, False):
        engine = started.take()
        engine.load(path, n_ctx=2048, n_seq_max=3, n_ubatch=64, **QUIET)
        chats = {slot: [Message("user", f"{slot} asks: {LONG}")] for slot in "AB"}
        answers = []
        for turn in range(3):
            for slot, chat in chats.items():
                answer = engine.answer(chat, slot, temp=0.0, max_tokens=6, ignore_eos=True)
                answers.append((answer.of(events.Started)[0].n_reused, answer.ids))
                chat += [Message("assistant", f"well {turn}"), Message("user", f"and then? {turn} " * 4)]
            if measured and turn == 0:
                run(engine, 1, [BenchTest(16, 0, 0), BenchTest(0, 2, 70)])
            elif measured:
                engine.send(Bench(2, [BenchTest(0, 2000)], 1000))
                engine.until_type(BenchProgress)
                engine.send(StopBench(2))
                engine.until_type(BenchDone)
        seen.append(answers)
        engine.end()
    assert [ids for _, ids in seen[0]] == [ids for _, ids in seen[1]]
    assert all(min(reused for reused, _ in answers[2:]) > len(LONG) for answers in seen)


def test_a_depth_is_computed_once_and_put_back_for_each_repeat(gibberish: Engine) -> None:
    run(gibberish, 2, [BenchTest(0, 2, 300), BenchTest(8, 0, 300), BenchTest(0, 2, 600)], repeats=3)
    depths = [e for e in gibberish.events if isinstance(e, BenchProgress) and e.phase == "depth"]
    assert [(event.index, event.repeat) for event in depths] == [(0, 0), (2, 0)]


def test_stop_ends_it_in_the_middle_and_keeps_the_rows_before(gibberish: Engine) -> None:
    gibberish.send(Bench(3, [BenchTest(8, 0, 0), BenchTest(0, 1500, 0)], 1000))
    gibberish.until_type(BenchRow)
    gibberish.send(StopBench(3))
    done = gibberish.until_type(BenchDone)
    assert done.reason == "stopped"
    assert [event.index for event in gibberish.events if isinstance(event, BenchRow)] == [0]
    assert gibberish.answer("go on", max_tokens=3, ignore_eos=True).end.n_drawn == 3


def test_what_cannot_be_measured_is_refused_with_a_sentence(gibberish: Engine) -> None:
    bad = [[BenchTest(2000, 100, 0)], [BenchTest(0, 0, 5)], [BenchTest(-1, 5, 0)], [], [BenchTest(8)]]
    for tests in bad:
        _, done = run(gibberish, 4, tests, repeats=0 if tests is bad[-1] else 1)
        assert done.reason == "refused"
        assert done.message.endswith(".")
        gibberish.events.clear()


def test_an_answer_under_way_is_not_disturbed(gibberish: Engine) -> None:
    with gibberish.at_once():
        job = gibberish.start("hello", max_tokens=1500, ignore_eos=True)
        gibberish.send(Bench(5, [BenchTest(8)], 1))
    assert gibberish.until_type(BenchDone).reason == "refused"
    assert gibberish.finished(job).n_drawn == 1500


def test_threads_asked_for_are_used_and_given_back(gibberish: Engine) -> None:
    gibberish.send(Bench(6, [BenchTest(8)], 1, n_threads=2))
    row = gibberish.until_type(BenchRow)
    assert (row.n_threads, row.n_threads_batch) == (2, 2)
    gibberish.until_type(BenchDone)
    rows, _ = run(gibberish, 7, [BenchTest(8)], 1)
    assert rows[0].n_threads == 1
