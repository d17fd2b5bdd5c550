"""What the window's process costs while one lane writes at the rate of a small model, plots visible.

    python benchmarks/gui_cost.py [--seconds 20] [--rate 100] [--repeats 3] [--lanes 1] [--platform offscreen|xcb]

The whole app runs as it is, but for its engine: a child process replays the protocol on a real pipe (replay.py),
so no model's threads are in the way. Only processor time is counted, of this process with all its threads, in
per cent of one core; wakeups are voluntary context switches, each of which may stop a spinning thread of
llama.cpp. ``behind`` is the time from a token to the end of the pass of the event loop that drew it.
Stages are those of the window's thread; what Qt paints by itself is in “rest”.
Target: CPU ≤ 8 %.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from replayed import are_ready, fill_lanes, open_app, show

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SETTLE_S = 2.0
TARGET_CPU = 8.0


def main() -> int:
    """Measure in processes and homes of their own, print the medians; 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=100.0, help="tokens a second and lane")
    parser.add_argument("--lanes", type=int, default=1, choices=(1, 2, 3, 4))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--platform", default="offscreen", help="Qt's platform: offscreen, xcb, …")
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--grab", type=Path, help="write a picture of the window near the end")
    parser.add_argument("--profile", type=Path, help="cProfile of the window's thread; spoils the figures")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options)))
        return 0
    runs = [run_child(options) for _ in range(options.repeats)]
    return report({key: statistics.median(run[key] for run in runs) for key in runs[0]}, options)


def run_child(options: argparse.Namespace) -> dict[str, float]:
    """One run in a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "PLAYGROUND_HOME": home,
            "QT_QPA_PLATFORM": options.platform,
            "PYQTGRAPH_QT_LIB": "PySide6",
        }
        command = [sys.executable, __file__, *sys.argv[1:], "--child"]
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(options: argparse.Namespace) -> dict[str, float]:
    """Start the app, send one turn to every lane, count until the time is over."""
    from PySide6.QtWidgets import QApplication

    qt = QApplication([])
    app = open_app(options.rate, 3600)
    stages = Stages(app)
    show(app, options.size)
    run = Run(app, options, stages)
    run.begin()
    qt.exec()
    app.close()
    return stages.figures


class Stages:
    """Processor time of the window's thread by what it was for, and how far behind the tokens it is."""

    def __init__(self, app: Any) -> None:
        self.figures: dict[str, float] = {}
        self.on = False
        self.spent: defaultdict[str, int] = defaultdict(int)
        self.count: defaultdict[str, int] = defaultdict(int)
        self.behind: list[float] = []
        self._app = app
        clock = app.clock
        mark = clock.mark
        clock.mark = lambda key, paint, *more: mark(key, self._timed(_name(key, paint), paint), *more)
        workspace = app.workspace
        apply = workspace.engines._apply
        workspace.engines._apply = self._timed("taking events in", apply)

    def _timed(self, name: str, work: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: Any) -> None:
            began = time.thread_time_ns()
            work(*arguments)
            self.spent[name] += time.thread_time_ns() - began
            self.count[name] += 1
            if self.on and name.startswith("Transcript"):
                self._note_behind()

        return run

    def _note_behind(self) -> None:
        """After Qt's paints of this pass: a token counts from when it was made."""
        from PySide6.QtCore import QTimer

        made = [int(lane.answer.tokens.view["t_ns"][-1]) for lane in self._app.workspace.lanes if lane.writing]
        before, self._seen = (
            getattr(self, "_seen", None),
            [len(lane.answer.tokens) for lane in self._app.workspace.lanes],
        )
        if not made or before is None:
            return
        firsts = [
            int(lane.answer.tokens.view["t_ns"][old])
            for lane, old in zip(self._app.workspace.lanes, before, strict=True)
            if old < len(lane.answer.tokens)
        ]
        QTimer.singleShot(0, lambda: self.behind.extend((time.perf_counter_ns() - t) / 1e6 for t in firsts))

    def start(self) -> None:
        """From here on it counts."""
        self.spent.clear()
        self.count.clear()
        self.behind.clear()
        self.on = True


def _name(key: object, paint: Callable[[], None]) -> str:
    owner = getattr(paint, "__self__", None)
    return f"{type(owner).__name__}.{paint.__name__}" if owner is not None else getattr(paint, "__qualname__", str(key))


class Run:
    """Waits for the app, sends, lets it settle, counts for a while."""

    def __init__(self, app: Any, options: argparse.Namespace, stages: Stages) -> None:
        from PySide6.QtCore import QTimer

        self._app, self._options, self._stages = app, options, stages
        self._steps = QTimer()
        self._steps.setInterval(100)
        self._steps.timeout.connect(self._prepare)
        self._deadline = time.monotonic() + 60
        self._chosen = False

    def begin(self) -> None:
        """Begin to look whether the app is ready."""
        self._steps.start()

    def _prepare(self) -> None:
        workspace = self._app.workspace
        if time.monotonic() > self._deadline:
            states = [(lane.letter, lane.state, lane.notice and lane.notice.text) for lane in workspace.lanes]
            print(f"The app was not ready in time: {states}", file=sys.stderr, flush=True)
            os._exit(1)  # an exception would only end this slot
        if not workspace.searched:
            return
        if not self._chosen:
            self._chosen = True
            fill_lanes(workspace, self._options.lanes)
        if not are_ready(self._app):
            return
        self._steps.stop()
        workspace.send("Write about a lighthouse.")
        self._after(SETTLE_S, self._count)

    def _count(self) -> None:
        if self._options.profile:
            import cProfile

            self._profile = cProfile.Profile(time.thread_time)
            self._profile.enable()
        self._stages.start()
        self._before = self._now()
        self._after(self._options.seconds, self._end)

    def _end(self) -> None:
        now = self._now()
        stages, figures = self._stages, self._stages.figures
        if self._options.profile:
            import pstats

            self._profile.disable()
            self._profile.dump_stats(self._options.profile)
            with open(f"{self._options.profile}.txt", "w", encoding="utf-8") as out:
                stats = pstats.Stats(self._profile, stream=out)
                stats.sort_stats("cumtime").print_stats(90)
                stats.sort_stats("tottime").print_stats(40)
        seconds = now["wall"] - self._before["wall"]
        for key in now:
            if key != "wall":
                scale = 100 if "CPU" in key else 1
                figures[key] = scale * (now[key] - self._before[key]) / seconds
        for name, spent in sorted(stages.spent.items(), key=lambda item: -item[1]):
            figures[f"  % {name}"] = 100 * spent / 1e9 / seconds
            figures[f"  /s {name}"] = stages.count[name] / seconds
        behind = sorted(stages.behind) or [0.0]
        figures["behind p50, ms"] = behind[len(behind) // 2]
        figures["behind p99, ms"] = behind[len(behind) * 99 // 100]
        figures["behind max, ms"] = behind[-1]
        if self._options.grab:
            self._app.window.grab().save(str(self._options.grab))
        self._app.workspace.stop()
        self._app.window.close()

    def _now(self) -> dict[str, float]:
        switches, _cpu = _threads()
        return {
            "wall": time.perf_counter(),
            "CPU %": time.process_time(),
            "CPU of the window's thread %": time.thread_time(),
            "CPU of other threads %": time.process_time() - time.thread_time(),
            "tokens/s": float(sum(len(lane.answer.tokens) for lane in self._app.workspace.lanes)),
            "wakeups/s": float(sum(switches.values())),
            "wakeups/s of the window's thread": float(switches.get(os.getpid(), 0)),
        }

    def _after(self, seconds: float, then: Callable[[], None]) -> None:
        from PySide6.QtCore import QTimer

        QTimer.singleShot(round(seconds * 1000), then)


def _threads() -> tuple[dict[int, int], dict[int, float]]:
    """Voluntary context switches by thread; empty where the system doesn't tell."""
    switches: dict[int, int] = {}
    folder = Path("/proc/self/task")
    for task in folder.iterdir() if folder.exists() else ():
        try:
            lines = (task / "status").read_text().splitlines()
        except OSError:
            continue
        switches[int(task.name)] = next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))
    return switches, {}


def report(figures: dict[str, float], options: argparse.Namespace) -> int:
    """Print the table, write the JSON, judge."""
    about = f"{options.lanes} × {options.rate:g} tok/s, {options.size}, {options.platform}, median of {options.repeats}"
    print(f"{about}; {platform.python_version()}, {os.cpu_count()} cores")
    for name, value in figures.items():
        print(f"  {name:<40} {value:>8.2f}")
    met = figures["CPU %"] <= TARGET_CPU
    print(f"  target CPU ≤ {TARGET_CPU:g} %: {'met' if met else 'missed'}")
    if options.json:
        options.json.write_text(json.dumps({"about": about, **figures}, indent=2))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
