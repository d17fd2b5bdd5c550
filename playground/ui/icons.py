"""Phosphor icons, tinted from the tokens. Drawn once per name, colour and size."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from playground.resources import resource
from playground.ui.theme import Theme


@lru_cache(maxsize=256)
def pixmap(name: str, color: str, size: int = 16, ratio: float = 2.0) -> QPixmap:
    """One icon as a pixmap of ``size`` logical pixels."""
    svg = resource("icons", f"{name}.svg").read_text().replace("currentColor", color)
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(image.rect()))
    image.setDevicePixelRatio(ratio)
    return image


def icon(theme: Theme, name: str, size: int = 16, token: str = "text-2", on: str = "text-1") -> QIcon:
    """An icon for a button: quiet, brighter when on, grey when disabled."""
    made = QIcon(pixmap(name, theme.hex(token), size))
    made.addPixmap(pixmap(name, theme.hex(on), size), QIcon.Mode.Normal, QIcon.State.On)
    made.addPixmap(pixmap(name, theme.hex("disabled"), size), QIcon.Mode.Disabled)
    return made


def badge(letter: str, color: QColor, ink: QColor, size: int = 18, ratio: float = 2.0) -> QPixmap:
    """A lane's letter on its colour; drawn once, as plots and tables show it in every frame."""
    return _badge(letter, color.rgba(), ink.rgba(), size, ratio)


@lru_cache(maxsize=128)
def _badge(letter: str, color: int, ink: int, size: int, ratio: float) -> QPixmap:
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(ratio)
    with QPainter(image) as painter:
        paint_badge(painter, QRectF(0, 0, size, size), letter, QColor.fromRgba(color), QColor.fromRgba(ink))
    return image


def paint_badge(painter: QPainter, box: QRectF, letter: str, color: QColor, ink: QColor) -> None:
    """A lane's letter on its colour, drawn there and then: for pictures that have no pixels."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    radius = 4 * box.width() / 18
    painter.drawRoundedRect(box, radius, radius)
    font = painter.font()
    font.setPixelSize(round(box.width() * 0.64))
    font.setWeight(font.Weight.DemiBold)
    painter.setFont(font)
    painter.setPen(ink)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)
    painter.restore()
