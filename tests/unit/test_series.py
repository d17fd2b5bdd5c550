from __future__ import annotations

import io

import numpy as np
import pytest

from playground.protocol.events import Memory, Token
from playground.ui.plots.tracks import KEPT_ROWS
from playground.workspace.packed import pack, unpack
from playground.workspace.series import (
    MEMORY_KEPT,
    MEMORY_LEAST,
    MEMORY_MOST,
    TOKEN_DTYPE,
    Answer,
    MemorySeries,
    Rows,
    rolling_tok_s,
)


def token(index: int, t_ms: float, text: str = "ab") -> Token:
    return Token(1, index, index, text, int(t_ms * 1e6), 5_000_000, 1_000_000, 10 + index)


def test_an_answer_keeps_gaps_characters_and_rates() -> None:
    answer = Answer()
    answer.asked_ns = 0
    for index in range(5):
        answer.add(token(index, 100 + 10 * index))
    rows = answer.tokens.view
    assert rows["chars"].tolist() == [2, 4, 6, 8, 10]
    assert rows["gap_ns"].tolist() == [6_000_000] + [10_000_000] * 4
    assert answer.ttft_ns == 100_000_000
    assert answer.tok_s() == pytest.approx(100)


def test_rows_grow_and_come_back_from_bytes() -> None:
    answer, again = Answer(), Answer()
    for index in range(3000):
        answer.add(token(index, index))
    again.tokens.load(answer.tokens.to_bytes())
    assert np.array_equal(again.tokens.view, answer.tokens.view)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"\x80\x04K\x01."])
def test_a_damaged_series_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="kept series"):
        Answer().tokens.load(data)


def test_rolling_rate_looks_back_a_window() -> None:
    times = np.array([0, 10, 20, 30, 130], "i8") * 1_000_000
    rates = rolling_tok_s(times, window=2)
    assert np.isnan(rates[0])
    assert rates[1:].tolist() == pytest.approx([100, 100, 100, 2 / 0.11])


def sample(t_ms: int, rss: int) -> Memory:
    return Memory(t_ms * 1_000_000, rss, 10, 20, 0, 0, 5, 100, 200)


def test_memory_of_the_answers_time_is_kept_with_it_and_no_peak_is_lost() -> None:
    answer, again, engine = Answer(), Answer(), MemorySeries()
    answer.asked_ns, answer.finished_ns = 1_000_000_000, 9_000_000_000
    answer.add(token(0, 1100))
    for t_ms in range(0, 10_000, 2):
        engine.add(sample(t_ms, 7000 if t_ms == 4444 else 9000 if t_ms == 500 else 50))
    answer.take_memory(engine.rows)
    again.load(answer.to_bytes())
    kept = again.memory.view
    assert len(kept) == MEMORY_KEPT
    assert kept["t_ns"][0] >= answer.asked_ns
    assert kept["t_ns"][-1] <= answer.finished_ns
    assert kept["rss"].max() == 7000
    assert len(again.tokens) == 1


def test_a_series_of_an_older_version_has_no_memory() -> None:
    answer, again = Answer(), Answer()
    answer.add(token(0, 100))
    again.load(answer.tokens.to_bytes())
    assert len(again.tokens) == 1
    assert not len(again.memory)


def test_a_series_of_an_older_version_has_zeros_where_a_column_came_later() -> None:
    old = np.zeros(3, TOKEN_DTYPE[:-1])
    old["gap_ns"] = [5, 6, 7]
    out = io.BytesIO()
    np.savez_compressed(out, rows=old)
    rows = Rows(TOKEN_DTYPE)
    rows.load(out.getvalue())
    assert rows.view["gap_ns"].tolist() == [5, 6, 7]
    assert rows.view[TOKEN_DTYPE[-1][0]].tolist() == [0, 0, 0]
    out = io.BytesIO()
    np.savez_compressed(out, rows=np.zeros(3, TOKEN_DTYPE[1:]))
    with pytest.raises(ValueError, match="another shape"):
        rows.load(out.getvalue())


def test_every_value_comes_back_whatever_it_is() -> None:
    random = np.random.default_rng(1)
    rows = np.zeros(2000, TOKEN_DTYPE)
    for name, kind in TOKEN_DTYPE:
        limits = np.iinfo(kind)
        rows[name] = random.integers(limits.min, limits.max, 2000, dtype=kind, endpoint=True)
        rows[name][:2] = limits.min, limits.max
    back = unpack(pack(rows=rows), "rows", TOKEN_DTYPE)
    assert np.array_equal(back, rows)


def test_a_token_takes_few_bytes() -> None:
    random, answer = np.random.default_rng(1), Answer()
    t_ns = 10**12
    for index in range(2000):
        gap = int(random.normal(15e6, 1e6))
        sampling = int(random.normal(2e5, 2e4))
        t_ns += gap
        decode = gap - sampling - int(random.normal(5e4, 5e3))
        answer.add(Token(1, index, int(random.zipf(1.2)) % 49_000, "word", t_ns, decode, sampling, 40 + index))
    assert len(answer.to_bytes()) < 12 * 2000


@pytest.mark.parametrize("what", ["names", "planes", "shape", "twice", "strange", "floats"])
def test_a_series_of_another_make_is_refused(what: str) -> None:
    names, planes = ["t_ns", "id"], np.zeros((2, 8, 5), np.uint8)
    if what == "names":
        names = ["t_ns"]
    elif what == "planes":
        planes = np.zeros((2, 40), np.uint8)
    elif what == "shape":
        planes = np.zeros((2, 4, 10), np.uint8)
    elif what == "twice":
        names = ["t_ns", "t_ns"]
    elif what == "strange":
        names = ["t_ns", "price"]
    else:
        planes = planes.astype(np.float64)
    out = io.BytesIO()
    np.savez_compressed(out, rows_names=np.array(names), rows_planes=planes)
    with pytest.raises(ValueError, match="kept series"):
        Answer().load(out.getvalue())


def test_an_engine_that_wrote_for_long_remembers_the_last_half_hour() -> None:
    assert MEMORY_LEAST > KEPT_ROWS, "the plot draws no more"
    engine = MemorySeries()
    for second in range(MEMORY_MOST + 10):
        engine.add(sample(second, second))
    rows = engine.rows.view
    assert len(rows) == MEMORY_LEAST + 10
    assert np.all(np.diff(rows["rss"]) == 1)
    assert rows["rss"][-1] == MEMORY_MOST + 9
