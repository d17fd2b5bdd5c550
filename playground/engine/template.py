"""A model's own chat template, rendered as a stranger's program: sandboxed, limited, never trusted."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import msgspec
from jinja2 import Template, TemplateError

from playground.engine.limits import TimeUp, limited
from playground.engine.sandbox import Clock, Refusal, Sandbox, local_time
from playground.protocol.commands import Message
from playground.translate import tr

_LONGEST_SOURCE = 1_000_000
_LONGEST_PROMPT = 32_000_000
_NEEDLE = "needle\u2060in\u2060a\u2060haystack"
"""A content that no template contains; word joiners keep it from being transformed by chance."""
_NOTHING = "\U0010fffd"
"""Stands for an empty answer where a template refuses one; taken out again afterwards."""

_LATER = datetime.timedelta(days=401, hours=7, minutes=13)

_SWITCHES: tuple[tuple[str, Any, Any], ...] = (
    ("enable_thinking", True, False),  # Qwen 3, GLM, Gemma 4, SmolLM3
    ("thinking", True, False),  # Granite 3.3, DeepSeek V3.1, Kimi K3
    ("reasoning", True, False),  # Cohere2 MoE
    ("thinking_mode", "enabled", "disabled"),  # MiniMax M3
    ("reasoning_effort", "high", "no_think"),  # Hy3
    ("reasoning_effort", "high", "minimal"),  # Solar
    ("thinking_budget", -1, 0),  # Seed-OSS
)
"""How templates are told to think: a variable, its value for yes, its value for no."""


class TemplateFailure(Exception):
    """The template could not be used; the message is a sentence for the user."""


class _Giant(Exception):
    """The prompt grew beyond all bounds."""


class ChatTemplate:
    """One template and what it can do, found out by trying it once."""

    def __init__(self, source: str, bos: str, eos: str, now: Clock = local_time) -> None:
        self.source = source
        self._now = now
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._compiled: Template | None = None
        self._broken = ""
        self._parts = False
        """Contents are lists of parts, not texts."""
        self._blocks = False
        """An answer's thoughts are a part of its content, not a field beside it."""
        self._system = True
        """It shows a system turn."""
        self._switch = _SWITCHES[0]
        self.can_think = False
        """Thinking can be switched on and off."""
        self.dated = False
        """The date or the time is put into prompts."""
        self.sample = ""
        """A small conversation with thoughts, as the template shows it."""
        self._probe()

    def render(self, messages: Sequence[Message], *, ask: bool, thinking: bool | None = None) -> str:
        """The conversation as text. Raises TemplateFailure.

        ``ask``: end where the model's answer begins. ``thinking`` is on unless it is False, as in llama.cpp.
        """
        if self._broken:
            raise TemplateFailure(self._broken)
        turns = list(messages) if self._system else _merge_system(messages)
        try:
            return self._run(turns, ask, thinking)
        except TemplateFailure as failure:
            full = [msgspec.structs.replace(m, content=_NOTHING) if _is_empty(m) else m for m in turns]
            if full == turns or not isinstance(failure.__cause__, Refusal):
                raise
            return self._run(full, ask, thinking).replace(_NOTHING, "")

    def _run(self, messages: Sequence[Message], ask: bool, thinking: bool | None) -> str:
        name, on, off = self._switch
        today = self._now()
        values: dict[str, Any] = {
            **self._tokens,
            "messages": [self._turn(message) for message in messages],
            "add_generation_prompt": ask,
            "date_string": today.strftime("%d %b %Y"),
            "datetime": today.strftime("%b %d %Y"),
            "enable_thinking": thinking is not False,
            name: off if thinking is False else on,
        }
        try:
            with limited():
                return self._assemble(values)
        except TimeUp:
            raise TemplateFailure(tr("The model’s chat template took too long and was stopped.")) from None
        except (MemoryError, _Giant):
            raise TemplateFailure(tr("The model’s chat template asked for too much memory and was stopped.")) from None
        except RecursionError:
            raise TemplateFailure(tr("The model’s chat template calls itself without end.")) from None
        except Refusal as error:
            raise TemplateFailure(
                tr("The model’s chat template refused this conversation: {error}", error=_brief(error))
            ) from error
        except TemplateError as error:
            raise TemplateFailure(tr("The model’s chat template failed: {error}", error=_brief(error))) from error
        except Exception as error:
            raise TemplateFailure(tr("The model’s chat template failed: {error}", error=_brief(error))) from error

    def _assemble(self, values: dict[str, Any]) -> str:
        if self._compiled is None:
            if len(self.source) > _LONGEST_SOURCE:
                raise _Giant
            self._compiled = Sandbox(lambda: self._now()).from_string(self.source)
        parts: list[str] = []
        length = 0
        for part in self._compiled.generate(values):
            length += len(part)
            if length > _LONGEST_PROMPT:
                raise _Giant
            parts.append(part)
        # A string in a template may hold half a character by its number.
        return "".join(parts).encode("utf-8", "replace").decode("utf-8")

    def _turn(self, message: Message) -> dict[str, Any]:
        content: Any = message.content
        if self._blocks and message.thinking:
            content = [{"type": "thinking", "thinking": message.thinking}]
            content += [{"type": "text", "text": message.content}] if message.content else []
        elif self._parts:
            content = [{"type": "text", "text": message.content}]
        turn = {"role": message.role, "content": content}
        if message.thinking and not self._blocks:
            # Three names for one thing: most templates; gpt-oss and LFM2; Solar and what follows vLLM.
            turn |= dict.fromkeys(("reasoning_content", "thinking", "reasoning"), message.thinking)
        return turn

    def _probe(self) -> None:
        """Find out once, on tiny conversations, what the template takes."""
        user = Message("user", _NEEDLE)
        if not self._shows([user]):
            if self._broken:
                return
            self._parts = True
            if not self._shows([user]):
                self._parts = False
        if self._broken:
            return
        self._system = self._shows([Message("system", _NEEDLE), Message("user", "hello")])
        self._probe_thoughts()
        self._probe_switch(user)
        self._probe_date(user)

    def _probe_thoughts(self) -> None:
        """Where an answer's thoughts belong."""
        turns = [Message("user", "hello"), Message("assistant", "hi", _NEEDLE)]
        if self._shows(turns, ask=False) or not ("'thinking'" in self.source or '"thinking"' in self.source):
            return
        self._blocks = True
        self._blocks = self._shows(turns, ask=False)

    def _probe_switch(self, user: Message) -> None:
        """Which variable switches thinking; the first that makes a difference."""
        for switch in _SWITCHES:
            name, _, off = switch
            if name not in self.source or (isinstance(off, str) and off not in self.source):
                continue
            self._switch = switch
            try:
                if self._run([user], True, True) != self._run([user], True, False):
                    self.can_think = True
                    return
            except TemplateFailure:
                pass
        self._switch = _SWITCHES[0]

    def _probe_date(self, user: Message) -> None:
        """Whether the same conversation is another prompt on another day."""
        now = self._now
        try:
            today = self._run([user], True, None)
            self._now = lambda: now() + _LATER
            self.dated = self._run([user], True, None) != today
        except TemplateFailure:
            pass
        finally:
            self._now = now

    def _shows(self, messages: Sequence[Message], ask: bool = True) -> bool:
        try:
            text = self._run(messages, ask, None)
            self.sample += text
            return _NEEDLE in text
        except TemplateFailure as failure:
            if failure.__cause__ is None:
                # A limit was hit, or it can't even be compiled: no second try, each would cost as much.
                self._broken = str(failure)
            elif self._compiled is None:
                self._broken = str(failure)
            return False


def _merge_system(messages: Sequence[Message]) -> list[Message]:
    """System turns put before the first user turn's text."""
    system = "\n\n".join(message.content for message in messages if message.role == "system" and message.content)
    rest = [message for message in messages if message.role != "system"]
    if not system:
        return rest
    for index, message in enumerate(rest):
        if message.role == "user":
            rest[index] = Message("user", f"{system}\n{message.content}")
            return rest
    return [Message("user", system), *rest]


def _is_empty(message: Message) -> bool:
    return message.role == "assistant" and not message.content and not message.thinking


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    text = text if len(text) <= 200 else text[:199] + "…"
    return text if text.endswith((".", "!", "?", "…")) else text + "."
