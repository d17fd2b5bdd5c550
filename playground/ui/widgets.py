"""Small shared widgets: buttons, segments, a flowing row; and the ties that let views follow lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLayout,
    QLayoutItem,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from playground.ui import icons
from playground.ui.labels import Divider, ElidedLabel, FiguresLabel, IconLabel, Label, LaneBadge, Meter
from playground.ui.theme import Theme
from playground.workspace.lane import Lane
from playground.workspace.signal import Signal as PlainSignal

__all__ = [
    "Clock",
    "Divider",
    "ElidedLabel",
    "FiguresLabel",
    "FlowLayout",
    "IconButton",
    "IconLabel",
    "Label",
    "LaneBadge",
    "LaneWatch",
    "Meter",
    "PillButton",
    "SegmentedControl",
    "TextButton",
    "ask_for_gguf",
    "bind",
]

_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


class Clock(Protocol):
    """What views need of the frame clock."""

    def mark(self, key: object, paint: Callable[[], None]) -> None:
        """Run ``paint`` once at the next frame."""


def bind(widget: QObject, signal: PlainSignal[[]], slot: Callable[[], object]) -> Callable[[], None]:
    """Connect a workspace signal for as long as the widget lives; returns the disconnecting function."""
    disconnect = signal.connect(slot)
    widget.destroyed.connect(lambda *_: disconnect())
    return disconnect


class HasLanes(Protocol):
    """A workspace as `LaneWatch` sees it."""

    lanes: list[Lane]
    lanes_changed: PlainSignal[[]]


class LaneWatch:
    """Follows the signals of all lanes, also of those that come later, until the widget is gone."""

    def __init__(
        self,
        widget: QObject,
        workspace: HasLanes,
        changed: Callable[[], object],
        grew: Callable[[], object] | None = None,
    ) -> None:
        self._workspace, self._changed, self._grew = workspace, changed, grew
        self._links: list[Callable[[], None]] = []
        self._connect()
        bind(widget, workspace.lanes_changed, self._lanes_changed)
        widget.destroyed.connect(lambda *_: self._drop())

    def _connect(self) -> None:
        for lane in self._workspace.lanes:
            self._links += [lane.changed.connect(self._changed), lane.path_changed.connect(self._changed)]
            if self._grew is not None:
                self._links.append(lane.grew.connect(self._grew))

    def _drop(self) -> None:
        for disconnect in self._links:
            disconnect()
        self._links.clear()

    def _lanes_changed(self) -> None:
        self._drop()
        self._connect()
        self._changed()


def ask_for_gguf(parent: QWidget, reply: Callable[[str], object]) -> QFileDialog:
    """Ask for a model file without holding up the event loop; ``reply`` gets the path, if one was chosen."""
    dialog = QFileDialog(parent, "Open a model file", "", "GGUF models (*.gguf);;All files (*)")
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(reply)
    dialog.open()
    return dialog


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


class TextButton(QPushButton):
    """A button with words, in one of the sheet's kinds: ``primary``, ``plain``, ``quiet``."""

    def __init__(
        self, theme: Theme, text: str, kind: str = "plain", icon: str = "", small: bool = False
    ) -> None:
        super().__init__(text)
        self._theme, self._icon, self._kind = theme, icon, kind
        self.setProperty("kind", kind)
        self.setProperty("small", small)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if icon:
            self.setIconSize(QSize(14, 14))
            theme.changed.connect(self._restyle)
            self._restyle()

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._restyle()

    def _restyle(self) -> None:
        ink = "on-inverse" if self._kind == "primary" else "text-2"
        self.setIcon(
            icons.icon(self._theme, self._icon, 14, ink, ink if self._kind == "primary" else "text-1")
        )


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

    def choose(self, key: str) -> None:
        """Show this choice as on; emits nothing."""
        self._buttons[key].setChecked(True)


class FlowLayout(QLayout):
    """A row that goes on in the next line where room is short."""

    def __init__(self, gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        """Put an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        """The item, or None past the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> Any:
        """Give the item away."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """It wraps."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all lines."""
        return self._arrange(QRect(0, 0, width, 0), False)

    def setGeometry(self, rect: QRect) -> None:
        """Place the items."""
        super().setGeometry(rect)
        self._arrange(rect, True)

    def sizeHint(self) -> QSize:
        """All in one line."""
        shown = [i.sizeHint() for i in self._items if not i.isEmpty()]
        width = sum(s.width() for s in shown) + self._gap * max(0, len(shown) - 1)
        return QSize(width, max((s.height() for s in shown), default=0))

    def minimumSize(self) -> QSize:
        """The widest item alone."""
        shown = [i.minimumSize() for i in self._items if not i.isEmpty()]
        return QSize(max((s.width() for s in shown), default=0), max((s.height() for s in shown), default=0))

    def _arrange(self, rect: QRect, place: bool) -> int:
        x, y, line = rect.left(), rect.top(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            if line and x + size.width() > rect.left() + rect.width():
                x, y, line = rect.left(), y + line + self._gap, 0
            if place:
                item.setGeometry(QRect(x, y, min(size.width(), rect.width()), size.height()))
            x += size.width() + self._gap
            line = max(line, size.height())
        return y + line - rect.top()
