"""Benchmarks in words."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from test_bench import result

from playground import translate
from playground.protocol.commands import BenchTest
from playground.protocol.events import BenchProgress
from playground.workspace import bench_words as words


class Run:
    """A run as the words read it."""

    def __init__(self, state: str, **more: Any) -> None:
        self.state = state
        self.fraction, self.repeats, self.at, self.message, self.room_words = 0.426, 3, None, "", ""
        self.tests = [BenchTest(512, 0, 1024)]
        self.left_out: list[BenchTest] = []
        self.waits_for: list[str] = []
        self.left: float | None = None
        self.__dict__ |= more

    def seconds_left(self) -> float | None:
        return self.left


def progress(phase: Any, repeat: int) -> BenchProgress:
    return BenchProgress(1, 0, phase, repeat, 0.4, 1)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (Run("idle"), ""),
        (Run("loading"), "Reading the file 42 %"),
        (Run("loading", room_words="waiting for lane B to finish"), "Waiting for lane B to finish"),
        (Run("waiting", waits_for=["A"]), "Waits until lane A has written"),
        (Run("waiting", waits_for=["A", "C"]), "Waits until lanes A and C have written"),
        (Run("waiting"), "Waits until the other engines have written"),
        (Run("measuring"), "Begins"),
        (Run("measuring", at=progress("warm_up", -1)), "pp512 @ d1024 · warming up"),
        (Run("measuring", at=progress("depth", 1)), "pp512 @ d1024, 2 of 3 · filling the context"),
        (Run("failed", message="No memory."), "No memory."),
    ],
)
def test_every_state_has_its_words(run: Any, said: str) -> None:
    assert words.state_words(run) == said


@pytest.mark.parametrize(
    ("left", "said"), [(None, "42 %"), (0.2, "42 % · about 1 s left"), (200, "42 % · about 3 min left")]
)
def test_how_long_it_takes(left: float | None, said: str) -> None:
    run: Any = Run("measuring", left=left)
    assert words.left_words(run) == said


def test_what_is_left_out_is_named_and_counted() -> None:
    run: Any = Run("done", left_out=[BenchTest(0, 128, depth) for depth in range(9000, 9005)])
    assert words.left_out_words(run).endswith("tg128 @ d9000, tg128 @ d9001, tg128 @ d9002 and 2 more.")
    assert words.left_out_words(Run("done")) == ""  # type: ignore[arg-type]


def test_the_plan_in_words() -> None:
    assert words.plan_words(1, 1, 512) == "1 test, once, in a context of 512 tokens"
    assert words.plan_words(8, 3, 4608) == "8 tests, each 3 times, in a context of 4,608 tokens"


def test_a_headline_has_the_longest_prompt_and_answer_at_the_least_depth() -> None:
    rows = [result(n_prompt=128), result(), result(n_prompt=0, n_gen=16), result(n_depth=1024)]
    assert words.headline(rows) == "pp512 384 · tg16 12.0"
    assert words.headline([result(n_gen=128)]) == "pp512+tg128 480"
    assert words.headline([]) == ""


def test_moments() -> None:
    def at(*when: int) -> str:
        """By the local clock, written as the bench does."""
        return datetime.datetime(*when).astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    now = datetime.datetime(2026, 1, 1, 12).timestamp()
    assert words.short_moment(result(test_time=at(2026, 1, 1, 9, 30)), now) == "09:30"
    assert words.short_moment(result(test_time=at(2024, 5, 3, 12)), now) == "3 May 2024"
    assert words.short_moment(result(test_time="no time"), now) == "no time"
    assert words.moment(result(test_time="no time")) == "no time"
    try:
        translate.use("de")
        assert words.short_moment(result(test_time=at(2026, 3, 2, 12)), now) == "2 Mär"
        assert words.short_moment(result(test_time=at(2024, 5, 3, 12)), now) == "3 Mai 2024"
        assert words.moment(result(test_time=at(2024, 10, 3, 9, 5))) == "3 Okt 2024, 09:05"
    finally:
        translate.use("en")


def test_what_a_run_was_made_with() -> None:
    said = words.made_with(result(type_k="q8_0"), [result(type_k="q8_0")])
    assert said == "c, 2 cores · 2 threads · flash attention · type_k q8_0"
    rows = [result(n_threads=1), result(n_threads=2)]
    assert "threads" not in words.made_with(rows[0], rows), "the table has them"


def test_another_thread_count_for_prompts_is_said() -> None:
    rows = [result(n_threads=1, n_threads_batch=4), result(n_threads=1, n_threads_batch=4, n_prompt=0, n_gen=128)]
    assert words.made_with(rows[0], rows) == "c, 2 cores · 1/4 threads · flash attention"
    assert "threads" not in words.made_with(rows[0], [rows[0], result(n_threads=1)])
