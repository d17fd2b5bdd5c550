"""The scroll bar beside a transcript, which hardly costs anything while an answer gets longer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSlider, QScrollBar, QStyle

from playground.ui.theme import Theme

STEP = 22
"""What a key or a click on an arrow scrolls by, px."""
_THUMB_MIN, _THUMB_RADIUS = 32, 4
"""Least height of the thumb and the radius of its corners, px, as the style sheet has them."""


class QuietBar(QScrollBar):
    """A scroll bar that isn't seen while there is nothing to scroll."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._theme = theme
        self._setting = False
        self._thumb = (0, 0)
        self.setSingleStep(STEP)

    def show_state(self, most: int, page: int, value: int) -> None:
        """Take a range and a value over without telling; painted anew only if the thumb looks different."""
        self._setting = True
        self.blockSignals(True)
        self.setRange(0, most)
        if self.pageStep() != page:
            self.setPageStep(page)
        self.setValue(value)
        self.blockSignals(False)
        self._setting = False
        thumb = self.thumb(most, page, value)
        if thumb != self._thumb:
            self._thumb = thumb
            self.update()

    def thumb(self, most: int, page: int, value: int) -> tuple[int, int]:
        """Top and height of the thumb, px, as Qt's style has them; asking that takes long. Height 0: there is none."""
        if most <= 0:
            return 0, 0
        room = self.height()
        height = min(room, max(_THUMB_MIN, page * room // (most + page)))
        return QStyle.sliderPositionFromValue(0, most, value, room - height), height

    def sliderChange(self, change: QAbstractSlider.SliderChange) -> None:
        """Qt paints it anew for each pixel that the text grows by."""
        if not self._setting:
            super().sliderChange(change)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas, and the thumb if there is one: as the style sheet has it, which takes several times as long."""
        used = self.underMouse() or self.isSliderDown()
        with QPainter(self) as p:
            p.fillRect(self.rect(), self._theme.color("canvas"))
            top, height = self.thumb(self.maximum(), self.pageStep(), self.value())
            if height and not used:
                p.setRenderHint(QPainter.RenderHint.Antialiasing)
                p.setPen(Qt.PenStyle.NoPen)
                p.setBrush(self._theme.color("line-strong"))
                p.drawRoundedRect(0, top, self.width(), height, _THUMB_RADIUS, _THUMB_RADIUS)
        if height and used:
            super().paintEvent(event)
        # So that nothing under it is painted, too. Here because the style sheet takes it back.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
