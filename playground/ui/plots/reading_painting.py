"""Draws the small plots of readings under the memory plot: a name, a value, a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from playground.translate import tr
from playground.ui.plots.downsample import once
from playground.ui.plots.painting import polygon
from playground.ui.plots.reading_tracks import Line, ReadingTrack
from playground.ui.plots.tracks import Floats
from playground.ui.theme import Theme

if TYPE_CHECKING:
    from playground.ui.plots.stack_painting import StackFrame

HEIGHT = 30
TEXT = 14
"""The row of a track that holds its name and value; the line is below."""
STACK = 64
"""Pixels that are left to the memory plot, at least."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def places(room: QRectF, count: int) -> list[QRectF]:
    """Where so many tracks stand at the foot of the plot's area: as many as leave the memory plot enough."""
    fit = min(count, max(0, int((room.height() - STACK) // HEIGHT)))
    top = room.bottom() - fit * HEIGHT
    return [QRectF(room.left(), top + index * HEIGHT, room.width(), HEIGHT) for index in range(fit)]


def paint_tracks(p: QPainter, tracks: Sequence[ReadingTrack], frame: StackFrame, theme: Theme) -> None:
    """All that there is room for; the last one says how many there are besides."""
    p.setFont(theme.font(11))
    hidden = len(tracks) - len(frame.tracks)
    if hidden and not frame.tracks:
        words = tr("Higher plots have room for {n} more", n=hidden)
        p.setPen(theme.color("text-3"))
        p.drawText(QRectF(frame.rect.left() + 5, frame.rect.top() + 16, frame.rect.width() - 8, TEXT), _LEFT, words)
    for index, (track, box) in enumerate(zip(tracks, frame.tracks, strict=False)):
        last = hidden and index == len(frame.tracks) - 1
        more = f" · {tr('{n} more in higher plots', n=hidden)}" if last else ""
        p.setPen(theme.color("line"))
        p.drawLine(QLineF(box.left(), box.bottom() - 0.5, box.right(), box.bottom() - 0.5))
        p.setPen(theme.color("text-3"))
        p.drawText(box.adjusted(0, 1, 0, TEXT - box.height()), _LEFT, track.label + more)
        p.save()
        p.setClipRect(box.adjusted(0, TEXT, 1, 0))
        for line in track.lines:
            _paint_line(p, line, track.top, box.adjusted(0, TEXT + 1, 0, -1), frame, theme)
        p.restore()


def paint_values(
    p: QPainter, tracks: Sequence[ReadingTrack], frame: StackFrame, theme: Theme, x: float | None = None
) -> None:
    """The values at a measured second, or the newest, at the right of each track."""
    p.setFont(theme.font(11, 600))
    for track, box in zip(tracks, frame.tracks, strict=False):
        words = track.words(x)
        place = box.adjusted(0, 1, 0, TEXT - box.height())
        place.setLeft(place.right() - p.fontMetrics().horizontalAdvance(words) - 4)
        p.fillRect(place, theme.color("canvas"))
        p.setPen(theme.color("text-1"))
        p.drawText(place, _RIGHT, words)
    p.setFont(theme.font(11))


def _paint_line(p: QPainter, line: Line, top: float, box: QRectF, frame: StackFrame, theme: Theme) -> None:
    """A line, broken at pauses; of many values the highest of each pixel."""
    seen = slice(
        max(0, int(np.searchsorted(line.x, frame.x0)) - 1), int(np.searchsorted(line.x, frame.x1, "right")) + 1
    )
    x, y = frame.px(line.x[seen]), line.y[seen]
    color = QColor(theme.lane(line.letters[0]) if line.letters else theme.color("text-2"))
    shade = QColor(color)
    shade.setAlphaF(0.16)
    p.setBrush(shade)
    for part in np.split(np.arange(len(x)), np.flatnonzero(np.isnan(y))):
        part = part[np.isfinite(y[part])]
        if not len(part):
            continue
        px, value = _highest(x[part], y[part], int(box.width()))
        py = box.bottom() - np.clip(value / top, 0, 1) * box.height()
        if len(px) == 1:
            px, py = np.append(px, px[0] + 2), np.append(py, py[0])
        p.setPen(Qt.PenStyle.NoPen)
        p.drawPolygon(polygon(np.concatenate([px, px[-1:], px[:1]]), np.concatenate([py, [box.bottom()] * 2])))
        p.setPen(color)
        p.drawPolyline(polygon(px, py))
    p.setBrush(Qt.BrushStyle.NoBrush)


def _highest(x: Floats, y: Floats, width: int) -> tuple[Floats, Floats]:
    """At most two points a pixel, the highest of each block, so that a peak never vanishes."""
    size = -(-len(x) // max(16, 2 * width))
    if size <= 1:
        return x, y
    blocks = len(x) // size
    at = np.arange(blocks) * size + y[: blocks * size].reshape(blocks, size).argmax(axis=1)
    at = once(np.append(at, len(x) - 1))
    return x[at], y[at]
