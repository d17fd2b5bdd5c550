"""An hour of writing in two lanes: does the window's memory stay flat, does its loop stand still?

    python benchmarks/hour.py [--minutes 60] [--speed 1] [--rate 60] [--lanes 2] [--platform xcb] [--json FILE]

The whole app runs as it is, but for its engines: child processes replay the protocol on real pipes (replay.py).
Each turn has 1,500 tokens a lane, as long answers have; when all lanes are done the next one is sent, into the
same chat. ``--speed 20`` plays the hour in three minutes: as many tokens, turns and memory samples come, in less
time. What grows with them, the memory, is then what it would be; stalls are those of a window that gets so many
times the tokens, thus more than in an hour at the true rate; and what grows with time alone is not seen.
Memory is the resident set of the window's process; nothing of the benchmark itself grows.
Target: memory after the first ten minutes within 10 MB, stall p99 ≤ 16 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from replayed import are_ready, fill_lanes, open_app, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

BEAT_MS = 1
TURN_TOKENS = 1500
FIRST_MINUTES = 10
MOST_BEATS = 4_000_000
TARGET_MB, TARGET_P99_MS = 10.0, 16.0


def main() -> int:
    """Run the app on a home of its own and print the table; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=60.0, help="tokens a second and lane, at speed 1")
    parser.add_argument("--lanes", type=int, default=2, choices=(1, 2, 3, 4))
    parser.add_argument("--platform", default="offscreen", help="Qt's platform: offscreen, xcb, …")
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = options.platform
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLAYGROUND_HOME"] = home
        figures = measure(options)
    return report(figures, options)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start the app, fill the lanes, send turn after turn."""
    from PySide6.QtWidgets import QApplication

    rate = options.rate * options.speed

    qt = QApplication([])
    app = open_app(rate, TURN_TOKENS / rate, options.speed)
    show(app, options.size)
    run = Run(app, options)
    qt.exec()
    app.close()
    return run.figures


class Run:
    """Waits for the app, sends turns until the minutes are over, notes memory and beats."""

    def __init__(self, app: Any, options: argparse.Namespace) -> None:
        import numpy as np
        import psutil
        from PySide6.QtCore import Qt, QTimer

        self._app, self._options, self._process = app, options, psutil.Process()
        self._gaps = np.full(MOST_BEATS, -1, np.int32)
        """Microseconds between beats; all of it is touched before the first token comes."""
        self._n = 0
        self._beat_at = 0
        self._began = self._cpu = 0.0
        self._tokens = self._turns = 0
        self._memory: list[tuple[float, float]] = []
        """Minutes of writing, and megabytes then."""
        self._step = self._prepare
        self._deadline = time.monotonic() + 60 * options.minutes / options.speed * 3 + 60
        self.figures: dict[str, Any] = {}
        self._beats = QTimer()
        self._beats.setTimerType(Qt.TimerType.PreciseTimer)
        self._beats.setInterval(BEAT_MS)
        self._beats.timeout.connect(self._beat)
        self._steps = QTimer()
        self._steps.setInterval(20)
        self._steps.timeout.connect(lambda: self._step())
        self._steps.start()

    @property
    def _minutes(self) -> float:
        """Of writing at the true rate."""
        return self._tokens / (60 * self._options.rate * self._options.lanes)

    def _prepare(self) -> None:
        workspace = self._app.workspace
        if not workspace.searched:
            return
        fill_lanes(workspace, self._options.lanes)
        self._step = self._wait

    def _wait(self) -> None:
        if not are_ready(self._app):
            return self._give_up_late()
        self._began, self._cpu = time.perf_counter(), time.process_time()
        self._beat_at = time.perf_counter_ns()
        self._beats.start()
        self._send()
        self._step = self._watch
        return None

    def _send(self) -> None:
        self._turns += 1
        assert self._app.workspace.send(f"Write about lighthouse number {self._turns}.")

    def _watch(self) -> None:
        if self._app.workspace.jobs.all:
            return self._give_up_late()
        self._tokens += sum(len(lane.answer.tokens) for lane in self._app.workspace.lanes)
        self._memory.append((self._minutes, self._process.memory_info().rss / 1e6))
        if self._minutes < self._options.minutes:
            return self._send()
        self._beats.stop()
        self._steps.stop()
        self._sum_up()
        return self._app.window.close()

    def _beat(self) -> None:
        now = time.perf_counter_ns()
        if self._n < MOST_BEATS:
            self._gaps[self._n] = min((now - self._beat_at) // 1000, 2**31 - 1)
            self._n += 1
        self._beat_at = now

    def _give_up_late(self) -> None:
        if time.monotonic() > self._deadline:
            raise SystemExit(f"The run did not end in time; {self._minutes:.1f} minutes were written.")

    def _sum_up(self) -> None:
        import numpy as np

        took = time.perf_counter() - self._began
        stalls = np.maximum(0.0, self._gaps[: self._n] / 1e3 - BEAT_MS)
        last = stalls[-max(1, self._n // 6) :]
        minutes, mb = np.array(self._memory).T
        settled = mb[minutes >= min(FIRST_MINUTES, self._options.minutes / 2)]
        self.figures = {
            "minutes": float(minutes[-1]),
            "turns": self._turns,
            "tokens": self._tokens,
            "tok_s": self._tokens / took,
            "memory_first_turn_mb": float(mb[0]),
            "memory_settled_mb": float(settled[0]),
            "memory_end_mb": float(mb[-1]),
            "memory_growth_mb": float(settled[-1] - settled[0]),
            "memory_spread_mb": float(np.abs(settled - settled[0]).max()),
            "stall_p50_ms": float(np.percentile(stalls, 50)),
            "stall_p99_ms": float(np.percentile(stalls, 99)),
            "stall_p99_last_sixth_ms": float(np.percentile(last, 99)),
            "stall_max_ms": float(stalls.max()),
            "cpu_percent": 100 * (time.process_time() - self._cpu) / took,
            "seconds": took,
            "memory_by_minute": [[round(float(m), 1), round(float(b), 1)] for m, b in zip(minutes, mb, strict=True)],
        }


def report(figures: dict[str, Any], options: argparse.Namespace) -> int:
    """Print the table, write the JSON, judge."""
    about = f"{options.lanes} lanes, {options.rate:g} tok/s each, {options.speed:g} times as fast, {options.platform}"
    print(f"{about}; {platform.python_version()}, {os.cpu_count()} cores")
    by_minute = figures["memory_by_minute"]
    for name, value in figures.items():
        if name != "memory_by_minute":
            print(f"  {name:<24} {value:>10.1f}" if isinstance(value, float) else f"  {name:<24} {value:>10,}")
    shown = by_minute[:: max(1, len(by_minute) // 12)]
    print("  MB by minute: " + ", ".join(f"{minute:.0f}: {mb:.0f}" for minute, mb in shown))
    words = f"target ± {TARGET_MB:g} MB after {FIRST_MINUTES} minutes, p99 ≤ {TARGET_P99_MS:g} ms"
    met = figures["memory_spread_mb"] <= TARGET_MB and figures["stall_p99_ms"] <= TARGET_P99_MS
    print(f"  {words}: {'met' if met else 'missed'}")
    if options.json:
        options.json.write_text(json.dumps({"about": about, **figures}, indent=2))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
