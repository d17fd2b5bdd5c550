"""A turn's text as a document: Qt's Markdown reader as parser, our formats, grown in place.

Finished pieces are written once; only the short live end is replaced as the answer grows.
"""

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
    QTextFormat,
    QTextFragment,
    QTextLayout,
    QTextList,
    QTextListFormat,
    QTextOption,
    QTextTable,
)

from playground.ui.chat.clean import clean, close_open_marks, protect_formulas
from playground.ui.chat.formats import CHIPS, INDENT, KIND, QUOTE, QUOTE_STEP, Formats
from playground.ui.chat.highlight import Highlighter, Spans
from playground.ui.chat.splitter import Piece, Splitter, split

FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
SCHEMES = ("http", "https", "mailto")
"""Links with these can be followed; all others are text."""
_ALT, _QUOTE_LEVEL, _LANGUAGE, _RULER = (
    int(QTextFormat.Property[name])
    for name in ("ImageAltText", "BlockQuoteLevel", "BlockCodeLanguage", "BlockTrailingHorizontalRulerWidth")
)


class _Safe(QTextDocument):
    """A document that never loads anything."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing, whatever is asked for: None would let Qt open local files."""
        return QImage()


@dataclass(slots=True)
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


class MarkdownDocument(_Safe):
    """Shows Markdown, whole (`show`) or as it is being written (`stream`, then `finish`)."""

    def __init__(self, formats: Formats, highlighter: Highlighter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.regions: list[CodeRegion] = []
        self._formats = formats
        self._highlighter = highlighter
        self._splitter = Splitter(live=True)
        self._taken = 0
        self._text: str | None = None
        """The whole text last shown; None: none yet, or still growing."""
        self._cursor = QTextCursor(self)
        self._unused = True
        """The last block is empty and may be used."""
        self._mark = _Mark()
        self.setUndoRedoEnabled(False)
        self.setDocumentMargin(0)
        self.setIndentWidth(INDENT)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setDefaultTextOption(option)
        self.setDefaultFont(formats.font())

    @property
    def formats(self) -> Formats:
        """The formats in force."""
        return self._formats

    def restyle(self, formats: Formats) -> None:
        """Write everything anew with other formats."""
        self._formats = formats
        self.setDefaultFont(formats.font())
        text, taken = self._text, self._taken
        if text is not None:
            self._text = None
            self.show(text)
        elif taken:
            self.reset()

    def reset(self) -> None:
        """Empty the document."""
        self._splitter = Splitter(live=True)
        self._taken = 0
        self._text = None
        self.clear()
        self.setDefaultFont(self._formats.font())
        self.setIndentWidth(INDENT)
        self.regions = []
        self._cursor = QTextCursor(self)
        self._unused = True
        self._cursor.setBlockFormat(self._formats.tiny())
        self._mark = _Mark()

    def show(self, text: str) -> None:
        """Show a finished text."""
        if text == self._text:
            return
        self.reset()
        self._text = text
        pieces, definitions = split(clean(text))
        self._cursor.beginEditBlock()
        self._write(pieces, definitions)
        self._cursor.endEditBlock()

    def show_plain(self, text: str) -> None:
        """Show text as it stands, without Markdown."""
        if text == self._text:
            return
        self.reset()
        self._text = text
        self._cursor.beginEditBlock()
        plain = self._formats.paragraph(first=True)
        plain.setTopMargin(0)
        plain.setBottomMargin(0)
        for line in _short_lines(clean(text)):
            self._begin(plain, self._formats.char())
            self._cursor.insertText(line, self._formats.char())
        self._cursor.endEditBlock()

    def stream(self, text: str) -> None:
        """Show a text that begins with what was streamed before and may go on."""
        if self._text is not None or len(text) < self._taken:
            self.reset()
        fresh = clean(text[self._taken :])
        self._taken = len(text)
        self._text = None
        finished = self._splitter.feed(fresh)
        self._cursor.beginEditBlock()
        self._roll_back()
        self._write(finished, live=True)
        self._set_mark()
        self._write(self._splitter.tail(), live=True, tail=True)
        self._cursor.endEditBlock()

    def finish(self, text: str) -> None:
        """The text is complete: show it as `show` would."""
        splitter = self._splitter
        if self._text is not None or not splitter.exact or len(text) < self._taken:
            self.show(text)
            return
        finished = splitter.feed(clean(text[self._taken :])) + splitter.finish()
        if not splitter.exact:
            self.show(text)
            return
        self._cursor.beginEditBlock()
        self._roll_back()
        self._write(finished)
        self._cursor.endEditBlock()
        self._text = text
        self._taken = len(text)

    # the live end

    def _set_mark(self) -> None:
        last = self.regions[-1] if self.regions else None
        self._mark = _Mark(
            self._end(),
            self._unused,
            len(self.regions),
            len(last.lines) if last else 0,
            last.end if last else -1,
        )

    def _roll_back(self) -> None:
        mark = self._mark
        if self._end() > mark.position or mark.unused != self._unused:
            # The line break after what stays is kept: merging blocks would mix their formats.
            keep = mark.position if mark.unused else mark.position + 1
            self._cursor.setPosition(min(keep, self._end()))
            self._cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            self._cursor.removeSelectedText()
            self._cursor.setBlockFormat(self._formats.tiny())
            self._unused = True
        del self.regions[mark.regions :]
        if self.regions and not self.regions[-1].closed:
            del self.regions[-1].lines[mark.lines :]
            self.regions[-1].end = mark.end

    def _end(self) -> int:
        return self.characterCount() - 1

    # writing

    def _write(self, pieces: list[Piece], definitions: list[str] = [], live: bool = False, tail: bool = False) -> None:  # noqa: B006
        self._cursor.movePosition(QTextCursor.MoveOperation.End)
        for piece in pieces:
            if piece.kind == "code":
                self._write_code(piece, live, tail)
            else:
                source = protect_formulas(close_open_marks(piece.text) if tail else piece.text)
                if definitions and "[" in source:
                    source += "\n\n" + "\n".join(definitions)
                _Reader(self, source).write()

    def _begin(self, block: QTextBlockFormat, char: QTextCharFormat) -> None:
        """Begin a block at the end."""
        if self._unused:
            self._cursor.setBlockFormat(block)
            self._cursor.setBlockCharFormat(char)
            self._unused = False
        else:
            self._cursor.insertBlock(block, char)

    @property
    def _first(self) -> bool:
        return self._unused and self._end() == 0

    def _write_code(self, piece: Piece, live: bool, tail: bool) -> None:
        lines = list(piece.lines)
        if piece.opens and not lines:
            lines = [""]
        if piece.opens:
            self.regions.append(CodeRegion(-1, -1, piece.language))
        region = self.regions[-1]
        for line in lines:
            self.add_code_line(region, line, live)
        if piece.closes or tail:
            self.end_code(region)
        if piece.closes:
            region.closed = True
            self._colour(region)

    def add_code_line(self, region: CodeRegion, line: str, live: bool = False, left: float = 0) -> None:
        """Append a line to the last code block."""
        first = self._first
        block = self._formats.code(not region.lines, False, first)
        block.setLeftMargin(block.leftMargin() + left)
        self._begin(block, self._formats.code_char)
        if line:
            self._cursor.insertText(line, self._formats.code_char)
        if not region.lines:
            region.start = self._cursor.block().position()
        region.end = self._cursor.block().position()
        region.lines.append(line)
        if live and region.language and line:
            self._colour_block(self._cursor.block(), self._highlighter.line(region.language, line))

    def end_code(self, region: CodeRegion) -> None:
        """Make room for the frame below the last line of a block."""
        cursor = QTextCursor(self.findBlock(region.end))
        block = cursor.blockFormat()
        block.setBottomMargin(self._formats.code(False, True).bottomMargin())
        cursor.setBlockFormat(block)

    def _colour(self, region: CodeRegion) -> None:
        if region.language and region.language != "table":
            self._highlighter.request(region.language, region.code, lambda spans: self._apply(region, spans))

    def _apply(self, region: CodeRegion, spans: Spans) -> None:
        if region not in self.regions:
            return
        block = self.findBlock(region.start)
        for line in spans:
            if not block.isValid() or block.position() > region.end:
                break
            self._colour_block(block, line, mark=False)
            block = block.next()
        self.markContentsDirty(region.start, region.end - region.start + 1)

    def _colour_block(self, block: QTextBlock, spans: list[tuple[int, int, str]], mark: bool = True) -> None:
        ranges = []
        for start, length, token in spans:
            made = QTextLayout.FormatRange()
            made.start, made.length, made.format = start, length, self._formats.token(token)
            ranges.append(made)
        block.layout().setFormats(ranges)
        if mark:
            self.markContentsDirty(block.position(), block.length())


class _Reader:
    """Reads one piece of Markdown with Qt and writes it into the document with our formats."""

    def __init__(self, target: MarkdownDocument, source: str) -> None:
        self._to = target
        self._formats = target.formats
        self._lists: dict[int, QTextList] = {}
        self._region: CodeRegion | None = None
        self._source = _Safe()
        self._source.setUndoRedoEnabled(False)
        self._source.setMarkdown(source, FEATURES)

    def write(self) -> None:
        """Walk the blocks and tables in order."""
        walk = self._source.rootFrame().begin()
        while not walk.atEnd():
            frame = walk.currentFrame()
            if isinstance(frame, QTextTable):
                self._end_code()
                self._table(frame)
            elif frame is None:
                self._block(walk.currentBlock())
            walk += 1
        self._end_code()

    def _end_code(self) -> None:
        if self._region:
            self._to.end_code(self._region)
            self._region.closed = True
            self._to._colour(self._region)
            self._region = None

    def _block(self, block: QTextBlock) -> None:
        form = block.blockFormat()
        if form.hasProperty(_LANGUAGE):
            self._code(block, form)
            return
        self._end_code()
        source_list = block.textList()
        if form.hasProperty(_RULER):
            self._to._begin(self._formats.rule(), self._formats.char())
            return
        if not block.text() and source_list is None and not form.properties():
            return  # Qt puts empty blocks around tables
        self._prose(block, form, source_list)

    def _prose(self, block: QTextBlock, form: QTextBlockFormat, source_list: QTextList | None) -> None:
        to, first = self._to, self._to._first
        heading = form.headingLevel()
        made = self._formats.item(first) if source_list else self._formats.paragraph(heading, first)
        kind = 0
        level = min(form.intProperty(_QUOTE_LEVEL), 8)
        if level:
            made.setLeftMargin(level * QUOTE_STEP)
            made.setProperty(_QUOTE_LEVEL, level)
            kind |= QUOTE
        made.setIndent(form.indent())
        if form.marker() != QTextBlockFormat.MarkerType.NoMarker:
            made.setMarker(form.marker())
        fragments = _fragments(block)
        if any(f.charFormat().fontFixedPitch() for f in fragments):
            kind |= CHIPS
        made.setProperty(KIND, kind)
        to._begin(made, self._formats.char(heading=heading))
        if source_list:
            self._join_list(source_list)
        self._inline(to._cursor, fragments, heading)

    def _join_list(self, source: QTextList) -> None:
        key = source.objectIndex()
        known = self._lists.get(key)
        if known:
            known.add(self._to._cursor.block())
            return
        form = QTextListFormat()
        given = source.format()
        form.setStyle(given.style())
        form.setIndent(given.indent())
        form.setNumberSuffix(given.numberSuffix() or ".")
        if hasattr(form, "setStart"):
            form.setStart(given.start())
        self._lists[key] = self._to._cursor.createList(form)

    def _inline(
        self, cursor: QTextCursor, fragments: list[QTextFragment], heading: int = 0, bold: bool = False
    ) -> None:
        for fragment in fragments:
            given = fragment.charFormat()
            text = fragment.text()
            look: dict[str, Any] = {"heading": heading}
            if given.isImageFormat():
                # Never shown, named instead: neither the file nor the address is touched.
                image = given.toImageFormat()
                text = _image_words(given.stringProperty(_ALT), image.name())
                look["faint"] = True
            else:
                look.update(
                    bold=bold or given.fontWeight() > 500,
                    italic=given.fontItalic(),
                    strike=given.fontStrikeOut(),
                    code=given.fontFixedPitch(),
                    href=followable(given.anchorHref()) if given.isAnchor() else "",
                )
            cursor.insertText(text, self._formats.char(**look))

    def _code(self, block: QTextBlock, form: QTextBlockFormat) -> None:
        language = form.stringProperty(_LANGUAGE)
        if self._region is None:
            self._region = CodeRegion(-1, -1, language)
            self._to.regions.append(self._region)
        level = min(form.intProperty(_QUOTE_LEVEL), 8)
        left = form.indent() * INDENT + level * QUOTE_STEP
        self._to.add_code_line(self._region, block.text(), left=left)

    def _table(self, source: QTextTable) -> None:
        to = self._to
        if not to._unused:
            to._begin(self._formats.tiny(), self._formats.char())
        rows, columns = source.rows(), source.columns()
        table = to._cursor.insertTable(rows, columns, self._formats.table())
        for row in range(rows):
            for column in range(columns):
                self._cell(source, table, row, column)
        to._cursor.movePosition(QTextCursor.MoveOperation.End)
        to._cursor.setBlockFormat(self._formats.tiny())
        to._unused = True

    def _cell(self, source: QTextTable, table: QTextTable, row: int, column: int) -> None:
        given = source.cellAt(row, column)
        block = given.lastCursorPosition().block()
        cursor = table.cellAt(row, column).firstCursorPosition()
        made = self._formats.cell()
        if alignment := block.blockFormat().alignment():
            made.setAlignment(alignment)
        fragments = _fragments(block)
        if any(f.charFormat().fontFixedPitch() for f in fragments):
            made.setProperty(KIND, CHIPS)
        cursor.setBlockFormat(made)
        cursor.setBlockCharFormat(self._formats.char(bold=row == 0))
        self._inline(cursor, fragments, bold=row == 0)


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    found = []
    walk = block.begin()
    while not walk.atEnd():
        found.append(walk.fragment())
        walk += 1
    return found


def _image_words(alt: str, address: str) -> str:
    words = ", ".join(part for part in (alt.strip(), address.strip()[:300]) if part)
    return f"[image: {words}]" if words else "[image]"


def _short_lines(text: str) -> list[str]:
    from playground.ui.chat.splitter import LINE_MAX

    return [line[at : at + LINE_MAX] for line in text.split("\n") for at in range(0, max(1, len(line)), LINE_MAX)]


def followable(address: str) -> str:
    """The address if it is one that may be offered, else nothing."""
    return address if address.partition(":")[0].strip().lower() in SCHEMES and ":" in address else ""
