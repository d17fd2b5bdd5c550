"""Thread counts as the app gives them out, and their changes in words and records."""

from __future__ import annotations

from typing import Any

import pytest

from playground.protocol.commands import SetThreads
from playground.protocol.events import ThreadsChanged
from playground.workspace.marks import keep_lane, keep_sampling, keep_threads, kept_marks, sampling_words, threads_words
from playground.workspace.threads import thread_orders


class Info:
    def __init__(self, n_cores: int, auto_threads: int) -> None:
        self.n_cores, self.auto_threads = n_cores, auto_threads


def orders(*options: dict[str, Any], governed: bool = True, cores: int = 8, auto: int = 8) -> list[SetThreads]:
    infos: list[Any] = [Info(cores, auto) for _ in options]
    return thread_orders(list(zip(infos, options, strict=True)), governed, 64)


def test_alone_an_engine_has_what_it_wants() -> None:
    assert orders({}) == [SetThreads(8)]
    assert orders({}, auto=6) == [SetThreads(6)]
    assert orders({"n_threads": 3}) == [SetThreads(3, governed=False)]
    assert orders({}, governed=False) == [SetThreads(8, governed=False)]
    assert thread_orders([(None, {})], True, 4) == [SetThreads(0)]


@pytest.mark.parametrize(("cores", "engines"), [(8, 2), (8, 3), (5, 2), (2, 2), (16, 4)])
def test_together_the_threads_never_exceed_the_cores(cores: int, engines: int) -> None:
    given = orders(*[{}] * engines, cores=cores, auto=cores)
    assert sum(order.n_threads for order in given) == cores
    assert all(order.shared and order.governed for order in given)


def test_what_one_does_not_want_another_gets() -> None:
    assert [order.n_threads for order in orders({"n_threads": 1}, {}, cores=6)] == [1, 5]


def test_more_engines_than_cores_have_one_each() -> None:
    assert [order.n_threads for order in orders({}, {}, {}, cores=2)] == [1, 1, 1]


def test_changes_in_words() -> None:
    assert threads_words(2, 1, "busy") == "2 → 1 threads: another program needs the cores"
    assert threads_words(1, 2, "quiet") == "1 → 2 threads: the cores are free again"
    assert threads_words(4, 2, "shared", "prompt") == "Prompt: 4 → 2 threads: another model writes too"
    assert threads_words(1, 2, "never heard of") == "1 → 2 threads"


def test_a_kept_answer_has_its_marks_again() -> None:
    record: dict[str, Any] = {"changes": [{"at_index": 4, "values": {"temp": 0.5}}]}
    mark = keep_threads(record, ThreadsChanged(70, 1, 2, "busy"), 2)
    assert (mark.t_ns, mark.index) == (70, 2)
    again = kept_marks(record, [10, 20, 30, 40, 50])
    assert [(m.index, m.t_ns, m.text) for m in again] == [(2, 30, mark.text), (4, 50, "temp 0.5")]


def test_a_kept_mark_stands_where_it_stood_in_time() -> None:
    record: dict[str, Any] = {}
    keep_threads(record, ThreadsChanged(1_400, 1, 2, "busy", "prompt"), 0, asked_ns=1_000)
    keep_sampling(record, {"temp": 0.5}, 1, 2_300, 1_000)
    keep_lane(record, "joined", "B", 1, 2_400, 1_000)
    keep_lane(record, "left", "", 2, 2_600, 1_000)
    again = kept_marks(record, [9_000, 9_900], asked_ns=8_000)
    assert [(m.index, m.t_ns) for m in again] == [(0, 8_400), (1, 9_300), (1, 9_400), (2, 9_600)]
    assert [m.text for m in again[2:]] == [
        "lane B joined: both answers are computed together",
        "another chat is done writing",
    ]


def test_a_strangers_record_is_read_with_care() -> None:
    for broken in (
        {"threads": 5},
        {"threads": [None, {}, {"at_index": "1"}, {"at_index": 99, "before": 2, "n_threads": 1}]},
        {"threads": [{"at_index": 0, "before": "2", "n_threads": 1}], "changes": [{"at_index": 0, "values": 3}]},
        {"changes": {"at_index": 0}},
        {"lanes": [{"at_index": 1, "what": "exploded", "letter": "B"}, {"at_index": -1, "what": "left"}]},
    ):
        assert kept_marks(broken, [1, 2, 3]) == []


def test_a_long_text_is_marked_in_part() -> None:
    words = sampling_words({"temp": 0.5, "grammar": 'root ::= "a"\n' * 20_000})
    assert words.startswith("temp 0.5, grammar root ::=")
    assert words.endswith("…")
    assert len(words) < 100
