"""The latency plot itself. The only file of the pane that needs pyqtgraph, so it is imported late.

pyqtgraph gives the view: zoom, panning, limits, clicks. The picture is one item, drawn at once:
axis and scatter items cost several milliseconds each where this one costs one or two.
"""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QToolTip, QWidget

from playground.ui import icons
from playground.ui.plots import crosshair, painting, phases, scale
from playground.ui.plots.crosshair import Hover
from playground.ui.plots.dots import ALPHA, FAINT_ALPHA, Dots
from playground.ui.plots.figures import Axis
from playground.ui.plots.frame import PROMPT_BAND, Frame, Picture, plot_rect
from playground.ui.plots.sheet import FlatView, Sheet
from playground.ui.theme import Theme

_BADGE = 14
_LEAST = {"token": 64.0, "time": 2.0}
_CLOSEST = {"token": 8.0, "time": 0.05}
"""The narrowest view: tokens, seconds."""


class LatencyCanvas(pg.GraphicsView):
    """Shows a `Picture`; follows its data until the user zooms."""

    hovered = Signal(object)
    """A `Hover`, or None."""
    clicked = Signal(object)
    zoom_changed = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=theme.color("canvas"))
        self._theme = theme
        self.picture = Picture(Frame(QRectF(0, 0, 10, 10)))
        self.zoomed = False
        self.hover: Hover | None = None
        self._base = QPixmap()
        self._dots: dict[str, Dots] = {}
        self._stale = True
        self._at: QPointF | None = None
        self._moving = False
        self.setMouseTracking(True)
        # A click must not take the keyboard from the message field.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self.view = FlatView()
        self._sheet = Sheet(self._draw)
        self.scene().addItem(self.view)
        self.scene().addItem(self._sheet)
        self.view.sigXRangeChanged.connect(lambda *_: self._range_changed())
        self.view.sigRangeChangedManually.connect(lambda *_: self._by_hand())
        self.scene().sigMouseClicked.connect(self._mouse_clicked)
        theme.changed.connect(self._restyle)

    def show_picture(self, picture: Picture) -> None:
        """Draw this; ``picture.frame`` gets its area and what part it shows from here.

        It is rendered at once: Qt paints all that is dirty in one go, so what is left for it should be small.
        """
        self._lay_out(picture)
        if self.isVisible():
            self._render()

    def zoom_back(self) -> None:
        """Show all of it again, and follow it."""
        self._set_zoomed(False)
        self._follow()
        self.refresh()

    def refresh(self) -> None:
        """Draw anew."""
        self._stale = True
        if self._at is not None:
            self._set_hover(crosshair.find(self.picture, self._at.x(), self._at.y()))
        self._sheet.update()

    def full(self, axis: Axis) -> tuple[float, float]:
        """The whole range of the axis; on the token axis with room for the prompt left of token 1."""
        end = max((s.end(axis) for s in self.picture.visible), default=0.0)
        high = scale.follow(end, _LEAST[axis])
        if axis == "time":
            return 0.0, high
        prompts = any(s.answer.started_ns for s in self.picture.visible)
        share = (PROMPT_BAND if prompts else 0) / max(1.0, self.picture.frame.rect.width())
        return -high * share / max(0.1, 1 - share), high

    # Inside.

    def _lay_out(self, picture: Picture) -> None:
        self.picture = picture
        self._place()
        self._follow()
        self.refresh()

    def _place(self) -> None:
        rect = plot_rect(self.width(), self.height(), 2 if self.picture.many else 1)
        self.picture.frame.rect = rect
        self._moving = True
        self.view.setGeometry(rect)
        self._sheet.set_box(QRectF(0, 0, self.width(), self.height()))
        self._moving = False

    def _follow(self) -> None:
        frame = self.picture.frame
        low, high = self.full(frame.axis)
        self._moving = True
        self.view.setLimits(xMin=low, xMax=high, minXRange=min(_CLOSEST[frame.axis], high - low))
        if not self.zoomed:
            self.view.setXRange(low, high, padding=0)
        self._moving = False
        frame.x0, frame.x1 = self.view.viewRange()[0]

    def _range_changed(self) -> None:
        if not self._moving:
            self.picture.frame.x0, self.picture.frame.x1 = self.view.viewRange()[0]
            self.refresh()

    def _by_hand(self) -> None:
        low, high = self.full(self.picture.frame.axis)
        x0, x1 = self.view.viewRange()[0]
        self._set_zoomed(x1 - x0 < 0.995 * (high - low))

    def _set_zoomed(self, zoomed: bool) -> None:
        if zoomed != self.zoomed:
            self.zoomed = zoomed
            self.zoom_changed.emit(zoomed)

    def _restyle(self) -> None:
        self.setBackground(self._theme.color("canvas"))
        self.refresh()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the picture to the new size."""
        super().resizeEvent(event)
        if hasattr(self, "_sheet"):
            self._lay_out(self.picture)

    # Drawing.

    def _draw(self, p: QPainter) -> None:
        if self._stale or self._base.devicePixelRatio() != self.devicePixelRatioF():
            self._render()
        p.drawPixmap(0, 0, self._base)
        if self.hover is not None:
            crosshair.paint_hover(p, self.picture, self.hover, self._theme)
        if self.hasFocus():
            p.setPen(painting.line_pen(self._theme.color("accent")))
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))

    def _render(self) -> None:
        ratio = self.devicePixelRatioF()
        size = self.size() * ratio
        if self._base.size() != size:
            self._base = QPixmap(size)
        self._base.setDevicePixelRatio(ratio)
        self._base.fill(self._theme.color("canvas"))
        with QPainter(self._base) as p:
            if self.picture.empty:
                painting.paint_empty(p, self.picture.frame, self._theme)
            else:
                self._render_picture(p, ratio)
        self._stale = False

    def _render_picture(self, p: QPainter, ratio: float) -> None:
        picture, theme = self.picture, self._theme
        frame = picture.frame
        single = None if picture.many else next(iter(picture.visible), None)
        painting.paint_grid(p, frame, theme, unit=not picture.many)
        painting.paint_x_axis(p, frame, theme)
        if single is not None:
            phases.paint_strip(p, frame, single, theme)
            phases.paint_prompt(p, frame, single, theme)
        if picture.many:
            phases.paint_prompts(p, picture, theme)
        p.save()
        p.setClipRect(frame.rect.adjusted(0, 0, 1, 0))
        traces = [painting.trace(frame, shown) for shown in picture.visible if shown.n]
        if "dots" not in picture.hidden:
            alpha = FAINT_ALPHA if picture.many else ALPHA
            for shown in picture.visible:
                dots = self._dots.setdefault(shown.letter, Dots())
                dots.paint(p, frame, shown, theme.lane(shown.letter), alpha, ratio)
        phases.paint_marks(p, picture, theme)
        p.restore()
        if "rate" not in picture.hidden:
            self._render_lines(p, traces)

    def _render_lines(self, p: QPainter, traces: list[painting.Trace]) -> None:
        picture, theme = self.picture, self._theme
        rect = picture.frame.rect
        ends: list[tuple[str, float, float]] = []
        p.save()
        p.setClipRect(rect)
        for seen in traces:
            x, y = painting.line_of(picture, seen)
            letter = seen.shown.letter
            color = theme.lane(letter) if picture.many else theme.color("text-1")
            painting.paint_line(p, x, y, color)
            inside = x <= rect.right()
            if inside.any():
                ends.append((letter, float(x[inside][-1]), float(y[inside][-1])))
        p.restore()
        if picture.many:
            self._render_badges(p, ends)
        elif ends and ends[0][1] < rect.right() - 1:
            painting.paint_end(p, QPointF(ends[0][1], ends[0][2]), theme.color("text-1"))

    def _render_badges(self, p: QPainter, ends: list[tuple[str, float, float]]) -> None:
        rect, theme, half = self.picture.frame.rect, self._theme, _BADGE / 2
        lefts = [min(x + 4, rect.right() - _BADGE + 8) for _, x, _ in ends]
        for near in scale.clusters(lefts, _BADGE + 1):
            ys = [ends[i][2] for i in near]
            ys = painting.spread(ys, _BADGE + 1, rect.top() + half, rect.bottom() - half)
            for i, y in zip(near, ys, strict=True):
                color = theme.lane(ends[i][0])
                badge = icons.badge(ends[i][0], color, theme.color("canvas"), _BADGE)
                p.drawPixmap(QPointF(lefts[i], y - half), badge)

    # Keyboard and mouse.

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right walk from token to token, plus and minus zoom, 0 goes back."""
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._walk(-1 if key == Qt.Key.Key_Left else 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self._zoom(1.25 if key == Qt.Key.Key_Minus else 0.8)
        elif key == Qt.Key.Key_0:
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
        self._at = None
        self._set_hover(crosshair.at_token(self.picture, shown, max(0, min(shown.n - 1, index))))

    def _zoom(self, factor: float) -> None:
        low, high = self.view.viewRange()[0]
        middle = self.picture.frame.x_at(self.hover.x) if self.hover else (low + high) / 2
        self.view.setXRange(middle + (low - middle) * factor, middle + (high - middle) * factor, padding=0)
        self._by_hand()
        if self.hover is not None:
            self._walk(0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        super().focusInEvent(event)
        self._sheet.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the focus, and what was walked to."""
        super().focusOutEvent(event)
        self._sheet.update()
        if self._at is None:
            self._set_hover(None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what is under the mouse."""
        super().mouseMoveEvent(event)
        self._at = None if event.buttons() else event.position()
        self._set_hover(crosshair.find(self.picture, self._at.x(), self._at.y()) if self._at else None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all again."""
        super().mouseDoubleClickEvent(event)
        self.zoom_back()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        super().leaveEvent(event)
        self._at = None
        self._set_hover(None)

    def _set_hover(self, hover: Hover | None) -> None:
        if hover == self.hover:
            return
        mark = hover.mark if hover else ""
        if mark != (self.hover.mark if self.hover else ""):
            self.setToolTip(mark)
            if not mark:
                QToolTip.hideText()
        self.hover = hover
        self._sheet.update()
        self.hovered.emit(hover)

    def _mouse_clicked(self, event: Any) -> None:
        if not event.double() and self.hover is not None and self.hover.index >= 0:
            self.clicked.emit(self.hover)
