"""A grip in a pane's corner: by it the pane is dragged to another side; a click, or Enter, offers the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from playground.translate import tr
from playground.ui.theme import Theme

_SIZE = (12, 24)
_TOP = 8


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be done with a pane."""

    name: str
    """What a screen reader calls the grip."""
    mark: Callable[[QPoint], QRect]
    """The area that the pane would take if it were dropped at a point; both in coordinates of the page."""
    drop: Callable[[QPoint], object]
    menu: tuple[tuple[str, Callable[[], object]], ...] = field(default=())
    """The same without a mouse: words and what they do."""


class DropMark(QWidget):
    """Shows over the page where a dragged pane would land."""

    def __init__(self, page: QWidget, theme: Theme) -> None:
        super().__init__(page)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_at(self, area: QRect) -> None:
        """Over this part of the page."""
        self.setGeometry(area)
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """An outlined veil."""
        accent = QColor(self._theme.color("accent"))
        veil = QColor(accent)
        veil.setAlpha(48)
        with QPainter(self) as p:
            p.fillRect(self.rect(), veil)
            p.setPen(QPen(accent, 2))
            p.drawRect(self.rect().adjusted(1, 1, -1, -1))


class PaneGrip(QWidget):
    """Six dots in the margin at the beginning of a pane, seen while the mouse is over the pane or with the focus."""

    def __init__(self, pane: QWidget, page: QWidget, theme: Theme, ways: Ways) -> None:
        super().__init__(pane)
        self._pane, self._page, self._theme, self._ways = pane, page, theme, ways
        self._pressed_at: QPoint | None = None
        self._mark: DropMark | None = None
        self.setFixedSize(*_SIZE)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(ways.name)
        self.setToolTip(tr("{what}: drag it, or click for a menu", what=ways.name))
        pane.installEventFilter(self)
        theme.changed.connect(self.update)
        self._place(pane)

    @property
    def dragging(self) -> bool:
        """Whether the pane is on its way."""
        return self._mark is not None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner, over what the pane holds."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutDirectionChange, QEvent.Type.ChildAdded):
            assert isinstance(watched, QWidget)
            self._place(watched)
        elif event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return False

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag or a click begins."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed_at = event.globalPosition().toPoint()
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where the pane would land."""
        at = event.globalPosition().toPoint()
        if self._pressed_at is None:
            return
        far = (at - self._pressed_at).manhattanLength() >= QApplication.startDragDistance()
        if self._mark is None and far:
            self._mark = DropMark(self._page, self._theme)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        if self._mark is not None:
            self._mark.show_at(self._ways.mark(self._page.mapFromGlobal(at)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop the pane, or open the menu."""
        if self._pressed_at is None:
            return
        at, dragged = event.globalPosition().toPoint(), self.dragging
        self._end()
        if not dragged:
            self._open_menu()
        elif self._page.rect().contains(self._page.mapFromGlobal(at)):
            self._ways.drop(self._page.mapFromGlobal(at))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives a drag up; Enter and Space open the menu."""
        if event.key() == Qt.Key.Key_Escape and self._pressed_at is not None:
            self._end()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space, Qt.Key.Key_Menu):
            self._open_menu()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show it."""
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A window that loses the keyboard in the middle of a drag never tells the release."""
        self._end()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Six dots; a ring with the focus."""
        if not (self.hasFocus() or self.dragging or self._pane.underMouse()):
            return
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.hasFocus():
                p.setPen(QPen(self._theme.color("accent"), 2))
                p.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 3, 3)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._theme.color("text-1" if self.underMouse() or self.dragging else "text-3"))
            for x in (4.0, 8.0):
                for y in (8.0, 12.0, 16.0):
                    p.drawEllipse(QPointF(x, y), 1.0, 1.0)

    def menu(self) -> QMenu:
        """What a click offers."""
        menu = QMenu(self)
        for words, call in self._ways.menu:
            menu.addAction(words, call)
        return menu

    def _open_menu(self) -> None:
        self.menu().popup(self.mapToGlobal(QPoint(0, self.height())))

    def _end(self) -> None:
        self._pressed_at = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        mark, self._mark = self._mark, None
        if mark is not None:
            mark.hide()
            mark.deleteLater()

    def _place(self, pane: QWidget) -> None:
        x = pane.width() - self.width() if pane.isRightToLeft() else 0
        self.move(x, _TOP)
        self.raise_()
