"""Models whose cache can't be cut anywhere: what is reused is right, and no more is read than must be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gguf_factory import mamba_model
from gguf_memories import hybrid_model, window_model

from engine.conftest import QUIET
from engine.driver import Answer, Engine
from playground.protocol.commands import Message, Stop
from playground.protocol.events import Hello, PromptProgress, Started, Token

pytestmark = pytest.mark.timeout(400)

CALM = {"temp": 0.0, "max_tokens": 10, "ignore_eos": True}
WINDOW = 64
KINDS: dict[str, Callable[[Path], Any]] = {
    "window": lambda path: window_model(path, window=WINDOW),
    "recurrent": lambda path: mamba_model(path, n_ctx=4096),
    "hybrid": hybrid_model,
    "hybrid with a window": lambda path: hybrid_model(path, window=WINDOW),
}


def asked(question: str, answer: str = "") -> list[Message]:
    return [Message("user", question), *([Message("assistant", answer)] if answer else [])]


FIRST = "the first question, long enough that the window forgets its beginning: " + "abc def ghi " * 60
SECOND = "a second question, also of some length: " + "jkl mno " * 20
THIRD = "and a third one: " + "pqr stu " * 12
CHAT = [*asked(FIRST, "an answer of a few words"), *asked(SECOND, "another answer"), *asked(THIRD)]


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """Two engines with one model: the second reads everything anew, always."""
    path = tmp_path_factory.mktemp("memories") / "model.gguf"
    KINDS[request.param](path)
    engines = []
    for _ in range(2):
        engine = Engine()
        engine.until_type(Hello)
        engine.load(path, n_ctx=4096, n_seq_max=4, n_ubatch=64, **QUIET)
        engines.append(engine)
    yield engines[0], engines[1]
    for engine in engines:
        engine.end()


def reused(answer: Answer) -> int:
    return answer.of(Started)[0].n_reused


def forget(engine: Engine) -> None:
    """Fill all slots with something that begins like nothing else."""
    for index, slot in enumerate("WXYZ"):
        engine.answer(f"{'~@#$'[index]}" * 4, slot, use_template=False, temp=0.0, max_tokens=0)


def same_as_fresh(pair: tuple[Engine, Engine], messages: list[Message], slot: str = "A") -> int:
    """Answer in the first engine, compare with one that reads all; the tokens reused."""
    answer = pair[0].answer(messages, slot, **CALM)
    forget(pair[1])
    fresh = pair[1].answer(messages, "A", **CALM)
    assert reused(fresh) <= 1
    assert answer.ids == fresh.ids
    assert answer.end.n_prompt == fresh.end.n_prompt
    return reused(answer)


def test_a_prompt_goes_on_where_the_last_ended(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    plain = {**CALM, "use_template": False}
    first = pair[0].answer(FIRST, "A", **plain | {"max_tokens": 0})
    assert reused(first) <= 1
    second = pair[0].answer(FIRST + SECOND, "A", **plain)
    assert reused(second) == first.end.n_prompt
    forget(pair[1])
    assert pair[1].answer(FIRST + SECOND, "A", **plain).ids == second.ids


def test_an_answer_that_is_shown_otherwise_costs_only_itself(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    first = pair[0].answer(CHAT[:1], "A", **CALM)
    # As where a template drops the thoughts: the prompt's end differs from what is in the cache.
    n = same_as_fresh(pair, CHAT[:3])
    assert n >= first.end.n_prompt - 8


def test_an_edited_early_turn_keeps_what_comes_before(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    firsts = [pair[0].answer(CHAT[: 2 * turn + 1], "A", **CALM).end.n_prompt for turn in range(3)]
    n = same_as_fresh(pair, [*CHAT[:2], Message("user", "something else: " + "xyz " * 30)])
    assert firsts[0] - 8 <= n < firsts[1]
    # Nothing of the beginning is the same, so nothing can be kept.
    assert same_as_fresh(pair, [Message("user", "Z" + FIRST)]) < 40


def test_the_same_again_reads_only_the_end(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    first = pair[0].answer(CHAT[:3], "A", **CALM)
    assert same_as_fresh(pair, CHAT[:3]) == first.end.n_prompt - 8


def test_switching_between_chats_keeps_both(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    other = [Message("user", "Other: " + FIRST[::-1])]
    one = pair[0].answer(CHAT[:1], "one", **CALM)
    two = pair[0].answer(other, "two", **CALM)
    assert same_as_fresh(pair, CHAT[:3], "one") >= one.end.n_prompt - 8
    assert same_as_fresh(pair, [*other, Message("assistant", "so"), *CHAT[4:]], "two") >= two.end.n_prompt - 8


def test_another_lane_begins_where_both_are_the_same(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    first = pair[0].answer(CHAT[:1], "A", **CALM)
    assert same_as_fresh(pair, CHAT[:3], "B") >= first.end.n_prompt - 8
    assert same_as_fresh(pair, CHAT[:1], "C") == first.end.n_prompt - 8


def test_two_lanes_read_a_common_beginning_once(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    ends = [[*CHAT[:2], Message("user", end * 30)] for end in ("left ", "right ")]
    jobs = [pair[0].start(messages, slot, **CALM) for messages, slot in zip(ends, "AB", strict=True)]
    for job in jobs:
        pair[0].finished(job)
    answers = [Answer(pair[0], job) for job in jobs]
    assert reused(answers[1]) > 300
    for answer, messages in zip(answers, ends, strict=True):
        forget(pair[1])
        assert answer.ids == pair[1].answer(messages, "A", **CALM).ids


def test_a_prompt_that_is_cut_for_another_lane_says_so(pair: tuple[Engine, Engine]) -> None:
    """Other pieces, other bits: it may not come again, though it was alone while it wrote."""
    forget(pair[0])
    start = "a beginning of many words. " * 10
    with pair[0].at_once():
        first = pair[0].start(start + "one end", "A", **CALM | {"max_tokens": 1})
        second = pair[0].start(start + "another end of it", "B", **CALM)
    assert "pieces" in pair[0].finished(first).varies
    assert pair[0].finished(second).n_drawn == 10


def test_lanes_that_say_the_same_go_on_beyond_the_window(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    long = CALM | {"max_tokens": 600}
    jobs = [pair[0].start(CHAT[:1], slot, **long) for slot in "AB"]
    assert [pair[0].finished(job).n_drawn for job in jobs] == [600, 600]
    one, two = (Answer(pair[0], job).ids for job in jobs)
    assert one == two


def test_a_stopped_prompt_leaves_a_cache_that_is_right(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    long = [Message("user", FIRST * 4)]
    job = pair[0].start(long, "A", **CALM)
    pair[0].until(lambda event: isinstance(event, PromptProgress) and event.job == job and event.done > 0)
    pair[0].send(Stop(job))
    pair[0].finished(job)
    same_as_fresh(pair, long)


def test_the_stop_of_another_answer_takes_nothing_from_a_recurrent_state(tmp_path: Path) -> None:
    """On slow machines Stop ends a token in the middle; a recurrent state doesn't outlive that."""
    path = tmp_path / "recurrent.gguf"
    mamba_model(path, layers=32)
    engine = Engine(stoppable=True, slow=True)
    engine.until_type(Hello)
    engine.load(path, n_ctx=1024, **QUIET)
    calm = CALM | {"max_tokens": 50}
    alone = engine.answer("hello", "A", **calm).ids
    job = engine.start("hello", "B", **calm)
    for _ in range(30):
        engine.send(Stop(99))
        engine.until_type(Token)
    engine.finished(job)
    assert Answer(engine, job).ids == alone
    job = engine.start("hello", "B", **calm | {"max_tokens": 900})
    engine.until_type(Token)
    engine.send(Stop(job))
    assert engine.finished(job).reason == "stopped"
    assert engine.answer("hello", "B", **calm).ids == alone
    engine.end()


def test_long_prompts_are_marked_on_the_way(pair: tuple[Engine, Engine]) -> None:
    forget(pair[0])
    start = "".join(f"line {index} says {index * 37 % 101}. " for index in range(100))
    pair[0].answer([Message("user", start + "What of it?" * 10)], "A", **CALM)
    n = same_as_fresh(pair, [Message("user", start[:1500] + "And then?" * 20)])
    assert n >= 1024


def test_a_full_window_cache_can_be_cut_anywhere(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "window.gguf"
    window_model(path, window=WINDOW)
    engine.load(path, n_ctx=2048, swa_full=True, **QUIET)
    engine.answer(FIRST, **CALM)
    edited = engine.answer(FIRST[:200] + "something else", **CALM)
    assert 180 < reused(edited) < 240


def test_a_full_window_cache_reads_again_what_llama_cpp_wrote_over(engine: Engine, tmp_path: Path) -> None:
    """Cells that a window has left behind are taken for new tokens, even where others are empty."""
    path = tmp_path / "window.gguf"
    window_model(path, window=WINDOW)
    engine.load(path, n_ctx=1024, n_seq_max=2, n_ubatch=64, swa_full=True, **QUIET)
    engine.answer(FIRST, "A", **CALM)
    engine.answer(SECOND[:140], "B", **CALM)
    # The gap in the middle is filled first, then the cells behind it are looked at: B's own.
    engine.answer(FIRST[:500], "A", **CALM)
    longer = [*asked(SECOND[:140], "an answer"), *asked(THIRD * 3)]
    engine.answer(longer, "B", **CALM)
    edited = asked(SECOND[:100] + "something else")
    again = engine.answer(edited, "B", **CALM)
    for slot in "AB":
        engine.answer("~" * 9, slot, use_template=False, temp=0.0, max_tokens=0)
    fresh = engine.answer(edited, "B", **CALM)
    assert reused(fresh) <= 1
    assert again.ids == fresh.ids
