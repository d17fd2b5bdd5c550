"""Scrolling through rows of which only those in view exist."""

from __future__ import annotations

from math import ceil

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QWidget,
)

from playground.translate import tr
from playground.ui.chat.heights import Heights
from playground.ui.chat.quiet_bar import STEP, QuietBar
from playground.ui.theme import Theme
from playground.ui.widgets import TextButton

COLUMN = 720
"""Widest column, px."""
MARGIN = 16
PAD_TOP, PAD_BOTTOM = 4, 16


class _NewestButton(TextButton):
    """Floats over the lower edge while the end is out of view."""

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(theme, tr("↓ Newest"), "plain", small=True)
        self._over = over
        self.setParent(over)
        self.setToolTip(tr("Go to the newest turn (End)"))
        self.hide()

    def offer(self, wanted: bool) -> None:
        """Show it in its place, or hide it."""
        self.setVisible(wanted)
        if wanted:
            width = self.sizeHint().width()
            self.setGeometry((self._over.width() - width) // 2, self._over.height() - 34, width, 24)
            self.raise_()


class RowScroller(QAbstractScrollArea):
    """Places rows around an anchor: the end while following, else the row at the top of the view.

    Heights of rows out of view are estimates; whatever they turn out to be, what is in view stays put.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.heights = Heights()
        self.heights.set_scale(theme.scale)
        self._follow = True
        self._anchor = (0, 0.0)
        """A row, and how much of it is above the view, px."""
        self._value = 0
        self._placing = False
        self.shown: dict[int, QWidget] = {}
        """The rows in view and their neighbours, top to bottom."""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there, so that the column doesn't move when the text outgrows the view.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._bar = QuietBar(theme)
        self.setVerticalScrollBar(self._bar)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(80)
        self.newest = _NewestButton(theme, self.viewport())
        self.newest.clicked.connect(self.follow)

    # what the rows are

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row_widget(self, row: int) -> QWidget:
        """The widget of a row, brought up to date."""
        raise NotImplementedError

    def row_height(self, widget: QWidget, width: int) -> int:
        """The height a row's widget needs."""
        raise NotImplementedError

    def row_moved(self, widget: QWidget) -> None:
        """Called when a row has its place and size: its parts may be put where they belong."""

    def rows_placed(self, changed: bool) -> None:
        """Called after rows were placed; ``changed``: others than before are in view."""

    def row_stretched(self, widget: QWidget, up: int) -> None:
        """Called instead after nothing happened but that the last row got higher, and all went ``up`` pixels."""

    def centred(self) -> bool:
        """Whether rows that don't fill the view stand in its middle."""
        return False

    # where they are

    @property
    def following(self) -> bool:
        """Whether the view stays at the end as rows grow."""
        return self._follow

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._follow = True
        self.place()

    def hold(self, row: int) -> None:
        """Keep a row where it is now, whatever happens to the others."""
        widget = self.shown.get(row)
        if widget:
            self._follow = False
            self._anchor = (row, float(-widget.y()))

    def show_row(self, row: int, top: int = 0, bottom: int = 0) -> None:
        """Scroll so far that a part of a row is in view."""
        if row not in self.shown:
            self._follow, self._anchor = False, (row, top - self.viewport().height() / 3)
            self.place()
        widget = self.shown.get(row)
        if widget is None:
            return
        above, below = widget.y() + top, widget.y() + bottom - self.viewport().height()
        if above < 8:
            self.scroll_by(above - 8)
        elif below > -8:
            self.scroll_by(min(below + 8, above - 8))

    def scroll_by(self, pixels: float) -> None:
        """Scroll; positive: down."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + round(pixels))

    def column(self) -> tuple[int, int]:
        """Left edge and width of the rows."""
        width = max(80, min(COLUMN, self.width() - 2 * MARGIN))
        return (self.width() - width) // 2, width

    def place(self) -> None:
        """Put all rows in view where they belong."""
        if self._placing or not self.isVisible():
            return
        self._placing = True
        try:
            x, width = self.column()
            self.heights.set_width(width)
            tops = self._lay_out(width) if self.row_count() else {}
            before, self.shown = self.shown, self._settle(tops, x, width)
            self._set_bar(bool(tops))
            self.rows_placed(before != self.shown)
            for widget in before.values():
                if widget not in self.shown.values():
                    widget.hide()
        finally:
            self._placing = False
        self._offer_newest()

    def _offer_newest(self) -> None:
        away = self._bar.maximum() - self._value
        self.newest.offer(not self._follow and away > 2 * STEP)

    def stretch(self, row: int, height: int) -> bool:
        """Make the last row, which is in view, higher; False: more has to be done than that, by `place`."""
        widget, rows = self.shown[row], list(self.shown.values())
        more = height - widget.height()
        up = max(0, widget.y() + height + PAD_BOTTOM - self.viewport().height()) if self._follow else 0
        if self._placing or more <= 0 or up > more or row != self.row_count() - 1:
            return False
        if up and any(other.y() + other.height() <= up for other in rows[1:]):
            return False  # another row than the first leaves the view
        self._placing = True
        try:
            if up:
                for other in rows:
                    other.move(other.x(), other.y() - up)
                self._anchor = self._crossing()
            widget.resize(widget.width(), height)
            self.row_moved(widget)
            self.heights.lengthen(height, more)
            self._set_bar(True)
            self.row_stretched(widget, up)
        finally:
            self._placing = False
        if not self._follow:
            self._offer_newest()
        return True

    def _crossing(self) -> tuple[int, float]:
        """The row at the view's upper edge, or the first below it, and how much of it is above the view."""
        places = [(row, widget.y(), widget.height()) for row, widget in self.shown.items()]
        row, y, _ = next((place for place in places if place[1] <= 0 < place[1] + place[2]), places[0])
        return row, float(-y)

    def _measure(self, row: int, width: int) -> int:
        height = self.row_height(self.row_widget(row), width)
        self.heights.set(row, height)
        return height

    def _lay_out(self, width: int) -> dict[int, float]:
        """Tops of the rows in view, relative to it."""
        last, view = self.row_count() - 1, self.viewport().height()
        if self._follow:
            tops = self._upwards(last, view - PAD_BOTTOM, width)
        else:
            row, offset = min(self._anchor[0], last), self._anchor[1]
            tops = self._downwards(row, -offset, width)
            bottom = tops[last] + self._measure(last, width) if last in tops else view + 1
            if bottom + PAD_BOTTOM <= view:
                tops = self._upwards(last, view - PAD_BOTTOM, width)
            else:
                tops |= self._upwards(row - 1, -offset, width)
        if tops.get(0, -1.0) >= PAD_TOP:
            tops = self._downwards(0, PAD_TOP, width)
            room = view - PAD_TOP - PAD_BOTTOM - self.heights.total
            if self.centred() and room > 0:
                tops = {row: top + room * 0.42 for row, top in tops.items()}
        return dict(sorted(tops.items()))

    def _downwards(self, row: int, y: float, width: int) -> dict[int, float]:
        tops: dict[int, float] = {}
        while row < self.row_count() and (y < self.viewport().height() or not tops):
            tops[row] = y
            y += self._measure(row, width)
            row += 1
        return tops

    def _upwards(self, row: int, y: float, width: int) -> dict[int, float]:
        tops = {}
        while row >= 0 and y > 0:
            y -= self._measure(row, width)
            tops[row] = y
            row -= 1
        return tops

    def _settle(self, tops: dict[int, float], x: int, width: int) -> dict[int, QWidget]:
        """Move the widgets; a neighbour at each end is laid out too, so that Tab can reach it."""
        shown: dict[int, QWidget] = {}
        if not tops:
            return shown
        first, last = min(tops), max(tops)
        if first > 0:
            tops[first - 1] = tops[first] - self._measure(first - 1, width)
        if last + 1 < self.row_count():
            tops[last + 1] = tops[last] + self._measure(last, width)
            self._measure(last + 1, width)
        for row in sorted(tops):
            widget = self.row_widget(row)
            height = self.row_height(widget, width)
            widget.move(x, round(tops[row]))  # first: then Qt shifts pixels instead of painting all of it
            widget.resize(width, height)
            self.row_moved(widget)
            widget.show()
            shown[row] = widget
            if tops[row] + height > 0 and tops[row] <= 0:
                self._anchor = (row, -tops[row])
        if all(top > 0 for top in tops.values()):
            self._anchor = (first, -tops[first])
        return shown

    def _set_bar(self, filled: bool) -> None:
        view = self.viewport().height()
        bar = self.verticalScrollBar()
        most = max(0, ceil(self.heights.total + PAD_TOP + PAD_BOTTOM - view)) if filled else 0
        if self._follow:
            self._value = most
        else:
            row, offset = self._anchor
            at = round(PAD_TOP + float(self.heights.tops[row]) + offset) if filled else 0
            self._value = max(0, min(at, most))
        self._follow = self._follow or self._value >= most
        page = max(STEP, view - STEP)
        if (bar.maximum(), bar.pageStep(), bar.value()) == (most, page, self._value):
            return
        self._bar.show_state(most, page, self._value)

    # Qt

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The user moved the bar, the wheel or a key."""
        if self._placing:
            return
        bar = self.verticalScrollBar()
        value, before = bar.value(), self._value
        self._value = value
        # Any way up stops following, however small, so that streaming never fights the wheel.
        self._follow = value >= bar.maximum() or (self._follow and value >= before)
        if self.row_count():
            y = value - PAD_TOP
            row = self.heights.at(y)
            self._anchor = (row, y - float(self.heights.tops[row]))
        self.place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same turn stays at the top, or the end at the bottom."""
        super().resizeEvent(event)
        self.place()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while hidden."""
        super().showEvent(event)
        self.place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas."""
        with QPainter(self.viewport()) as p:
            p.fillRect(event.rect(), self._theme.color("canvas"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll by keys, also while a turn has the focus."""
        bar, page = self.verticalScrollBar(), self.verticalScrollBar().pageStep()
        steps = {
            Qt.Key.Key_Up: -STEP * 2,
            Qt.Key.Key_Down: STEP * 2,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.scroll_by(steps[key])
        elif key == Qt.Key.Key_Home:
            bar.setValue(0)
        elif key == Qt.Key.Key_End:
            self.follow()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab from a part of a row, asked for by Qt on its way up: bring the next one into view."""
        moved = super().focusNextPrevChild(forward)
        now = QApplication.focusWidget()
        # Text is in view already, as far as it fits.
        if now is not None and now.height() <= 80:
            for row, widget in self.shown.items():
                if widget.isAncestorOf(now):
                    y = now.mapTo(widget, now.rect().topLeft()).y()
                    self.show_row(row, y, y + now.height())
                    break
        return moved
