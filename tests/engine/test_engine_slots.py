"""What is kept of a conversation, what lanes share, and what Stop leaves alone."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from gguf_factory import mamba_model

from engine.driver import Answer, Engine
from playground.protocol.commands import Message, Stop
from playground.protocol.events import Memory, PromptProgress, Refused, Reused, Started, Token

GREEDY = {"temp": 0.0, "max_tokens": 12}
LONG = "Please read this. " + " ".join(f"Line {i} is about {i * 13 % 89}." for i in range(230))


def reused(answer: Answer) -> int:
    return answer.of(Started)[0].n_reused


def test_the_next_turn_reads_only_what_is_new(gibberish: Engine) -> None:
    first = gibberish.answer("a first question, of some length", **GREEDY)
    second = gibberish.answer(
        [Message("user", "a first question, of some length"), Message("assistant", "x"), Message("user", "more")],
        **GREEDY,
    )
    assert reused(first) == 0
    assert reused(second) == first.end.n_prompt
    fresh = gibberish.answer(
        [Message("user", "a first question, of some length"), Message("assistant", "x"), Message("user", "more")],
        "B",
        **GREEDY,
    )
    assert fresh.ids == second.ids


def test_an_edited_turn_is_cut_where_it_differs(gibberish: Engine) -> None:
    gibberish.answer("tell me about the sea and its fish", **GREEDY)
    answer = gibberish.answer("tell me about the mountains and their goats", **GREEDY)
    assert 0 < reused(answer) < answer.end.n_prompt
    for slot in "BCD":
        gibberish.answer("~" * 300, slot, use_template=False, **GREEDY)


def test_the_same_question_again_gives_the_same_answer(gibberish: Engine) -> None:
    first = gibberish.answer("the same question", **GREEDY)
    again = gibberish.answer("the same question", **GREEDY)
    assert again.ids == first.ids
    assert first.end.n_prompt - 8 <= reused(again) < first.end.n_prompt


def test_another_lane_takes_over_what_one_has_read(gibberish: Engine) -> None:
    first = gibberish.answer("a question that two lanes ask one after the other", "A", **GREEDY)
    second = gibberish.answer("a question that two lanes ask one after the other", "B", **GREEDY)
    assert reused(second) == first.end.n_prompt - 8
    assert second.ids == first.ids


def test_two_lanes_compute_one_prompt_once(starter: Engine) -> None:
    prompt = "Explain what a lighthouse is for."
    with starter.at_once():
        jobs = [starter.start(prompt, slot, **GREEDY, ignore_eos=True) for slot in "AB"]
    for job in jobs:
        starter.finished(job)
    one, two = (Answer(starter, job) for job in jobs)
    assert one.ids == two.ids
    assert one.text == two.text
    assert reused(two) == two.end.n_prompt
    assert two.tokens[0].decode_ns == one.tokens[0].decode_ns
    assert all(token.n_batch == 2 for token in one.tokens[1:] + two.tokens[1:])


def test_lanes_with_the_same_prompt_part_where_their_sampling_does(gibberish: Engine) -> None:
    calm = gibberish.start("go", "A", temp=0.0, max_tokens=20)
    wild = gibberish.start("go", "B", temp=5.0, top_k=0, top_p=1.0, min_p=0.0, seed=4, max_tokens=20)
    for job in (calm, wild):
        gibberish.finished(job)
    together = Answer(gibberish, calm).ids
    assert together != Answer(gibberish, wild).ids
    assert together == gibberish.answer("go", "C", temp=0.0, max_tokens=20).ids


def test_a_common_beginning_is_read_once(gibberish: Engine) -> None:
    beginning = "the same long beginning of two questions that end differently, " * 6
    jobs = [gibberish.start(beginning + end, slot, **GREEDY) for slot, end in (("A", "one"), ("B", "another"))]
    for job in jobs:
        gibberish.finished(job)
    one, two = (Answer(gibberish, job) for job in jobs)
    assert reused(one) == 0
    assert reused(two) > 300
    assert two.of(PromptProgress)[-1].done == two.end.n_prompt
    assert gibberish.answer(beginning + "another", "C", **GREEDY).ids == two.ids


def test_more_lanes_than_slots_wait_for_their_turn(gibberish: Engine) -> None:
    jobs = [gibberish.start(f"question {slot}", slot, **GREEDY) for slot in "ABCDEF"]
    for job in jobs:
        assert gibberish.finished(job).reason in ("max_tokens", "end")


def test_two_answers_in_one_lane_follow_each_other(gibberish: Engine) -> None:
    jobs = [gibberish.start(text, "A", **GREEDY) for text in ("one", "two")]
    ends = [gibberish.finished(job) for job in jobs]
    assert ends[0].t_ns < ends[1].t_ns
    assert all(end.n_drawn for end in ends)


def test_a_recurrent_model_continues_or_reads_anew(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "mamba.gguf"
    mamba_model(path)
    info = engine.load(path, n_threads=1).info
    assert info.recurrent
    calm = {"temp": 0.0, "max_tokens": 6, "ignore_eos": True}
    first = engine.answer("hi there", **calm)
    again = engine.answer("hi there", **calm)
    assert again.ids == first.ids
    assert reused(again) == 0
    jobs = [engine.start("both", slot, **calm) for slot in "CD"]
    ends = [engine.finished(job) for job in jobs]
    assert Answer(engine, jobs[0]).ids == Answer(engine, jobs[1]).ids
    assert ends[1].n_drawn == 6


def test_stop_while_writing(starter: Engine) -> None:
    job = starter.start("Tell me a long story about a dragon.", "A", temp=0.0, ignore_eos=True, max_tokens=3000)
    starter.until(lambda event: isinstance(event, Token) and event.job == job and event.index == 3)
    starter.send(Stop(job))
    end = starter.finished(job)
    assert end.reason == "stopped"
    tokens = starter.of(job, Token)
    assert end.n_drawn == len(tokens) < 3000


def test_stop_in_the_middle_of_a_long_prompt(starter: Engine) -> None:
    job = starter.start(LONG, "C", max_tokens=5)
    starter.until(lambda event: isinstance(event, PromptProgress) and event.job == job and event.done > 30)
    starter.send(Stop(job))
    end = starter.finished(job)
    assert (end.reason, end.n_drawn) == ("stopped", 0)
    assert end.n_prompt > 2000
    assert starter.of(job, PromptProgress)[-1].done < end.n_prompt
    again = starter.answer("What is 7 + 5?", "C", **GREEDY)
    assert again.end.n_drawn > 0


def test_stopping_prompts_leaves_the_writers_alone(gibberish: Engine) -> None:
    # Random weights have no two logits that nearly tie, so only a damaged cache could change this text.
    calm = {"temp": 0.0, "max_tokens": 500, "ignore_eos": True}
    alone = gibberish.answer("the writer", "A", **calm)
    writer = gibberish.start("the writer", "A", **calm)
    gibberish.until(lambda event: isinstance(event, Token) and event.job == writer)
    stopped = 0
    for turn in range(8):
        text = f"{turn} " + "abcdefghij" * 120
        if turn % 2:
            reader = gibberish.start(text, "C", max_tokens=1)
            gibberish.until_type(PromptProgress)
            gibberish.send(Stop(reader))
        else:  # stopped before it has read anything
            with gibberish.at_once():
                reader = gibberish.start(text, "B", max_tokens=1)
                gibberish.send(Stop(reader))
        stopped += gibberish.finished(reader).reason == "stopped"
    gibberish.finished(writer)
    assert stopped
    assert Answer(gibberish, writer).ids == alone.ids


def test_a_writer_keeps_writing_while_a_prompt_is_read(starter: Engine) -> None:
    writer = starter.start("Tell me a long story about a dragon.", "A", temp=0.0, ignore_eos=True, max_tokens=2000)
    starter.until(lambda event: isinstance(event, Token) and event.job == writer)
    reader = starter.start(LONG[:700], "B", max_tokens=1)
    starter.finished(reader)
    starter.send(Stop(writer))
    assert starter.finished(writer).reason == "stopped"
    first, last = starter.of(reader, PromptProgress)[0].t_ns, starter.of(reader, PromptProgress)[-1].t_ns
    between = [token for token in starter.of(writer, Token) if first < token.t_ns < last]
    assert len(between) >= 2


def test_followers_read_on_when_their_leader_is_stopped(starter: Engine) -> None:
    text = LONG[:1000]
    with starter.at_once():
        leader = starter.start(text, "A", max_tokens=1500, ignore_eos=True)  # so that it never ends before the Stop
        follower = starter.start(text, "B", max_tokens=2)
    starter.until(lambda event: isinstance(event, PromptProgress) and event.job == leader and event.done > 30)
    starter.send(Stop(leader))
    assert starter.finished(leader).reason == "stopped"
    end = starter.finished(follower)
    assert end.reason == "max_tokens"
    assert starter.of(follower, PromptProgress)[-1].done == end.n_prompt
    assert starter.of(follower, Started)[0].n_reused == end.n_prompt
    if not starter.of(leader, Token):  # stopped in its prompt, as it should be: less is there than was told
        assert starter.of(follower, Reused)[-1].n_reused < end.n_prompt


def test_stop_of_an_unknown_answer_does_nothing(gibberish: Engine) -> None:
    gibberish.send(Stop(12345))
    assert gibberish.answer("hi", **GREEDY).end.n_drawn > 0
    assert not [event for event in gibberish.events if isinstance(event, Refused)]


def test_memory_is_told_while_working_and_once_after(gibberish: Engine) -> None:
    first = gibberish.until_type(Memory)
    answer = gibberish.answer("hi", **GREEDY)
    last = gibberish.until_type(Memory)
    assert first.kv_used == 0
    assert last.kv_used == answer.end.n_past - 1
    assert last.t_ns >= answer.end.t_ns
    assert last.rss >= last.anon > 0
    assert last.total > last.available > 0


def test_a_number_used_twice_is_refused(gibberish: Engine) -> None:
    with gibberish.at_once():
        job = gibberish.start("hi", temp=0.0, ignore_eos=True, max_tokens=200)
        gibberish._jobs -= 1
        gibberish.start("hi", "B")
    end = gibberish.finished(job)
    assert "twice" in end.message or "same number" in end.message


pytestmark = pytest.mark.timeout(400)


def test_what_a_token_waited_for_other_lanes_is_told(starter: Engine) -> None:
    calm = {"temp": 0.0, "ignore_eos": True}
    alone = starter.answer("Tell me of the sea.", "A", **calm, max_tokens=8)
    assert [token.wait_ns for token in alone.tokens] == [0] * 8
    first = starter.start("Tell me of the mountains.", "A", **calm, max_tokens=-1)
    starter.until(lambda event: isinstance(event, Token) and event.job == first and event.index == 3)
    second = starter.start(f"Another one: {LONG[:500]}", "B", **calm, max_tokens=8)
    starter.finished(second)
    starter.send(Stop(first))
    starter.finished(first)
    one, two = starter.of(first, Token), starter.of(second, Token)
    began, ended = starter.of(second, Started)[0].t_ns, two[0].t_ns
    while_read = [token for token in one if began < token.t_ns <= ended]
    assert any(token.wait_ns > token.sample_ns for token in while_read)
    both = [token for token in one if two[1].t_ns < token.t_ns < two[-1].t_ns]
    assert both
    assert all(token.wait_ns > 0 and token.n_batch == 2 for token in both)
    for before, token in pairwise(one):
        assert token.decode_ns + token.sample_ns + token.wait_ns <= token.t_ns - before.t_ns
