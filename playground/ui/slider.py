"""The slider of a setting: how values lie on its track, and the widget."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from playground.settings.field import Field
from playground.translate import tr
from playground.ui.theme import Theme

_THUMB = 12.0
_TRACK = 3.0
_TICKS = 1000


class Scale:
    """Where a field's values lie between 0 (left) and 1 (right).

    Straight for ordinary ranges, logarithmic where small values matter most. A value
    outside the slider's range that has a meaning of its own (“off”, “automatic”, “all”)
    sits at an end: 0 and the values that switch something off at the left, −1 for “as
    much as there is” at the right.
    """

    def __init__(self, field: Field) -> None:
        low, high = field.slider or (field.low or 0.0, field.high or 1.0)
        self.field, self.low, self.high = field, float(low), float(high)
        self.left: Any = None
        self.right: Any = None
        for value in field.special:
            if value < low:
                if value < 0:
                    self.right = value
                else:
                    self.left = value
        if field.off is not None and field.off < low:
            self.left = field.off
        whole = field.kind == "int"
        self._log = whole and self.low >= 1 and self.high / self.low >= 16
        knee = self.high / (4 if self.high < 1000 else 64)
        self._knee = knee if whole and not self._log and self.low >= 0 and self.high >= 200 else 0.0

    def position(self, value: Any) -> float:
        """Where the value's thumb stands."""
        if self.left is not None and value == self.left:
            return 0.0
        if self.right is not None and value == self.right:
            return 1.0
        bounded = min(max(float(value), self.low), self.high)
        if self._log:
            return math.log(bounded / self.low) / math.log(self.high / self.low)
        if self._knee:
            return math.log1p(bounded / self._knee) / math.log1p(self.high / self._knee)
        return (bounded - self.low) / (self.high - self.low)

    def value(self, position: float) -> Any:
        """The value at a place, rounded to the field's step."""
        if position <= 0 and self.left is not None:
            return self.left
        if position >= 1 and self.right is not None:
            return self.right
        position = min(max(position, 0.0), 1.0)
        if self._log:
            raw = self.low * (self.high / self.low) ** position
        elif self._knee:
            raw = self._knee * math.expm1(position * math.log1p(self.high / self._knee))
        else:
            raw = self.low + position * (self.high - self.low)
        return self._rounded(raw)

    def stepped(self, value: Any, steps: float) -> Any:
        """The value that many of the field's steps away, not beyond the slider's ends."""
        step = self.field.step
        if value == self.left and self.left is not None:
            return self.left if steps < 0 else self._rounded(self.low + step * (steps - 1))
        if value == self.right and self.right is not None:
            return self.right if steps > 0 else self._rounded(self.high + step * (steps + 1))
        wanted = float(value) + steps * step
        # A value that was typed beyond the slider's end must not jump back when stepped outwards.
        if wanted < self.low - 1e-9 and steps < 0:
            return self.left if self.left is not None else self._rounded(min(self.low, float(value)))
        if wanted > self.high + 1e-9 and steps > 0:
            return self.right if self.right is not None else self._rounded(max(self.high, float(value)))
        return self._rounded(wanted, snap=False)

    def _rounded(self, raw: float, snap: bool = True) -> Any:
        field = self.field
        if snap:
            raw = min(max(round(raw / field.step) * field.step, self.low), self.high)
        return round(raw) if field.kind == "int" else round(raw, max(field.decimals, 2))


class Slider(QSlider):
    """A 3 px track with a round thumb, filled from the left in the lane's colour.

    At the neutral value the thumb is hollow and the fill gone. Values are those of the
    field; the integer value of the base class only serves screen readers.
    """

    moved = Signal(object)
    """The user chose this value."""
    released = Signal()
    reset = Signal()
    """Double-clicked."""

    def __init__(self, field: Field, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.scale = Scale(field)
        self._field, self._theme = field, theme
        self._shown: Any = field.default
        self._letter = ""
        self._dragging = self._ring = False
        self.setRange(0, _TICKS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_shown(field.default)

    @property
    def shown(self) -> Any:
        """The field's value as it stands."""
        return self._shown

    def set_shown(self, value: Any) -> None:
        """Show a value; tells nobody."""
        self._shown = value
        self.blockSignals(True)
        self.setValue(round(self.scale.position(value) * _TICKS))
        self.blockSignals(False)
        self.setAccessibleDescription(f"{self._field.show(value)}. {tr(self._field.help)}")
        self.update()

    def set_lane(self, letter: str) -> None:
        """Fill in this lane's colour."""
        if letter != self._letter:
            self._letter = letter
            self.update()

    def sizeHint(self) -> QSize:
        """At least as long as a thumb can be moved on."""
        return QSize(96, 24)

    def minimumSizeHint(self) -> QSize:
        """Still a slider."""
        return QSize(40, 24)

    def _choose(self, value: Any) -> None:
        if value != self._shown:
            self.set_shown(value)
            self.moved.emit(value)

    def _at(self, x: float) -> Any:
        return self.scale.value((x - _THUMB / 2) / max(1.0, self.width() - _THUMB))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the thumb to the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragging = True
            self._choose(self._at(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self._dragging:
            self._choose(self._at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self._dragging and event.button() == Qt.MouseButton.LeftButton:
            self._dragging = False
            self.released.emit()
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the preset's value."""
        self._dragging = False
        self.reset.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step when focused; otherwise the panel scrolls."""
        if not self.hasFocus():
            event.ignore()
            return
        self._choose(self.scale.stepped(self._shown, 1 if event.angleDelta().y() > 0 else -1))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows step, Page keys step ten times as far, Home and End go to the ends."""
        self._ring = True
        key, keys = event.key(), Qt.Key
        steps = {keys.Key_Left: -1, keys.Key_Down: -1, keys.Key_Right: 1, keys.Key_Up: 1}
        steps |= {keys.Key_PageUp: 10, keys.Key_PageDown: -10}
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()
        elif key in steps:
            self._choose(self.scale.stepped(self._shown, steps[keys(key)]))
        elif key in (keys.Key_Home, keys.Key_End):
            self._choose(self.scale.value(0.0 if key == keys.Key_Home else 1.0))
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self.reset.emit()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring when the keyboard brought the focus."""
        super().focusInEvent(event)
        self._ring = event.reason() != Qt.FocusReason.MouseFocusReason
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Track, fill, thumb, ring."""
        theme, enabled = self._theme, self.isEnabled()
        neutral = self._field.is_off(self._shown)
        middle = self.height() / 2
        room = self.width() - _THUMB
        x = _THUMB / 2 + self.scale.position(self._shown) * room
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.color("pressed"))
            p.drawRoundedRect(QRectF(_THUMB / 2, middle - _TRACK / 2, room, _TRACK), _TRACK / 2, _TRACK / 2)
            if not neutral and x > _THUMB / 2:
                p.setBrush(theme.lane(self._letter) if enabled else theme.color("disabled"))
                fill = QRectF(_THUMB / 2, middle - _TRACK / 2, x - _THUMB / 2, _TRACK)
                p.drawRoundedRect(fill, _TRACK / 2, _TRACK / 2)
            self._paint_thumb(p, QPointF(x, middle), neutral)

    def _paint_thumb(self, p: QPainter, at: QPointF, neutral: bool) -> None:
        theme, enabled = self._theme, self.isEnabled()
        radius = _THUMB / 2 - 0.75
        if self._ring and self.hasFocus():
            p.setPen(QPen(theme.color("accent"), 2))
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawEllipse(at, radius + 3, radius + 3)
        if not enabled:
            p.setPen(QPen(theme.color("disabled"), 1.5))
            p.setBrush(theme.color("chrome"))
        elif neutral:
            p.setPen(QPen(theme.color("text-1" if self.underMouse() else "text-3"), 1.5))
            p.setBrush(theme.color("chrome"))
        elif theme.scheme == "dark":
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.color("inverse"))
            radius += 0.5
        else:
            p.setPen(QPen(theme.color("text-3"), 1))
            p.setBrush(theme.color("canvas"))
        p.drawEllipse(at, radius, radius)
