from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

import pytest

from playground.settings import load, sampling
from playground.settings.field import Field, SettingError, Table

TABLES = (sampling.FIELDS, load.FIELDS)
ROWS = [row for table in TABLES for row in table.fields]
NUMBERS = [row for row in ROWS if row.kind in ("int", "float")]


def ids(row: Field) -> str:
    return row.name


def test_names_and_flags_are_unique_over_all_tables() -> None:
    names = Counter(row.name for row in ROWS)
    flags = Counter(flag for row in ROWS for flag in row.flags)
    assert [name for name, count in (names + flags).items() if count > 1] == []
    assert all(re.fullmatch(r"--?[a-z][a-z0-9-]*", flag) for flag in flags)


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_every_row_is_complete(row: Field) -> None:
    assert row.label
    assert row.help.endswith(".")
    assert row.source
    assert row.flags


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_default_passes_its_own_check_and_keeps_its_type(row: Field) -> None:
    checked = row.check(row.default)
    assert checked == row.default
    assert type(checked) is type(row.default)


@pytest.mark.parametrize("row", [row for row in ROWS if row.off is not None], ids=ids)
def test_the_off_value_is_accepted_and_shown_as_off(row: Field) -> None:
    assert row.is_off(row.check(row.off))
    assert row.show(row.off) in ("off", *row.special.values())
    assert row.parse("off") == row.off


@pytest.mark.parametrize("row", [row for row in ROWS if row.special], ids=ids)
def test_special_values_have_words_both_ways(row: Field) -> None:
    for value, word in row.special.items():
        assert row.check(value) == value
        assert row.show(value) == word
        assert row.parse(word) == value
        assert row.parse(str(value)) == value


def samples(row: Field) -> list[Any]:
    if row.kind == "bool":
        return [True, False]
    if row.kind == "choice":
        return list(row.choices)
    if row.kind in ("int", "float"):
        low, high = row.slider or (row.low or 0, row.high or 1)
        steps = [low, high, low + row.step, low + round((high - low) / row.step / 3) * row.step]
        return [row.check(round(value, row.decimals)) for value in steps if in_range(row, value)]
    return [row.default]


def in_range(row: Field, value: float) -> bool:
    return (row.low is None or value >= row.low) and (row.high is None or value <= row.high)


@pytest.mark.parametrize("row", [row for row in ROWS if row.kind not in ("list", "text")], ids=ids)
def test_what_is_shown_can_be_typed_again(row: Field) -> None:
    for value in samples(row):
        typed = row.show(value).replace(",", "") if row.kind == "int" else row.show(value)
        assert row.parse(typed) == value, row.show(value)


@pytest.mark.parametrize("row", NUMBERS, ids=ids)
def test_the_slider_lies_in_the_accepted_range(row: Field) -> None:
    if row.slider is not None:
        low, high = row.slider
        assert low < high
        assert all(in_range(row, end) or row.is_off(end) for end in row.slider)
    assert row.step > 0
    assert math.isclose(round(row.step, row.decimals), row.step)


@pytest.mark.parametrize("row", NUMBERS, ids=ids)
def test_a_number_outside_its_range_is_refused_in_a_sentence(row: Field) -> None:
    outside = [bound for bound in (row.low and row.low - 1000, row.high and row.high + 1000) if bound]
    for value in (*outside, math.nan, math.inf, "x", None, True):
        if not isinstance(value, (int, float)) or not row.is_off(value):
            with pytest.raises(SettingError) as caught:
                row.check(value)
            assert str(caught.value).startswith(row.label)
            assert str(caught.value).endswith(".")


def test_whole_numbers_stay_whole() -> None:
    row = sampling.FIELDS["top_k"]
    assert row.parse("40") == 40
    assert type(row.check(40.0)) is int
    with pytest.raises(SettingError):
        row.check(40.5)
    with pytest.raises(SettingError):
        row.parse("4O")


@pytest.mark.parametrize(("step", "decimals"), [(1, 0), (0.1, 1), (0.05, 2), (0.01, 2), (0.001, 3), (5, 0)])
def test_decimals_follow_the_step(step: float, decimals: int) -> None:
    assert Field("x", "X", "float", 0.0, "", "", step=step).decimals == decimals


def test_ranges_in_words() -> None:
    def words(**bounds: Any) -> str:
        return Field("x", "X", "float", 0.0, "", "", **bounds).range_text()

    assert words(low=0, high=1048576) == "from 0 to 1,048,576"
    assert (words(low=0.01), words(high=2), words()) == ("at least 0.01", "at most 2", "any number")


def test_choices_booleans_texts_and_lists() -> None:
    flash = load.FIELDS["flash_attn"]
    with pytest.raises(SettingError, match="one of auto, on, off"):
        flash.check("maybe")
    mmap = load.FIELDS["use_mmap"]
    assert (mmap.parse("off"), mmap.parse(" YES ")) == (False, True)
    with pytest.raises(SettingError):
        mmap.check(1)
    stop = sampling.FIELDS["stop"]
    assert stop.parse(" a \nb") == [" a ", "b"]
    with pytest.raises(SettingError, match="at most 200 characters"):
        stop.check(["x" * 201])
    with pytest.raises(SettingError):
        stop.check("text")
    with pytest.raises(SettingError):
        sampling.FIELDS["grammar"].check("x" * 200_001)


def test_a_table_completes_and_refuses() -> None:
    values = sampling.FIELDS.complete({"temp": 0})
    assert values["temp"] == 0.0
    assert values["top_k"] == 40
    with pytest.raises(SettingError, match="no sampling setting called “tmp”"):
        sampling.FIELDS.check({"tmp": 1})


def test_defaults_are_copies() -> None:
    table: Table = sampling.FIELDS
    table.defaults()["stop"].append("x")
    assert table.defaults()["stop"] == []


def test_the_chains_order() -> None:
    assert sampling.check_order([]) == list(sampling.DEFAULT_ORDER)
    assert sampling.check_order(["temperature", "top_k"]) == ["temperature", "top_k"]
    for bad in (["top_k", "top_k"], ["mirostat"], ["nonsense"]):
        with pytest.raises(SettingError):
            sampling.check_order(bad)


def test_neutral_values_put_no_stage_in_force() -> None:
    neutral = sampling.neutral_values()
    assert sampling.FIELDS.check(neutral) == neutral
    assert sampling.stages_in_force(neutral, []) == []
    assert not any(stage.is_on(neutral) for stage in sampling.CHAIN)


def test_mirostat_leaves_only_temperature() -> None:
    assert sampling.stages_in_force({"mirostat": "2"}, []) == ["temperature", "mirostat"]
    assert "top_k" in sampling.stages_in_force({}, [])
