"""The dock: both panes in their shares, nothing slow before it is asked for."""

from __future__ import annotations

import subprocess
import sys

from chrome_fake import FakeClock, FakeWorkspace, answer, dress, load
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.ui.plots.dock import PlotDock


def make(qtbot: QtBot, width: int = 860, height: int = 218) -> tuple[PlotDock, FakeWorkspace, FakeClock]:
    theme, workspace, clock = dress(), FakeWorkspace(), FakeClock()
    dock = PlotDock(workspace, theme, clock)
    qtbot.addWidget(dock)
    dock.resize(width, height)
    dock.show()
    QApplication.processEvents()
    return dock, workspace, clock


def test_latency_has_three_fifths(qtbot: QtBot) -> None:
    dock, _, _ = make(qtbot)
    left, right = dock.splitter.sizes()
    assert abs(left / (left + right) - 0.6) < 0.02
    dock.resize(1200, 218)
    QApplication.processEvents()
    left, right = dock.splitter.sizes()
    assert abs(left / (left + right) - 0.6) < 0.02
    assert dock.minimumHeight() == 140


def test_before_the_plots_are_built_the_panes_stand_and_data_may_come(qtbot: QtBot) -> None:
    dock, workspace, clock = make(qtbot)
    answer(load(workspace.lanes[0]))
    workspace.lanes[0].grew.emit()
    clock.tick()
    assert dock.latency.canvas is None
    dock.warm_up()
    assert dock.latency.canvas is not None
    assert dock.latency.canvas.picture.shown[0].n == 200
    dock.warm_up()


def test_the_window_starts_without_pyqtgraph() -> None:
    code = "import playground.ui.plots.dock, sys; sys.exit('pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
