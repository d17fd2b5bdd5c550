"""A turn's text as a document: Qt's Markdown reader as parser, our formats, grown in place.

Finished pieces are written once; only the short live end is replaced as the answer grows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCursor, QTextList

from playground.ui.chat.clean import clean, close_open_marks, protect_formulas
from playground.ui.chat.document import SMALL_STEP, CodeRegion, FormattedDocument
from playground.ui.chat.formats import GAP, HEAD, PAD, Formats
from playground.ui.chat.growth import plain_growth
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.reader import Piece as Written
from playground.ui.chat.splitter import LINE_MAX, Piece, Splitter, split

_OVER = HEAD + PAD + GAP
"""A block's frame reaches so far over its text, px."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where the live end begins."""

    position: int = 0
    unused: bool = True
    regions: int = 0
    lines: int = 0
    """Lines of the last region that stay."""
    end: int = -1
    """Position in the last of them."""
    last_list: QTextList | None = None


class MarkdownDocument(FormattedDocument):
    """Shows Markdown, whole (`show`) or as it is being written (`stream`, then `finish`)."""

    def __init__(self, formats: Formats, highlighter: Highlighter, parent: QObject | None = None) -> None:
        super().__init__(formats, highlighter, parent)
        self._splitter = Splitter(live=True)
        self._taken = 0
        self._text: str | None = None
        """The whole text last shown; None: none yet, or still growing."""
        self._mark = _Mark()
        self._tail: list[Piece] = []
        """The live end as it is shown."""
        self._written: Written | None = None
        """What was written last, while it may grow."""

    def restyle(self, formats: Formats) -> None:
        """Empty it and take other formats; show the text again afterwards."""
        self._formats = formats
        self.reset()

    def reset(self) -> None:
        """Empty the document."""
        self._splitter = Splitter(live=True)
        self._taken = 0
        self._text = None
        self._mark = _Mark()
        self._tail = []
        self._written = None
        self.growing = False
        self.empty()

    def show(self, text: str) -> None:
        """Show a finished text."""
        if text == self._text:
            return
        self.reset()
        self._text = text
        pieces, definitions = split(clean(text))
        self.writer.beginEditBlock()
        self._write(pieces, definitions)
        self.writer.endEditBlock()
        self.live_from = self.characterCount()

    def show_plain(self, text: str) -> None:
        """Show text as it stands, without Markdown."""
        if text == self._text:
            return
        self.reset()
        self._text = text
        self.writer.beginEditBlock()
        plain = self._formats.paragraph(first=True)
        plain.setTopMargin(0)
        plain.setBottomMargin(0)
        for line in _short_lines(clean(text)):
            self.begin_block(plain, self._formats.char())
            self.writer.insertText(line, self._formats.char())
        self.writer.endEditBlock()

    def stream(self, text: str) -> None:
        """Show a text that begins with what was streamed before and may go on."""
        if self._text is not None or len(text) < self._taken:
            self.reset()
        fresh = clean(text[self._taken :])
        self._taken = len(text)
        self._text = None
        self.growing = True
        finished = self._splitter.feed(fresh)
        before, self._tail = self._tail, self._splitter.tail()
        self.changed_from = self._last_line()
        if not finished and len(before) == len(self._tail) == 1 and self._goes_on(before[0], self._tail[0]):
            return
        self.writer.beginEditBlock()
        if len(before) == 1 and self._grows(before[0], finished or self._tail, not finished):
            if finished:
                finished = finished[1:]
            else:
                self._write(self._tail[1:], live=True, tail=True)
                self.writer.endEditBlock()
                return
        else:
            self.changed_from = self._mark_top()
            self._roll_back()
        self._write(finished, live=True)
        self._set_mark()
        self._write(self._tail, live=True, tail=True)
        self.writer.endEditBlock()

    def finish(self, text: str) -> None:
        """The text is complete: show it as `show` would."""
        splitter = self._splitter
        if self._text is not None or not self._taken or len(text) < self._taken:
            self.show(text)
            return
        finished = splitter.feed(clean(text[self._taken :])) + splitter.finish()
        if not splitter.exact:
            self.show(text)
            return
        self.growing = False
        self.writer.beginEditBlock()
        self._roll_back()
        self._write(finished)
        self.writer.endEditBlock()
        self.live_from = self.characterCount()
        self._text = text
        self._taken = len(text)

    # the live end

    def _set_mark(self) -> None:
        last, end = self.regions[-1] if self.regions else None, self.end_position
        if end > self._mark.position:
            self._forget_shapes(self._mark.position, end)
        self._mark = _Mark(
            end,
            self.unused,
            len(self.regions),
            len(last.lines) if last else 0,
            last.end if last else -1,
            self.last_list,
        )
        self.live_from = end

    def _roll_back(self) -> None:
        mark = self._mark
        if self.end_position > mark.position or mark.unused != self.unused:
            # The line break after what stays is kept: merging blocks would mix their formats.
            keep = mark.position if mark.unused else mark.position + 1
            self.writer.setPosition(min(keep, self.end_position))
            self.writer.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            self.writer.removeSelectedText()
            self.writer.setBlockFormat(self._formats.tiny())
            self.unused = True
        self.last_list = mark.last_list
        del self.regions[mark.regions :]
        if self.regions and not self.regions[-1].closed:
            del self.regions[-1].lines[mark.lines :]
            self.regions[-1].end = mark.end

    def _mark_top(self) -> float:
        """What is above this, px, stays as it is when the live end is rolled back."""
        block = self.findBlock(self._mark.position)
        return self.documentLayout().blockBoundingRect(block).top() - _OVER

    def _last_line(self) -> float:
        """Top of the last line, px."""
        block = self.lastBlock()
        count = block.layout().lineCount()
        top = self.documentLayout().blockBoundingRect(block).top()
        return top + (block.layout().lineAt(count - 1).y() if count else 0.0)

    def _grows(self, before: Piece, pieces: list[Piece], tail: bool) -> bool:
        """Have what is shown of the live end say what the first of these pieces does, if little has to be changed."""
        after = pieces[0] if pieces else None
        if after is None or self._written is None or before.kind != "text" or after.kind != "text":
            return False
        return before.continues == after.continues and self._written.grow(self._source(after, tail))

    def _goes_on(self, before: Piece, after: Piece) -> bool:
        """Put behind the live end what was added to it, if that is all there is to do."""
        if before.kind == after.kind == "text" and before.continues == after.continues:
            words = plain_growth(before.text, after.text)
            if words is None:
                return False
            self.writer.movePosition(QTextCursor.MoveOperation.End)
            self.writer.insertText(words, self._formats.char())
            if self._written is not None:
                self._written.take(words)
            return True
        if before.kind == after.kind == "code" and (before.opens, before.language) == (after.opens, after.language):
            (old,), (new,) = before.lines, after.lines
            if old and new.startswith(old):
                self.extend_code_line(self.regions[-1], new)
                return True
        return False

    # writing

    def _write(
        self, pieces: list[Piece], definitions: Sequence[str] = (), live: bool = False, tail: bool = False
    ) -> None:
        self.writer.movePosition(QTextCursor.MoveOperation.End)
        for piece in pieces:
            if piece.kind == "code":
                self._written = None
                self._write_code(piece, live, tail)
            else:
                source = self._source(piece, tail)
                if definitions and "[" in source:
                    source += "\n\n" + "\n".join(definitions)
                if not piece.continues:
                    self.last_list = None
                self._written = Written(self, source)

    @staticmethod
    def _source(piece: Piece, tail: bool) -> str:
        """A piece of Markdown as it is read; ``tail``: it may go on."""
        return protect_formulas(close_open_marks(piece.text) if tail else piece.text)

    def _write_code(self, piece: Piece, live: bool, tail: bool) -> None:
        lines = list(piece.lines)
        if piece.opens and not lines:
            lines = [""]
        if piece.opens:
            self.regions.append(CodeRegion(-1, -1, piece.language))
        region = self.regions[-1]
        for line in lines:
            self.add_code_line(region, line, live and (not tail or len(line) <= SMALL_STEP))
        if piece.closes or tail:
            self.end_code(region)
        if piece.closes:
            region.closed = True
            self.colour(region)


def _short_lines(text: str) -> list[str]:
    return [line[at : at + LINE_MAX] for line in text.split("\n") for at in range(0, max(1, len(line)), LINE_MAX)]
