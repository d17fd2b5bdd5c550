"""A turn's text on screen: selection and links from Qt's browser, frames and chips painted here."""

from __future__ import annotations

from math import ceil, floor, inf
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QRect, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from playground.translate import tr
from playground.ui.chat.code_block import CodeFrames
from playground.ui.chat.decoration import Decoration, block_rect
from playground.ui.chat.formats import ANSWER, FOOT, Formats, Look
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.markdown import MarkdownDocument
from playground.ui.chat.source_map import SourceMap
from playground.ui.theme import Theme

_SCROLLING = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_Space,
)

MOST_SHOWN = 200_000
"""Characters of a turn that are laid out, about 50,000 tokens: a third of a second on a small machine."""


class Body(QTextBrowser):
    """Shows a `MarkdownDocument` at its full height; never scrolls, never loads anything."""

    link_activated = Signal(str, QPoint)
    """An address that was clicked, and where (global)."""
    menu_asked = Signal(QPoint)
    """Where a context menu is wanted (global)."""
    pointed = Signal(int)
    """The document position of the character that the mouse has come to; -1: it has left them."""

    def __init__(
        self,
        theme: Theme,
        highlighter: Highlighter,
        parent: QWidget,
        look: Look = ANSWER,
        ground: str = "canvas",
    ) -> None:
        """``ground``: the colour of what it lies on."""
        super().__init__(parent)
        self._theme, self._look, self._ground = theme, look, ground
        self._caret: str | None = None
        self._marked: tuple[int, int] | None = None
        self._pointed = -1
        self._selected = False
        self._context = QAbstractTextDocumentLayout.PaintContext()
        self.markdown = MarkdownDocument(Formats(theme, look), highlighter, self)
        self.places = SourceMap(self.markdown)
        """Where the characters of the text stand."""
        self.setDocument(self.markdown)
        self._growing = False
        self._grown_from = inf
        """What is below this, px, has to be painted anew for the text to be seen that came last."""
        # Qt would paint the whole last paragraph for each word that is added to it.
        layout = self.markdown.documentLayout()
        layout.update.disconnect()
        layout.update.connect(self._repaint)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setStyleSheet("background: transparent; border: 0; padding: 0;")
        self.viewport().setAutoFillBackground(False)
        for part in (self, self.viewport()):
            part.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
            # So that the turn under it isn't painted with every word.
            part.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setOpenLinks(False)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.anchorClicked.connect(self._activate)
        self.highlighted.connect(self._tell)
        self.copyAvailable.connect(self._select)
        self.frames = CodeFrames(self, theme)
        self._decoration = Decoration(self.markdown, theme)

    # what is shown

    def show_text(self, text: str) -> None:
        """A finished Markdown text."""
        self.markdown.show(_shown(text))

    def show_plain(self, text: str) -> None:
        """Text as it was typed."""
        self.markdown.show_plain(_shown(text))

    def stream(self, text: str) -> None:
        """A text that goes on from what was streamed before; it's painted when `show_growth` is called."""
        self._growing = True
        self.markdown.stream(text[:MOST_SHOWN])
        self._growing = False
        self._grown_from = min(self._grown_from, self.markdown.changed_from)

    def show_growth(self) -> None:
        """Paint what was streamed. After it was moved: Qt shifts no pixels of what is to be painted."""
        if self._grown_from == inf:
            return
        top = max(0, floor(self._grown_from) - 2)
        self._grown_from = inf
        self.viewport().update(QRect(0, top, self.width(), self.height() - top))

    def _repaint(self, place: QRectF) -> None:
        """Something of the document looks different."""
        if not self._growing:
            self.viewport().update(place.intersected(QRectF(self.viewport().rect())).toAlignedRect())

    def finish(self, text: str) -> None:
        """The end of a streamed text."""
        self.markdown.finish(_shown(text))

    def set_caret(self, letter: str | None) -> None:
        """Show the block caret of a lane at the end, or none."""
        if letter != self._caret:
            self._caret = letter
            self.viewport().update()

    def mark_range(self, start: int, end: int) -> None:
        """Tint a range of the document's characters; an empty one clears it."""
        before, self._marked = self._marked, (start, end) if end > start else None
        for changed in (before, self._marked) if before != self._marked else ():
            if changed:
                self.viewport().update(self._decoration.range_box(*changed).toAlignedRect())

    def select_range(self, start: int, end: int) -> None:
        """Select a range of the document's characters as a drag would."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(min(end, self.markdown.end_position), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def position_at(self, at: QPointF) -> int:
        """The document position of the character at a place of the viewport; -1: there is none."""
        position = self.markdown.documentLayout().hitTest(at, Qt.HitTestAccuracy.ExactHit)
        block = self.markdown.findBlock(position) if position >= 0 else None
        if block is None or not block.isValid():
            return -1
        line = block.layout().lineForTextPosition(position - block.position())
        if not line.isValid():
            return -1
        # The hit is between two characters; the one under the mouse is wanted.
        found: Any = line.xToCursor(at.x() - block_rect(block).left(), line.CursorPosition.CursorOnCharacter)
        return block.position() + int(found[0] if isinstance(found, tuple) else found)

    def restyle(self) -> None:
        """Take over the theme in force."""
        self.markdown.restyle(Formats(self._theme, self._look))
        self.frames.update_buttons(None)

    def height_for(self, width: int) -> int:
        """Lay the text out at this width; its height."""
        if self.markdown.textWidth() != width:
            self.markdown.setTextWidth(width)
        regions = self.markdown.regions
        at_end = bool(regions) and self.markdown.findBlock(regions[-1].end) == self.markdown.lastBlock()
        return ceil(self.markdown.size().height()) + (FOOT + 1 if at_end else 0)

    def plain_text(self) -> str:
        """The text without marks."""
        return self.toPlainText()

    def line_top(self, position: int) -> int:
        """Where the line with a document position begins, px."""
        block = self.markdown.findBlock(position)
        if not block.isValid():
            return 0
        line = block.layout().lineForTextPosition(position - block.position())
        return round(block_rect(block).top() + (line.y() if line.isValid() else 0))

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

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which character the mouse has come to."""
        super().mouseMoveEvent(event)
        self._point(-1 if event.buttons() else self.position_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse is at no character any more."""
        super().leaveEvent(event)
        self._point(-1)

    def _point(self, position: int) -> None:
        if position != self._pointed:
            self._pointed = position
            self.pointed.emit(position)

    def _select(self, selected: bool) -> None:
        self._selected = selected

    def _tell(self, address: QUrl) -> None:
        """A link's address as the tooltip while the mouse is over it."""
        self.viewport().setToolTip(bytes(address.toEncoded().data()).decode()[:400])

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
            p.fillRect(clip, self._theme.color(self._ground))
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.frames.paint(p, clip)
            self._decoration.paint(p, clip)
            if self._marked:
                self._decoration.paint_range(p, *self._marked)
            if self._caret is not None:
                p.fillRect(self._decoration.caret_rect(self.viewport().width()), self._theme.lane(self._caret))
            if not (self._selected or self.hasFocus()):
                # As Qt's browser does it, but with this painter.
                p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
                p.setClipRect(clip)
                self._context.clip = clip
                self.markdown.documentLayout().draw(p, self._context)
                return
        super().paintEvent(event)


def _shown(text: str) -> str:
    """The text, or its beginning and what is left out."""
    if len(text) <= MOST_SHOWN:
        return text
    rest = tr(
        "… {left:,} more characters are kept but not shown: copy the turn, or export the chat.",
        left=len(text) - MOST_SHOWN,
    )
    return f"{text[:MOST_SHOWN]}\n\n{rest}"
