"""Draws the memory plot with a QPainter: grid, areas, limit, marks. Needs no pyqtgraph."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPen

from playground.translate import later, tr
from playground.ui.plots import reading_painting, scale, stack_marks, tracks
from playground.ui.plots.downsample import once
from playground.ui.plots.painting import polygon
from playground.ui.plots.tracks import Floats, Layer, Picture
from playground.ui.theme import Theme
from playground.workspace.memory_parts import PARTS
from playground.workspace.words import format_gb_short

LEFT, RIGHT, TOP, BOTTOM = 30, 8, 8, 18
EMPTY = later("Fills from left to right while a model answers.")
EMPTY_TOP = 6.0
FAR = 4.0
"""A limit this many times above what is used is said, not drawn: it would flatten the areas."""
LEAST_SWAP = 0.01
"""GB of swap in use that are worth a line."""
_SEPARATE = 5
"""An area at least so many pixels high has a line below it."""
_NOTHING = 0.2
"""A lower area is not seen."""
_STUB = 14
"""Width of a single sample, so that a model just loaded is seen."""
_LETTER = 12
"""An area at least so many pixels high has room for the lanes' letters."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter


@dataclass(slots=True)
class StackFrame:
    """The plot's area, what part of the data it shows, and its grid."""

    rect: QRectF = field(default_factory=lambda: QRectF(0, 0, 100, 100))
    x0: float = 0.0
    x1: float = 8.0
    y1: float = EMPTY_TOP
    """GB at the upper edge."""
    step: float = 2.0
    """GB between two lines of the grid."""
    far: bool = False
    """The limit lies so high that it is only said."""
    foot: QRectF = field(default_factory=QRectF)
    """All of the plot's area, the tracks of readings included."""
    tracks: list[QRectF] = field(default_factory=list)
    """Where these stand, under the stack."""

    def place(self, width: float, height: float, tracks: int = 0) -> None:
        """Fit the areas into a widget of that size: the stack, and below it so many tracks of readings."""
        self.foot = QRectF(LEFT, TOP, max(10.0, width - LEFT - RIGHT), max(10.0, height - TOP - BOTTOM))
        self.tracks = reading_painting.places(self.foot, tracks)
        self.rect = self.foot.adjusted(
            0, 0, 0, -sum(track.height() for track in self.tracks) - (8 if self.tracks else 0)
        )

    def px(self, x: Floats | float) -> Floats:
        """Across, in pixels."""
        return np.asarray(self.rect.left() + (np.asarray(x) - self.x0) * (self.rect.width() / (self.x1 - self.x0)))

    def py(self, gb: Floats | float) -> Floats:
        """Down, in pixels."""
        return np.asarray(self.rect.bottom() - np.asarray(gb) * (self.rect.height() / self.y1))

    def x_at(self, px: float) -> float:
        """The measured second under a pixel."""
        return self.x0 + (px - self.rect.left()) * (self.x1 - self.x0) / self.rect.width()

    def fit_height(self, picture: Picture) -> None:
        """Choose the grid for what is in sight."""
        seen = (picture.x >= self.x0) & (picture.x <= self.x1)
        if not seen.any():
            seen[-1:] = True
        tops = picture.layers[-1].high[seen] if picture.layers else picture.total[seen]
        used = float(tops.max(initial=0.0))
        limits = picture.limit[seen]
        limit = float(limits[np.isfinite(limits)].max(initial=0.0))
        swap = picture.swap[seen]
        used = max(used, float(swap[np.isfinite(swap)].max(initial=0.0)))
        self.far = limit > FAR * used > 0
        # Over a far limit's areas there must be room for its words.
        room = max(0.2, (self.rect.height() - 22) / self.rect.height())
        top = used / room if self.far else max(limit, used)
        self.y1 = scale.nice_step(top * 1.05, fine=True) if top else EMPTY_TOP
        self.step = round_step(self.y1, self.rect.height() / 32)


def round_step(span: float, most: float) -> float:
    """1, 2 or 5 times a power of ten: the smallest that divides the span into at most ``most`` parts."""
    least = span / max(1.0, most)
    power = 10.0 ** np.floor(np.log10(least))
    return float(power * next(step for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9)))


def paint_picture(p: QPainter, picture: Picture, frame: StackFrame, theme: Theme) -> None:
    """Everything but the crosshair."""
    paint_grid(p, frame, theme)
    paint_times(p, frame, theme)
    seen = thin(picture, frame)
    if not len(seen):
        return
    px = frame.px(picture.x[seen])
    p.save()
    p.setClipRect(frame.rect.adjusted(0, -TOP, 0, 0))
    _paint_layers(p, picture, frame, theme, px, seen)
    stack_marks.paint_marks(p, picture, frame, theme)
    _paint_swap(p, picture, frame, theme, px, seen)
    _paint_limit(p, picture, frame, theme, px, seen)
    stack_marks.paint_spans(p, picture, frame, theme)
    if picture.span < 1:
        _paint_words_beside(p, frame, theme, float(px[-1]) + _STUB)
    p.restore()


def paint_grid(p: QPainter, frame: StackFrame, theme: Theme) -> None:
    """Horizontal lines with their GB."""
    p.setFont(theme.font(11))
    for value in scale.ticks(0, frame.y1, frame.step).tolist():
        y = round(float(frame.py(value))) - 0.5
        p.setPen(theme.color("line" if value else "line-strong"))
        p.drawLine(QLineF(frame.rect.left(), y, frame.rect.right(), y))
        p.setPen(theme.color("text-3"))
        p.drawText(QRectF(0, y - 8, LEFT - 7, 16), _RIGHT, scale.label(value, frame.step))


def paint_times(p: QPainter, frame: StackFrame, theme: Theme) -> None:
    """Measured seconds under the plot; the last says the unit."""
    step = round_step(frame.x1 - frame.x0, min(6.0, frame.rect.width() / 56))
    values = scale.ticks(max(0.0, frame.x0), frame.x1, step).tolist()
    p.setPen(theme.color("text-3"))
    for value in values:
        x = float(frame.px(value))
        text = format_time(value, step, value == values[-1])
        width = p.fontMetrics().horizontalAdvance(text) + 2
        x = min(x, frame.rect.right() + RIGHT - width / 2)
        p.drawText(QRectF(x - width / 2, frame.foot.bottom() + 2, width, 16), _CENTRE, text)


def format_time(value: float, step: float, last: bool) -> str:
    """A tick of the time: “8 s”; from two minutes on minutes and seconds: “2:30”."""
    if value >= 120 and step >= 1:
        return f"{int(value) // 60}:{int(value) % 60:02d}"
    return scale.label(value, step) + (" s" if last else "")


def paint_empty(p: QPainter, frame: StackFrame, theme: Theme) -> None:
    """Grey axes, and one sentence on what will come."""
    paint_grid(p, frame, theme)
    p.drawText(QRectF(LEFT - 6, frame.rect.bottom() + 2, 12, 16), _CENTRE, "0")
    p.setFont(theme.font(12))
    room = frame.rect.adjusted(8, 0, -8, 0)
    flags = int(_CENTRE | Qt.TextFlag.TextWordWrap)
    words = tr(EMPTY)
    box = p.boundingRect(room, flags, words)
    p.fillRect(box.adjusted(-8, -2, 8, 2), theme.color("canvas"))
    p.setPen(theme.color("text-3"))
    p.drawText(room, flags, words)


def paint_cross(p: QPainter, frame: StackFrame, theme: Theme, x: float, total: float) -> None:
    """A line at the moment under the mouse, and a dot at what was in use."""
    at = round(float(frame.px(x))) + 0.5
    p.setPen(theme.color("text-3"))
    p.drawLine(QLineF(at, frame.rect.top(), at, frame.foot.bottom()))
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setPen(QPen(theme.color("canvas"), 1))
    p.setBrush(theme.color("text-1"))
    p.drawEllipse(QPointF(at, float(frame.py(total))), 3, 3)


def thin(picture: Picture, frame: StackFrame) -> NDArray[np.intp]:
    """Indices of the points to draw: those in sight, about one a pixel, the highest of each block."""
    x = picture.x
    first = max(0, int(np.searchsorted(x, frame.x0)) - 1)
    last = min(len(x), int(np.searchsorted(x, frame.x1, side="right")) + 1)
    most = max(16, int(frame.rect.width()))
    if last - first <= most:
        return np.arange(first, last)
    size = -(-(last - first) // most)
    first -= first % size  # so that a growing series keeps its blocks
    blocks = (last - first) // size
    highest = picture.total[first : first + blocks * size].reshape(blocks, size).argmax(axis=1)
    return once(np.concatenate([[first], first + np.arange(blocks) * size + highest, [last - 1]]))


def _paint_layers(
    p: QPainter, picture: Picture, frame: StackFrame, theme: Theme, px: Floats, seen: NDArray[np.intp]
) -> None:
    if px[-1] - px[0] < _STUB:
        px = np.array([px[-1], px[-1] + _STUB])
        seen = seen[[-1, -1]]
    canvas = theme.color("canvas")
    for index, layer in enumerate(picture.layers):
        high, low = frame.py(layer.high[seen]), frame.py(layer.low[seen])
        if float((low - high).max()) < _NOTHING:
            continue
        p.setPen(Qt.PenStyle.NoPen)
        p.setBrush(_color(theme, layer))
        p.drawPolygon(polygon(np.concatenate([px, px[::-1]]), np.concatenate([high, low[::-1]])))
        if index and (float((low - high).max()) >= _SEPARATE or layer.part == PARTS[0]):
            p.setPen(canvas)
            p.drawPolyline(polygon(px, low))
        if layer.used is not None:
            _paint_unused(p, theme, px, high, frame.py(layer.used[seen]))
    if tracks.many(picture):
        floor = frame.rect.bottom() - (p.fontMetrics().height() + 2 if any(m.word for m in picture.marks) else 0)
        for letters in dict.fromkeys(layer.letters for layer in picture.layers):
            mine = [layer for layer in picture.layers if layer.letters == letters]
            bands = [(layer, frame.py(layer.high[seen]), frame.py(layer.low[seen])) for layer in mine]
            # The words of the marks lie over what is below the floor.
            above = [(layer, high, np.minimum(low, floor)) for layer, high, low in bands]
            if max(float((low - high).max()) for _, high, low in above) >= _LETTER:
                bands = above
            layer, high, low = max(bands, key=lambda band: float((band[2] - band[1]).max()))
            _paint_letters(p, layer, theme, px, high, low)


def _color(theme: Theme, layer: Layer) -> QColor:
    return theme.memory_part(layer.letters[0], layer.part)


def _paint_unused(p: QPainter, theme: Theme, px: Floats, high: Floats, used: Floats) -> None:
    """The part of the KV cache that no token fills yet, hatched."""
    if float((used - high).max()) < 2:
        return
    shade = QColor(theme.color("canvas"))
    shade.setAlphaF(0.55)
    p.setPen(Qt.PenStyle.NoPen)
    p.setBrush(QBrush(shade, Qt.BrushStyle.BDiagPattern))
    p.drawPolygon(polygon(np.concatenate([px, px[::-1]]), np.concatenate([high, used[::-1]])))


def _paint_swap(
    p: QPainter, picture: Picture, frame: StackFrame, theme: Theme, px: Floats, seen: NDArray[np.intp]
) -> None:
    """What the whole machine has swapped out, where that is anything: a dotted line."""
    swap = picture.swap[seen]
    good = np.isfinite(swap)
    if float(swap[good].max(initial=0.0)) < LEAST_SWAP:
        return
    p.setPen(QPen(theme.color("text-1"), 1, Qt.PenStyle.DotLine))
    p.drawPolyline(polygon(px[good], frame.py(swap[good])))


def _paint_letters(p: QPainter, layer: Layer, theme: Theme, px: Floats, high: Floats, low: Floats) -> None:
    """The lanes' letters at the left of their band, if it is high and long enough for them."""
    letters = layer.letters
    tall = low - high >= _LETTER
    if not tall.any():
        return
    at = int(tall.argmax())
    reach = px <= px[at] + 10 + 8 * len(letters)
    reach[:at] = False
    top, bottom = high[reach].max(), low[reach].min()
    if bottom - top < 11 or px[-1] - px[at] < 12 + 8 * len(letters):
        return
    p.setFont(theme.font(11, 600))
    p.setPen(theme.color("canvas" if layer.part in ("weights", "kv") else "text-1"))
    p.drawText(QRectF(px[at] + 8, (top + bottom) / 2 - 8, 60, 16), _LEFT, letters)
    p.setFont(theme.font(11))


def _paint_limit(
    p: QPainter, picture: Picture, frame: StackFrame, theme: Theme, px: Floats, seen: NDArray[np.intp]
) -> None:
    """The dashed line of what could be used at most, with its words; of a far one the words only."""
    known = picture.limit[np.isfinite(picture.limit)]
    if not len(known):
        return
    rect = frame.rect
    amount = f"{format_gb_short(round(known[-1] * 1e9))} GB{' ↑' if frame.far else ''}"
    metrics = QFontMetrics(p.font())
    words = tr("limit: in use + free, {amount}", amount=amount)
    if metrics.horizontalAdvance(words) > rect.width() - 8:
        words = tr("limit {amount}", amount=amount)
    y = rect.top() - 2
    if not frame.far:
        good = np.isfinite(picture.limit[seen])
        line, at = frame.py(picture.limit[seen][good]), px[good]
        if not len(line):
            return
        if picture.span < 1:
            line, at = np.append(line, line[-1]), np.append(at, rect.right())
        pen = QPen(theme.color("text-2"), 1)
        pen.setDashPattern([4, 3])
        p.setPen(pen)
        p.drawPolyline(polygon(at, line))
        under = at <= rect.left() + metrics.horizontalAdvance(words) + 8
        near = line[under] if under.any() else line[:1]
        y = float(near.min()) - metrics.height() - 1
        if y < rect.top() - TOP:
            y = float(near.max()) + 1
    box = QRectF(rect.left() + 5, y, metrics.horizontalAdvance(words), metrics.height())
    p.fillRect(box.adjusted(-2, 1, 2, -1), theme.color("canvas"))
    p.setPen(theme.color("text-2"))
    p.drawText(box.adjusted(0, 0, 4, 0), _LEFT, words)


def _paint_words_beside(p: QPainter, frame: StackFrame, theme: Theme, x: float) -> None:
    rect = frame.rect
    room = QRectF(x + 14, rect.top() + 22, rect.right() - x - 18, rect.height() - 26)
    flags = int(_LEFT | Qt.TextFlag.TextWordWrap)
    p.setFont(theme.font(12))
    words = tr(EMPTY)
    box = p.boundingRect(room, flags, words)
    if room.width() >= 90 and box.height() <= room.height():
        p.setPen(theme.color("text-3"))
        p.drawText(room, flags, words)
    p.setFont(theme.font(11))
