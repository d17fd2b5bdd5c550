"""The whole app with a replay in place of its engines (replay.py), for benchmarks that look at the window."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_REPLAY = Path(__file__).resolve().parent / "replay.py"


def open_app(*arguments: float) -> Any:
    """The app, not shown yet; ``arguments`` are replay.py's. Needs a QApplication and a home of its own."""
    from playground.app import App
    from playground.paths import find_paths
    from playground.supervisor.process import EngineProcess
    from playground.ui.theme import load_fonts

    def spawn(log: Path, on_events: Callable[..., None], on_exit: Callable[..., None]) -> EngineProcess:
        argv = [sys.executable, str(_REPLAY), *map(str, arguments)]
        return EngineProcess(log, on_events, on_exit, argv=argv)

    load_fonts()
    return App(find_paths(), spawn=spawn)


def show(app: Any, size: str) -> None:
    """Open its window at a size like “1440x900”."""
    app.show()
    width, height = map(int, size.split("x"))
    app.window.resize(width, height)


def fill_lanes(workspace: Any, lanes: int) -> None:
    """Give every lane a model of its own, so that every lane has a process of its own; all run together."""
    from playground.workspace.lane import ModelRef

    refs = [ModelRef(f"/replay/{n}.gguf", f"Replay {n}", "Q4_1", 98_000_000) for n in range(1, lanes + 1)]
    workspace.set_together(True)
    workspace.choose_model("A", refs[0])
    for ref in refs[1:]:
        workspace.add_lane(ref)


def are_ready(app: Any) -> bool:
    """Whether all lanes are loaded and the plots stand."""
    plots = app.window.plots
    standing = plots is not None and plots.memory.plot is not None
    return standing and all(lane.state == "ready" for lane in app.workspace.lanes)
