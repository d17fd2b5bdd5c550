"""Answers with known figures, and a latency pane to look at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from chrome_fake import FakeClock, FakeWorkspace, dress
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.ui.plots.latency import LatencyPane
from playground.workspace.lane import Lane

MS = 1_000_000


def add(lane: Lane, ms: float, thinking: bool = False) -> None:
    """One token more; the first ends the prompt."""
    answer = lane.answer
    rows = answer.tokens
    before = int(rows.view["t_ns"][-1]) if len(rows) else answer.started_ns
    gap = round(ms * MS)
    rows.append((before + gap, gap - 200_000, 200_000, gap, 5, len(rows), 4, 1, thinking, 0))


def fill(lane: Lane, gaps: Any, think: int = 0, prompt: int = 486) -> Lane:
    """An answer with these latencies in milliseconds, its turn sent at second 1000."""
    lane.answer.asked_ns = lane.answer.started_ns = 1000 * 1000 * MS
    lane.answer.n_prompt, lane.answer.n_reused = prompt, 37
    for number, ms in enumerate(gaps):
        add(lane, ms, number < think)
    return lane


def steady(n: int, ms: float = 15.0, first: float = 620.0) -> list[float]:
    """The wait for the first token, then equal ones."""
    return [first] + [ms] * (n - 1)


class Stand:
    """A latency pane on a fake clock."""

    def __init__(self, qtbot: QtBot, lanes: int = 1, width: int = 520, height: int = 218, scheme: Any = "dark") -> None:
        self.theme = dress(scheme)
        self.workspace = FakeWorkspace(lanes)
        self.clock = FakeClock()
        self.pane = LatencyPane(self.workspace, self.theme, self.clock)
        qtbot.addWidget(self.pane)
        self.pane.resize(width, height)

    def show(self) -> Stand:
        self.pane.show()
        self.pane.warm_up()
        return self.tick()

    def tick(self) -> Stand:
        QApplication.processEvents()
        self.clock.tick()
        QApplication.processEvents()
        return self

    def grow(self, *gaps: float, letter: str = "A") -> Stand:
        lane = self.workspace.lane(letter)
        for ms in gaps:
            add(lane, ms)
        lane.grew.emit()
        return self

    @property
    def canvas(self) -> Any:
        assert self.pane.canvas is not None
        return self.pane.canvas

    @property
    def frame(self) -> Any:
        return self.canvas.picture.frame

    @property
    def range(self) -> tuple[float, float]:
        return self.frame.x0, self.frame.x1

    def place(self, x: float, ms: float) -> QPoint:
        """The pixel of a place in the data."""
        return QPointF(float(self.frame.px(x)), float(self.frame.py(ms))).toPoint()

    def point_at(self, x: float, ms: float) -> Stand:
        QTest.mouseMove(self.canvas.viewport(), self.place(x, ms))
        QApplication.processEvents()
        return self

    def image(self) -> QImage:
        return self.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)

    def pixels(self) -> Any:
        """Blue, green and red of what is drawn."""
        image = self.image()
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
        return pixels[:, :, :3].astype(int)

    def has_color(self, color: Any, left: float, top: float, right: float, bottom: float) -> bool:
        """Whether this very colour, or one near it, is drawn inside these pixels."""
        wanted = np.array([color.blue(), color.green(), color.red()], int)
        part = self.pixels()[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        return bool((np.abs(part - wanted).sum(axis=2) < 60).any())
