"""How long the window's event loop stands still while tokens stream into all lanes and the plots are live.

    python benchmarks/stall.py [--seconds 20] [--lanes 4] [--rate 1000] [--platform offscreen|xcb] [--json FILE]

The whole app runs as it is, but for its engines: real child processes replay the protocol on real pipes
(replay.py), at a rate no small machine's model reaches. A 1 ms timer on the window's thread beats; what a
beat comes late is a stall. CPU and memory are those of the window's process, the beats included (about
2 % of a core). The "idle" rows are the same beats before the stream begins: what the machine itself is
late by; where they are not near zero, the "stall" rows say little, and "work" says more: the processor
time that the window's thread spent between two beats, and for the one send that begins it.
Target: p99 ≤ 16 ms, max ≤ 60 ms.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from replayed import are_ready, fill_lanes, open_app, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

BEAT_MS = 1
SETTLE_S, IDLE_S = 1.0, 3.0
TARGET_P99_MS, TARGET_MAX_MS = 16.0, 60.0


def main() -> int:
    """Run the app on a home of its own and print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--lanes", type=int, default=4, choices=(1, 2, 3, 4))
    parser.add_argument("--rate", type=float, default=1000.0, help="tokens a second, all lanes together")
    parser.add_argument("--platform", default="offscreen", help="Qt's platform: offscreen, xcb, …")
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--profile", type=Path, help="write where the window's thread spent processor time here")
    parser.add_argument("--grab", type=Path, help="write a picture of the window at the end")
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = options.platform
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLAYGROUND_HOME"] = home
        figures = measure(options)
    return report(figures, options)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start the app, fill the lanes, stream, and watch the loop."""
    from PySide6.QtWidgets import QApplication

    qt = QApplication([])
    app = open_app(options.rate / options.lanes, options.seconds)
    show(app, options.size)
    profile = cProfile.Profile(time.thread_time) if options.profile else None
    run = Run(app, options, profile)
    run.begin()
    qt.exec()
    app.close()
    if profile:
        profile.dump_stats(options.profile)
        pstats.Stats(profile).sort_stats("cumtime").print_stats("playground|GraphicsView", 40)
    return run.figures


class Run:
    """Waits for the app, sends one turn to every lane, and counts the beats until all have finished."""

    def __init__(self, app: Any, options: argparse.Namespace, profile: cProfile.Profile | None) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._app, self._options, self._profile = app, options, profile
        self._gaps: list[int] = []
        self._work: list[int] = []
        self._beat_at = self._worked = 0
        self._peak = 0
        self._rest_until = 0.0
        self._sending = 0
        self._idle: Any = None
        self._began = self._cpu = 0.0
        self.figures: dict[str, Any] = {}
        self._beats = QTimer()
        self._beats.setTimerType(Qt.TimerType.PreciseTimer)
        self._beats.setInterval(BEAT_MS)
        self._beats.timeout.connect(self._beat)
        self._steps = QTimer()
        self._steps.setInterval(100)
        self._deadline = time.monotonic() + options.seconds + 60

    def begin(self) -> None:
        """Give every lane a model of its own, so that every lane has a process of its own."""
        self._steps.timeout.connect(self._prepare)
        self._steps.start()

    def _prepare(self) -> None:
        workspace = self._app.workspace
        if not workspace.searched:
            return self._give_up_late()
        fill_lanes(workspace, self._options.lanes)
        return self._next(self._prepare, self._wait)

    def _wait(self) -> None:
        if not are_ready(self._app):
            return self._give_up_late()
        self._next(self._wait, self._settle)
        self._rest_until = time.monotonic() + SETTLE_S
        return None

    def _settle(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        self._next(self._settle, self._rest)
        self._rest_until = time.monotonic() + IDLE_S
        self._beat_at = time.perf_counter_ns()
        self._beats.start()

    def _rest(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        self._idle, self._gaps, self._work = _stalls(self._gaps), [], []
        self._next(self._rest, self._watch)
        self._began, self._cpu = time.perf_counter(), time.process_time()
        if self._profile:
            self._profile.enable()
        worked = time.thread_time_ns()
        self._app.workspace.send("Write about a lighthouse.")
        self._sending = time.thread_time_ns() - worked

    def _watch(self) -> None:
        import psutil

        self._peak = max(self._peak, psutil.Process().memory_info().rss)
        if self._app.workspace.jobs.all:
            return self._give_up_late()
        if self._profile:
            self._profile.disable()
        self._beats.stop()
        self._steps.stop()
        self._sum_up()
        if self._options.grab:
            self._app.window.grab().save(str(self._options.grab))
        return self._app.window.close()

    def _beat(self) -> None:
        now, worked = time.perf_counter_ns(), time.thread_time_ns()
        self._gaps.append(now - self._beat_at)
        self._work.append(worked - self._worked)
        self._beat_at, self._worked = now, worked

    def _next(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._steps.timeout.disconnect(before)
        self._steps.timeout.connect(after)

    def _give_up_late(self) -> None:
        if time.monotonic() > self._deadline:
            states = [f"{lane.letter} {lane.state}" for lane in self._app.workspace.lanes]
            print(f"The run did not end in time; lanes: {', '.join(states)}.", file=sys.stderr, flush=True)
            os._exit(1)  # an exception would only end this slot

    def _sum_up(self) -> None:
        import numpy as np

        took = time.perf_counter() - self._began
        stalls, work = _stalls(self._gaps), np.array(self._work) / 1e6
        tokens = sum(len(lane.answer.tokens) for lane in self._app.workspace.lanes)
        self.figures = {
            "tokens": tokens,
            "tok_s": tokens / took,
            "idle_p99_ms": float(np.percentile(self._idle, 99)),
            "idle_max_ms": float(self._idle.max()),
            "stall_p50_ms": float(np.percentile(stalls, 50)),
            "stall_p99_ms": float(np.percentile(stalls, 99)),
            "stall_max_ms": float(stalls.max()),
            "work_of_send_ms": self._sending / 1e6,
            "work_p99_ms": float(np.percentile(work, 99)),
            "work_max_ms": float(work.max()),
            "stalls_over_16_ms": int((stalls > 16).sum()),
            "cpu_percent": 100 * (time.process_time() - self._cpu) / took,
            "peak_rss_mb": self._peak / 1e6,
            "seconds": took,
        }


def _stalls(gaps: list[int]) -> Any:
    import numpy as np

    return np.maximum(0.0, np.array(gaps) / 1e6 - BEAT_MS)


def report(figures: dict[str, Any], options: argparse.Namespace) -> int:
    """Print the table, write the JSON, judge."""
    about = f"{options.lanes} lanes, {options.rate:g} tok/s in all, {options.size}, {options.platform}"
    print(f"{about}; {platform.python_version()}, {os.cpu_count()} cores")
    for name, value in figures.items():
        print(f"  {name:<20} {value:>10.1f}" if isinstance(value, float) else f"  {name:<20} {value:>10,}")
    met = figures["stall_p99_ms"] <= TARGET_P99_MS and figures["stall_max_ms"] <= TARGET_MAX_MS
    print(f"  target p99 ≤ {TARGET_P99_MS:g} ms, max ≤ {TARGET_MAX_MS:g} ms: {'met' if met else 'missed'}")
    if options.json:
        options.json.write_text(json.dumps({"about": about, **figures}, indent=2))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
