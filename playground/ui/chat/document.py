"""The document under a turn's text: blocks are added at its end with our formats; it never loads anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import (
    QImage,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextLayout,
    QTextList,
    QTextOption,
)
from shiboken6 import isValid

from playground.ui.chat.formats import CODE, INDENT, KIND, QUOTE_STEP, Formats
from playground.ui.chat.highlight import Highlighter, Span, Spans
from playground.ui.chat.lines import utf16

SMALL_STEP = 12
"""A line of code that grows by more characters at once is coloured when it has ended: that is soon."""


class SafeDocument(QTextDocument):
    """A document that never loads anything."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing, whatever is asked for: None would let Qt open local files."""
        return QImage()


@dataclass(slots=True, eq=False)
class CodeRegion:
    """A code block in the document."""

    start: int
    """Position in its first line."""
    end: int
    """Position in its last line."""
    language: str
    lines: list[str] = field(default_factory=list)
    closed: bool = False

    @property
    def code(self) -> str:
        """The code as it was written."""
        return "\n".join(self.lines)


class FormattedDocument(SafeDocument):
    """Blocks, and code blocks as regions, written at the end."""

    def __init__(self, formats: Formats, highlighter: Highlighter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.regions: list[CodeRegion] = []
        self.generation = 0
        """Grows when the document is emptied: what was known of its blocks is void."""
        self.live_from = 0
        """Position from where on blocks may still change."""
        self.writer = QTextCursor(self)
        self.unused = True
        """The last block is empty and may be used."""
        self.growing = False
        """What is written now will soon get longer."""
        self.changed_from = 0.0
        """What is above this, px, looks as it did before the text grew last."""
        self.last_list: QTextList | None = None
        """The outermost list that the text ends in, for items that come in the next piece."""
        self.scratch = SafeDocument(self)
        """Pieces of Markdown are read into it one after another: to make one takes as long as to read."""
        self.scratch.setUndoRedoEnabled(False)
        self._formats = formats
        self._highlighter = highlighter
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(0)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setDefaultTextOption(option)
        self.empty()

    @property
    def formats(self) -> Formats:
        """The formats in force."""
        return self._formats

    def empty(self) -> None:
        """Take everything out."""
        self.clear()
        self.setDefaultFont(self._formats.font())
        self.setIndentWidth(INDENT)
        self.regions = []
        self.generation += 1
        self.live_from = 0
        self.writer = QTextCursor(self)
        self.unused = True
        self.last_list = None
        self.writer.setBlockFormat(self._formats.tiny())

    @property
    def end_position(self) -> int:
        """Position of the end."""
        return self.characterCount() - 1

    def begin_block(self, block: QTextBlockFormat, char: QTextCharFormat) -> None:
        """Begin a block at the end."""
        if self.at_top:
            self._leave_over(block)
        if self.unused:
            self.writer.setBlockFormat(block)
            self.writer.setBlockCharFormat(char)
            self.unused = False
        else:
            self.writer.insertBlock(block, char)
        if self.growing:
            # Qt shapes the text to lay it out, and would shape it once more to paint it.
            self.writer.block().layout().setCacheEnabled(True)

    def _leave_over(self, first: QTextBlockFormat) -> None:
        """Room for the head of code that comes first; Qt leaves out the margin over a first block."""
        root = self.rootFrame()
        made = root.frameFormat()
        wanted = first.topMargin() if first.property(KIND) == CODE else 0.0
        if made.topMargin() != wanted:
            made.setTopMargin(wanted)
            root.setFrameFormat(made)

    def _forget_shapes(self, start: int, end: int) -> None:
        """The blocks between two positions stay as they are: after another layout they needn't be kept shaped."""
        block = self.findBlock(start)
        while block.isValid() and block.position() < end:
            block.layout().setCacheEnabled(False)
            block = block.next()

    def line_top(self, block: QTextBlock, at: int) -> float:
        """Top of the line over the one with a character of a block, px: what follows may pull words up."""
        line = block.layout().lineForTextPosition(at)
        y = line.y() - line.height() if line.isValid() else 0.0
        top = self.documentLayout().blockBoundingRect(block).top()
        return top + y - (QUOTE_STEP if at == 0 else 0)

    @property
    def at_top(self) -> bool:
        """Whether nothing was written yet."""
        return self.unused and self.end_position == 0

    def add_code_line(self, region: CodeRegion, line: str, live: bool = False, left: float = 0) -> None:
        """Append a line to the last code block."""
        first = self.at_top
        block = self._formats.code(not region.lines, False, first)
        block.setLeftMargin(block.leftMargin() + left)
        self.begin_block(block, self._formats.code_char)
        if line:
            self.writer.insertText(line, self._formats.code_char)
        if not region.lines:
            region.start = self.writer.block().position()
        region.end = self.writer.block().position()
        region.lines.append(line)
        if live and region.language and line:
            self._colour_block(self.writer.block(), self._highlighter.line(region.language, line))

    def extend_code_line(self, region: CodeRegion, line: str) -> None:
        """Put more behind the last line of the last code block; ``line`` is all of it."""
        more = line[len(region.lines[-1]) :]
        region.lines[-1] = line
        self.writer.movePosition(QTextCursor.MoveOperation.End)
        self.writer.beginEditBlock()
        self.writer.insertText(more, self._formats.code_char)
        if region.language and len(more) <= SMALL_STEP:
            self._colour_block(self.writer.block(), self._highlighter.line(region.language, line))
        self.writer.endEditBlock()

    def end_code(self, region: CodeRegion) -> None:
        """Make room for the frame below the last line of a block."""
        cursor = QTextCursor(self.findBlock(region.end))
        block = cursor.blockFormat()
        block.setBottomMargin(self._formats.code(False, True).bottomMargin())
        cursor.setBlockFormat(block)

    def colour(self, region: CodeRegion) -> None:
        """Have a finished code block coloured, now or in a while."""
        if region.language and region.language != "table":
            self._highlighter.request(region.language, region.code, lambda spans: self._apply(region, spans))

    def _apply(self, region: CodeRegion, spans: Spans) -> None:
        if not isValid(self) or region not in self.regions:
            return
        block = self.findBlock(region.start)
        for line in spans:
            if not block.isValid() or block.position() > region.end:
                break
            self._colour_block(block, line)
            block = block.next()
        self.markContentsDirty(region.start, region.end - region.start + 1)

    def _colour_block(self, block: QTextBlock, spans: list[Span]) -> None:
        """Colour a line; the caller sees to its being laid out afterwards."""
        ranges = []
        text = block.text() if spans else ""
        for start, length, token in spans if text.isascii() else _in_utf16(text, spans):
            made = QTextLayout.FormatRange()
            made.start, made.length, made.format = start, length, self._formats.token(token)
            ranges.append(made)
        block.layout().setFormats(ranges)


def _in_utf16(text: str, spans: list[Span]) -> list[Span]:
    """Spans as Qt counts characters."""
    return [(utf16(text[:at]), utf16(text[at : at + length]), token) for at, length, token in spans]
