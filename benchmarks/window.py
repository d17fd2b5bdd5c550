"""One answer in the whole app, window and plots visible, as a child process of engine.py; figures as JSON.

python benchmarks/window.py MODEL TOKENS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from event_loop import run_until
from rivals import PROMPT, rate

PATIENCE_S = 600.0


def main() -> int:
    """Open the app, load, ask, report, close."""
    import psutil
    from PySide6.QtWidgets import QApplication

    from playground import app as composition
    from playground.paths import find_paths
    from playground.ui.theme import load_fonts

    model, tokens = sys.argv[1], int(sys.argv[2])
    qt = QApplication(sys.argv[:1])
    qt.setQuitOnLastWindowClosed(False)
    load_fonts()
    running = composition.App(find_paths(), model)
    running.window.resize(1440, 900)
    running.show()
    lane = running.workspace.lanes[0]
    pump(qt, lambda: lane.state == "ready" and lane.model is not None and lane.model.path == model)
    begun = time.perf_counter()
    pump(qt, lambda: time.perf_counter() - begun > 2.5)
    running.workspace.set_many("A", {"temp": 0.0, "ignore_eos": True, "max_tokens": tokens})
    running.workspace.send(PROMPT)
    own = psutil.Process()
    pump(qt, lambda: len(lane.answer.tokens) > 8)
    before, started = own.cpu_times(), time.perf_counter()
    pump(qt, lambda: not running.workspace.jobs.all)
    after, ended = own.cpu_times(), time.perf_counter()
    view = lane.answer.tokens.view
    engine_rss = max(int(row["rss"]) for row in lane.engine.memory.rows.view)
    figures: dict[str, Any] = {
        "tok_s": rate((view["t_ns"] / 1e9).tolist()),
        "n_prompt": lane.answer.n_prompt,
        "decode_ms": statistics.median((view["decode_ns"] / 1e6).tolist()),
        "gui_cpu_percent": 100 * (after.user + after.system - before.user - before.system) / (ended - started),
        "gui_rss_mb": own.memory_info().rss / 1e6,
        "engine_peak_mb": engine_rss / 1e6,
    }
    print(json.dumps(figures))
    sys.stdout.flush()
    running.window.close()
    return 0


def pump(qt: Any, condition: Callable[[], bool]) -> None:
    """Let the app run until the condition holds."""
    run_until(qt, condition, PATIENCE_S, every_ms=50)


if __name__ == "__main__":
    sys.exit(main())
