"""From a conversation to the prompt's tokens, such that no typed text becomes a control token.

Where a content spells a control token, that spelling is rendered as one private-use character and
tokenised apart, as plain text. All else is tokenised as llama.cpp would tokenise the rendered prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from playground.engine.template import ChatTemplate, TemplateFailure
from playground.engine.thinking import Family, families_of, open_family
from playground.engine.tokens import Vocab
from playground.protocol.commands import Message

_PRIVATE = range(0xF0000, 0xFFFFE)
_ROLES = ("system", "user", "assistant")

NO_TEMPLATE = "This model has no chat template: it continues the text instead of answering."
TEMPLATE_OFF = "The chat template is off: the model continues the text instead of answering."


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads."""

    tokens: list[int]
    text: str
    families: tuple[Family, ...] = ()
    thinking: Family | None = None
    """The prompt ends inside this family's thoughts."""
    plain: bool = False
    note: str = ""


class PromptError(Exception):
    """No prompt can be made; the message is a sentence for the user."""


class PromptBuilder:
    """Makes prompts for one model."""

    def __init__(self, vocab: Vocab, template: ChatTemplate | None) -> None:
        self._vocab = vocab
        self._template = template
        self._families = families_of(template.source) if template else ()

    def build(self, messages: Sequence[Message], use_template: bool, thinking: bool | None) -> Prompt:
        """The prompt of a conversation; a last assistant turn is continued. Raises PromptError."""
        _check(messages)
        if self._template is None or not use_template:
            return self._plain(messages)
        shield = _Shield(self._vocab, [text for message in messages for text in (message.content, message.thinking)])
        hidden = [
            Message(message.role, shield.hide(message.content), shield.hide(message.thinking)) for message in messages
        ]
        try:
            text, family = self._render(self._template, hidden, thinking, shield.mark)
        except TemplateFailure as failure:
            raise PromptError(str(failure)) from failure
        tokens = self._tokenise(text, shield)
        return Prompt(tokens, shield.show(text), self._families, family)

    def _plain(self, messages: Sequence[Message]) -> Prompt:
        text = "".join(message.content for message in messages)
        tokens = self._with_bos(self._vocab.tokenize(text, special=False))
        if not tokens and self._vocab.bos >= 0:
            tokens = [self._vocab.bos]
        if not tokens:
            raise PromptError("There is nothing to continue: the text is empty. Write a beginning.")
        return Prompt(tokens, text, plain=True, note=TEMPLATE_OFF if self._template else NO_TEMPLATE)

    def _render(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None, mark: str
    ) -> tuple[str, Family | None]:
        """The text, and the family inside whose thoughts it ends."""
        last = messages[-1]
        if last.role != "assistant":
            text = template.render(messages, ask=True, thinking=thinking)
            return text, open_family(text, self._families)
        inside = bool(last.thinking) and not last.content
        if not inside:
            marked = msgspec.structs.replace(last, content=last.content + mark)
            text = template.render([*messages[:-1], marked], ask=False, thinking=thinking)
            if mark in text:
                return text[: text.rindex(mark)], None
        return self._append(template, messages, thinking, inside)

    def _append(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None, inside: bool
    ) -> tuple[str, Family | None]:
        """The begun turn put where an answer begins: for thoughts, and for templates that drop the turn."""
        last = messages[-1]
        if len(messages) == 1:
            raise PromptError("There is no question before the answer that is to be continued.")
        text = template.render(messages[:-1], ask=True, thinking=thinking)
        family = open_family(text, self._families)
        if last.thinking and family is None and self._families:
            family = self._families[0]
            text += family.opens + "\n"
        if inside:
            return text + last.thinking, family
        if family is not None:
            text += last.thinking + "\n" + family.closes + "\n\n"
        return text + last.content, None

    def _tokenise(self, text: str, shield: _Shield) -> list[int]:
        tokens: list[int] = []
        for index, (part, typed) in enumerate(shield.split(text)):
            tokens += self._vocab.tokenize(part, special=not typed, inner=index > 0)
        tokens = self._with_bos(tokens)
        if not tokens:
            raise PromptError("The model’s chat template made an empty prompt.")
        return tokens

    def _with_bos(self, tokens: list[int]) -> list[int]:
        """BOS before the prompt where the model wants one and the template hasn't put it there."""
        if self._vocab.adds_bos and tokens[:1] != [self._vocab.bos]:
            return [self._vocab.bos, *tokens]
        return tokens


class _Shield:
    """Stands a private-use character for each spelling of a control token in typed text."""

    def __init__(self, vocab: Vocab, texts: Sequence[str]) -> None:
        spellings = sorted(vocab.find_control(texts), key=len, reverse=True)
        if len(spellings) > 5000:
            raise PromptError("The text names too many different control tokens.")
        used = {sign for text in texts for sign in text if sign >= "\U000f0000"}
        free = (sign for code in _PRIVATE if (sign := chr(code)) not in used)
        self.mark = next(free)
        """One more such character, for the place where a turn is continued."""
        self._sign = {spelling: next(free) for spelling in spellings}
        self._spelling = {sign: spelling for spelling, sign in self._sign.items()}
        self._find = re.compile("|".join(map(re.escape, spellings)) or r"(?!)")
        signs = "".join(self._spelling)
        self._cut = re.compile(f"([{signs}])") if signs else None

    def hide(self, text: str) -> str:
        """The text with each spelling replaced."""
        return self._find.sub(lambda found: self._sign[found[0]], text) if self._sign else text

    def show(self, text: str) -> str:
        """The text with the spellings back in."""
        return self._cut.sub(lambda found: self._spelling[found[0]], text) if self._cut else text

    def split(self, text: str) -> list[tuple[str, bool]]:
        """Parts of a rendered text, each with whether it is a typed spelling."""
        if self._cut is None:
            return [(text, False)]
        parts = [part for part in self._cut.split(text) if part]
        return [(self._spelling.get(part, part), part in self._spelling) for part in parts]


def _check(messages: Sequence[Message]) -> None:
    if not messages:
        raise PromptError("There is no message to answer.")
    for message in messages:
        if message.role not in _ROLES:
            raise PromptError(f"A message’s role is one of {', '.join(_ROLES)}; not “{message.role[:40]}”.")
