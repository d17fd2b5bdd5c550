"""`make screenshots`: pictures of the running app for README and docs, made by driving it.

The real composition root with real engines on the starter model, in a home of its own;
drawn offscreen, so no display is needed. Options: --out FOLDER, --all for every state,
size and scheme instead of README's few.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPlainTextEdit

from playground import app as composition
from playground.paths import find_paths
from playground.ui.theme import load_fonts

ROOT = Path(__file__).resolve().parent.parent
SIZES = ((1440, 900), (1280, 800), (1024, 700))
QUESTION = "Write a Python function that reverses a string, then explain it in two short points."


class Stage:
    """The running app and what is done to it."""

    def __init__(self, qt: QApplication, out: Path, everything: bool) -> None:
        self._qt = qt
        self._out = out
        self._everything = everything
        self.app = composition.App(find_paths())
        self.app.show()
        self.workspace = self.app.workspace
        self.window = self.app.window
        self.until(lambda: self.workspace.lanes[0].state == "ready")
        self.settle(0.8)

    def until(self, condition: Callable[[], object], timeout: float = 120) -> None:
        """Let the app run until the condition holds."""
        deadline = time.monotonic() + timeout

        def look() -> None:
            if condition() or time.monotonic() > deadline:
                self._qt.exit()

        timer = QTimer()
        timer.timeout.connect(look)
        timer.start(20)
        self._qt.exec()
        if time.monotonic() > deadline:
            raise SystemExit(f"the app did not get there in {timeout} s")

    def settle(self, seconds: float = 0.4) -> None:
        """Let pending paints happen."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def type_and_send(self, text: str) -> None:
        """Type into the composer and press Enter."""
        self.window.activateWindow()
        self.window.focus_composer()
        self.settle(0.1)
        field = self.window.composer.findChild(QPlainTextEdit)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def idle(self) -> None:
        """Until every answer is written."""
        self.until(lambda: not self.workspace.jobs.all)
        self.settle()

    def measure(self, wishes: dict[str, str]) -> None:
        """Run a benchmark on the Bench page to its end."""
        bench = self.workspace.bench
        assert bench is not None
        self.window.pages.currentWidget().setup.restore(wishes)  # type: ignore[attr-defined]
        bench.start()
        self.until(lambda: not bench.busy)
        self.settle()

    def shoot(self, name: str, readme: tuple[str, ...] = ()) -> None:
        """Grab the state in all sizes and schemes, or only the pictures README shows."""
        for scheme in ("dark", "light"):
            if not self._everything and f"{name}-{scheme}" not in readme:
                continue
            self.app.theme.choose(scheme)  # type: ignore[arg-type]
            for width, height in SIZES if self._everything else SIZES[:1]:
                self.window.resize(width, height)
                self.settle(0.6)
                suffix = f"-{width}x{height}" if self._everything else ""
                path = self._out / f"{name}-{scheme}{suffix}.png"
                self.window.grab().save(str(path))
                print(path)
        self.app.theme.choose("dark")
        self.window.resize(*SIZES[0])
        self.settle(0.2)


def main() -> int:
    """Drive the app through the states and save the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    readme = ("first-run-dark", "chat-dark", "chat-light", "compare-dark", "bench-dark", "models-tensors-dark")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLAYGROUND_HOME"] = home
        qt = QApplication(sys.argv[:1])
        qt.setQuitOnLastWindowClosed(False)
        load_fonts()
        stage = Stage(qt, options.out, options.all)
        for name in states(stage):
            stage.shoot(name, readme)
        stage.window.close()
    return 0


def states(stage: Stage) -> Iterator[str]:
    """The states shown, one after the other."""
    workspace = stage.workspace
    yield "first-run"
    workspace.set_many("A", {"temp": 0.0, "seed": 42})
    stage.type_and_send(QUESTION)
    stage.idle()
    workspace.set_many("A", {"temp": 0.6, "ignore_eos": False, "max_tokens": 400})
    stage.type_and_send("Write four lines about a lighthouse.")
    stage.until(lambda: len(workspace.lanes[0].answer.tokens) > 20)
    workspace.set_sampling("A", "temp", 0.9)
    stage.idle()
    yield "chat"
    workspace.new_chat()
    workspace.set_many("A", {"temp": 0.2, "max_tokens": 160})
    workspace.add_lane()
    workspace.set_many("B", {"temp": 0.8, "max_tokens": 160})
    stage.until(lambda: all(lane.state == "ready" for lane in workspace.lanes))
    stage.type_and_send("Name a new flavour of crisps and say why people would like it.")
    stage.idle()
    yield "two-lanes"
    workspace.add_lane()
    workspace.set_many("C", {"temp": 1.5, "max_tokens": 160})
    stage.until(lambda: all(lane.state == "ready" for lane in workspace.lanes))
    stage.type_and_send("Explain to a ten-year-old why the sky is blue, in under 80 words.")
    stage.idle()
    yield "compare"
    workspace.add_lane()
    stage.until(lambda: all(lane.state == "ready" for lane in workspace.lanes))
    yield "four-lanes"
    yield from models(stage)
    stage.window.show_page("bench")
    stage.measure({"prompts": "128, 256", "generations": "32", "depths": "0, 512, 1024, 2048", "repeats": "3"})
    yield "bench"
    stage.window.show_page("chat")


def models(stage: Stage) -> Iterator[str]:
    """The Models page: library, another quant, inspector, the shelf. Nothing is asked of the Hub."""
    stage.window.show_page("models")
    page, library = stage.app.models_page, stage.app.library
    assert page is not None
    assert library is not None
    stage.until(lambda: not library.scanning)
    path = next(model.path for model in library.models if model.source_key == "starter")
    page.library.show_model(path)
    stage.settle()
    yield "models"
    page.library.show_quant_pane(path)
    stage.settle()
    yield "models-quant"
    page.inspect(path)
    page.inspector.show_tab("tensors")
    stage.settle()
    yield "models-tensors"
    page.show_tab("find")
    stage.settle()
    yield "models-find"


if __name__ == "__main__":
    sys.exit(main())
