"""Widgets on screen follow the size of the text: fonts and heights that were set for another one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from shiboken6 import isValid

USUAL_FONT, USUAL_SIZE = "usualFont", "usualSize"
"""Dynamic properties: (pixels at factor 1, pixels set), and (width, height at factor 1, width, height set)."""
_HIGHEST, _WIDEST = 64, 128
"""Fixed sizes up to so many pixels hold one line or an icon; larger ones hold more and see to themselves."""


def refit(app: QApplication, scale: float, apply: Callable[[], None]) -> None:
    """``apply`` the sheet of this factor, and give the fonts that it doesn't rule their size."""
    before = float(app.property("textScale") or 1.0)
    app.setProperty("textScale", scale)
    fonts = [(widget, widget.font().pixelSize()) for widget in app.allWidgets() if widget.font().resolveMask()]
    apply()
    if scale == before:
        return
    for widget, old in fonts:
        font = widget.font()
        if font.pixelSize() != old or old <= 0:
            continue  # the sheet's
        kept = widget.property(USUAL_FONT)
        usual = kept[0] if kept and old in (kept[1], round(kept[0])) else old / before
        size = max(1, round(usual * scale))
        widget.setProperty(USUAL_FONT, (usual, size))
        font.setPixelSize(size)
        widget.setFont(font)
        widget.updateGeometry()
    # Qt puts back the fonts of widgets that weren't on screen when the sheet was set, once it polishes them.
    QTimer.singleShot(0, app, lambda: _again(app))


def _again(app: QApplication) -> None:
    by_hand: set[QWidget] = set()
    for widget in app.allWidgets():
        kept = widget.property(USUAL_FONT)
        if not kept:
            continue
        font = widget.font()
        if font.pixelSize() == round(kept[0]) != kept[1]:
            font.setPixelSize(kept[1])
            widget.setFont(font)
        widget.updateGeometry()
        above = [widget]
        while (parent := above[-1].parentWidget()) is not None and parent not in by_hand:
            above.append(parent)
        by_hand |= {parent for parent in above[1:] if parent.layout() is None}
    QTimer.singleShot(0, app, lambda: _place_again(app, list(by_hand)))


def _place_again(app: QApplication, parents: list[QWidget]) -> None:
    """Widgets without a layout place their children when their size changes; now the need of those did."""
    for parent in parents:
        if isValid(parent):
            app.sendEvent(parent, QResizeEvent(parent.size(), parent.size()))


def fit_size(widget: QWidget, scale: float) -> None:
    """Give a widget whose one-line size is fixed, or at least so high, that of this factor."""
    parent = widget.parentWidget()
    if parent is not None and parent.layout() is None and not widget.isWindow():
        return  # placed by hand, in a room that stays as it is
    low, high = (widget.minimumWidth(), widget.minimumHeight()), (widget.maximumWidth(), widget.maximumHeight())
    kept = widget.property(USUAL_SIZE)
    if kept and (kept[2], kept[3]) == low:
        width, height = kept[0], kept[1]
    else:
        width, height = low
    if kept is None and scale == 1.0:
        return
    new = (_scaled(width, scale, _WIDEST), _scaled(height, scale, _HIGHEST))
    if new == low and kept is None:
        return
    widget.setProperty(USUAL_SIZE, (width, height, *new))
    if high[0] == low[0]:
        widget.setFixedWidth(new[0])
    if high[1] == low[1]:
        widget.setFixedHeight(new[1])
    elif low[1] and not isinstance(widget, QLabel):
        widget.setMinimumHeight(new[1])
    widget.setProperty(USUAL_SIZE, (width, height, widget.minimumWidth(), widget.minimumHeight()))


def _scaled(pixels: int, scale: float, most: int) -> int:
    return max(1, round(pixels * scale)) if 8 < pixels <= most else pixels
