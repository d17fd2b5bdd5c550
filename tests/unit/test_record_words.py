"""An answer's record says in words whether it can be repeated."""

from __future__ import annotations

from playground.workspace.record_words import made_words, repeat_words

MADE = {"build": "llama-cpp-python 1 | AVX2 = 1", "n_threads": 2, "n_ubatch": 512, "flash_attn": True}


def test_a_repeatable_answer_names_its_seed() -> None:
    words = repeat_words({"repeatable": True, "varies": [], "seed": 7, "sampling": {"temp": 0.8}})
    assert words.startswith("Repeatable with seed 7")


def test_a_greedy_answer_needs_no_seed() -> None:
    words = repeat_words({"repeatable": True, "varies": [], "seed": 7, "sampling": {"temp": 0}})
    assert "seed" not in words


def test_an_ordinary_answer_names_its_reasons() -> None:
    words = repeat_words({"repeatable": False, "varies": ["prefix", "batch"], "seed": 7})
    assert words == "May differ next time: the beginning was still in the cache, other conversations shared the engine."


def test_a_date_in_the_prompt_makes_another_request_of_it() -> None:
    words = repeat_words({"repeatable": True, "varies": ["date"], "seed": 7, "sampling": {"temp": 0.8}})
    assert words.startswith("Repeatable with seed 7: the same request")
    assert "date" in words
    assert "date" in repeat_words({"varies": ["date"]})


def test_a_quantised_cache_is_part_of_what_it_was_made_with() -> None:
    quantised = MADE | {"cache_type_k": "q8_0", "cache_type_v": "q4_0"}
    assert "KV cache q8_0 and q4_0" in made_words({"varies": [], "made_with": quantised})
    assert "KV cache" not in made_words(
        {"varies": [], "made_with": MADE | dict.fromkeys(("cache_type_k", "cache_type_v"), "f16")}
    )


def test_options_and_build_have_their_lines() -> None:
    lines = made_words({"varies": [], "seed": 1, "made_with": MADE}).splitlines()
    assert lines[1:] == ["2 threads, n_ubatch 512, flash attention on", "llama-cpp-python 1"]


def test_records_of_strangers_are_survived() -> None:
    assert "Likely" in made_words({"varies": "x", "made_with": [1]})
    assert made_words({}) == ""
    assert repeat_words({"varies": [3, "unknown"]}) == ""
