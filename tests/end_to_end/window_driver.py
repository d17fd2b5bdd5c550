"""Drives the real window in a process of its own: a virtual display, real keys, the kept chats as witness."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from waiting import wait_until

from playground.conversation.store import Store
from playground.conversation.tree import LaneRecord
from playground.paths import find_paths
from playground.workspace.chats import LAST

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
"""For what comes at once on a quiet machine."""


def never_ending() -> None:
    """Keep a lane for the next window whose answers go on until they are stopped or their context is full.

    A small model may end any answer at its first token; this is the setting a user has against it.
    """
    store = Store(find_paths().database, lambda work: work())
    store.start()
    lane = LaneRecord("A", sampling={"ignore_eos": True})
    store.set_state(LAST, {"chat": "", "lanes": [{name: getattr(lane, name) for name in LaneRecord.__slots__}]})
    assert store.flush(PATIENCE_S)
    assert store.close(PATIENCE_S)


class Display:
    """A virtual X display of its own."""

    def __init__(self, size: str = "1440x900x24") -> None:
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            self.name = f":{pipe.readline().strip()}"

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)


class Window:
    """The app under a display."""

    def __init__(
        self,
        display: Display,
        home: Path,
        *arguments: str,
        command: Sequence[str] = (sys.executable, "-m", "playground"),
        inherited: Mapping[str, str] = os.environ,
        cwd: Path = ROOT,
    ) -> None:
        """``inherited``: the environment that it starts in, but for its display and its home."""
        self.home = home
        mine = {"DISPLAY": display.name, "PLAYGROUND_HOME": str(home), "QT_QPA_PLATFORM": "xcb"}
        environment = {**inherited, **mine}
        self._environment = {**os.environ, **mine}
        self.log = home.parent / f"window-{time.monotonic_ns()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([*command, *arguments], env=environment, cwd=cwd, stdout=log, stderr=log)
        wait_until(self._find, PATIENCE_S, "the window")
        # There is no window manager to give the window the focus; shortcuts need it.
        self.xdo("windowfocus", "--sync", self.id)

    def _find(self) -> bool:
        assert self.process.poll() is None, f"the app ended: {self.log.read_text()}"
        found = self.xdo("search", "--onlyvisible", "--pid", str(self.process.pid), check=False).split()
        self.id = found[-1] if found else ""
        return bool(found)

    def xdo(self, *arguments: str, check: bool = True) -> str:
        """One xdotool command."""
        done = subprocess.run(
            ["xdotool", *arguments], env=self._environment, capture_output=True, text=True, check=check
        )
        return done.stdout

    def type(self, text: str) -> None:
        """Type text where the focus is."""
        self.xdo("type", "--delay", "4", text)

    def key(self, *names: str) -> None:
        """Press keys, e.g. ``ctrl+k``."""
        self.xdo("key", *names)

    def click(self, x: int, y: int) -> None:
        """Click at a place in the window."""
        self.xdo("mousemove", "--window", self.id, str(x), str(y), "click", "1")

    def engines(self) -> list[psutil.Process]:
        """The engine processes of this app."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if is_engine(child)]

    def wait_for_engines(self, count: int) -> None:
        """Wait until that many engines run."""
        wait_until(lambda: len(self.engines()) == count, PATIENCE_S, f"{count} engines")

    def nodes(self) -> list[dict[str, Any]]:
        """All kept turns."""
        file = self.home / "data" / "chats.sqlite3"
        if not file.exists():
            return []
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30) as db:
            db.row_factory = sqlite3.Row
            try:
                rows = [dict(row) for row in db.execute("SELECT * FROM nodes ORDER BY rowid")]
            except sqlite3.OperationalError:
                return []
        for row in rows:
            if isinstance(row.get("record"), (str, bytes)):
                row["record"] = json.loads(row["record"])
        return rows

    def wait_for_answers(self, count: int, state: str = "done") -> list[dict[str, Any]]:
        """Wait until that many answers are kept in a state."""

        def there() -> list[dict[str, Any]]:
            return [node for node in self.nodes() if node["role"] == "assistant" and node["state"] == state]

        wait_until(lambda: len(there()) >= count, PATIENCE_S, f"{count} answers {state}; see {self.log}")
        return there()

    def wait_for_text(self, count: int, longer_than: int = 0) -> list[dict[str, Any]]:
        """Wait until that many answers have text: a small model left to itself may never end one."""

        def there() -> list[dict[str, Any]]:
            return [node for node in self.nodes() if node["role"] == "assistant" and len(node["text"]) > longer_than]

        wait_until(lambda: len(there()) >= count, PATIENCE_S, f"{count} answers with text")
        return there()

    def shoot(self, path: Path) -> None:
        """A picture of the display, to look at after a failure."""
        if shutil.which("import"):
            subprocess.run(["import", "-window", "root", str(path)], env=self._environment, check=False)

    def close(self) -> int:
        """Close the window as a user does; the exit code."""
        self.key("ctrl+q")
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """End it the hard way."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)


def is_engine(process: psutil.Process) -> bool:
    """Whether a process is an engine."""
    try:
        return any("playground.engine" in part or part == "--engine" for part in process.cmdline())
    except psutil.Error:
        return False


def is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended, though nobody may have asked for its exit code yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE or not process.is_running()
    except psutil.NoSuchProcess:
        return True
