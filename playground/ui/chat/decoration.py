"""What is painted around a document's text: chips, quote bars, bullets, rules, the caret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextBlock, QTextCursor, QTextFormat

from playground.ui.chat.document import FormattedDocument
from playground.ui.chat.formats import (
    BULLET,
    CHIP_PAD,
    CHIPS,
    DONE_TASK,
    KIND,
    OPEN_TASK,
    QUOTE,
    QUOTE_STEP,
    RULE,
    TINY,
)
from playground.ui.theme import Theme, mix

_QUOTE_LEVEL = int(QTextFormat.Property.BlockQuoteLevel)
_PAINTED = QUOTE | CHIPS | BULLET | OPEN_TASK | DONE_TASK | RULE
"""Kinds of blocks for which something is painted."""
CARET_WIDTH, CARET_HEIGHT = 7, 15
_BEYOND = 20
"""What is painted reaches so far under the box that Qt gives for a block at most, px."""
_NEAR_END = 8


def block_rect(block: QTextBlock) -> QRectF:
    """A block's box in its document: from the origin of its lines to the bottom of the last."""
    layout = block.document().documentLayout()
    rect = layout.blockBoundingRect(block)
    # Qt gives the size of the text only; lines may begin below the origin.
    return QRectF(rect.left(), rect.top(), rect.width(), block.layout().boundingRect().bottom())


class Decoration:
    """Paints what belongs to the blocks of a document."""

    def __init__(self, document: FormattedDocument, theme: Theme) -> None:
        self._document, self._theme = document, theme
        self._chips: dict[int, list[QRectF]] = {}
        """By block position, relative to the block: finding them is slow."""
        self._chips_for: tuple[int, float] = (0, 0.0)

    def paint(self, p: QPainter, clip: QRectF) -> None:
        """Everything behind the text in a rectangle."""
        top = clip.top() - _BEYOND
        for block, rect in self._blocks_in(clip):
            kind = block.blockFormat().intProperty(KIND)
            if not kind & _PAINTED or rect.bottom() < top:
                continue
            if kind == RULE:
                rect = block_rect(block)
                line = QRectF(0, rect.center().y(), self._document.textWidth(), 1)
                p.fillRect(line, self._theme.color("line-strong"))
                continue
            if kind & QUOTE:
                self._paint_quote(p, block, block_rect(block))
            if kind & CHIPS:
                self._paint_chips(p, block, rect)
            if kind & (BULLET | OPEN_TASK | DONE_TASK) and block.layout().lineCount():
                self._paint_mark(p, block, rect, kind)

    def paint_range(self, p: QPainter, start: int, end: int) -> None:
        """Tint a range of characters."""
        color = mix(self._theme.color("accent"), self._theme.color("canvas"), 0.35)
        block = self._document.findBlock(start)
        while block.isValid() and block.position() < end:
            at = block.position()
            origin = block_rect(block).topLeft()
            for box in _boxes(block, start - at, end - at):
                p.fillRect(box.translated(origin), color)
            block = block.next()

    def range_box(self, start: int, end: int) -> QRectF:
        """What `paint_range` paints on: from the first character's block to the last's."""
        first, last = self._document.findBlock(start), self._document.findBlock(max(start, end - 1))
        if not first.isValid() or not last.isValid():
            return QRectF(0, 0, self._document.textWidth(), self._document.size().height())
        return block_rect(first).united(block_rect(last)).adjusted(0, 0, self._document.textWidth(), 0)

    def caret_rect(self, width: int) -> QRectF:
        """Where the block caret stands: after the last character."""
        block = self._document.lastBlock()
        if _tiny(block) and block.previous().isValid():
            before = block.previous()
            if before.blockFormat().intProperty(KIND) != RULE and not QTextCursor(before).currentTable():
                block = before
        rect, layout = block_rect(block), block.layout()
        lines = layout.lineCount()
        if not lines or block.length() <= 1:
            left = rect.left() + block.blockFormat().leftMargin()
            return QRectF(left, max(0.0, rect.bottom() - CARET_HEIGHT - 2), CARET_WIDTH, CARET_HEIGHT)
        line = layout.lineAt(lines - 1)
        x = rect.left() + _x(line, line.textStart() + line.textLength()) + 2
        y = rect.top() + line.y() + (line.height() - CARET_HEIGHT) / 2
        return QRectF(min(x, width - CARET_WIDTH), y, CARET_WIDTH, CARET_HEIGHT)

    def _blocks_in(self, clip: QRectF) -> Iterator[tuple[QTextBlock, QRectF]]:
        """The blocks in a rectangle, each with its origin and the size of its text, as Qt gives them."""
        box, bottom = self._document.documentLayout().blockBoundingRect, clip.bottom()
        block = self._block_at(max(0.0, clip.top() - 30))
        if table := QTextCursor(block).currentTable():
            block = table.firstCursorPosition().block()
        while block.isValid():
            rect = box(block)
            if rect.top() > bottom and not QTextCursor(block).currentTable():
                return
            yield block, rect
            block = block.next()

    def _block_at(self, y: float) -> QTextBlock:
        """The block at a height; near the end, where an answer grows, without Qt's dear search."""
        layout, block = self._document.documentLayout(), self._document.lastBlock()
        box = layout.blockBoundingRect
        for _ in range(_NEAR_END):
            if box(block).top() <= y:
                return block
            before = block.previous()
            if not before.isValid():
                return block
            block = before
        return self._document.findBlock(max(0, layout.hitTest(QPointF(0, y), Qt.HitTestAccuracy.FuzzyHit)))

    def _paint_quote(self, p: QPainter, block: QTextBlock, rect: QRectF) -> None:
        form, above = block.blockFormat(), block.previous().blockFormat()
        above_level = above.intProperty(_QUOTE_LEVEL) if block.previous().isValid() else 0
        gap = max(above.bottomMargin(), form.topMargin())
        for step in range(form.intProperty(_QUOTE_LEVEL)):
            top = rect.top() + 3 if above_level <= step else rect.top() - gap
            bar = QRectF(step * QUOTE_STEP + 1, top, 3, rect.bottom() + 2 - top)
            p.fillRect(bar, self._theme.color("line-strong"))

    def _paint_chips(self, p: QPainter, block: QTextBlock, rect: QRectF) -> None:
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(self._theme.color("raised"))
        for chip in self._chips_of(block):
            p.drawRoundedRect(chip.translated(rect.topLeft()), 4, 4)

    def _chips_of(self, block: QTextBlock) -> list[QRectF]:
        document = self._document
        state = (document.generation, document.textWidth())
        if state != self._chips_for:
            self._chips, self._chips_for = {}, state
        at = block.position()
        found = self._chips.get(at)
        if found is None:
            found = [_chip(box) for start, end in _code_spans(block) for box in _boxes(block, start, end)]
            if at < document.live_from:
                self._chips[at] = found
        return found

    def _paint_mark(self, p: QPainter, block: QTextBlock, rect: QRectF, kind: int) -> None:
        line = block.layout().lineAt(0)
        rtl = block.textDirection() == Qt.LayoutDirection.RightToLeft
        edge = line.naturalTextRect().right() + 13 if rtl else line.x() - 13
        middle = QPointF(rect.left() + edge, rect.top() + line.y() + line.height() / 2 + 0.5)
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(self._theme.color("text-1" if kind & BULLET else "text-2"))
        if kind & BULLET:
            p.drawEllipse(middle, 2.5, 2.5)
            return
        box = QRectF(middle.x() - 7.5, middle.y() - 6.5, 13, 13)
        p.setBrush(self._theme.color("text-2") if kind & DONE_TASK else Qt.BrushStyle.NoBrush)
        p.setPen(self._theme.color("text-2"))
        p.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if kind & DONE_TASK:
            p.setPen(QPen(self._theme.color("canvas"), 1.6))
            at = box.topLeft()
            p.drawPolyline([at + QPointF(3, 6.5), at + QPointF(5.5, 9), at + QPointF(10, 4)])


def _tiny(block: QTextBlock) -> bool:
    return block.length() <= 1 and block.blockFormat().intProperty(KIND) == TINY


def _code_spans(block: QTextBlock) -> Iterator[tuple[int, int]]:
    """Start and end of each code span in a block; it may consist of several fragments."""
    begun, end = -1, 0
    walk = block.begin()
    while not walk.atEnd():
        fragment = walk.fragment()
        walk += 1
        start = fragment.position() - block.position()
        if not fragment.charFormat().fontFixedPitch():
            if begun >= 0:
                yield begun, end
            begun = -1
        else:
            begun = start if begun < 0 else begun
            end = start + fragment.length()
    if begun >= 0:
        yield begun, end


def _chip(box: QRectF) -> QRectF:
    left = max(0.0, box.left() - CHIP_PAD)
    return QRectF(left, box.center().y() - 9, box.right() - left, 19)


def _boxes(block: QTextBlock, start: int, end: int) -> Iterator[QRectF]:
    """Where a range of a block's characters stands, line by line, relative to the block."""
    layout = block.layout()
    for n in range(layout.lineCount()):
        line = layout.lineAt(n)
        first, last = line.textStart(), line.textStart() + line.textLength()
        if last <= start or first >= end:
            continue
        left, right = _x(line, max(start, first)), _x(line, min(end, last))
        yield QRectF(min(left, right), line.y(), abs(right - left), line.height())


def _x(line: Any, position: int) -> float:
    found = line.cursorToX(position)
    return float(found[0] if isinstance(found, tuple) else found)
