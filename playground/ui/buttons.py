"""Buttons, segments and the search field: those that the style sheet draws, and those that we paint."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QFontMetrics, QIcon, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
)

from playground.ui import icons
from playground.ui.theme import Theme

_KEYBOARD = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


class IconButton(QToolButton):
    """A button with an icon only: tooltip (with its shortcut) and accessible name are required."""

    def __init__(
        self, theme: Theme, icon: str, name: str, shortcut: str = "", size: int = 28, tone: str = "text-2"
    ) -> None:
        super().__init__()
        self._theme, self._icon, self._tone = theme, icon, tone
        self._px = 16 if size >= 28 else 14
        self.setProperty("kind", "icon" if size >= 28 else "small-icon")
        self.setFixedSize(size, size)
        self.setIconSize(QSize(self._px, self._px))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_name(name, shortcut)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_name(self, name: str, shortcut: str = "") -> None:
        """What it does, in words, and the key that does the same."""
        self.setToolTip(f"{name} ({shortcut})" if shortcut else name)
        self.setAccessibleName(name)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        if icon != self._icon:
            self._icon = icon
            self._restyle()

    def _restyle(self) -> None:
        self.setIcon(icons.icon(self._theme, self._icon, self._px, self._tone))


_AIR = 4
"""Pixels between icon and words beyond Qt's own four."""


def _with_air(icon: QPixmap, before: bool) -> QPixmap:
    """With a gap to the words, which follow it, or stand ``before`` it in a window written from the right."""
    ratio = icon.devicePixelRatio()
    wide = QPixmap(round(icon.width() + _AIR * ratio), icon.height())
    wide.fill(Qt.GlobalColor.transparent)
    wide.setDevicePixelRatio(ratio)
    with QPainter(wide) as p:
        p.drawPixmap(_AIR if before else 0, 0, icon)
    return wide


class TextButton(QPushButton):
    """A button with words, in one of the sheet's kinds: ``primary``, ``plain``, ``quiet``."""

    def __init__(self, theme: Theme, text: str, kind: str = "plain", icon: str = "", small: bool = False) -> None:
        super().__init__(text)
        self._theme, self._icon, self._kind = theme, icon, kind
        self.setProperty("kind", kind)
        self.setProperty("small", small)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if icon:
            self.setIconSize(QSize(14 + _AIR, 14))
            theme.changed.connect(self._restyle)
            self._restyle()

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._restyle()

    def _restyle(self) -> None:
        ink = "on-inverse" if self._kind == "primary" else "text-2"
        on = ink if self._kind == "primary" else "text-1"
        made = QIcon(self._tinted(ink))
        made.addPixmap(self._tinted(on), QIcon.Mode.Normal, QIcon.State.On)
        made.addPixmap(self._tinted("disabled"), QIcon.Mode.Disabled)
        self.setIcon(made)

    def _tinted(self, token: str) -> QPixmap:
        return _with_air(icons.pixmap(self._icon, self._theme.hex(token), 14), self.isRightToLeft())


class SearchField(QLineEdit):
    """A text field with a magnifying glass; Esc is for its owner."""

    def __init__(self, theme: Theme, words: str) -> None:
        super().__init__()
        self._theme = theme
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setTextMargins(0, 0, 22, 0) if self.isRightToLeft() else self.setTextMargins(22, 0, 0, 0)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The field, and the glass over it."""
        super().paintEvent(event)
        with QPainter(self) as p:
            glass = icons.pixmap("magnifying-glass", self._theme.hex("text-2"), 14)
            x = self.width() - 24 if self.isRightToLeft() else 10
            p.drawPixmap(QPointF(x, (self.height() - 14) / 2), glass)


class PaintedButton(QAbstractButton):
    """Base of the buttons we paint: hover, and a focus ring for the keyboard only."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._ring = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring when the keyboard brought the focus."""
        self._ring = event.reason() in _KEYBOARD
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring."""
        self._ring = False
        super().focusOutEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Repaint for hover."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Repaint for hover."""
        self.update()
        super().leaveEvent(event)

    def fill(self, rest: str = "hover", over: str = "pressed") -> QColor:
        """The fill for the state in force."""
        active = self.isEnabled() and (self.underMouse() or self.isDown())
        return self._theme.color(over if active else rest)

    def paint_box(self, p: QPainter, fill: QColor, radius: float, edge: str = "") -> None:
        """Background, edge and focus ring."""
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        p.setBrush(fill)
        p.setPen(self._theme.color(edge) if edge else Qt.PenStyle.NoPen)
        inset = 0.5 if edge else 0.0
        p.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), radius, radius)
        if self._ring:
            pen = p.pen()
            pen.setStyle(Qt.PenStyle.SolidLine)
            pen.setColor(self._theme.color("accent"))
            pen.setWidthF(2)
            p.setPen(pen)
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)


class PillButton(PaintedButton):
    """A chip with a caret that opens something: “Q4_1 · 98 MB ⌄”."""

    def __init__(self, theme: Theme, text: str, name: str) -> None:
        super().__init__(theme)
        self.setFont(theme.font(11))
        self.setText(text)
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Text, caret and padding, 20 px high in a target of 24."""
        return QSize(QFontMetrics(self.font()).horizontalAdvance(self.text()) + 30, 24)

    def minimumSizeHint(self) -> QSize:
        """Room for the caret and a few letters."""
        return QSize(min(56, self.sizeHint().width()), 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Chip, text, caret."""
        box = self.rect().adjusted(0, 2, 0, -2)
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(self._theme.color("accent") if self._ring else Qt.PenStyle.NoPen)
            p.setBrush(self.fill())
            p.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            p.setPen(self._theme.color("text-2"))
            text = QRect(box.left() + 8, box.top(), box.width() - 28, box.height())
            shown = p.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, text.width())
            p.drawText(text, Qt.AlignmentFlag.AlignVCenter, shown)
            caret = icons.pixmap("caret-down", self._theme.hex("text-2"), 10)
            p.drawPixmap(QPointF(box.right() - 16, box.center().y() - 4), caret)


class SegmentedControl(QFrame):
    """Two or more choices in one frame, exactly one of them on."""

    chosen = Signal(str)
    """The key that the user chose."""

    def __init__(self, theme: Theme, choices: Sequence[tuple[str, str, str]], name: str) -> None:
        """``choices``: key, label and tooltip of each."""
        super().__init__()
        self.setProperty("segments", True)
        self._buttons: dict[str, QPushButton] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for key, label, tip in choices:
            button = TextButton(theme, label, "segment")
            button.setCheckable(True)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            group.addButton(button)
            row.addWidget(button)
            self._buttons[key] = button
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_tips(self, tips: dict[str, str]) -> None:
        """Other tooltips, by the choices' keys."""
        for key, tip in tips.items():
            self._buttons[key].setToolTip(tip)

    def choose(self, key: str) -> None:
        """Show this choice as on; emits nothing."""
        self._buttons[key].setChecked(True)
