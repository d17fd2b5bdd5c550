"""Every sampler runs, the simple ones do what they say, and a tweak acts from the token it names."""

from __future__ import annotations

from typing import Any

import pytest

from engine.driver import Answer, Engine
from playground.protocol.commands import Sampling, Stop, Tweak
from playground.protocol.events import Finished, Refused, SamplingChanged, Started, Token
from playground.settings.sampling import CHAIN, DEFAULT_ORDER, ORDERABLE

N = 24
FREE: dict[str, Any] = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temp": 1.0}
"""Nothing is cut, nothing bent."""

ON: dict[str, dict[str, Any]] = {
    "penalties": {"penalty_repeat": 1.3, "penalty_present": 0.5, "penalty_freq": 0.5},
    "dry": {"dry_multiplier": 0.8, "dry_penalty_last_n": -1},
    "top_n_sigma": {"top_n_sigma": 1.0},
    "top_k": {"top_k": 5},
    "typ_p": {"typ_p": 0.5},
    "top_p": {"top_p": 0.5},
    "min_p": {"min_p": 0.2},
    "xtc": {"xtc_probability": 1.0, "xtc_threshold": 0.05},
    "temperature": {"temp": 1.7, "dynatemp_range": 0.5, "dynatemp_exponent": 1.5},
    "infill": {"infill": True, "samplers": [*DEFAULT_ORDER, "infill"]},
    "adaptive_p": {"adaptive_target": 0.4, "samplers": [*DEFAULT_ORDER, "adaptive_p"]},
    "mirostat": {"mirostat": "2"},
}


def greedy(engine: Engine, **more: Any) -> Answer:
    return engine.answer("go", temp=0.0, max_tokens=N, ignore_eos=True, **more)


@pytest.mark.parametrize("stage", [stage.name for stage in CHAIN])
def test_every_sampler_runs_and_repeats_with_its_seed(gibberish: Engine, stage: str) -> None:
    for mirostat in ("1", "2") if stage == "mirostat" else ("off",):
        settings = FREE | ON[stage] | {"seed": 11, "max_tokens": N, "ignore_eos": True}
        settings |= {"mirostat": mirostat} if stage == "mirostat" else {}
        one, two = (gibberish.answer("go", **settings) for _ in range(2))
        assert one.end.n_drawn == N, one.end.message
        assert one.ids == two.ids
        assert gibberish.answer("go", **(settings | {"seed": 12})).ids != one.ids


def test_all_samplers_together(gibberish: Engine) -> None:
    settings = {name: value for on in ON.values() for name, value in on.items()} | {"mirostat": "off"}
    answer = gibberish.answer("go", **(settings | {"samplers": list(ORDERABLE), "max_tokens": N, "seed": 1}))
    assert answer.end.n_drawn > 0
    assert answer.end.reason in ("max_tokens", "end")


def test_one_candidate_is_the_best_one(gibberish: Engine) -> None:
    best = greedy(gibberish).ids
    for one in ({"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}, {"top_n_sigma": 0.0001}):
        drawn = gibberish.answer("go", **(FREE | one), max_tokens=N, ignore_eos=True)
        assert drawn.ids == best, one


def test_temperature_zero_ignores_the_seed(gibberish: Engine) -> None:
    assert greedy(gibberish, seed=1).ids == greedy(gibberish, seed=2).ids


def test_a_random_seed_is_told_and_repeats(gibberish: Engine) -> None:
    first = gibberish.answer("go", **FREE, max_tokens=N)
    seed = first.of(Started)[0].seed
    assert gibberish.answer("go", **FREE, max_tokens=N, seed=seed).ids == first.ids


def test_a_forbidden_token_is_never_drawn(gibberish: Engine) -> None:
    best = greedy(gibberish).ids
    other = greedy(gibberish, logit_bias=[f"{best[0]}-inf"]).ids
    assert best[0] not in other
    wanted = greedy(gibberish, logit_bias=["100+1000"]).ids
    assert set(wanted) == {100}


def test_a_penalty_pushes_repeated_tokens_down(gibberish: Engine) -> None:
    repeated = greedy(gibberish, logit_bias=["100+1000"], penalty_present=2.0).ids
    assert set(repeated) == {100}
    free = gibberish.answer("go", temp=0.0, max_tokens=N, ignore_eos=True, penalty_repeat=10.0, penalty_last_n=-1)
    assert len(set(free.ids)) == N


def test_ignoring_the_end(gibberish: Engine) -> None:
    answer = gibberish.answer("go", temp=0.0, max_tokens=100, ignore_eos=True, logit_bias=["2+1000"])
    assert (answer.end.reason, answer.end.n_drawn) == ("max_tokens", 100)


def test_max_tokens_and_stop_may_come_with_the_sampling(gibberish: Engine) -> None:
    job = gibberish.job()
    best = greedy(gibberish)
    from playground.protocol.commands import Generate, Message

    gibberish.send(
        Generate(job, "A", [Message("user", "go")], Sampling({"temp": 0.0, "max_tokens": 3, "ignore_eos": True}))
    )
    assert gibberish.finished(job).n_drawn == 3
    assert Answer(gibberish, job).ids == best.ids[:3]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"temp": -1.0}, "Temperature"),
        ({"top_p": 2.0}, "Top-p"),
        ({"nonsense": 1}, "nonsense"),
        ({"logit_bias": ["99999999+1"]}, "vocabulary"),
        ({"logit_bias": ["five"]}, "five"),
        ({"samplers": ["top_k", "top_k"]}, "once"),
        ({"samplers": ["magic"]}, "magic"),
        ({"grammar": "root ::= ((("}, "grammar"),
        ({"grammar": "root ::= nothing"}, "grammar"),
        ({"grammar": 'notroot ::= "a"'}, "grammar"),
        ({"grammar": "root ::= " + "(" * 5000}, "nests"),
        ({"grammar": 'root ::= "a"{1000000}'}, "grammar"),
        ({"grammar": "root ::= root"}, "grammar"),
    ],
)
def test_refused_settings_are_a_sentence(gibberish: Engine, values: dict[str, Any], word: str) -> None:
    answer = gibberish.answer("go", **values)
    assert answer.end.reason == "failed"
    assert word.lower() in answer.end.message.lower()
    assert answer.end.message.endswith(".")
    assert greedy(gibberish).end.n_drawn == N


def test_a_grammar_is_followed(gibberish: Engine) -> None:
    grammar = 'root ::= ("yes" | "no") " " [0-9]{3}'
    answer = gibberish.answer("go", **FREE, grammar=grammar, max_tokens=40, seed=5)
    assert answer.end.reason == "end"
    word, number = answer.text.split(" ")
    assert word in ("yes", "no")
    assert len(number) == 3
    assert number.isdigit()
    again = gibberish.answer("go", temp=0.0, grammar=grammar, max_tokens=40)
    assert again.end.reason == "end"


def test_a_grammar_that_can_not_go_on_says_so(gibberish: Engine) -> None:
    answer = gibberish.answer("go", temp=0.0, grammar='root ::= "a"', ignore_eos=True, max_tokens=9)
    assert (answer.text, answer.end.reason) == ("a", "failed")
    assert "grammar" in answer.end.message


def tweaked(engine: Engine, before: dict[str, Any], after: dict[str, Any], at: int) -> tuple[Answer, int]:
    """An answer whose sampling is changed after about ``at`` tokens; where it really changed."""
    job = engine.start("go", **before, ignore_eos=True, max_tokens=1900)
    engine.until(lambda event: isinstance(event, Token) and event.job == job and event.index >= at)
    engine.send(Tweak(job, Sampling(after | {"ignore_eos": True, "max_tokens": 1900})))
    changed = engine.until_type(SamplingChanged)
    engine.until(lambda event: isinstance(event, Token) and event.job == job and event.index >= changed.at_index + 20)
    engine.send(Stop(job))
    engine.finished(job)
    return Answer(engine, job), changed.at_index


def test_a_tweak_acts_from_the_token_it_names(slow_gibberish: Engine) -> None:
    # Only one token is left to the new settings, so where they begin can be read off the answer.
    answer, at = tweaked(slow_gibberish, {"temp": 0.0}, {"temp": 0.0, "logit_bias": ["100+1000"]}, 5)
    plain = slow_gibberish.answer("go", temp=0.0, ignore_eos=True, max_tokens=at)
    assert answer.ids[:at] == plain.ids
    assert at < len(answer.ids)
    assert set(answer.ids[at:]) == {100}


def test_a_tweak_keeps_the_random_numbers_going(slow_gibberish: Engine) -> None:
    settings = FREE | {"seed": 9}
    answer, _ = tweaked(slow_gibberish, settings, settings | {"penalty_last_n": 32}, 5)
    assert answer.ids == slow_gibberish.answer("go", **settings, ignore_eos=True, max_tokens=len(answer.ids)).ids


def test_a_tweak_knows_the_history(slow_gibberish: Engine) -> None:
    before = {"temp": 0.0, "logit_bias": ["100+1000"]}
    answer, at = tweaked(slow_gibberish, before, {"temp": 0.0, "penalty_repeat": 10.0, "penalty_last_n": -1}, 5)
    assert set(answer.ids[:at]) == {100}
    assert answer.ids[at] != 100


def test_a_refused_tweak_changes_nothing(slow_gibberish: Engine) -> None:
    job = slow_gibberish.start("go", temp=0.0, ignore_eos=True, max_tokens=1900)
    slow_gibberish.until_type(Token)
    slow_gibberish.send(Tweak(job, Sampling({"temp": -3.0})))
    refused = slow_gibberish.until_type(Refused)
    at = len(slow_gibberish.of(job, Token))
    slow_gibberish.until(lambda event: isinstance(event, Token) and event.index >= at + 20)
    slow_gibberish.send(Stop(job))
    slow_gibberish.finished(job)
    assert "Temperature" in refused.message
    ids = Answer(slow_gibberish, job).ids
    assert ids == slow_gibberish.answer("go", temp=0.0, ignore_eos=True, max_tokens=len(ids)).ids


def test_a_tweak_of_an_ended_answer_is_refused(gibberish: Engine) -> None:
    answer = greedy(gibberish)
    gibberish.send(Tweak(answer.job, Sampling({"temp": 1.0})))
    assert "ended" in gibberish.until_type(Refused).message


def test_a_grammar_given_in_the_middle_must_fit_what_is_written(slow_gibberish: Engine) -> None:
    job = slow_gibberish.start("go", temp=0.0, ignore_eos=True, max_tokens=1900, logit_bias=["100+1000"])
    slow_gibberish.until_type(Token)
    slow_gibberish.send(Tweak(job, Sampling({"temp": 0.0, "grammar": 'root ::= "never this"'})))
    assert "grammar" in slow_gibberish.until_type(Refused).message
    slow_gibberish.send(Stop(job))
    assert isinstance(slow_gibberish.finished(job), Finished)
