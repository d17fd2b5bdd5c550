"""How long the latency plot takes to take over new data and repaint: python benchmarks/plots.py

Median and 95th percentile of `show + render into an image`, drawn offscreen; run it alone.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from playground.ui.plots.latency import LatencyPane
from playground.ui.theme import Theme, load_fonts
from playground.workspace.lane import Lane
from playground.workspace.series import TOKEN_DTYPE
from playground.workspace.state import State

ROUNDS = 60
SIZE = (860, 218)


class NowClock:
    """Paints at once."""

    def mark(self, key: object, paint: Callable[[], None], least_ms: int = 0) -> None:
        """Paint."""
        paint()


def fill(lane: Lane, tokens: int, ms: float) -> None:
    """A noisy answer with some outliers."""
    random = np.random.default_rng(tokens)
    gaps = np.abs(random.normal(ms, ms / 10, tokens)) * 1e6
    gaps[random.random(tokens) < 0.01] *= 3
    rows = np.zeros(tokens, TOKEN_DTYPE)
    rows["gap_ns"], rows["decode_ns"] = gaps, gaps * 0.97
    rows["t_ns"] = 10**9 + np.cumsum(gaps)
    answer = lane.answer
    answer.asked_ns = answer.started_ns = 10**9 - 10**8
    answer.n_prompt = 400
    for row in rows.tolist():
        answer.tokens.append(row)


def measure(lanes: int, tokens: int, axis: str) -> tuple[float, float]:
    """Milliseconds for one frame with this many tokens in all: median, 95th percentile."""
    state = State()
    state.lanes = [Lane(letter) for letter in "ABCD"[:lanes]]
    for number, lane in enumerate(state.lanes):
        fill(lane, tokens // lanes, 8 + 4 * number)
        lane.state = "writing"
    pane = LatencyPane(state, Theme("dark"), NowClock())
    pane.resize(*SIZE)
    pane.set_axis("time" if axis == "time" else "token")
    pane.show()
    pane.warm_up()
    QApplication.processEvents()
    canvas = pane.canvas
    assert canvas is not None
    image = QImage(canvas.size(), QImage.Format.Format_ARGB32_Premultiplied)
    took = []
    for _ in range(ROUNDS):
        for lane in state.lanes:
            lane.answer.tokens.append(lane.answer.tokens.view[-1].item())
        start = time.perf_counter()
        state.lanes[0].grew.emit()
        with QPainter(image) as painter:
            canvas.render(painter)
        took.append((time.perf_counter() - start) * 1000)
    pane.hide()
    pane.deleteLater()
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def main() -> None:
    """Print the table."""
    app = QApplication([])
    load_fonts()
    Theme("dark").apply(app)
    print("lanes  tokens   axis   median ms   p95 ms")
    for lanes, tokens in ((1, 500), (1, 10_000), (4, 10_000), (1, 100_000), (4, 100_000), (4, 1_000_000)):
        for axis in ("token", "time"):
            median, p95 = measure(lanes, tokens, axis)
            print(f"{lanes:5}  {tokens:7,}  {axis:5}  {median:9.2f}  {p95:7.2f}")


if __name__ == "__main__":
    main()
