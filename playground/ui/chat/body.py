"""A turn's text on screen: selection and links from Qt's browser, frames and chips painted here."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextCursor,
    QTextFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QToolTip, QWidget

from playground.ui.chat.code_block import CodeFrames
from playground.ui.chat.formats import ANSWER, CHIPS, KIND, QUOTE, QUOTE_STEP, RULE, TINY, Formats, Look
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.markdown import MarkdownDocument
from playground.ui.theme import Theme, mix

_QUOTE_LEVEL = int(QTextFormat.Property.BlockQuoteLevel)
_SCROLLING = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Space,
)
CARET_WIDTH, CARET_HEIGHT = 7, 15


class Body(QTextBrowser):
    """Shows a `MarkdownDocument` at its full height; never scrolls, never loads anything."""

    link_activated = Signal(str, QPoint)
    """An address that was clicked, and where (global)."""
    menu_asked = Signal(QPoint)
    """Where a context menu is wanted (global)."""

    def __init__(self, theme: Theme, highlighter: Highlighter, parent: QWidget, look: Look = ANSWER) -> None:
        super().__init__(parent)
        self._theme, self._look = theme, look
        self._caret: str | None = None
        self._marked: tuple[int, int] | None = None
        self.markdown = MarkdownDocument(Formats(theme, look), highlighter, self)
        self.setDocument(self.markdown)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("background: transparent; border: 0; padding: 0;")
        self.viewport().setAutoFillBackground(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.anchorClicked.connect(self._activate)
        self.frames = CodeFrames(self, theme)

    # what is shown

    def show_text(self, text: str) -> None:
        """A finished Markdown text."""
        self.markdown.show(text)

    def show_plain(self, text: str) -> None:
        """Text as it was typed."""
        self.markdown.show_plain(text)

    def stream(self, text: str) -> None:
        """A text that goes on from what was streamed before."""
        self.markdown.stream(text)

    def finish(self, text: str) -> None:
        """The end of a streamed text."""
        self.markdown.finish(text)

    def set_caret(self, letter: str | None) -> None:
        """Show the block caret of a lane at the end, or none."""
        if letter != self._caret:
            self._caret = letter
            self.viewport().update()

    def mark_range(self, start: int, end: int) -> None:
        """Tint a range of the document's characters; an empty one clears it."""
        self._marked = (start, end) if end > start else None
        self.viewport().update()

    def restyle(self) -> None:
        """Take over the theme in force."""
        self.markdown.restyle(Formats(self._theme, self._look))
        self.frames.update_buttons(None)

    def height_for(self, width: int) -> int:
        """Lay the text out at this width; its height."""
        if self.markdown.textWidth() != width:
            self.markdown.setTextWidth(width)
        return ceil(self.markdown.size().height())

    def plain_text(self) -> str:
        """The text without marks."""
        return self.toPlainText()

    def top_of(self, position: int) -> int:
        """Where the block with a document position begins, px."""
        block = self.markdown.findBlock(position)
        return round(self.markdown.documentLayout().blockBoundingRect(block).top()) if block.isValid() else 0

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that scroll are the transcript's."""
        if event.key() in _SCROLLING and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing is ever loaded."""
        return QImage()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copies carry plain text, not our colours and sizes."""
        data = QMimeData()
        data.setText(self.textCursor().selection().toPlainText().replace("\u00a0", " "))
        return data

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The transcript scrolls, not the turn."""
        event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The turn has the menu."""
        self.menu_asked.emit(event.globalPos())

    def event(self, event: QEvent) -> bool:
        """A link's address as its tooltip."""
        if event.type() == QEvent.Type.ToolTip:
            place = event.pos()  # type: ignore[attr-defined]
            address = self.anchorAt(place)
            QToolTip.showText(event.globalPos(), address[:400], self)  # type: ignore[attr-defined]
            return True
        return super().event(event)

    def _activate(self, address: QUrl) -> None:
        cursor = self.textCursor()
        at = self.viewport().mapFromGlobal(self.cursor().pos())
        if not self.viewport().rect().contains(at) or not self.anchorAt(at):
            at = self.cursorRect(cursor).bottomLeft()
        self.link_activated.emit(bytes(address.toEncoded().data()).decode(), self.viewport().mapToGlobal(at))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Frames behind the text, the text, the caret."""
        clip = QRectF(event.rect())
        with QPainter(self.viewport()) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.frames.paint(p, clip)
            self._paint_blocks(p, clip)
            if self._marked:
                self._paint_range(p, *self._marked, mix(self._theme.color("accent"), self._theme.color("canvas"), 0.35))
        super().paintEvent(event)
        if self._caret is not None:
            with QPainter(self.viewport()) as p:
                p.fillRect(self._caret_rect(), self._theme.lane(self._caret))

    # painting

    def blocks_in(self, clip: QRectF) -> Iterator[tuple[QTextBlock, QRectF]]:
        """The blocks that show in a rectangle, with theirs."""
        layout = self.markdown.documentLayout()
        at = layout.hitTest(QPointF(0, max(0.0, clip.top() - 30)), Qt.HitTestAccuracy.FuzzyHit)
        cursor = QTextCursor(self.markdown)
        cursor.setPosition(max(0, at))
        if table := cursor.currentTable():
            cursor = table.firstCursorPosition()
        block = cursor.block()
        while block.isValid():
            rect = layout.blockBoundingRect(block)
            if rect.top() > clip.bottom() and not QTextCursor(block).currentTable():
                return
            yield block, rect
            block = block.next()

    def _paint_blocks(self, p: QPainter, clip: QRectF) -> None:
        for block, rect in self.blocks_in(clip):
            form = block.blockFormat()
            kind = form.intProperty(KIND)
            if kind == RULE:
                p.fillRect(QRectF(0, rect.center().y(), self.viewport().width(), 1), self._theme.color("line-strong"))
            elif kind & QUOTE and not kind & TINY:
                self._paint_quote(p, block, rect, form.intProperty(_QUOTE_LEVEL))
            if kind & CHIPS and not kind & TINY:
                self._paint_chips(p, block, rect)

    def _paint_quote(self, p: QPainter, block: QTextBlock, rect: QRectF, level: int) -> None:
        above = block.previous().blockFormat() if block.previous().isValid() else None
        for step in range(level):
            joined = above is not None and above.intProperty(_QUOTE_LEVEL) > step and above.intProperty(KIND) & QUOTE
            gap = max(above.bottomMargin(), block.blockFormat().topMargin()) if joined and above else 0
            bar = QRectF(step * QUOTE_STEP + 1, rect.top() - gap, 3, rect.height() + gap)
            p.fillRect(bar, self._theme.color("line-strong"))

    def _paint_chips(self, p: QPainter, block: QTextBlock, rect: QRectF) -> None:
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(self._theme.color("raised"))
        walk = block.begin()
        while not walk.atEnd():
            fragment = walk.fragment()
            walk += 1
            if not fragment.charFormat().fontFixedPitch():
                continue
            start = fragment.position() - block.position()
            for box in self._boxes(block, rect, start, start + fragment.length()):
                middle = box.center().y()
                p.drawRoundedRect(QRectF(box.left() - 3, middle - 9.5, box.width() + 6, 19), 4, 4)

    def _boxes(self, block: QTextBlock, rect: QRectF, start: int, end: int) -> Iterator[QRectF]:
        """Where a range of a block's characters stands, line by line."""
        layout = block.layout()
        for n in range(layout.lineCount()):
            line = layout.lineAt(n)
            first, last = line.textStart(), line.textStart() + line.textLength()
            if last <= start or first >= end:
                continue
            left, right = (_x(line, max(start, first)), _x(line, min(end, last)))
            box = QRectF(min(left, right), line.y(), abs(right - left), line.height())
            yield box.translated(self._origin(block, rect))

    def _origin(self, block: QTextBlock, rect: QRectF) -> QPointF:
        bounds = block.layout().boundingRect()
        return rect.topLeft() - bounds.topLeft()

    def _paint_range(self, p: QPainter, start: int, end: int, color: Any) -> None:
        block = self.markdown.findBlock(start)
        layout = self.markdown.documentLayout()
        while block.isValid() and block.position() < end:
            rect = layout.blockBoundingRect(block)
            for box in self._boxes(block, rect, start - block.position(), end - block.position()):
                p.fillRect(box, color)
            block = block.next()

    def _caret_rect(self) -> QRectF:
        block = self.markdown.lastBlock()
        if not block.text() and block.blockFormat().intProperty(KIND) == TINY and block.previous().isValid():
            before = block.previous()
            if before.blockFormat().intProperty(KIND) not in (RULE, TINY):
                block = before
        rect = self.markdown.documentLayout().blockBoundingRect(block)
        layout = block.layout()
        if not layout.lineCount():
            return QRectF(rect.left(), rect.top() + 3, CARET_WIDTH, CARET_HEIGHT)
        line = layout.lineAt(layout.lineCount() - 1)
        x = _x(line, line.textStart() + line.textLength())
        origin = self._origin(block, rect)
        y = origin.y() + line.y() + max(0.0, (line.height() - CARET_HEIGHT) / 2)
        return QRectF(min(origin.x() + x + 2, self.viewport().width() - CARET_WIDTH), y, CARET_WIDTH, CARET_HEIGHT)


def _x(line: Any, position: int) -> float:
    found = line.cursorToX(position)
    return float(found[0] if isinstance(found, tuple) else found)
