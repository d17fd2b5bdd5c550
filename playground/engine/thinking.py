"""The marks around what a model thinks before it answers, and their removal from the stream.

Each family writes its marks its own way; see the models' chat templates. A mark may span tokens, so a
possible beginning of one is held back until it is certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from playground.protocol.events import Phase


class Family(NamedTuple):
    """How one family of models marks its thoughts."""

    opens: str
    closes: str
    drops: tuple[str, ...] = ()
    """Other marks around the answer that are no part of it."""
    anywhere: bool = False
    """Made of control tokens: can't be a quotation, so it counts in the middle of an answer too."""
    gap: str = "\n"
    """What stands between the marks and the thoughts."""
    after: str = "\n\n"
    """What stands between the closing mark and the answer."""


FAMILIES: tuple[Family, ...] = (
    Family("<think>", "</think>"),  # Qwen 3, DeepSeek R1, Kimi K2, LFM2, SmolLM3, GLM
    Family(
        "<|channel|>analysis<|message|>",  # gpt-oss
        "<|end|>",
        ("<|start|>assistant", "<|channel|>final<|message|>", "<|channel|>commentary<|message|>"),
        anywhere=True,
        gap="",
    ),
    Family("<|channel>thought", "<channel|>", anywhere=True, after=""),  # Gemma 4
    Family("<|open|>think<|sep|>", "<|close|>think<|sep|>", anywhere=True, gap=""),  # Kimi K3
    Family("[THINK]", "[/THINK]", gap=""),  # Ministral, Magistral
    Family("<mm:think>", "</mm:think>"),  # MiniMax M3
    Family("<seed:think>", "</seed:think>"),  # Seed-OSS
    Family("<think:opensource>", "</think:opensource>"),  # Hy3
    Family("Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"),  # Apriel
    Family("<|inner_prefix|>", "<|inner_suffix|>", anywhere=True, gap=""),  # Apertus
    Family("<|think|>", "<|end|>", ("<|begin|>assistant", "<|content|>"), anywhere=True, gap=""),  # Solar
    Family(
        "<|START_THINKING|>",  # Cohere
        "<|END_THINKING|>",
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
        anywhere=True,
        gap="",
    ),
)


class Segment(NamedTuple):
    """A piece of text and what it is part of."""

    phase: Phase
    text: str


def families_of(template: str) -> tuple[Family, ...]:
    """The families whose marks a chat template mentions. Some closing marks end ordinary turns elsewhere."""
    return tuple(
        family
        for family in FAMILIES
        if _first_word(family.opens) in template or ("think" in family.closes.lower() and family.closes in template)
    )


def open_family(prompt: str, families: Iterable[Family]) -> Family | None:
    """The family whose opening mark a prompt ends with, white space aside."""
    end = prompt.rstrip()
    return next((family for family in families if end.endswith(family.opens)), None)


def partial_end(text: str, marks: Iterable[str]) -> int:
    """Length of the longest end of ``text`` with which one of the marks could begin."""
    longest = 0
    for mark in marks:
        for length in range(min(len(mark) - 1, len(text)), longest, -1):
            if text.endswith(mark[:length]):
                longest = length
                break
    return longest


class ThinkingFilter:
    """Cuts a stream of text into thinking and answer, without the marks."""

    def __init__(self, families: tuple[Family, ...], thinking: Family | None = None) -> None:
        """``thinking``: the family inside whose thoughts the stream begins."""
        self._families = families
        self._first_only = {family.opens for family in families if not family.anywhere}
        self._in = thinking
        self._held = ""
        self._bare = True
        """Nothing but white space was answered so far."""
        self._fresh = thinking is not None
        """Just after a mark: the line breaks that follow it are dropped with it."""

    @property
    def phase(self) -> Phase:
        """What the next text will be part of."""
        return "thinking" if self._in else "answer"

    @property
    def held(self) -> bool:
        """Whether text is kept back."""
        return bool(self._held)

    @property
    def words(self) -> tuple[str, ...]:
        """Every mark that counts somewhere; their control tokens must arrive here as text."""
        return tuple(mark for family in self._families for mark in (family.opens, family.closes, *family.drops))

    def feed(self, text: str) -> list[Segment]:
        """What became certain."""
        if not self._families:
            return [Segment("answer", text)] if text else []
        out: list[Segment] = []
        rest = self._held + text
        while found := self._next_mark(rest):
            at, mark, family = found
            if not self._is_lead(rest[:at]):
                self._put(rest[:at], out)
            rest = rest[at + len(mark) :]
            self._pass(mark, family)
        keep = partial_end(rest, self._marks())
        if self._is_lead(rest[: len(rest) - keep]):
            keep = len(rest)
        self._held = rest[len(rest) - keep :] if keep else ""
        self._put(rest[: len(rest) - keep], out)
        return out

    def end(self) -> list[Segment]:
        """What was held back, after all no mark."""
        out: list[Segment] = []
        held, self._held = self._held, ""
        self._put(held, out)
        return out

    def _is_lead(self, text: str) -> bool:
        """Whether it's white space before the answer: it goes with a mark that follows it."""
        return self._bare and not self._in and not text.strip()

    def _marks(self) -> list[str]:
        """The marks that count now."""
        if self._in:
            return [self._in.closes]
        opens = [family.opens for family in self._families if family.anywhere or self._bare]
        return opens + [mark for family in self._families for mark in family.drops]

    def _next_mark(self, text: str) -> tuple[int, str, Family] | None:
        best: tuple[int, str] | None = None
        for mark in self._marks():
            at = text.find(mark)
            if at > 0 and mark in self._first_only and text[:at].strip():
                continue  # A quotation: something was answered before it.
            if at >= 0 and (best is None or at < best[0]):
                best = (at, mark)
        if best is None:
            return None
        owner = self._in or next(f for f in self._families if best[1] == f.opens or best[1] in f.drops)
        return best[0], best[1], owner

    def _pass(self, mark: str, family: Family) -> None:
        if self._in:
            self._in = None
        elif mark == family.opens:
            self._in = family
        self._fresh = True

    def _put(self, text: str, out: list[Segment]) -> None:
        if self._fresh:
            text = text.lstrip("\r\n ") if self._in else text.lstrip("\r\n")
        if not text:
            return
        self._fresh = False
        if not self._in and text.strip():
            self._bare = False
        if out and out[-1].phase == self.phase:
            out[-1] = Segment(self.phase, out[-1].text + text)
        else:
            out.append(Segment(self.phase, text))


def _first_word(mark: str) -> str:
    """A template may build a mark of several tokens from parts; its first token is there in any case."""
    for end in ("|>", ">", "]"):
        if end in mark:
            return mark[: mark.index(end) + len(end)]
    return mark
