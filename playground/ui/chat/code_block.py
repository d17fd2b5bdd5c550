"""The frame of a code block: head with language and copy button, painted behind the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath

from playground.ui.chat.formats import HEAD, INSET, PAD
from playground.ui.chat.markdown import CodeRegion
from playground.ui.chat.turn_parts import BUTTON, TurnButton
from playground.ui.theme import Theme

if TYPE_CHECKING:
    from playground.ui.chat.body import Body

RADIUS = 8


class CodeFrames:
    """Paints the frames of a body's code blocks and keeps copy buttons in the heads that show."""

    def __init__(self, body: Body, theme: Theme) -> None:
        self._body, self._theme = body, theme
        self._buttons: list[TurnButton] = []
        self._shown: list[CodeRegion] = []

    def rect(self, region: CodeRegion) -> QRectF:
        """A block's frame in the body."""
        document = self._body.markdown
        layout = document.documentLayout()
        first = document.findBlock(region.start)
        top = layout.blockBoundingRect(first).top() - PAD - HEAD
        bottom = layout.blockBoundingRect(document.findBlock(region.end)).bottom() + PAD
        left = first.blockFormat().leftMargin() - INSET
        return QRectF(left + 0.5, top + 0.5, self._body.viewport().width() - left - 1, bottom - top - 1)

    def paint(self, p: QPainter, clip: QRectF) -> None:
        """Frames, heads and language labels that touch ``clip``."""
        line, sunken = self._theme.color("line-strong"), self._theme.color("sunken")
        head = self._theme.color("chrome" if self._theme.scheme == "dark" else "raised")
        for region in self._body.markdown.regions:
            frame = self.rect(region)
            if frame.top() > clip.bottom():
                break
            if frame.bottom() < clip.top():
                continue
            outline = QPainterPath()
            outline.addRoundedRect(frame, RADIUS, RADIUS)
            p.fillPath(outline, sunken)
            p.setPen(self._theme.color("line"))
            p.save()
            p.setClipPath(outline, Qt.ClipOperation.IntersectClip)
            p.fillRect(QRectF(frame.left(), frame.top(), frame.width(), HEAD), head)
            p.restore()
            p.drawLine(int(frame.left()), int(frame.top() + HEAD), int(frame.right()), int(frame.top() + HEAD))
            p.setPen(line)
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawPath(outline)
            p.setFont(self._theme.font(12))
            p.setPen(self._theme.color("text-2"))
            label = QRectF(frame.left() + INSET, frame.top(), frame.width() - 2 * INSET - BUTTON, HEAD)
            p.drawText(label, Qt.AlignmentFlag.AlignVCenter, region.language or "text")

    def update_buttons(self, shown: QRectF | None) -> None:
        """Put copy buttons into the heads of the blocks in ``shown``; None: nothing shows."""
        self._shown = []
        if shown is not None:
            for region in self._body.markdown.regions:
                frame = self.rect(region)
                if frame.top() > shown.bottom():
                    break
                if frame.top() + HEAD >= shown.top():
                    self._place(len(self._shown), frame)
                    self._shown.append(region)
        for button in self._buttons[len(self._shown) :]:
            button.hide()

    @property
    def buttons(self) -> list[TurnButton]:
        """The copy buttons that show, top to bottom."""
        return self._buttons[: len(self._shown)]

    def _place(self, index: int, frame: QRectF) -> None:
        if index == len(self._buttons):
            button = TurnButton(self._theme, "copy", "Copy code", self._body.viewport())
            button.clicked.connect(lambda: self.copy(index))
            self._buttons.append(button)
        button = self._buttons[index]
        button.move(int(frame.right()) - BUTTON - 6, int(frame.top()) + (HEAD - BUTTON) // 2)
        button.setVisible(True)

    def copy(self, index: int) -> None:
        """Put the code of the block with that button on the clipboard."""
        if index < len(self._shown):
            QGuiApplication.clipboard().setText(self._shown[index].code)
            self._buttons[index].tell_copied()
