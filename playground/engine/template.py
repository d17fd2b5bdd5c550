"""A model's own chat template, rendered as a stranger's program: sandboxed, limited, never trusted."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from jinja2 import Template, TemplateError

from playground.engine.limits import TimeUp, limited
from playground.engine.sandbox import Refusal, Sandbox
from playground.protocol.commands import Message

_LONGEST_SOURCE = 1_000_000
_LONGEST_PROMPT = 32_000_000
_NEEDLE = "needle\u2060in\u2060a\u2060haystack"
"""A content that no template contains; word joiners keep it from being transformed by chance."""


class TemplateFailure(Exception):
    """The template could not be used; the message is a sentence for the user."""


class _Giant(Exception):
    """The prompt grew beyond all bounds."""


class ChatTemplate:
    """One template and what it can do, found out by trying it once."""

    def __init__(self, source: str, bos: str, eos: str) -> None:
        self.source = source
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._compiled: Template | None = None
        self._broken = ""
        self._parts = False
        """Contents are lists of parts, not texts."""
        self._system = True
        """It shows a system turn."""
        self.can_think = False
        """It reacts to ``enable_thinking``."""
        self._probe()

    def render(self, messages: Sequence[Message], *, ask: bool, thinking: bool | None = None) -> str:
        """The conversation as text. ``ask``: end where the model's answer begins. Raises TemplateFailure."""
        if self._broken:
            raise TemplateFailure(self._broken)
        turns = list(messages) if self._system else _merge_system(messages)
        return self._run(turns, ask, thinking)

    def _run(self, messages: Sequence[Message], ask: bool, thinking: bool | None) -> str:
        values: dict[str, Any] = {
            **self._tokens,
            "messages": [self._turn(message) for message in messages],
            "add_generation_prompt": ask,
            "date_string": datetime.date.today().strftime("%d %b %Y"),
        }
        if thinking is not None:
            values["enable_thinking"] = thinking
        try:
            with limited():
                return self._assemble(values)
        except TimeUp:
            raise TemplateFailure("The model’s chat template took too long and was stopped.") from None
        except (MemoryError, _Giant):
            raise TemplateFailure("The model’s chat template asked for too much memory and was stopped.") from None
        except RecursionError:
            raise TemplateFailure("The model’s chat template calls itself without end.") from None
        except Refusal as error:
            raise TemplateFailure(f"The model’s chat template refused this conversation: {_brief(error)}") from error
        except TemplateError as error:
            raise TemplateFailure(f"The model’s chat template failed: {_brief(error)}") from error
        except Exception as error:
            raise TemplateFailure(f"The model’s chat template failed: {_brief(error)}") from error

    def _assemble(self, values: dict[str, Any]) -> str:
        if self._compiled is None:
            if len(self.source) > _LONGEST_SOURCE:
                raise _Giant
            self._compiled = Sandbox().from_string(self.source)
        parts: list[str] = []
        length = 0
        for part in self._compiled.generate(values):
            length += len(part)
            if length > _LONGEST_PROMPT:
                raise _Giant
            parts.append(part)
        return "".join(parts)

    def _turn(self, message: Message) -> dict[str, Any]:
        content: Any = [{"type": "text", "text": message.content}] if self._parts else message.content
        turn = {"role": message.role, "content": content}
        if message.thinking:
            turn |= {"reasoning_content": message.thinking, "thinking": message.thinking}
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
        try:
            texts = {self._run([user], True, thinking) for thinking in (True, False)}
            self.can_think = len(texts) > 1
        except TemplateFailure:
            pass

    def _shows(self, messages: Sequence[Message]) -> bool:
        try:
            return _NEEDLE in self._run(messages, True, None)
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
            rest[index] = Message("user", f"{system}\n\n{message.content}")
            return rest
    return [Message("user", system), *rest]


def _brief(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    text = text if len(text) <= 200 else text[:199] + "…"
    return text if text.endswith((".", "!", "?", "…")) else text + "."
