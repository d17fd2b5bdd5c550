"""Reading a piece of Markdown with Qt and writing it with our formats; nothing is ever loaded."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QTextBlock, QTextBlockFormat, QTextCursor, QTextFormat, QTextList, QTextListFormat, QTextTable

from playground.ui.chat.document import CodeRegion, FormattedDocument, SafeDocument
from playground.ui.chat.formats import CHIPS, INDENT, KIND, QUOTE_STEP
from playground.ui.chat.lines import (
    DOTS,
    FEATURES,
    LANGUAGE,
    QUOTE_LEVEL,
    Line,
    ListKey,
    Lists,
    Run,
    fragments_of,
    line_of,
    runs_of,
    shared,
)

_NO_RUN = Run("")


class Piece:
    """One piece of Markdown, written at the end of a document, where it may grow."""

    def __init__(self, target: FormattedDocument, source: str) -> None:
        """Append what ``source`` says."""
        self._to = target
        self._formats = target.formats
        self._lists: dict[ListKey, QTextList] = {}
        self._region: CodeRegion | None = None
        self._lines: list[Line] | None = []
        """What is shown; None where it isn't only lines, so that it can't be compared."""
        self._write(source)

    def grow(self, source: str) -> bool:
        """Show ``source`` instead, if that takes no more than changing the last line and adding some.

        False: nothing was done, the piece has to be written anew.
        """
        before = self._lines
        after = _only_lines(self._read(source), before) if before else None
        if not before or not after or len(after) < len(before) or after[: len(before) - 1] != before[:-1]:
            return False
        last, new = before[-1], after[len(before) - 1]
        if (last.item_of, last.rule) != (new.item_of, new.rule):
            return False
        self._change(last, new)
        self._lines = []
        for line in after[len(before) :]:
            self._line(line)
        self._lines = after
        return True

    def take(self, words: str) -> None:
        """These words were put behind the last line."""
        if not self._lines:
            self._lines = None
            return
        last = self._lines[-1]
        *runs, end = last.runs or (_NO_RUN,)
        if end[1:] == _NO_RUN[1:]:
            runs.append(Run(end.text + words))
        else:
            runs += [end, Run(words)]
        self._lines[-1] = last._replace(runs=tuple(runs))

    def _change(self, last: Line, new: Line) -> None:
        """Make the document's last block, which shows ``last``, show ``new``."""
        to, writer = self._to, self._to.writer
        writer.movePosition(QTextCursor.MoveOperation.End)
        same, rest = shared(last.runs, new.runs)
        block = writer.block()
        if same < last.size or last[1:] != new[1:]:
            to.changed_from = to.line_top(block, 0 if last[1:] != new[1:] else same)
        if last[1:] != new[1:]:
            form = self._block_format(new, block.position() == 0)
            form.setObjectIndex(block.blockFormat().objectIndex())  # its list
            writer.setBlockFormat(form)
            writer.setBlockCharFormat(self._formats.char(heading=new.heading))
        if same < last.size:
            writer.setPosition(block.position() + same)
            writer.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            writer.removeSelectedText()
        self._inline(writer, rest, new.heading)

    def _read(self, source: str) -> SafeDocument:
        """What Qt's reader makes of it; good until the next is read."""
        read = self._to.scratch
        read.setMarkdown(source, FEATURES)
        return read

    def _write(self, source: str) -> None:
        """Walk the blocks and tables in order."""
        read, lists = self._read(source), Lists()
        walk = read.rootFrame().begin()
        while not walk.atEnd():
            frame = walk.currentFrame()
            if isinstance(frame, QTextTable):
                self._end_code()
                self._table(frame)
            elif not frame:
                self._block(walk.currentBlock(), lists)
            walk += 1
        self._end_code()

    def _end_code(self) -> None:
        if self._region:
            self._to.end_code(self._region)
            self._region.closed = True
            self._to.colour(self._region)
            self._region = None

    def _block(self, block: QTextBlock, lists: Lists) -> None:
        form = block.blockFormat()
        if form.hasProperty(LANGUAGE):
            self._code(block, form)
            return
        self._end_code()
        line = line_of(block, form, lists)
        if line is not None:
            self._line(line)

    def _line(self, line: Line) -> None:
        to = self._to
        if self._lines is not None:
            self._lines.append(line)
        if line.rule:
            to.begin_block(self._formats.rule(), self._formats.char())
            return
        to.begin_block(self._block_format(line, to.at_top), self._formats.char(heading=line.heading))
        if line.item_of is not None:
            self._join_list(line.item_of)
        self._inline(to.writer, line.runs, line.heading)

    def _block_format(self, line: Line, first: bool) -> QTextBlockFormat:
        made = self._formats.item(first) if line.item_of is not None else self._formats.paragraph(line.heading, first)
        if line.quote:
            made.setLeftMargin(line.quote * QUOTE_STEP)
            made.setProperty(QUOTE_LEVEL, line.quote)
        made.setIndent(line.indent)
        made.setProperty(KIND, line.kind)
        return made

    def _join_list(self, key: ListKey) -> None:
        known = self._lists.get(key)
        if known:
            known.add(self._to.writer.block())
            return
        form = QTextListFormat()
        # Dots and boxes are painted by the body: Qt puts them too close to the text.
        form.setStyle(key.style if key.style not in DOTS else QTextListFormat.Style.ListStyleUndefined)
        form.setIndent(key.indent)
        form.setNumberSuffix(key.suffix)
        form.setStart(key.start)
        outermost = key.indent == 1
        last = self._to.last_list
        if outermost and last is not None and not self._lists and _alike(last.format(), form):
            # A list of its own that counts on: Qt takes long to add to a long list.
            form.setStart(last.format().start() + last.count())
        self._lists[key] = self._to.writer.createList(form)
        if outermost:
            self._to.last_list = self._lists[key]

    def _inline(self, cursor: QTextCursor, runs: Sequence[Run], heading: int = 0) -> None:
        for run in runs:
            text, bold, italic, strike, code, href, faint, spaced = run
            plain = run[1:] == _NO_RUN[1:]
            char = self._formats.char
            form = char(heading=heading) if plain else char(bold, italic, strike, code, href, heading, faint, spaced)
            cursor.insertText(text, form)

    def _code(self, block: QTextBlock, form: QTextBlockFormat) -> None:
        self._lines = None
        language = form.stringProperty(LANGUAGE)
        if self._region is None:
            self._region = CodeRegion(-1, -1, language)
            self._to.regions.append(self._region)
        level = min(form.intProperty(QUOTE_LEVEL), 8)
        left = form.indent() * INDENT + level * QUOTE_STEP
        self._to.add_code_line(self._region, block.text(), left=left)

    def _table(self, source: QTextTable) -> None:
        self._lines = None
        to = self._to
        if not to.unused:
            to.begin_block(self._formats.tiny(), self._formats.char())
        rows, columns = source.rows(), source.columns()
        table = to.writer.insertTable(rows, columns, self._formats.table())
        for row in range(rows):
            for column in range(columns):
                self._cell(source, table, row, column)
        to.writer.movePosition(QTextCursor.MoveOperation.End)
        to.writer.setBlockFormat(self._formats.tiny())
        to.unused = True

    def _cell(self, source: QTextTable, table: QTextTable, row: int, column: int) -> None:
        given = source.cellAt(row, column)
        block = given.lastCursorPosition().block()
        cursor = table.cellAt(row, column).firstCursorPosition()
        made = self._formats.cell()
        below = source.cellAt(min(row + 1, source.rows() - 1), column).lastCursorPosition().block()
        shaped = below if row == 0 else block  # the reader leaves heads unaligned
        if shaped.blockFormat().hasProperty(QTextFormat.Property.BlockAlignment):
            made.setAlignment(shaped.blockFormat().alignment())
        runs = runs_of(fragments_of(block), bold=row == 0)
        if any(run.code for run in runs):
            made.setProperty(KIND, CHIPS)
        cursor.setBlockFormat(made)
        cursor.setBlockCharFormat(self._formats.char(bold=row == 0))
        self._inline(cursor, runs)


def _only_lines(read: SafeDocument, known: Sequence[Line]) -> list[Line] | None:
    """A piece's lines; None: there are tables or code in it.

    ``known``: the lines it had when it was shorter. What comes changes the looks of the last at most, unless it
    gives marks further up a meaning: then their text is another.
    """
    found: list[Line] = []
    lists = Lists()
    sure = len(known) - 1
    if read.rootFrame().childFrames():
        return None
    block = read.begin()
    while block.isValid():
        at = len(found)
        if at < sure and known[at].runs and block.text() == known[at].text:
            if known[at].item_of is not None:
                lists.key(block)  # so that they are counted
            found.append(known[at])
            block = block.next()
            continue
        form = block.blockFormat()
        if form.hasProperty(LANGUAGE):
            return None
        line = line_of(block, form, lists)
        if line is not None:
            found.append(line)
        block = block.next()
    return found


def _alike(one: QTextListFormat, other: QTextListFormat) -> bool:
    return one.style() == other.style() and one.numberSuffix() == other.numberSuffix()
