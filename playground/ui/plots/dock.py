"""The dock under the chat: latency at the left, memory at the right."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QSplitter, QVBoxLayout, QWidget

from playground.ui.plots.latency import LatencyPane
from playground.ui.plots.memory import MemoryPane
from playground.ui.theme import Theme
from playground.ui.widgets import Clock

MIN_HEIGHT, USUAL_HEIGHT = 140, 218


class PlotDock(QWidget):
    """Latency and memory side by side; ``warm_up`` loads pyqtgraph and builds the plots."""

    menu_wanted = Signal(str, QPoint)
    """A plot’s own menu: “latency” or “memory”, and where on the screen."""

    def __init__(self, workspace: Any, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self.setProperty("surface", "canvas")
        self.setMinimumHeight(MIN_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.latency = LatencyPane(workspace, theme, clock)
        self.memory = MemoryPane(workspace, theme, clock)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.latency)
        self.splitter.addWidget(self.memory)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([600, 400])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self.splitter)

    def sizeHint(self) -> QSize:
        """The usual height."""
        return QSize(860, USUAL_HEIGHT)

    def warm_up(self) -> None:
        """Build the plots; call it once the window has been painted."""
        cold = self.latency.canvas is None
        self.latency.warm_up()
        self.memory.warm_up()
        for name, view in (("latency", self.latency.canvas), ("memory", self.memory.plot)):
            if cold and view is not None:
                view.menu_wanted.connect(lambda place, name=name: self.menu_wanted.emit(name, place))
