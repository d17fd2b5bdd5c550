"""Bench on the real engine: rows, stopping, refusals, and a chat that is as right after it as before."""

from __future__ import annotations

from engine.driver import Engine
from playground.protocol.commands import Bench, BenchTest, StopBench
from playground.protocol.events import BenchDone, BenchProgress, BenchRow

GREEDY = {"temp": 0.0, "max_tokens": 12}
QUESTION = "Write a Python function that reverses a string."


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
    job = gibberish.start("hello", max_tokens=1500, ignore_eos=True)
    _, done = run(gibberish, 5, [BenchTest(8)])
    assert done.reason == "refused"
    assert gibberish.finished(job).n_drawn == 1500


def test_threads_asked_for_are_used_and_given_back(gibberish: Engine) -> None:
    gibberish.send(Bench(6, [BenchTest(8)], 1, n_threads=2))
    row = gibberish.until_type(BenchRow)
    assert (row.n_threads, row.n_threads_batch) == (2, 2)
    gibberish.until_type(BenchDone)
    rows, _ = run(gibberish, 7, [BenchTest(8)], 1)
    assert rows[0].n_threads == 1
