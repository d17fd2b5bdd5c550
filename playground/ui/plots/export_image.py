"""A plot as a picture: what is on the screen with a line above it that says what it is, as PNG or as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from playground.ui import icons
from playground.ui.plots.canvas import _BADGE, LatencyCanvas
from playground.ui.plots.plot_view import PlotView
from playground.ui.theme import Theme

SCALE = 2.0
"""Pixels of a PNG to a pixel of the screen."""
_PAD, _TITLE, _LINE, _SWATCH = 12, 24, 18, 14


@dataclass(frozen=True, slots=True)
class Note:
    """A line above the plot: what is drawn in which colour."""

    text: str
    color: QColor | None = None


class _Paper(LatencyCanvas):
    """The latency plot once more: what is kept for the screen stays as it is."""

    def __init__(self, shown: LatencyCanvas) -> None:
        super().__init__(shown.theme)
        self.resize(shown.size())
        self.picture = shown.picture

    def paint(self, p: QPainter, ratio: float) -> None:
        """The picture without what is pointed at and chosen; the lanes' badges sharp at any size."""
        self.paint_all(p, ratio)
        if not self.picture.many:
            self.paint_over(p)
            return
        for letter, at in self._badges().items():
            box = QRectF(at.x(), at.y(), _BADGE, _BADGE)
            icons.paint_badge(p, box, letter, self.theme.lane(letter), self.theme.color("canvas"))


def size_of(view: PlotView, notes: Sequence[Note]) -> QSize:
    """Of the whole picture, in pixels of the screen."""
    return QSize(view.width(), view.height() + _above(notes))


def png(view: PlotView, title: str, notes: Sequence[Note]) -> QImage:
    """As pixels. Draw on the GUI thread; saving it may be done elsewhere."""
    image = QImage(size_of(view, notes) * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    with QPainter(image) as p:
        _paint(p, view, title, notes, SCALE)
    return image


def png_bytes(image: QImage) -> bytes:
    """A file's content. Takes a while: for a thread."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, PySide wants text
    return bytes(buffer.data().data())


def svg(view: PlotView, title: str, notes: Sequence[Note]) -> bytes:
    """As lines, dots and texts, which stay sharp at any size."""
    from PySide6.QtSvg import QSvgGenerator  # only needed here

    size, buffer = size_of(view, notes), QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    page = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)  # the smaller kind has no clipping
    page.setOutputDevice(buffer)
    page.setSize(size)
    page.setViewBox(QRectF(0, 0, size.width(), size.height()))
    page.setTitle(title)
    page.setDescription("\n".join(note.text for note in notes))
    with QPainter(page) as p:
        _paint(p, view, title, notes, 1.0)
    return bytes(buffer.data().data())


def _above(notes: Sequence[Note]) -> int:
    return _TITLE + _LINE * len(notes) + (4 if notes else 0)


def _paint(p: QPainter, view: PlotView, title: str, notes: Sequence[Note], ratio: float) -> None:
    theme: Theme = view.theme
    size = size_of(view, notes)
    p.fillRect(QRectF(0, 0, size.width(), size.height()), theme.color("canvas"))
    middle = Qt.AlignmentFlag.AlignVCenter
    p.setFont(theme.font(12, 600))
    p.setPen(theme.color("text-1"))
    p.drawText(QRectF(_PAD, 0, size.width() - 2 * _PAD, _TITLE), middle, title)
    p.setFont(theme.font(11))
    for row, note in enumerate(notes):
        top = _TITLE + row * _LINE
        if note.color is not None:
            p.fillRect(QRectF(_PAD, top + _LINE / 2 - 1, _SWATCH - 4, 2), note.color)
        p.setPen(theme.color("text-2"))
        room = QRectF(_PAD + _SWATCH, top, size.width() - 2 * _PAD - _SWATCH, _LINE)
        words = p.fontMetrics().elidedText(note.text, Qt.TextElideMode.ElideRight, int(room.width()))
        p.drawText(room, middle, words)
    p.translate(QPointF(0, _above(notes)))
    if isinstance(view, LatencyCanvas):
        paper = _Paper(view)
        paper.paint(p, ratio)
        paper.deleteLater()
    else:
        view.paint_all(p, ratio)
