"""Reading a piece of Markdown with Qt and writing it with our formats; nothing is ever loaded."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from PySide6.QtGui import (
    QTextBlock,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextList,
    QTextListFormat,
    QTextTable,
)

from playground.translate import tr
from playground.ui.chat.document import CodeRegion, FormattedDocument, SafeDocument
from playground.ui.chat.formats import BULLET, CHIPS, DONE_TASK, INDENT, KIND, OPEN_TASK, QUOTE, QUOTE_STEP

FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
SCHEMES = ("http", "https", "mailto")
"""Links with these can be followed; all others are text."""
_ALT, _QUOTE_LEVEL, _LANGUAGE, _RULER = (
    int(QTextFormat.Property[name])
    for name in ("ImageAltText", "BlockQuoteLevel", "BlockCodeLanguage", "BlockTrailingHorizontalRulerWidth")
)

_DOTS = (
    QTextListFormat.Style.ListDisc,
    QTextListFormat.Style.ListCircle,
    QTextListFormat.Style.ListSquare,
)


def read_markdown(target: FormattedDocument, source: str) -> None:
    """Append what a piece of Markdown says."""
    _Reader(target, source).write()


class _Reader:
    """Reads one piece of Markdown with Qt and writes it into the document with our formats."""

    def __init__(self, target: FormattedDocument, source: str) -> None:
        self._to = target
        self._formats = target.formats
        self._lists: dict[int, QTextList] = {}
        self._region: CodeRegion | None = None
        self._source = SafeDocument()
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
            elif not frame:
                self._block(walk.currentBlock())
            walk += 1
        self._end_code()

    def _end_code(self) -> None:
        if self._region:
            self._to.end_code(self._region)
            self._region.closed = True
            self._to.colour(self._region)
            self._region = None

    def _block(self, block: QTextBlock) -> None:
        form = block.blockFormat()
        if form.hasProperty(_LANGUAGE):
            self._code(block, form)
            return
        self._end_code()
        source_list = _list_of(block)
        if form.hasProperty(_RULER):
            self._to.begin_block(self._formats.rule(), self._formats.char())
            return
        if not block.text() and source_list is None and not form.properties():
            return  # Qt puts empty blocks around tables
        self._prose(block, form, source_list)

    def _prose(self, block: QTextBlock, form: QTextBlockFormat, source_list: QTextList | None) -> None:
        to, first = self._to, self._to.at_top
        heading = form.headingLevel()
        made = self._formats.item(first) if source_list else self._formats.paragraph(heading, first)
        kind = 0
        level = min(form.intProperty(_QUOTE_LEVEL), 8)
        if level:
            made.setLeftMargin(level * QUOTE_STEP)
            made.setProperty(_QUOTE_LEVEL, level)
            kind |= QUOTE
        made.setIndent(form.indent())
        kind |= _mark_kind(form, source_list)
        fragments = _fragments(block)
        if any(f.charFormat().fontFixedPitch() for f in fragments):
            kind |= CHIPS
        made.setProperty(KIND, kind)
        to.begin_block(made, self._formats.char(heading=heading))
        if source_list:
            self._join_list(source_list)
        self._inline(to.writer, fragments, heading)

    def _join_list(self, source: QTextList) -> None:
        key = source.objectIndex()
        known = self._lists.get(key)
        if known:
            known.add(self._to.writer.block())
            return
        form = QTextListFormat()
        given = source.format()
        # Dots and boxes are painted by the body: Qt puts them too close to the text.
        ordered = given.style() not in _DOTS
        form.setStyle(given.style() if ordered else QTextListFormat.Style.ListStyleUndefined)
        form.setIndent(given.indent())
        form.setNumberSuffix(given.numberSuffix() or ".")
        form.setStart(given.start())
        outermost = given.indent() == 1
        last = self._to.last_list
        if outermost and last is not None and not self._lists and _alike(last.format(), form):
            # A list of its own that counts on: Qt takes long to add to a long list.
            form.setStart(last.format().start() + last.count())
        self._lists[key] = self._to.writer.createList(form)
        if outermost:
            self._to.last_list = self._lists[key]

    def _inline(
        self, cursor: QTextCursor, fragments: list[QTextFragment], heading: int = 0, bold: bool = False
    ) -> None:
        for fragment, after in zip_longest(fragments, fragments[1:]):
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
            # Room for the chip behind a code span: before it and after it.
            spaced = look.get("code") or (after is not None and after.charFormat().fontFixedPitch())
            if spaced:
                cursor.insertText(text[:-1], self._formats.char(**look))
                cursor.insertText(text[-1:], self._formats.char(**look, spaced=True))
            else:
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
        fragments = _fragments(block)
        if any(f.charFormat().fontFixedPitch() for f in fragments):
            made.setProperty(KIND, CHIPS)
        cursor.setBlockFormat(made)
        cursor.setBlockCharFormat(self._formats.char(bold=row == 0))
        self._inline(cursor, fragments, bold=row == 0)


def _list_of(block: QTextBlock) -> QTextList | None:
    return block.textList()


def _alike(one: QTextListFormat, other: QTextListFormat) -> bool:
    return one.style() == other.style() and one.numberSuffix() == other.numberSuffix()


def _mark_kind(form: QTextBlockFormat, source_list: QTextList | None) -> int:
    if form.marker() == QTextBlockFormat.MarkerType.Checked:
        return DONE_TASK
    if form.marker() == QTextBlockFormat.MarkerType.Unchecked:
        return OPEN_TASK
    return BULLET if source_list is not None and source_list.format().style() in _DOTS else 0


def _fragments(block: QTextBlock) -> list[QTextFragment]:
    found = []
    walk = block.begin()
    while not walk.atEnd():
        found.append(walk.fragment())
        walk += 1
    return found


def _image_words(alt: str, address: str) -> str:
    words = ", ".join(part for part in (alt.strip(), address.strip()[:300]) if part)
    return tr("[image: {name}]", name=words) if words else tr("[image]")


def followable(address: str) -> str:
    """The address if it is one that may be offered, else nothing."""
    return address if address.partition(":")[0].strip().lower() in SCHEMES and ":" in address else ""
