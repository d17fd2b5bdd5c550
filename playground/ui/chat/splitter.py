"""Cutting a growing answer into pieces that never change again, and a short live end.

A piece is Markdown that can be read by itself, or lines of a fenced code block. Cuts are made at
blank lines that end whatever stood before them, so reading the pieces gives what reading the whole
gives; where a piece would grow too long it is cut all the same and ``exact`` becomes False.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

LINE_MAX = 10_000
"""Longest line and longest piece of Markdown, in characters: Qt lays out long ones quadratically."""
LIVE_MAX = 3_000
"""Longest live end while an answer is written; it is read anew with each chunk."""
LIST_MAX = 1_200
"""A loose list longer than this is cut between two items while an answer is written."""
TABLE_ROWS = 300
TABLE_COLUMNS = 40
"""Tables beyond these sizes are shown as text."""

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_INNER_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`\n]*$)|~{3,})")
_LIST = re.compile(r"^ {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]+\]:\s*\S")
_TABLE_RULE = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Markdown, or lines of one code block; a block may come in several pieces."""

    kind: Literal["text", "code"]
    text: str = ""
    """The Markdown."""
    lines: tuple[str, ...] = ()
    """The lines of code."""
    language: str = ""
    opens: bool = False
    closes: bool = False
    continues: bool = False
    """The Markdown begins with the next item of the list that the piece before ended in."""


@dataclass(slots=True)
class _Fence:
    indent: int
    mark: str
    language: str
    begun: bool = False
    """Whether a piece of it was given out."""
    table: bool = False
    """Not a fence, but a table that is shown as text; ends with its last row."""


class Splitter:
    """Feed it text; it gives out finished pieces. ``live``: keep the unfinished end short."""

    def __init__(self, live: bool) -> None:
        self.exact = True
        self.definitions: list[str] = []
        """Link definitions seen; they hold for the whole answer."""
        self._live = live
        self._limit = LIVE_MAX if live else LINE_MAX
        self._lines: list[str] = []
        self._size = 0
        self._partial = ""
        self._fence: _Fence | None = None
        self._inner = ""
        """Mark of a fence inside a list or quote that is open in the current piece."""
        self._has_list = False
        self._continues = False
        self._blank = False
        self._table: list[str] = []
        """Head and rule of the table the current piece ends in."""
        self._rows = 0
        self._out: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Take more text, give what is finished."""
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            while len(line) > LINE_MAX:
                line = self._break(line)
            self._take(line)
        while len(self._partial) > LINE_MAX:
            self._partial = self._break(self._partial)
        self._look_ahead()
        return self._give()

    def tail(self) -> list[Piece]:
        """The unfinished end as it should be shown now."""
        if fence := self._fence:
            hidden = not fence.table and _closes(self._partial, fence.mark[0], 1)
            return [_code(fence, "" if hidden else self._dedent(self._partial))]
        partial = self._partial
        if not self._inner and not self._has_list and (opening := _FENCE.match(partial)):
            head = self._source()
            before = [Piece("text", head)] if head.strip() else []
            return [*before, Piece("code", lines=("",), language=_language(opening.group(3)), opens=True)]
        if re.fullmatch(r" {0,3}(?:`{1,2}|~{1,2})", partial):
            partial = ""
        source = self._source(partial)
        return [Piece("text", source, continues=self._continues)] if source.strip() else []

    def finish(self) -> list[Piece]:
        """Everything left, as finished pieces."""
        partial, self._partial = self._partial, ""
        if partial:
            self._take(partial)
        if self._fence:
            self._close(self._fence)
        self._flush()
        return self._give()

    def _give(self) -> list[Piece]:
        out, self._out = self._out, []
        return out

    def _source(self, partial: str = "") -> str:
        return "\n".join([*self._lines, partial] if partial else self._lines)

    # one line

    def _take(self, line: str) -> None:
        if self._fence:
            self._take_code(line, self._fence)
        elif self._inner and not (line.strip() and line[0] not in " \t>"):
            self._blank = not line.strip()
            self._add(line)
            if _closes(line.lstrip(" \t>"), self._inner[0], len(self._inner)):
                self._inner = ""
            elif self._size > LINE_MAX:
                # The rest of an endless fence inside a list goes on as a block of its own.
                indent = len(line) - len(line.lstrip())
                mark = self._inner
                self._flush()
                self._fence = _Fence(indent, mark, "")
        elif not line.strip():
            self._blank = True
            self._end_table()
            self._add(line)
        else:
            self._inner = ""
            self._take_text(line)

    def _take_code(self, line: str, fence: _Fence) -> None:
        if fence.table:
            if "|" not in line:
                self._close(fence)
                self._take(line)
                return
        elif _closes(line, fence.mark[0], len(fence.mark)):
            self._close(fence)
            return
        self._out.append(_code(fence, self._dedent(line)))
        fence.begun = True

    def _close(self, fence: _Fence) -> None:
        self._out.append(Piece("code", language=fence.language, opens=not fence.begun, closes=True))
        self._fence = None

    def _take_text(self, line: str) -> None:
        if self._blank and self._may_cut(line):
            self._cut(line)
        opening = _FENCE.match(line)
        if opening and not (self._has_list and opening.group(1)):
            self._flush()
            self._fence = _Fence(len(opening.group(1)), opening.group(2), _language(opening.group(3)))
            return
        self._blank = False
        if _LIST.match(line):
            self._has_list = True
        if _DEFINITION.match(line):
            self.definitions.append(line.strip())
            self.exact = False
        if inner := _INNER_FENCE.match(line):
            self._inner = inner.group(1)
        if self._size + len(line) > self._limit:
            self._force(line)
            self._has_list = self._has_list or bool(_LIST.match(line))
        self._add(line)
        self._watch_table(line)

    def _add(self, line: str) -> None:
        if not self._lines and not line.strip():
            return
        self._lines.append(line)
        self._size += len(line) + 1

    def _may_cut(self, line: str) -> bool:
        if not self._lines or line[0] in " \t":
            return bool(self._lines) and not self._has_list and not line.startswith(("    ", "\t", "   \t"))
        if not (self._has_list and _LIST.match(line)):
            return True
        return self._live and self._size > LIST_MAX

    def _look_ahead(self) -> None:
        """Let go of the piece before a partial line as soon as that line's kind is certain."""
        partial = self._partial
        if self._fence or self._inner or not partial.strip():
            return
        certain = partial[0].isalpha() or len(partial) >= 14
        if self._blank and certain and self._may_cut(partial):
            self._cut(partial)
        if self._size + len(partial) > self._limit and certain:
            if self._lines:
                self._force(partial)
            elif not self._table:
                self._partial = self._break(partial)

    # cuts that have to be made

    def _flush(self) -> None:
        source = self._source()
        if source.strip():
            self._out.append(Piece("text", source, continues=self._continues))
        self._lines, self._size = [], 0
        self._has_list = self._blank = self._continues = False
        self._inner = ""
        self._end_table()

    def _cut(self, line: str) -> None:
        """End the piece before ``line``; a list may go on with it."""
        continues = self._has_list and bool(_LIST.match(line))
        self._flush()
        # An item is one only with its mark, so the next piece knows that it is in a list.
        self._continues = continues

    def _force(self, line: str) -> None:
        """Cut before ``line``, wherever that is."""
        if self._has_list and line[0] not in " \t" and _LIST.match(line):
            self._cut(line)
            return
        if self._has_list and line[0] in " \t" and self._size < 2 * self._limit:
            return  # the next outer item is a better place
        self.exact = False
        table, rows = self._table, self._rows
        self._flush()
        if table and "|" in line:
            self._table, self._rows = table, rows
            for head in table:
                self._add(head)

    def _break(self, line: str) -> str:
        """Give out the head of a line that is too long; returns the rest."""
        self.exact = self.exact and not self._live
        limit = LINE_MAX if self._fence else min(self._limit, LINE_MAX)
        at = line.rfind(" ", limit // 2, limit) + 1 or limit
        if self._fence:
            self._out.append(_code(self._fence, line[:limit]))
            self._fence.begun = True
            return line[limit:]
        self._flush()
        self._lines = [line[:at]]
        self._flush()
        return line[at:]

    # tables

    def _watch_table(self, line: str) -> None:
        if self._table:
            self._rows += 1
            if "|" not in line:
                self._end_table()
            elif self._rows > TABLE_ROWS:
                self._lines.pop()
                self._show_as_text([line])
        elif len(self._lines) >= 2 and "|" in self._lines[-2] and "-" in line and _TABLE_RULE.match(line):
            self._table = self._lines[-2:]
            if self._lines[-2].count("|") > TABLE_COLUMNS:
                del self._lines[-2:]
                self._show_as_text(self._table)

    def _show_as_text(self, lines: list[str]) -> None:
        self._flush()
        self._fence = _Fence(0, "", "table", table=True)
        for line in lines:
            self._take_code(line, self._fence)

    def _end_table(self) -> None:
        self._table, self._rows = [], 0

    def _dedent(self, line: str) -> str:
        indent = self._fence.indent if self._fence else 0
        return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def split(text: str) -> tuple[list[Piece], list[str]]:
    """A whole text's pieces and its link definitions."""
    splitter = Splitter(live=False)
    pieces = splitter.feed(text) + splitter.finish()
    return pieces, splitter.definitions


def _code(fence: _Fence, line: str) -> Piece:
    return Piece("code", lines=(line,), language=fence.language, opens=not fence.begun)


def _closes(line: str, mark: str, count: int) -> bool:
    bare = line.strip()
    return len(bare) >= count and not bare.strip(mark) and len(line) - len(line.lstrip(" ")) < 4


def _language(info: str) -> str:
    words = info.split()
    return words[0].strip("{}.,")[:24] if words else ""
