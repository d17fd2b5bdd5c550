"""From drawn tokens to text: characters put together, marks taken out, stop strings found.

The answer is the concatenation of what `Writer.feed` and `Writer.end` return. Text is withheld only
while a character, a mark or a stop string may still be completed.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from playground.engine.thinking import Segment, ThinkingFilter, partial_end
from playground.engine.tokens import Vocab
from playground.protocol.events import Phase


class StopFilter:
    """Finds the first stop string; lets nothing of it through, nor what follows."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(dict.fromkeys(stop for stop in stops if stop))
        self._held = ""

    @property
    def held(self) -> bool:
        """Whether text is kept back."""
        return bool(self._held)

    def feed(self, text: str) -> tuple[str, str]:
        """What may be shown, and the stop string that was completed (else empty)."""
        if not self.stops:
            return text, ""
        text = self._held + text
        hits = [(at + len(stop), at, stop) for stop in self.stops if (at := text.find(stop)) >= 0]
        if hits:
            # The first to be complete, as if text came letter by letter; of several that end there the longest.
            _, at, stop = min(hits)
            self._held = ""
            return text[:at], stop
        keep = partial_end(text, self.stops)
        self._held = text[len(text) - keep :] if keep else ""
        return text[: len(text) - keep], ""

    def end(self) -> str:
        """What was held back, after all no stop string."""
        held, self._held = self._held, ""
        return held


class Writer:
    """The text of one answer, token by token."""

    def __init__(self, vocab: Vocab, stops: Sequence[str], thinking: ThinkingFilter) -> None:
        self._vocab = vocab
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")
        self._thinking = thinking
        self._marks = "".join(thinking.words)
        self._stops = StopFilter(stops)
        self._ready: list[Segment] = []
        """Text of a later phase than the token it came with; the next token carries it."""
        self.stop_string = ""
        """The stop string that ended the answer."""
        self.phase: Phase = thinking.phase
        """What the text last returned is part of."""

    def set_stops(self, stops: Sequence[str]) -> None:
        """Other stop strings from here on; what the old ones held back comes with the next token."""
        if tuple(stops) == self._stops.stops:
            return
        held = self._stops.end()
        self._stops = StopFilter(stops)
        if held:
            self._admit([Segment("answer", held)])

    @property
    def has_stops(self) -> bool:
        """Whether there are strings to stop at."""
        return bool(self._stops.stops)

    @property
    def complete(self) -> bool:
        """Whether nothing is withheld: no text could come without another token."""
        return not (self._ready or self._thinking.held or self._stops.held or self._bytes.getstate()[0])

    def feed(self, token: int) -> str:
        """The text that became certain with this token, in `phase`; look at `stop_string` afterwards."""
        vocab = self._vocab
        if token in vocab.eog:
            return self._take()
        if token not in vocab.control:
            self._admit(self._thinking.feed(self._bytes.decode(vocab.piece(token))))
        elif self._is_mark(token):
            broken = self._bytes.decode(b"", final=True)
            self._admit(self._thinking.feed(broken + vocab.text(token)))
        return self._take()

    def end(self, *, cut: bool) -> str:
        """All that was withheld. ``cut``: ended from outside, so an open character isn’t broken: it is left out."""
        tail = "" if cut else self._bytes.decode(b"", final=True)
        if self.stop_string:
            return ""
        self._admit(self._thinking.feed(tail) + self._thinking.end())
        if not self.stop_string:
            self._ready.append(Segment("answer", self._stops.end()))
        rest = [segment for segment in self._ready if segment.text]
        self._ready = []
        return "".join(segment.text for segment in rest)

    def _is_mark(self, token: int) -> bool:
        return bool(self._marks) and self._vocab.text(token) in self._marks

    def _admit(self, segments: list[Segment]) -> None:
        for segment in segments:
            if self.stop_string:
                return
            text = segment.text
            if segment.phase == "answer":
                text, self.stop_string = self._stops.feed(text)
            if text:
                self._ready.append(Segment(segment.phase, text))

    def _take(self) -> str:
        if not self._ready:
            self.phase = self._thinking.phase
            return ""
        self.phase = self._ready[0].phase
        text = ""
        while self._ready and self._ready[0].phase == self.phase:
            text += self._ready.pop(0).text
        return text
