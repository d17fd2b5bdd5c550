"""Parts of the engine that need no process."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from playground.engine.slots import common
from playground.engine.stages import checked, plan
from playground.engine.text import StopFilter
from playground.engine.thinking import FAMILIES, ThinkingFilter, partial_end
from playground.settings.field import SettingError
from playground.settings.sampling import DEFAULT_ORDER, ORDERABLE, neutral_values


def names(order: list[str] | None = None, **values: Any) -> list[str]:
    vocab = SimpleNamespace(size=100, eog={2}, suppressed=())
    return [stage.name for stage in plan(checked(values, order or []), order or [], 1, 512, cast(Any, vocab)).stages]


def test_the_default_chain_is_llama_cpps() -> None:
    assert names() == ["top_k", "top_p", "min_p", "temp_ext", "dist"]


def test_everything_on_keeps_the_default_order() -> None:
    values = {
        "penalty_repeat": 1.1, "dry_multiplier": 0.8, "top_n_sigma": 1.0, "typ_p": 0.9, "xtc_probability": 0.5,
        "logit_bias": ["5+1"],
    }  # fmt: skip
    assert names(**values) == [
        "logit_bias", "penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temp_ext", "dist",
    ]  # fmt: skip


def test_the_users_order_counts() -> None:
    assert names(["temperature", "top_k"]) == ["temp_ext", "top_k", "dist"]
    assert names(["adaptive_p", "top_k"], adaptive_target=0.5) == ["top_k", "adaptive_p"]
    assert names(["infill"], infill=True) == ["infill", "dist"]


def test_neutral_values_leave_only_the_draw() -> None:
    assert names(list(ORDERABLE), **neutral_values()) == ["dist"]


def test_mirostat_takes_the_place_of_the_chain() -> None:
    assert names(mirostat="2") == ["temp", "mirostat_2"]
    assert names(mirostat="1", ignore_eos=True) == ["logit_bias", "temp", "mirostat_1"]


def test_temperature_zero_is_greedy() -> None:
    assert names(temp=0.0) == ["greedy"]
    assert names(temp=0.0, penalty_repeat=1.2, xtc_probability=1.0) == ["penalties", "greedy"]
    assert names(temp=0.0, mirostat="2") == ["greedy"]
    assert names([name for name in DEFAULT_ORDER if name != "temperature"], temp=0.0)[-1] == "dist"


def test_the_whole_context_is_its_length() -> None:
    vocab = SimpleNamespace(size=100, eog=set(), suppressed=())
    made = plan(checked({"penalty_repeat": 1.2, "penalty_last_n": -1}, []), [], 1, 512, cast(Any, vocab))
    assert made.stages[0].arguments[0] == 512
    assert made.history == 512


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(SettingError):
        checked({"magic": 1}, [])
    with pytest.raises(SettingError):
        checked({"grammar": "a\0b"}, [])


@pytest.mark.parametrize(
    ("text", "marks", "length"),
    [("abc<th", ["<think>"], 3), ("abc", ["<think>"], 0), ("<think>", ["<think>"], 0), ("aab", ["abc", "b!"], 2)],
)
def test_the_end_that_a_mark_could_begin_with(text: str, marks: list[str], length: int) -> None:
    assert partial_end(text, marks) == length


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_stop_strings_whatever_the_pieces(size: int) -> None:
    text = "one two three stop four"
    found = StopFilter(["stop", "three stopped"])
    shown, hit = "", ""
    for at in range(0, len(text), size):
        part, hit = found.feed(text[at : at + size])
        shown += part
        if hit:
            break
    assert (shown, hit) == ("one two three ", "stop")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.opens)
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_marks_of_every_family_whatever_the_pieces(family: Any, size: int) -> None:
    text = f"{family.opens}\nso\n{family.closes}\n\nyes <b> no"
    cut = ThinkingFilter((family,))
    segments = [segment for at in range(0, len(text), size) for segment in cut.feed(text[at : at + size])] + cut.end()
    thought = "".join(segment.text for segment in segments if segment.phase == "thinking")
    assert thought == "so\n"
    assert "".join(segment.text for segment in segments if segment.phase == "answer") == "yes <b> no"


def test_the_common_beginning() -> None:
    assert common([], [1]) == 0
    assert common([1, 2, 3], [1, 2, 3]) == 3
    assert common([1, 2, 3], [1, 2, 4]) == 2
    long = list(range(1000))
    assert common(long, [*long[:777], -1, *long[778:]]) == 777
