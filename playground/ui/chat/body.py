"""A turn's text on screen: selection and links from Qt's browser, frames and chips painted here."""

from __future__ import annotations

from math import ceil
from typing import Any

from PySide6.QtCore import QMimeData, QPoint, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QWidget

from playground.ui.chat.code_block import CodeFrames
from playground.ui.chat.decoration import Decoration, block_rect
from playground.ui.chat.formats import ANSWER, FOOT, Formats, Look
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.markdown import MarkdownDocument
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
        for part in (self, self.viewport()):
            part.setAttribute(Qt.WidgetAttribute.WA_StaticContents)
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
        """A text that goes on from what was streamed before."""
        self.markdown.stream(text[:MOST_SHOWN])

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
        regions = self.markdown.regions
        at_end = bool(regions) and self.markdown.findBlock(regions[-1].end) == self.markdown.lastBlock()
        return ceil(self.markdown.size().height()) + (FOOT + 1 if at_end else 0)

    def plain_text(self) -> str:
        """The text without marks."""
        return self.toPlainText()

    def top_of(self, position: int) -> int:
        """Where the block with a document position begins, px."""
        block = self.markdown.findBlock(position)
        return round(block_rect(block).top()) if block.isValid() else 0

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
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.frames.paint(p, clip)
            self._decoration.paint(p, clip)
            if self._marked:
                self._decoration.paint_range(p, *self._marked)
        super().paintEvent(event)
        if self._caret is not None:
            with QPainter(self.viewport()) as p:
                p.fillRect(self._decoration.caret_rect(self.viewport().width()), self._theme.lane(self._caret))


def _shown(text: str) -> str:
    """The text, or its beginning and what is left out."""
    if len(text) <= MOST_SHOWN:
        return text
    left = f"… {len(text) - MOST_SHOWN:,} more characters are kept but not shown: copy the turn, or export the chat."
    return f"{text[:MOST_SHOWN]}\n\n{left}"
