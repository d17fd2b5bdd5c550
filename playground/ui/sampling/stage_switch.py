"""The little switch in front of a stage: off takes it out of the chain and leaves its values alone."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from playground.translate import tr
from playground.ui.theme import Theme

SWITCH_WIDTH = 24
_TRACK = QSize(16, 9)


class StageSwitch(QAbstractButton):
    """A pill with a knob; right is on."""

    def __init__(self, theme: Theme, label: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._label = theme, label
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)
        self._tell()

    def nextCheckState(self) -> None:
        """The lane decides, not the click."""

    def show_on(self, on: bool) -> None:
        """What the lane says."""
        if on != self.isChecked():
            self.setChecked(on)
            self._tell()

    def _tell(self) -> None:
        self.setAccessibleName(tr("{label} in the chain", label=self._label))
        verb = tr("Switch off; the values stay") if self.isChecked() else tr("Switch on again")
        self.setToolTip(f"{verb} (Space)")

    def sizeHint(self) -> QSize:
        """Narrow, as high as a button."""
        return QSize(SWITCH_WIDTH, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, knob, focus ring."""
        theme, on = self._theme, self.isChecked()
        track = QRectF(0, 0, _TRACK.width(), _TRACK.height())
        track.moveCenter(QPointF(self.width() / 2, self.height() / 2))
        token = "text-1" if self.underMouse() else "text-2" if on else "text-3"
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(QPen(theme.color(token), 1))
            p.setBrush(theme.color(token) if on else Qt.BrushStyle.NoBrush)
            p.drawRoundedRect(track, track.height() / 2, track.height() / 2)
            knob = QPointF(track.right() - 4.5 if on else track.left() + 4.5, track.center().y())
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.color("chrome") if on else theme.color(token))
            p.drawEllipse(knob, 2.5, 2.5)
            if self.hasFocus():
                p.setPen(QPen(theme.color("accent"), 2))
                p.setBrush(Qt.BrushStyle.NoBrush)
                p.drawRoundedRect(QRectF(self.rect()).adjusted(1, 3, -1, -3), 5, 5)
