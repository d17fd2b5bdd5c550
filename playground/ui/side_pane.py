"""A pane at the window's side: docked beside the centre, or laid over it where room is short."""

from __future__ import annotations

from typing import Literal, TypeAlias

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QSplitter, QWidget

Side: TypeAlias = Literal["left", "right"]


class SidePane(QObject):
    """Moves one widget between a splitter and an overlay; remembers what the user wanted."""

    def __init__(self, widget: QWidget, body: QWidget, splitter: QSplitter, side: Side) -> None:
        super().__init__(body)
        self.widget = widget
        self._body = body
        self._splitter = splitter
        self._side: Side = side
        self._wanted = True
        self._overlay = False
        self._open = self._watching = False
        self._width = 240
        self._dock()

    @property
    def shown(self) -> bool:
        """Whether the pane is visible."""
        return self._open if self._overlay else self._wanted

    @property
    def width(self) -> int:
        """Pixels it gets."""
        return self._width

    @property
    def overlaid(self) -> bool:
        """Whether it lies over the centre when it is shown."""
        return self._overlay

    @property
    def wanted(self) -> bool:
        """Whether the user wants it docked when there is room."""
        return self._wanted

    def stand(self, side: Side, wanted: bool) -> None:
        """On which side it stands, and whether the user wants it docked; `arrange` then shows it."""
        self._wanted = wanted
        if side != self._side:
            self._side = side
            if not self._overlay:
                self._dock()

    def toggle(self) -> None:
        """Show or hide it."""
        if self._overlay:
            self._open = not self._open
        else:
            self._wanted = not self._wanted
        self._apply()

    def close_overlay(self) -> None:
        """Hide it if it only lies over the centre."""
        if self._overlay and self._open:
            self._open = False
            self._apply()

    def arrange(self, overlay: bool, width: int) -> None:
        """Dock it or lay it over; ``width`` in pixels."""
        changed = overlay != self._overlay
        self._width = width
        if changed:
            self._overlay, self._open = overlay, False
            if overlay:
                self.widget.setParent(self._body)
            else:
                self._dock()
        self._apply()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the body's size; a click elsewhere closes an overlay."""
        if watched is self._body and event.type() == QEvent.Type.Resize and self._overlay:
            self._place()
        if event.type() == QEvent.Type.MouseButtonPress and self._open and isinstance(watched, QWidget):
            inside_body = self._body.isAncestorOf(watched)
            if inside_body and watched is not self.widget and not self.widget.isAncestorOf(watched):
                self.close_overlay()
        return False

    def _dock(self) -> None:
        # Out first: a widget that moves within its splitter is counted among those it moves past.
        self.widget.setParent(self._body)
        self._splitter.insertWidget(0 if self._side == "left" else self._splitter.count(), self.widget)

    def _apply(self) -> None:
        self.widget.setVisible(self.shown)
        over = self._overlay and self._open
        # Only while it is wanted: it is called for every event of the whole window.
        if over != self._watching:
            self._watching = over
            app = QApplication.instance()
            app.installEventFilter(self) if over else app.removeEventFilter(self)  # type: ignore[union-attr]
        if over:
            self._place()
            self.widget.raise_()

    def _place(self) -> None:
        width = min(self._width, self._body.width() - 48)
        at_left = (self._side == "left") != self._body.isRightToLeft()
        left = 0 if at_left else self._body.width() - width
        self.widget.setGeometry(left, 0, width, self._body.height())
