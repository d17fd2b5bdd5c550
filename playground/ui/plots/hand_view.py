"""The hand on the latency plot: what is under the mouse, walked to by key, pointed at in the text, and chosen."""

from __future__ import annotations

from typing import Any, Literal

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

from playground.ui.plots import crosshair
from playground.ui.plots.crosshair import Hover
from playground.ui.plots.frame import Frame, Picture
from playground.ui.plots.plot_view import PlotView
from playground.ui.plots.selection import Selection, selection
from playground.ui.theme import Theme


class HandView(PlotView):
    """A `PlotView` of tokens. ``hovered`` tells a `Hover`."""

    clicked = Signal(object)
    seen_changed = Signal()
    """Another part is in sight."""
    chosen_changed = Signal()
    """Another range is chosen, or none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.picture = Picture(Frame(QRectF(0, 0, 10, 10)))
        self.hover: Hover | None = None
        self.held: Literal["", "key", "text"] = ""
        """The hover stays where it is: it was walked to by key, or is pointed at in the text."""
        self.chosen: Selection | None = None
        """The range that the user chose."""
        self._choosing = False
        self._anchor: float | None = None
        """Where a range that is chosen by key begins."""
        self._seen = (0.0, 0.0)
        self.view.take_drag = self._drag
        # A click must not take the keyboard from the message field.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_seen(self, low: float, high: float) -> None:
        """Show these tokens or seconds."""
        frame = self.picture.frame
        frame.x0, frame.x1 = low, high
        before, self._seen = self._seen, (low, high)
        if before != self._seen and self.zoomed:
            self.seen_changed.emit()

    # Keyboard and mouse.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right walk from token to token, with Shift choose a range, plus and minus zoom, 0 goes back."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = -1 if key == Qt.Key.Key_Left else 1
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._choose_by_step(step)
            else:
                self._anchor = None
                self._walk(step)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(1.25 if key == Qt.Key.Key_Minus else 0.8)
        elif key == Qt.Key.Key_0:
            self.choose(None)
            self.zoom_back()
        else:
            event.ignore()

    def _walk(self, step: int) -> None:
        letter = self.hover.letter if self.hover else None
        lanes = [s for s in self.picture.visible if s.n]
        shown = next((s for s in lanes if s.letter == letter), lanes[0] if lanes else None)
        if shown is None:
            return
        index = self.hover.index + step if self.hover else shown.n - 1
        self.mouse, self.held = None, "key"
        self._set_hover(crosshair.at_token(self.picture, shown, max(0, min(shown.n - 1, index))))

    def _zoom(self, factor: float) -> None:
        low, high = self.view.viewRange()[0]
        middle = self.picture.frame.x_at(self.hover.x) if self.hover else (low + high) / 2
        self.view.setXRange(middle + (low - middle) * factor, middle + (high - middle) * factor, padding=0)
        self.zoomed_by_hand()
        if self.hover is not None:
            self._walk(0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self.update_over()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus, and what was walked to."""
        super().focusOutEvent(event)
        self.update_over()
        self.held = ""
        self.look()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all again."""
        super().mouseDoubleClickEvent(event)
        self.zoom_back()

    def look(self) -> None:
        """Find what is under the mouse; what was walked to by key stays."""
        if self.mouse is not None:
            self.held = ""
            self._set_hover(crosshair.find(self.picture, self.mouse.x(), self.mouse.y()))
        elif self.held and self.hover is not None:
            self._hold(self.hover.letter, self.hover.index)
        else:
            self._set_hover(None)

    def point_at(self, letter: str, index: int) -> None:
        """Mark a token that is pointed at in the text; a negative index: none is."""
        if index >= 0:
            self.mouse, self.held = None, "text"
            self._hold(letter, index)
        elif self.held == "text":
            self._set_hover(None)
            self.held = ""

    def _hold(self, letter: str, index: int) -> None:
        """Mark this token, if it is among those shown."""
        shown = next((s for s in self.picture.visible if s.letter == letter and 0 <= index < s.n), None)
        self._set_hover(crosshair.at_token(self.picture, shown, index) if shown is not None else None)

    def _set_hover(self, hover: Hover | None) -> None:
        if hover == self.hover:
            return
        mark = hover.mark if hover else ""
        if mark != (self.hover.mark if self.hover else ""):
            self.setToolTip(mark)
            if not mark:
                QToolTip.hideText()
        self.hover = hover
        self.update_over()
        self.hovered.emit(hover)

    def mouse_clicked(self, event: Any) -> None:
        """Tell which token; beside them nothing is chosen any more."""
        if not event.double() and self.hover is not None and self.hover.index >= 0:
            self.clicked.emit(self.hover)
        elif not event.double():
            self.choose(None)

    # Choosing a range.

    def choose(self, chosen: Selection | None) -> None:
        """Choose another range, or none."""
        if chosen != self.chosen:
            self.chosen = chosen
            self.update_over()
            self.chosen_changed.emit()

    def _drag(self, event: Any) -> bool:
        """A drag chooses a range while there is nothing to pan, else with Shift."""
        if event.isStart():
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            left = event.button() == Qt.MouseButton.LeftButton
            self._choosing = left and (shift or not self.zoomed) and not self.picture.empty
        if not self._choosing:
            return False
        frame = self.picture.frame
        rect = frame.rect
        one, other = (
            frame.x_at(min(max(at.x(), rect.left()), rect.right()))
            for at in (event.buttonDownScenePos(), event.scenePos())
        )
        self.choose(selection(frame.axis, one, other))
        return True

    def _choose_by_step(self, step: int) -> None:
        if self._anchor is None or self.hover is None:
            self._walk(0)
            self._anchor = self._x_of_hover()
        if self._anchor is not None:
            self._walk(step)
            end = self._x_of_hover()
            if end is not None:
                self.choose(selection(self.picture.frame.axis, self._anchor, end))

    def _x_of_hover(self) -> float | None:
        """The place of the token that is walked to."""
        hover = self.hover
        shown = next((s for s in self.picture.visible if hover is not None and s.letter == hover.letter), None)
        return shown.x(self.picture.frame.axis, hover.index) if hover is not None and shown is not None else None
