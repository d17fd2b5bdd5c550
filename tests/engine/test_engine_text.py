"""What is shown: whole characters, nothing of a stop string or a mark, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gguf_factory import CHATML, CONTROL, EOS

from engine.driver import Engine
from playground.protocol.commands import Message
from playground.protocol.events import Started

Says = Callable[..., Engine]
EURO = [b"\xe2", b"\x82", b"\xac"]
SMILE = [b"\xf0", b"\x9f", b"\x99", b"\x82"]
THINKS = CHATML.replace("assistant\\n' }}{% endif %}", "assistant\\n<think>\\n' }}{% endif %}")
MENTIONS = CHATML + "{# <think> #}"


def test_the_end_token_ends_and_is_not_shown(says: Says) -> None:
    answer = says(["Hello", " world", EOS]).answer("hi")
    assert answer.text == "Hello world"
    assert answer.end.reason == "end"
    assert answer.ids[-1] == EOS
    assert answer.tokens[-1].text == ""
    assert answer.end.n_drawn == len(answer.tokens) == 3
    assert answer.end.n_past == answer.end.n_prompt + 3


def test_every_end_token_ends(says: Says) -> None:
    answer = says(["Hello", "<|im_end|>"]).answer("hi")
    assert (answer.text, answer.end.reason) == ("Hello", "end")


def test_a_character_over_several_tokens_is_never_broken(says: Says) -> None:
    answer = says(["1 ", *EURO, " is ", *SMILE, "!", EOS]).answer("hi")
    assert [token.text for token in answer.tokens] == ["1 ", "", "", "€", " is ", "", "", "", "🙂", "!", ""]


def test_bytes_that_are_no_character_become_the_replacement_sign(says: Says) -> None:
    answer = says(["a", b"\xff", "b", b"\xe2", "c", b"\xf0", EOS]).answer("hi")
    assert answer.text == "a\ufffdb\ufffdc\ufffd"


def test_an_open_character_is_left_out_when_the_answer_is_cut(says: Says) -> None:
    answer = says(["a", *EURO, EOS]).answer("hi", max_tokens=3)
    assert (answer.text, answer.end.reason) == ("a", "max_tokens")


@pytest.mark.parametrize(
    ("stop", "text"),
    [
        (["o w"], "Hell"),
        (["Hello world, again"], ""),
        (["never"], "Hello world, again."),
        ([", ", "world, again"], "Hello world"),
        (["d", "rld"], "Hello wo"),
        (["again.!"], "Hello world, again."),
    ],
)
def test_stop_strings(says: Says, stop: list[str], text: str) -> None:
    answer = says(["Hel", "lo", " wor", "ld", ",", " ag", "ain.", EOS]).answer("hi", stop=stop)
    assert answer.text == text
    assert answer.end.reason == ("end" if text.endswith("again.") else "stop_string")
    assert answer.end.stop_string == ("" if text.endswith("again.") else answer.end.stop_string)
    for token in answer.tokens:
        assert "again.!" not in token.text


def test_stop_strings_come_from_the_sampling_table_too(says: Says) -> None:
    answer = says(["Hel", "lo", " wor", "ld", EOS]).answer("hi", stop=["xyz"])
    assert answer.text == "Hello world"


def test_what_was_held_back_comes_with_the_last_token(says: Says) -> None:
    engine = says(["Hel", "lo", " wor", "ld", EOS])
    answer = engine.answer("hi", stop=["world peace"], max_tokens=3)
    assert (answer.text, answer.end.reason) == ("Hello wor", "max_tokens")
    assert len(answer.tokens) == 3


def test_a_stop_string_over_a_split_character(says: Says) -> None:
    answer = says(["1 ", *EURO, " more", EOS]).answer("hi", stop=["€ m"])
    assert (answer.text, answer.end.stop_string) == ("1 ", "€ m")


def test_max_tokens(says: Says) -> None:
    engine = says(["Hel", "lo", " wor", "ld", EOS])
    assert engine.answer("hi", max_tokens=2).text == "Hello"
    nothing = engine.answer("hi", max_tokens=0)
    assert (nothing.text, nothing.end.reason, nothing.end.n_drawn) == ("", "max_tokens", 0)


def test_thinking_opened_by_the_model(says: Says) -> None:
    answer = says(["<think>", "\nHmm", "</think>", "\n\nYes", EOS], template=MENTIONS).answer("hi")
    assert not answer.of(Started)[0].thinking
    thought = "".join(token.text for token in answer.tokens if token.phase == "thinking")
    shown = "".join(token.text for token in answer.tokens if token.phase == "answer")
    assert (thought, shown) == ("Hmm", "Yes")


def test_thinking_opened_by_the_template(says: Says) -> None:
    answer = says(["Hmm", " so", "</think>", "Yes", EOS], template=THINKS).answer("hi")
    assert answer.of(Started)[0].thinking
    assert [(token.phase, token.text) for token in answer.tokens if token.text] == [
        ("thinking", "Hmm"),
        ("thinking", " so"),
        ("answer", "Yes"),
    ]


def test_a_mark_in_several_tokens(says: Says) -> None:
    answer = says(["Hmm <", "/thi", "nk>", "Y", "es <think", "> no", EOS], template=THINKS).answer("hi")
    thought = "".join(token.text for token in answer.tokens if token.phase == "thinking")
    shown = "".join(token.text for token in answer.tokens if token.phase == "answer")
    assert (thought, shown) == ("Hmm ", "Yes <think> no")


def test_a_stop_string_counts_in_the_answer_only(says: Says) -> None:
    engine = says(["a STOP", "</think>", "b", " STOP", " c", EOS], template=THINKS)
    answer = engine.answer("hi", stop=["STOP"])
    assert (answer.text, answer.end.reason) == ("a STOPb ", "stop_string")


def test_channels_of_gpt_oss(says: Says) -> None:
    names = ("<|start|>", "<|channel|>", "<|message|>", "<|end|>")
    extra = [(name, CONTROL) for name in names]
    script = ["<|channel|>", "analysis", "<|message|>", "Hmm", "<|end|>"]
    template = CHATML + "{# <|channel|>analysis<|message|> <|end|> #}"
    answer = says(script, extra=extra, template=template).answer("hi", max_tokens=5)
    assert [(token.phase, token.text) for token in answer.tokens if token.text] == [("thinking", "Hmm")]


def test_without_a_template_marks_are_text(says: Says) -> None:
    answer = says(["<thi", "nk>", "Hmm", EOS], template=MENTIONS).answer("hi", use_template=False)
    assert answer.text == "<think>Hmm"


def test_continuing_an_answer(says: Says) -> None:
    engine = says([" world", EOS])
    answer = engine.answer([Message("user", "hi"), Message("assistant", "Hello")])
    again = engine.answer([Message("user", "hi"), Message("assistant", "Hello world")])
    assert answer.text == " world"
    assert again.of(Started)[0].n_reused >= answer.end.n_prompt - 8


def test_the_first_and_the_last_token_do_not_wait(says: Says) -> None:
    engine = says(["a", "b", "c", EOS])
    engine.answer("hi")
    assert all(n > 0 for n in engine.frames)
