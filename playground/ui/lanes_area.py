"""Where the lanes stand: alone, in halves, in thirds, two by two, or as tabs on a small window."""

from __future__ import annotations

from functools import partial
from typing import Literal, TypeAlias

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from playground.translate import tr
from playground.ui.frame_clock import FrameClock
from playground.ui.lane_view import LaneView
from playground.ui.theme import Theme
from playground.ui.widgets import SegmentedControl, bind
from playground.workspace.workspace import Workspace

Arrangement: TypeAlias = Literal["row", "grid", "tabs"]
NARROWEST_LANE, NARROWEST_OF_MANY = 320, 360
"""Pixels; below it two lanes, or more than two, become tabs."""


def arrangement(lanes: int, width: int) -> Arrangement:
    """How that many lanes fit into that many pixels."""
    if lanes == 4 and width >= 3 * NARROWEST_LANE + 200 and width < 4 * 360:
        return "grid"
    least = NARROWEST_LANE if lanes <= 2 else NARROWEST_OF_MANY
    return "row" if lanes * least <= width else "tabs"


class LanesArea(QWidget):
    """Keeps one view per lane and lays them out for the room there is."""

    pointed = Signal(str, object)
    """A lane's letter, and the `Place` in its answers that the mouse has come to, or None."""
    tried = Signal(str, object)
    """Draw another continuation of a lane's answer from this `Place` on."""

    def __init__(self, workspace: Workspace, theme: Theme, clock: FrameClock) -> None:
        super().__init__()
        self._workspace = workspace
        self._theme = theme
        self._clock = clock
        self._views: dict[str, LaneView] = {}
        self._shown: tuple[Arrangement, tuple[str, ...]] | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        self._stack: QStackedWidget | None = None
        self._tabs: SegmentedControl | None = None
        bind(self, workspace.lanes_changed, self._sync)
        bind(self, workspace.active_changed, self._active)
        self._sync()

    def view(self, letter: str) -> LaneView:
        """The view of a lane."""
        return self._views[letter]

    def views(self) -> list[LaneView]:
        """All lanes' views, in order."""
        return [self._views[lane.letter] for lane in self._workspace.lanes]

    def resizeEvent(self, event: object) -> None:
        """Rearrange when the room asks for it."""
        self._arrange()

    def _sync(self) -> None:
        lanes = {lane.letter: lane for lane in self._workspace.lanes}
        for letter in list(self._views):
            if letter not in lanes or self._views[letter].lane is not lanes[letter]:
                old = self._views.pop(letter)
                old.setParent(None)
                old.deleteLater()
        for letter, lane in lanes.items():
            if letter not in self._views:
                view = self._views[letter] = LaneView(lane, self._workspace, self._theme, self._clock)
                view.transcript.pointed.connect(partial(self.pointed.emit, letter))
                view.transcript.tried.connect(partial(self.tried.emit, letter))
        self._arrange()

    def _arrange(self) -> None:
        letters = tuple(lane.letter for lane in self._workspace.lanes)
        if set(letters) != set(self._views):
            return  # a lane came or went; `_sync` arranges as soon as it hears of it
        wanted = (arrangement(len(letters), self.width()), letters)
        if wanted == self._shown:
            return
        self._shown = wanted
        for view in self._views.values():
            view.setParent(self)
        while (item := self._box.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._stack = self._tabs = None
        views = self.views()
        if wanted[0] == "tabs":
            self._as_tabs(views)
        elif wanted[0] == "grid":
            across = Qt.Orientation.Horizontal
            halves = [_split(across, views[:2]), _split(across, views[2:])]
            self._box.addWidget(_split(Qt.Orientation.Vertical, halves))
        else:
            self._box.addWidget(_split(Qt.Orientation.Horizontal, views))
        for view in views:
            view.show()
        self._active()

    def _as_tabs(self, views: list[LaneView]) -> None:
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 12, 6)
        choices = [
            (v.lane.letter, tr("Lane {letter}", letter=v.lane.letter), tr("Show lane {letter}", letter=v.lane.letter))
            for v in views
        ]
        self._tabs = SegmentedControl(self._theme, choices, tr("Lanes"))
        self._tabs.chosen.connect(self._workspace.set_active)
        row.addWidget(self._tabs)
        row.addStretch(1)
        self._stack = QStackedWidget()
        for view in views:
            self._stack.addWidget(view)
        self._box.addWidget(bar)
        self._box.addWidget(self._stack, 1)

    def _active(self) -> None:
        letter = self._workspace.active
        if self._stack is not None and letter in self._views:
            self._stack.setCurrentWidget(self._views[letter])
        if self._tabs is not None:
            self._tabs.choose(letter)


def _split(orientation: Qt.Orientation, parts: list[LaneView] | list[QSplitter]) -> QSplitter:
    splitter = QSplitter(orientation)
    splitter.setChildrenCollapsible(False)
    splitter.setHandleWidth(1)
    for part in parts:
        splitter.addWidget(part)
    splitter.setSizes([1000] * len(parts))
    return splitter
