"""The prompt for every chat template of llama.cpp's collection equals a reference rendering, to the letter."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
from llama_source import HOW, TEMPLATES
from msgspec.structs import replace

from engine import reference_template as reference
from engine.reference_template import NOW, Turn
from engine.vocabularies import vocabulary
from playground.engine.prompt import Prompt, PromptBuilder, PromptError
from playground.engine.template import ChatTemplate, TemplateFailure
from playground.protocol.commands import Message

pytestmark = pytest.mark.skipif(not TEMPLATES, reason=HOW)

BOS, EOS = "<|im_start|>", "<|im_end|>"

SWITCHES: dict[str, tuple[str, Any, Any]] = {
    "ByteDance-Seed-OSS": ("thinking_budget", -1, 0),
    "Cohere2MoE": ("reasoning", True, False),
    "Kimi-K3": ("thinking", True, False),
    "MiniMax-M3": ("thinking_mode", "enabled", "disabled"),
    "ibm-granite-granite-3.3-2B-Instruct": ("thinking", True, False),
    "tencent-Hy3": ("reasoning_effort", "high", "no_think"),
    "upstage-Solar-Open-100B": ("reasoning_effort", "high", "minimal"),
}
"""Templates that are told to think by another name than ``enable_thinking``, from their own text."""

NO_SYSTEM = {"google-gemma-2-2b-it"}
THOUGHTS_IN_CONTENT = {"mistralai-Ministral-3-14B-Reasoning-2512"}
OPENS_IN_EVERY_TURN = {"NVIDIA-Nemotron-Nano-v2"}
"""Its own last turn begins inside thoughts that only its content could end."""

SYSTEM = Message("system", "Be kind.")
ASKED = Message("user", "One?")
THOUGHT = Message("assistant", "First answer.", "Let me think.")
ANSWERED = Message("assistant", "First answer.")
MORE = Message("user", "Two?")
ODD = Message("user", " \n{{ x }} {% if %} <b>&amp; \"q\" 'p' \\n ü🙂<|im_end|>\n\n")
BEGUN = Message("assistant", "The begun ans")

CONVERSATIONS = {
    "one turn": [ASKED],
    "system": [SYSTEM, ASKED],
    "several turns": [ASKED, ANSWERED, MORE, Message("assistant", "Second answer."), Message("user", "Three?")],
    "system and several turns": [SYSTEM, ASKED, ANSWERED, MORE],
    "odd text": [Message("system", "  sys \n"), ODD],
    "thoughts of an earlier turn": [SYSTEM, ASKED, THOUGHT, MORE],
}
CONTINUED = {
    "continued": [ASKED, BEGUN],
    "continued after a system turn and more": [SYSTEM, ASKED, ANSWERED, MORE, BEGUN],
}


@pytest.fixture(params=TEMPLATES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest, starter_path: Path) -> Case:
    return case_of(request.param, starter_path)


class Case:
    """One template, in the engine's hands and in the reference's."""

    def __init__(self, path: Path, vocabulary_path: Path) -> None:
        self.name = path.stem
        self.source = path.read_text("utf-8")
        self.template = ChatTemplate(self.source, BOS, EOS, now=lambda: NOW)
        self.prompts = PromptBuilder(vocabulary(vocabulary_path), self.template)

    def build(self, messages: list[Message], thinking: bool | None = None) -> Prompt:
        return self.prompts.build(messages, True, thinking)

    def values(self, thinking: bool | None) -> dict[str, Any]:
        """What the reference gives the template besides the conversation."""
        name, on, off = SWITCHES.get(self.name, ("enable_thinking", True, False))
        values = {"enable_thinking": thinking is not False, name: off if thinking is False else on}
        # llama.cpp leaves out what isn't given; this one template adds it to a text, where Jinja would fail.
        return values | ({"functions": ""} if self.name.startswith("fireworks") else {})

    def turns(self, messages: list[Message]) -> list[Turn]:
        """The conversation as the reference is given it."""
        if self.name in NO_SYSTEM and messages[0].role == "system":
            merged = f"{messages[0].content}\n{messages[1].content}"
            messages = [replace(messages[1], content=merged), *messages[2:]]
        return [self.turn(message) for message in messages]

    def turn(self, message: Message) -> Turn:
        turn: Turn = {"role": message.role, "content": message.content}
        if message.thinking and self.name in THOUGHTS_IN_CONTENT:
            parts = [{"type": "thinking", "thinking": message.thinking}, {"type": "text", "text": message.content}]
            return turn | {"content": parts}
        if message.thinking:
            turn |= {"reasoning_content": message.thinking, "thinking": message.thinking}
            if self.name == "upstage-Solar-Open-100B":
                turn["reasoning"] = message.thinking
        return turn

    def reference(self, messages: list[Message], thinking: bool | None = None) -> str:
        values = self.values(thinking)
        return reference.render(self.source, self.turns(messages), BOS, EOS, add_generation_prompt=True, **values)

    def reference_open(self, messages: list[Message], thinking: bool | None = None) -> str | None:
        turns = self.turns(messages)
        return reference.render_open(self.source, turns, BOS, EOS, "content", **self.values(thinking))


@functools.cache
def case_of(path: Path, vocabulary_path: Path) -> Case:
    return Case(path, vocabulary_path)


@pytest.mark.parametrize("thinking", [None, True, False])
def test_prompts_equal_the_reference(case: Case, thinking: bool | None) -> None:
    for name, messages in CONVERSATIONS.items():
        assert case.build(messages, thinking).text == case.reference(messages, thinking), name


@pytest.mark.parametrize("thinking", [True, False])
def test_a_continued_answer_ends_where_the_reference_breaks_off(case: Case, thinking: bool) -> None:
    for name, messages in CONTINUED.items():
        prompt = case.build(messages, thinking)
        expected = case.reference_open(messages, thinking)
        if case.name in OPENS_IN_EVERY_TURN:
            expected = case.reference(messages[:-1], thinking) + f"\n</think>\n\n{BEGUN.content}"
        elif expected is None:
            expected = case.reference(messages[:-1], thinking) + BEGUN.content
        assert prompt.text == expected, name
        assert prompt.text.endswith(BEGUN.content)
        assert prompt.thinking is None


def test_a_continued_answer_keeps_its_thoughts(case: Case) -> None:
    messages = [ASKED, replace(BEGUN, thinking="All my thoughts.")]
    if not case.build([ASKED]).families:
        return  # No thoughts are known to this template: nothing of them is shown.
    for thinking in (True, False):
        prompt = case.build(messages, thinking)
        assert prompt.thinking is None
        assert prompt.text.endswith(BEGUN.content)
        assert prompt.text.count("All my thoughts.") == 1
        shown = None if case.name in THOUGHTS_IN_CONTENT | OPENS_IN_EVERY_TURN else case.reference_open(messages, True)
        if shown and "All my thoughts." in shown:
            assert prompt.text == shown
        else:
            head, _, rest = prompt.text.partition("All my thoughts.")
            assert head.startswith(case.reference([ASKED], True))
            assert any(family.closes in rest for family in prompt.families)


def test_continued_thoughts_end_inside_thoughts(case: Case) -> None:
    families = case.build([ASKED]).families
    if not families:
        return
    for thinking in (True, False):
        prompt = case.build([ASKED, Message("assistant", "", "Let me see")], thinking)
        assert prompt.text.endswith("Let me see")
        assert prompt.thinking in families
        head = prompt.text.removesuffix("Let me see").rstrip()
        assert head.endswith(prompt.thinking.opens)
        assert not head.removesuffix(prompt.thinking.opens).rstrip().endswith(prompt.thinking.opens)


def test_an_answer_stopped_before_its_first_word_is_asked_for_again(case: Case) -> None:
    assert case.build([ASKED, Message("assistant", "")]).text == case.build([ASKED]).text


def test_an_empty_answer_in_the_conversation_is_no_failure(case: Case) -> None:
    assert "Two?" in case.build([ASKED, Message("assistant", ""), MORE]).text


def test_thinking_can_be_switched_where_the_template_has_a_switch(starter_path: Path) -> None:
    able = {path.stem for path in TEMPLATES if case_of(path, starter_path).template.can_think}
    assert SWITCHES.keys() <= able
    assert {"Qwen-Qwen3-0.6B", "GLM-4.6", "google-gemma-4-31B-it", "deepseek-ai-DeepSeek-V3.1"} <= able
    assert not able & {"openai-gpt-oss-120b", "Qwen-Qwen2.5-7B-Instruct", "meta-llama-Llama-3.1-8B-Instruct"}


def test_roles_that_must_alternate(starter_path: Path) -> None:
    path = next(path for path in TEMPLATES if path.stem == "mistralai-Mistral-Nemo-Instruct-2407")
    with pytest.raises(PromptError, match=r"refused this conversation: After the optional system message"):
        case_of(path, starter_path).build([ASKED, MORE])


def test_a_name_that_is_not_given_is_nothing_beside_a_text() -> None:
    text = ChatTemplate("{{ 'a' + missing }}{{ missing + 'b' }}|{{ messages[0].content }}", BOS, EOS)
    assert text.render([ASKED], ask=True) == "ab|One?"
    broken = ChatTemplate("{{ messages[0].content }}{{ missing + 1 }}", BOS, EOS)
    with pytest.raises(TemplateFailure, match="'missing' is undefined"):
        broken.render([ASKED], ask=True)


def test_dates_are_as_in_llama_cpp() -> None:
    source = "{{ date_string }}|{{ datetime }}|{{ strftime_now('%Y-%m-%d %H:%M') }}|{{ messages[0].content }}"
    text = ChatTemplate(source, BOS, EOS, now=lambda: NOW).render([ASKED], ask=True)
    assert text == "03 Feb 2031|Feb 03 2031|2031-02-03 04:05|One?"


def test_typed_control_tokens_come_through_json_in_ascii(starter_path: Path) -> None:
    source = "{% for m in messages %}{{ m.content|tojson(ensure_ascii=true) }}{% endfor %}"
    prompts = PromptBuilder(vocabulary(starter_path), ChatTemplate(source, BOS, EOS))
    typed = 'ü🙂 "<|im_end|>" \ud83d'
    expected = reference.render(source, [{"role": "user", "content": typed}], BOS, EOS)
    assert prompts.build([Message("user", typed)], True, None).text == expected


def test_an_answer_that_is_shown_twice_goes_on_without_traces(starter_path: Path) -> None:
    source = "{% for m in messages %}{{ m.content|upper }}: {{ m.content }}\n{% endfor %}"
    prompts = PromptBuilder(vocabulary(starter_path), ChatTemplate(source, BOS, EOS))
    assert prompts.build([ASKED, BEGUN], True, None).text == "ONE?: One?\nTHE BEGUN ANS: The begun ans"


def test_half_a_character_from_a_template_is_replaced() -> None:
    text = ChatTemplate("{{ '\\ud83d' }}{{ messages[0].content }}", BOS, EOS).render([ASKED], ask=True)
    assert text == "?One?"
