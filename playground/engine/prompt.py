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
from playground.translate import later, tr

_PRIVATE = range(0xF0000, 0xFFFFE)
_ROLES = ("system", "user", "assistant")
_MOST_CONTROL = 50_000
"""Control tokens of a prompt; llama.cpp takes time by their square to find them: at 400,000 more than a minute."""

NO_TEMPLATE = later("This model has no chat template: it continues the text instead of answering.")
TOO_MUCH_CONTROL = later(
    "The model’s chat template made a prompt with more than 50,000 control tokens, so the template is broken. Choose "
    "another model."
)
TEMPLATE_OFF = later("The chat template is off: the model continues the text instead of answering.")


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
    dated: bool = False
    """The date or the time is in it, put there by the template."""


class PromptError(Exception):
    """No prompt can be made; the message is a sentence for the user."""


class PromptBuilder:
    """Makes prompts for one model."""

    def __init__(self, vocab: Vocab, template: ChatTemplate | None) -> None:
        self._vocab = vocab
        self._template = template
        self._families = families_of(template.source + template.sample) if template else ()

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
            tokens = self._tokenise(text, shield)
            if blunt := self._blunt(hidden, shield):
                other, family = self._render(self._template, blunt, thinking, shield.mark)
                if self._control(tokens) != self._control(apart := self._tokenise(other, shield)):
                    text, tokens = other, apart
            text, tokens = self._unforged(text, tokens, blunt or hidden, thinking, shield)
        except TemplateFailure as failure:
            raise PromptError(str(failure)) from failure
        return Prompt(tokens, shield.show(text), self._families, family, dated=self._template.dated)

    def _blunt(self, messages: list[Message], shield: _Shield) -> list[Message]:
        """The messages without text at their edges that could make a control token together with what is next to it.

        Empty when there is no such text.
        """
        hide = shield.hide_edges
        blunt = [msgspec.structs.replace(m, content=hide(m.content), thinking=hide(m.thinking)) for m in messages]
        return blunt if blunt != messages else []

    def _unforged(
        self, text: str, tokens: list[int], messages: list[Message], thinking: bool | None, shield: _Shield
    ) -> tuple[str, list[int]]:
        """The prompt without control tokens that the template made of typed text, with a filter such as “lower”."""
        guard = shield.guard
        guarded = [msgspec.structs.replace(m, content=guard(m.content), thinking=guard(m.thinking)) for m in messages]
        if guarded == messages or self._template is None:
            return text, tokens
        try:
            other, _ = self._render(self._template, guarded, thinking, shield.mark)
        except TemplateFailure:
            return text, tokens
        if not self._vocab.spelled_control(text) - self._vocab.spelled_control(other):
            return text, tokens
        return other, self._tokenise(other, shield)

    def _control(self, tokens: list[int]) -> list[int]:
        return [token for token in tokens if token in self._vocab.control]

    def _plain(self, messages: Sequence[Message]) -> Prompt:
        text = "".join(message.content for message in messages)
        tokens = self._with_bos(self._vocab.tokenize(text, special=False))
        if not tokens and self._vocab.bos >= 0:
            tokens = [self._vocab.bos]
        if not tokens:
            raise PromptError(tr("There is nothing to continue: the text is empty. Write a beginning."))
        return Prompt(tokens, text, plain=True, note=tr(TEMPLATE_OFF if self._template else NO_TEMPLATE))

    def _render(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None, mark: str
    ) -> tuple[str, Family | None]:
        """The text, and the family inside whose thoughts it ends."""
        last = messages[-1]
        if last.role == "assistant" and not (last.content or last.thinking) and len(messages) > 1:
            messages, last = messages[:-1], messages[-2]  # Stopped before its first word: ask again.
        if last.role != "assistant":
            text = template.render(messages, ask=True, thinking=thinking)
            return text, open_family(text, self._families)
        if last.thinking:
            thinking = True  # It did think: whatever the switch says now, this turn stays as it was.
        cut = self._cut_in_thoughts if last.thinking and not last.content else self._cut_in_answer
        return cut(template, messages, thinking, mark) or self._append(template, messages, thinking)

    def _cut_in_answer(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None, mark: str
    ) -> tuple[str, Family | None] | None:
        """The begun answer as the template shows it, cut where it breaks off; None if it isn't shown as it should."""
        last = messages[-1]
        marked = msgspec.structs.replace(last, content=last.content + mark)
        text, found, _ = template.render([*messages[:-1], marked], ask=False, thinking=thinking).rpartition(mark)
        before = text.removesuffix(last.content.lstrip())
        if not found or open_family(before, self._families):
            return None
        if self._families and last.thinking.strip() not in text:
            return None
        return text.replace(mark, ""), None  # some templates show a text twice

    def _cut_in_thoughts(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None, mark: str
    ) -> tuple[str, Family | None] | None:
        """The begun thoughts as the template shows them; None where it leaves thoughts out."""
        last = messages[-1]
        marked = msgspec.structs.replace(last, content=mark, thinking=last.thinking + mark)
        text, found, _ = template.render([*messages[:-1], marked], ask=False, thinking=thinking).partition(mark)
        before = text.removesuffix(last.thinking.lstrip())
        family = open_family(before, self._families)
        return (text, family) if found and before != text and family else None

    def _append(
        self, template: ChatTemplate, messages: list[Message], thinking: bool | None
    ) -> tuple[str, Family | None]:
        """The begun turn put where an answer begins: for templates that don't show it, or not as it was written."""
        last = messages[-1]
        if len(messages) == 1:
            raise PromptError(tr("There is no question before the answer that is to be continued."))
        text = template.render(messages[:-1], ask=True, thinking=thinking)
        family = open_family(text, self._families)
        if last.thinking and family is None and self._families:
            family = self._families[0]
            text += family.opens + family.gap
        if last.thinking and not last.content:
            return text + last.thinking, family
        if family is not None:
            gap = text[text.rindex(family.opens) + len(family.opens) :]
            text += last.thinking + gap + family.closes + (family.after if gap else "")
        return text + last.content, None

    def _tokenise(self, text: str, shield: _Shield) -> list[int]:
        if len(text) > _MOST_CONTROL and self._vocab.names_more_control(text, _MOST_CONTROL):
            raise PromptError(tr(TOO_MUCH_CONTROL))
        tokens: list[int] = []
        for index, (part, typed) in enumerate(shield.split(text)):
            tokens += self._vocab.tokenize(part, special=not typed, inner=index > 0)
        tokens = self._with_bos(tokens)
        if not tokens:
            raise PromptError(tr("The model’s chat template made an empty prompt."))
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
            raise PromptError(tr("The text names too many different control tokens."))
        used = {sign for text in texts for sign in text if sign >= "\U000f0000"}
        free = (sign for code in _PRIVATE if (sign := chr(code)) not in used)
        self.mark = next(free)
        """One more such character, for the place where a turn is continued."""
        self._sign = {spelling: next(free) for spelling in spellings}
        self._spelling = {sign: spelling for spelling, sign in self._sign.items()}
        self._find = re.compile("|".join(map(re.escape, spellings)) or r"(?!)")
        self._free = free
        self._vocab = vocab
        self._cut: re.Pattern[str] | None = None
        self._guards = re.compile(f"[{re.escape(vocab.signs)}]" if vocab.signs else r"(?!)")
        self._guard: dict[str, str] = {}
        self._update()

    def hide(self, text: str) -> str:
        """The text with each spelling replaced."""
        return self._find.sub(lambda found: self._sign[found[0]], text) if self._sign else text

    def hide_edges(self, text: str) -> str:
        """The text with its ends replaced, where a control token's spelling could begin or end there."""
        bare = text.strip()
        start, end = self._vocab.control_edges(bare)
        if not (start or end):
            return text
        at = text.index(bare)
        middle = bare[start : len(bare) - end] if start + end < len(bare) else ""
        first, last = (bare[:start], bare[len(bare) - end :]) if middle else (bare, "")
        return text[:at] + self._stand_for(first) + middle + self._stand_for(last) + text[at + len(bare) :]

    def guard(self, text: str) -> str:
        """The text with a sign for each character of `Vocab.signs`."""
        return self._guards.sub(lambda found: self._guard_of(found[0]), text)

    def _guard_of(self, character: str) -> str:
        if character not in self._guard:
            self._guard[character] = self._stand_for(character)
        return self._guard[character]

    def _stand_for(self, text: str) -> str:
        """A new sign for a piece of typed text."""
        if not text:
            return ""
        sign = next(self._free)
        self._spelling[sign] = self.show(text)
        self._update()
        return sign

    def _update(self) -> None:
        signs = "".join(self._spelling)
        self._cut = re.compile(f"([{signs}])") if signs else None

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
        raise PromptError(tr("There is no message to answer."))
    for message in messages:
        if message.role not in _ROLES:
            raise PromptError(
                tr("A message’s role is one of {roles}; not “{role}”.", roles=", ".join(_ROLES), role=message.role[:40])
            )
