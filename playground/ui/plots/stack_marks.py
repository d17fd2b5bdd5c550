"""What happened, in the memory plot: loads and ends, larger contexts, and when memory made tokens slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from playground.ui.plots.tracks import Picture
from playground.ui.theme import Theme

if TYPE_CHECKING:
    from playground.ui.plots.stack_painting import StackFrame

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_GAP = 6
"""Pixels between two marks' words."""


def paint_marks(p: QPainter, picture: Picture, frame: StackFrame, theme: Theme) -> None:
    """A dotted line for each, with its word at the bottom where there is room before the next one."""
    rect, metrics = frame.rect, p.fontMetrics()
    free = rect.left()
    for mark in sorted(picture.marks, key=lambda mark: mark.x):
        at = round(float(frame.px(mark.x))) + 0.5
        p.setPen(QPen(theme.color("text-3"), 1, Qt.PenStyle.DotLine))
        p.drawLine(QLineF(at, rect.top(), at, rect.bottom()))
        width = metrics.horizontalAdvance(mark.word)
        left = at + 4 if at + 4 + width <= rect.right() else at - 4 - width
        if mark.word and at > rect.left() + 1 and left >= free:
            box = QRectF(left - 2, rect.bottom() - metrics.height() - 2, width + 4, metrics.height())
            p.fillRect(box, theme.color("canvas"))
            p.setPen(theme.color("text-2"))
            p.drawText(box.adjusted(2, 0, 4, 0), _LEFT, mark.word)
            free = left + width + _GAP


def paint_spans(p: QPainter, picture: Picture, frame: StackFrame, theme: Theme) -> None:
    """A veil over the time that tokens were slow for want of memory, with the reason."""
    rect, metrics = frame.rect, p.fontMetrics()
    for span in picture.spans:
        left, right = float(frame.px(span.x0)), float(frame.px(span.x1))
        veil = QColor(theme.color("warn"))
        p.setPen(QPen(veil, 1))
        p.drawLine(QLineF(left, rect.top(), left, rect.bottom()))
        veil.setAlphaF(0.18)
        p.fillRect(QRectF(left, rect.top(), max(2.0, right - left), rect.height()), veil)
        fits = (
            words
            for words in (span.text, span.text.partition(",")[0])
            if metrics.horizontalAdvance(words) < rect.width() - 8
        )
        words = next(fits, metrics.elidedText(span.text, Qt.TextElideMode.ElideRight, int(rect.width()) - 8))
        width = metrics.horizontalAdvance(words)
        start = max(rect.left() + 4, min(left + 4, rect.right() - width - 4))
        box = QRectF(start - 2, rect.center().y() - metrics.height() / 2, width + 6, metrics.height())
        p.fillRect(box, theme.color("canvas"))
        p.setPen(theme.color("warn"))
        p.drawText(box.adjusted(2, 0, 4, 0), _LEFT, words)
