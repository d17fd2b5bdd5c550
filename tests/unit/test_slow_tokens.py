"""Why a token was slow: told where something was measured, and not where nothing was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from playground.workspace.series import MEMORY_DTYPE, TOKEN_DTYPE, Answer, Columns, Mark, Rows
from playground.workspace.slow_tokens import MOST, SlowTokens

MS = 1_000_000
GAUGE: Columns = [("t_ns", "i8"), ("value", "f8")]


def answer_of(n: int = 60) -> Answer:
    """Tokens of 20 ms each, all of it decoding."""
    answer = Answer()
    for index in range(n):
        row = dict.fromkeys((name for name, _ in TOKEN_DTYPE), 0)
        row |= {"t_ns": (index + 1) * 20 * MS, "decode_ns": 20 * MS, "gap_ns": 20 * MS, "n_past": index, "n_batch": 1}
        answer.tokens.append(tuple(row.values()))
    return answer


def slow(answer: Answer, index: int, ms: int = 100, **columns: int) -> None:
    """Let a token take longer; the others come as much later."""
    rows = answer.tokens.view
    more = ms * MS - int(rows["gap_ns"][index])
    rows["t_ns"][index:] += more
    rows["gap_ns"][index] = ms * MS
    rows["decode_ns"][index] = ms * MS - sum(columns.values())
    for name, ns in columns.items():
        rows[name][index] = ns


def samples_of(answer: Answer, **jumps: dict[int, int]) -> Rows:
    """A sample with every fourth token; ``jumps``: by column how much it grows at which sample."""
    memory = Rows(MEMORY_DTYPE)
    for place, t_ns in enumerate(answer.tokens.view["t_ns"][::4].tolist()):
        row: dict[str, Any] = dict.fromkeys((name for name, _ in MEMORY_DTYPE), 0)
        row["t_ns"] = t_ns + MS
        for name, steps in jumps.items():
            row[name] = sum(step for at, step in steps.items() if at <= place)
        memory.append(tuple(row.values()))
    return memory


def told(answer: Answer, memory: Rows | None = None, clock: Rows | None = None) -> dict[int, str]:
    return SlowTokens(answer).take(len(answer.tokens), 20.0, memory or Rows(MEMORY_DTYPE), clock)


def test_nothing_is_said_where_nothing_is_known() -> None:
    answer = answer_of()
    slow(answer, 30)
    assert told(answer, samples_of(answer)) == {}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"wait_ns": 70 * MS}, "waited 70.0 ms for other lanes"),
        ({"sample_ns": 60 * MS}, "sampling took 60.0 ms"),
    ],
)
def test_what_took_the_time_is_named(columns: dict[str, int], words: str) -> None:
    answer = answer_of()
    slow(answer, 30, **columns)
    assert told(answer) == {30: words}


def test_time_that_is_neither_is_text_and_commands() -> None:
    answer = answer_of()
    slow(answer, 30)
    answer.tokens.view["decode_ns"][30] = 20 * MS
    assert told(answer) == {30: "text and commands took 80.0 ms"}


def test_what_happened_meanwhile_is_named() -> None:
    answer = answer_of()
    slow(answer, 30)
    answer.marks.append(Mark(int(answer.tokens.view["t_ns"][30]) - MS, 29, "2 → 1 threads"))
    assert told(answer) == {30: "2 → 1 threads"}
    other = answer_of()
    slow(other, 30)
    other.tokens.view["n_batch"][30:] = 2
    other.tokens.view["n_past"][40:] -= 5
    slow(other, 40)
    assert told(other) == {30: "another lane joined", 40: "the context was shortened"}


@pytest.mark.parametrize(
    ("jumps", "words"),
    [
        ({"read_bytes": {8: 12_000_000}}, "12 MB were read from the disk"),
        ({"major_faults": {8: 40}}, "40 pages were read from the disk"),
        ({"swap": {8: 5_000_000}}, "memory was moved to swap"),
    ],
)
def test_what_memory_did_is_named(jumps: dict[str, dict[int, int]], words: str) -> None:
    answer = answer_of()
    slow(answer, 30)
    assert told(answer, samples_of(answer, **jumps)) == {30: words}


def test_a_drop_of_the_frequency_is_named() -> None:
    answer, clock = answer_of(), Rows(GAUGE)
    slow(answer, 30)
    middle = int(answer.tokens.view["t_ns"][30])
    for t_ns in range(0, int(answer.tokens.view["t_ns"][-1]), 50 * MS):
        clock.append((t_ns, 2.1 if abs(t_ns - middle) < 60 * MS else 3.4))
    assert told(answer, None, clock) == {30: "the processors ran at 2.1 instead of 3.4 GHz"}


def test_a_live_answer_is_explained_once_the_sample_has_come() -> None:
    answer = answer_of()
    slow(answer, 30)
    early, late = samples_of(answer), samples_of(answer, read_bytes={8: 3_000_000})
    early._n = 7
    known = SlowTokens(answer)
    assert known.take(32, 20.0, early) == {}
    found = known.take(40, 20.0, late)
    assert found == {30: "3 MB were read from the disk"}
    assert known.take(60, 20.0, late) is found
    assert known.take(60, 65.0, late) == {30: "3 MB were read from the disk"}
    assert known.take(60, 80.0, late) == {}


def test_of_very_many_the_slowest_are_explained_and_stay() -> None:
    answer = answer_of(1000)
    rows = answer.tokens.view
    rows["gap_ns"][100:400] = np.arange(100, 400) * MS
    rows["wait_ns"][100:400] = rows["gap_ns"][100:400] - 20 * MS
    known = SlowTokens(answer)
    found = known.take(1000, 20.0, Rows(MEMORY_DTYPE))
    assert sorted(found) == list(range(400 - MOST, 400))
    rows["gap_ns"][500] = 900 * MS
    assert known.take(1000, 20.0, Rows(MEMORY_DTYPE)).keys() == found.keys()
