"""From a character of an answer's Markdown to its place on screen, and back.

Marks are not shown, so what is shown is found in the source word by word, from the top and only as far as
asked for. What is finished is found once; only the live end, which may still change, is found anew.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

from PySide6.QtGui import QTextBlock

from playground.ui.chat.document import FormattedDocument
from playground.ui.chat.lines import utf16

_NO_SPACES = "\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""Writing without spaces: each sign is found by itself."""
_RUN = re.compile(rf"[^\W_{_NO_SPACES}]+|\S")
_WORD_REACH, _SIGN_REACH, _MARK_REACH = 400, 24, 8
"""Characters of marks that may stand before a word, a sign, and inside a word."""
_STEP = 64
_FENCE = re.compile(r"^[ >]*(```+|~~~+)(.*)$", re.MULTILINE)
_UNSHOWN = re.compile(
    r"(?<=\])\([^()\s]*(?:\([^()\s]*\))*[^()\s]*\)"  # a link's address
    r"|^[ >]*\d{1,9}[.)](?=\s)"  # a list's number
    r"|^[ >|:-]*-[ >|:-]*$",  # a table's ruler, a rule
    re.MULTILINE,
)


class SourceMap:
    """Knows where the words of a source stand in the document that shows it."""

    def __init__(self, document: FormattedDocument) -> None:
        self._document = document
        self._generation = -1
        self._known = _Runs()
        self._next = 0
        """Document position of the first block that was not looked for."""
        self._source = self._masked = ""

    def position(self, source: str, at: int) -> int:
        """Where in the document the character ``at`` of the source stands, or would stand if it were shown."""
        runs = self._until(source, lambda runs: runs.place > at)
        n = bisect_right(runs.sources, at) - 1
        if n < 0:
            return 0
        return runs.positions[n] + min(at - runs.sources[n], runs.lengths[n])

    def offset(self, source: str, position: int) -> int:
        """The character of the source that stands at a position of the document."""
        runs = self._until(source, lambda runs: runs.seen > position)
        n = bisect_right(runs.positions, position) - 1
        if n < 0:
            return 0
        return runs.sources[n] + min(position - runs.positions[n], runs.lengths[n])

    def _until(self, source: str, reached: Callable[[_Runs], bool]) -> _Runs:
        """The runs as far as needed: those that stay, and where they don't reach, the live end's."""
        document = self._document
        self._take(source)
        block = document.findBlock(self._next)
        while block.isValid() and not reached(self._known):
            end = block.position() + block.length()
            if end > document.live_from:
                return self._with_live_end(block, reached)
            self._known.add(block, self._masked)
            self._next = end
            block = block.next()
        return self._known

    def _with_live_end(self, block: QTextBlock, reached: Callable[[_Runs], bool]) -> _Runs:
        runs = self._known.copy()
        while block.isValid() and not reached(runs):
            runs.add(block, self._masked)
            block = block.next()
        return runs

    def _take(self, source: str) -> None:
        """Follow the source and the document."""
        document = self._document
        if document.generation != self._generation or len(source) < len(self._source):
            self._generation = document.generation
            self._known, self._next = _Runs(), 0
            self._source = self._masked = ""
        if len(source) != len(self._source):
            # Only what came since, from the beginning of its paragraph: a mark may have been cut in two.
            keep = max(0, self._source.rfind("\n\n", 0, len(self._source)))
            inside = len(_FENCE.findall(source, 0, keep)) % 2 == 1
            self._masked = self._masked[:keep] + _mask(source[keep:], inside)
            self._source = source


class _Runs:
    """Runs of words by where they begin in source and document, both in order; lengths in characters."""

    def __init__(self) -> None:
        self.sources, self.positions, self.lengths = array("l"), array("l"), array("l")
        self.place = 0
        """How far the source was looked through."""
        self.seen = 0
        """How far the document was."""

    def copy(self) -> _Runs:
        """The same, to go on from."""
        other = _Runs()
        other.sources, other.positions, other.lengths = self.sources[:], self.positions[:], self.lengths[:]
        other.place, other.seen = self.place, self.seen
        return other

    def add(self, block: QTextBlock, source: str) -> None:
        """Find a block's words in the source, behind those of the blocks before."""
        text, origin = block.text(), block.position()
        wide = not text.isascii() and max(text) > "\uffff"
        places = [0, *accumulate(utf16(sign) for sign in text)] if wide else None
        run = _RUN.search(text)
        while run is not None:
            word, start = run.group(), run.start()
            at, length = _find(source, word, self.place), len(word)
            position = origin + (places[start] if places else start)
            if at >= 0:
                # Mostly the words behind it follow in the source, too.
                length = length if places else _alike(text, start, source, at)
                self._append(at, position, length)
            elif length > 1:
                self._in_pieces(word, source, position)
            run = _RUN.search(text, start + length)
        self.seen = origin + block.length()

    def _append(self, source: int, position: int, length: int) -> None:
        self.sources.append(source)
        self.positions.append(position)
        self.lengths.append(length)
        self.place = source + length

    def _in_pieces(self, word: str, source: str, position: int) -> None:
        """A word with marks inside, as “un**like**ly”: all of its signs one after another, or none."""
        found: list[int] = []
        place = self.place
        for sign in word:
            at = source.find(sign, place, place + _MARK_REACH)
            if at < 0:
                return
            found.append(at)
            place = at + 1
        for index, at in enumerate(found):
            self._append(at, position + index, 1)


def _alike(one: str, start: int, other: str, at: int) -> int:
    """How many characters two texts have in common from two places on."""
    length, step = 0, _STEP
    most = min(len(one) - start, len(other) - at)
    while step:
        end = length + step
        if end <= most and one[start + length : start + end] == other[at + length : at + end]:
            length = end
        else:
            step //= 2
    return length


def _find(source: str, word: str, place: int) -> int:
    """Where a whole word comes next, unless that is far away."""
    if not word[0].isalnum():
        return source.find(word, place, place + _SIGN_REACH)
    end = place + len(word) + (_WORD_REACH if len(word) > 1 else _SIGN_REACH)
    at = source.find(word, place, end)
    while at >= 0 and not _whole(source, at, at + len(word)):
        at = source.find(word, at + 1, end)
    return at


def _whole(source: str, start: int, end: int) -> bool:
    """Whether no letter stands right before or after, in writing that has words."""
    if source[start] > "\u2e7f":
        return True
    before, after = source[start - 1 : start], source[end : end + 1]
    return not (before.isalnum() and before < "\u2e80") and not (after.isalnum() and after < "\u2e80")


def _mask(source: str, inside: bool) -> str:
    """The source, as long as it is, without what is never shown; code, which is shown as it is, left alone."""
    out: list[str] = []
    at = 0
    for fence in _FENCE.finditer(source):
        piece = source[at : fence.start()]
        out += [piece if inside else _UNSHOWN.sub(_blank, piece), "\0" * len(fence.group())]
        at, inside = fence.end(), not inside
    piece = source[at:]
    out.append(piece if inside else _UNSHOWN.sub(_blank, piece))
    return "".join(out)


def _blank(found: re.Match[str]) -> str:
    return "\0" * len(found.group())
