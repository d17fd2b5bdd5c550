"""The frame of a code block: head with language and copy button, painted behind the text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter

from playground.translate import tr
from playground.ui.chat.decoration import block_rect
from playground.ui.chat.document import CodeRegion
from playground.ui.chat.formats import FOOT, HEAD, INSET, PAD
from playground.ui.chat.turn_parts import BUTTON, TurnButton
from playground.ui.theme import Theme

if TYPE_CHECKING:
    from playground.ui.chat.body import Body

RADIUS = 8
_BEYOND = RADIUS + 4


class CodeFrames:
    """Paints the frames of a body's code blocks and keeps copy buttons in the heads that show."""

    def __init__(self, body: Body, theme: Theme) -> None:
        self._body, self._theme = body, theme
        self._buttons: list[TurnButton] = []
        self._shown: list[CodeRegion] = []
        self._places: list[tuple[int, int] | None] = []
        """Where the buttons are; None: hidden."""
        self._known: list[QRectF] = []
        """Frames of the first blocks, which don't change any more: they are asked for in every picture."""
        self._bottoms: list[float] = []
        self._known_for: tuple[int, float] = (0, 0.0)

    def rect(self, region: CodeRegion) -> QRectF:
        """A block's frame in the body."""
        self._learn()
        n = self._body.markdown.regions.index(region)
        return self._known[n] if n < len(self._known) else self._rect(region)

    def _learn(self) -> None:
        """Note the frames of blocks that are finished now."""
        document = self._body.markdown
        state = (document.generation, document.textWidth())
        if state != self._known_for:
            self._known, self._bottoms, self._known_for = [], [], state
        for region in document.regions[len(self._known) :]:
            if not region.closed or region.end >= document.live_from:
                return
            frame = self._rect(region)
            self._known.append(frame)
            self._bottoms.append(frame.bottom())

    def _rect(self, region: CodeRegion) -> QRectF:
        document = self._body.markdown
        first = document.findBlock(region.start)
        top = block_rect(first).top() - PAD - HEAD
        bottom = block_rect(document.findBlock(region.end)).bottom() + FOOT
        left = first.blockFormat().leftMargin() - INSET
        return QRectF(left + 0.5, top + 0.5, self._body.viewport().width() - left - 1, bottom - top - 1)

    def _in_view(self, top: float, bottom: float) -> Iterator[tuple[CodeRegion, QRectF]]:
        """The blocks whose frames touch a part of the body."""
        regions = self._body.markdown.regions
        if not regions:
            return
        self._learn()
        for n in range(bisect_left(self._bottoms, top), len(regions)):
            frame = self._known[n] if n < len(self._known) else self._rect(regions[n])
            if frame.top() > bottom:
                return
            if frame.bottom() >= top:
                yield regions[n], frame

    def paint(self, p: QPainter, clip: QRectF) -> None:
        """Frames, heads and language labels that touch ``clip``."""
        for region, frame in self._in_view(clip.top(), clip.bottom()):
            # Only as high as can be seen: a smooth shape costs by its height, whatever is clipped.
            part = QRectF(frame)
            part.setTop(max(frame.top(), floor(clip.top()) - _BEYOND + 0.5))
            part.setBottom(min(frame.bottom(), ceil(clip.bottom()) + _BEYOND + 0.5))
            self._paint_frame(p, part)
            if clip.top() < frame.top() + HEAD + 2:
                self._paint_head(p, frame, region.language or "text")

    def _paint_frame(self, p: QPainter, frame: QRectF) -> None:
        p.setPen(self._theme.color("line-strong"))
        p.setBrush(self._theme.color("sunken"))
        p.drawRoundedRect(frame, RADIUS, RADIUS)

    def _paint_head(self, p: QPainter, frame: QRectF, label: str) -> None:
        theme = self._theme
        p.setPen(theme.color("line-strong"))
        head = QRectF(frame.left(), frame.top(), frame.width(), HEAD)
        if theme.scheme == "dark":
            p.save()
            p.setClipRect(head, Qt.ClipOperation.IntersectClip)
            p.setBrush(theme.color("canvas"))
            p.drawRoundedRect(frame.adjusted(0, 0, 0, min(0.0, HEAD + 2 * RADIUS - frame.height())), RADIUS, RADIUS)
            p.restore()
        p.fillRect(QRectF(frame.left() + 0.5, head.bottom(), frame.width() - 1, 1), theme.color("line"))
        p.setFont(theme.font(12))
        p.setPen(theme.color("text-2"))
        room = head.adjusted(INSET, 0, -INSET - BUTTON, 0)
        p.drawText(room, Qt.AlignmentFlag.AlignVCenter, label)

    def update_buttons(self, shown: QRectF | None) -> None:
        """Put copy buttons into the heads of the blocks in ``shown``; None: nothing shows."""
        self._shown = []
        if shown is not None:
            for region, frame in self._in_view(shown.top(), shown.bottom()):
                if frame.top() + HEAD >= shown.top():
                    self._place(len(self._shown), frame)
                    self._shown.append(region)
        for n in range(len(self._shown), len(self._buttons)):
            if self._places[n] is not None:
                self._places[n] = None
                self._buttons[n].hide()

    @property
    def buttons(self) -> list[TurnButton]:
        """The copy buttons that show, top to bottom."""
        return self._buttons[: len(self._shown)]

    def _place(self, index: int, frame: QRectF) -> None:
        if index == len(self._buttons):
            button = TurnButton(self._theme, "copy", tr("Copy code"), self._body.viewport())
            button.clicked.connect(lambda: self.copy(index))
            self._buttons.append(button)
            self._places.append(None)
        place = (int(frame.right()) - BUTTON - 6, int(frame.top()) + (HEAD - BUTTON) // 2)
        if self._places[index] != place:
            self._places[index] = place
            self._buttons[index].move(*place)
            self._buttons[index].setVisible(True)

    def copy(self, index: int) -> None:
        """Put the code of the block with that button on the clipboard."""
        if index < len(self._shown):
            QGuiApplication.clipboard().setText(self._shown[index].code)
            self._buttons[index].tell_copied()
