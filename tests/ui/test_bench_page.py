"""The Bench page: what is asked for, what is shown of it, and how runs are compared. The process is played."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chrome_fake import GEMMA, STARTER, FakeClock, info
from panel_kit import dressed
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.actions.pages import PAGES
from playground.app import App
from playground.bench.history import History
from playground.bench.plan import LARGEST
from playground.bench.result import Result
from playground.protocol.commands import Bench as BenchCommand
from playground.protocol.commands import StopBench
from playground.protocol.events import BenchDone, BenchProgress, BenchRow, Event, Hello, Loaded
from playground.supervisor.outcome import Outcome
from playground.ui.bench.page import BenchPage
from playground.ui.bench.runs import button_box
from playground.workspace.bench import Bench
from playground.workspace.bench_kept import BenchKept
from playground.workspace.workspace import Workspace


class Process:
    """An engine's process as the supervisor knows it: takes commands down, says what the test lets it say."""

    def __init__(self, log: Path, events: Callable[[list[Event]], None], gone: Callable[[Outcome], None]) -> None:
        self.say, self.gone = events, gone
        self.commands: list[Any] = []

    def start(self, watch: Any = None) -> None:
        self.say([Hello(1, 1, "llama-cpp-python 0.3.36 · AVX2")])

    def send(self, command: Any) -> None:
        self.commands.append(command)

    def kill(self) -> None: ...
    def close(self, *_: Any) -> None: ...
    def close_soon(self, *_: Any) -> None: ...


class Stand:
    """A page on a real workspace whose engine the test plays."""

    def __init__(self, qtbot: QtBot, folder: Path, kept: list[Result], scheme: str) -> None:
        self.processes: list[Process] = []
        self.told: list[str] = []
        store: Any = type("Store", (), {"__getattr__": lambda *_: lambda *_args: None})()
        self.workspace = Workspace(
            folder, store, self._post, self._background, lambda path: "no", self._spawn, free=lambda: 10**12
        )
        self.workspace.told.connect(self.told.append)
        self.workspace.engines.prepare = self.workspace.engines.load  # there is no file to read a header of
        self.workspace.set_models([STARTER, GEMMA], STARTER)
        self.history = History(folder)
        self.history.append(kept)
        w, kept_room = self.workspace, BenchKept(self.history, self._background, self.told.append)
        self.bench = w.bench = Bench(w.state, w.engines, w.loading, kept_room)
        self.clock = FakeClock()
        qt = QApplication.instance()
        assert isinstance(qt, QApplication)
        self.page = BenchPage(w, self.bench, dressed(qt, scheme), self.clock, self._background)
        qtbot.addWidget(self.page)
        self.page.resize(1100, 760)
        self.page.show()
        self.clock.tick()
        self.qtbot = qtbot

    @property
    def process(self) -> Process:
        return self.processes[-1]

    def say(self, *events: Event) -> None:
        self.process.say(list(events))
        self.clock.tick()

    def press(self, button: Any) -> None:
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        self.clock.tick()

    def type(self, name: str, text: str) -> None:
        row = next(row for row in self.page.setup.rows if row.name == name)
        row.field.selectAll()
        self.qtbot.keyClick(row.field, Qt.Key.Key_Backspace)
        self.qtbot.keyClicks(row.field, text)
        self.clock.tick()

    def loaded(self) -> BenchCommand:
        self.say(Loaded(info(name="SmolLM2", n_ctx=LARGEST), 0.1))
        command = self.process.commands[-1]
        assert isinstance(command, BenchCommand)
        return command

    def row(self, command: BenchCommand, index: int, ns: int = 10**9) -> None:
        samples = [ns, ns + ns // 50, ns - ns // 50]
        self.say(BenchRow(command.request, index, command.tests[index], samples, 2, 2, 1.8e9))

    def click_run(self, row: int, *, button: bool = False) -> None:
        runs = self.page.runs
        box = runs.visualRect(runs.model().index(row, 0))
        where = button_box(box).center() if button else box.topLeft() + QPoint(60, 12)
        self.qtbot.mouseClick(runs.viewport(), Qt.MouseButton.LeftButton, pos=where)
        self.clock.tick()

    def cells(self, title: str) -> list[str]:
        model = self.page.results.table.rows_model
        column = [shown for _, shown in model.columns].index(title)
        return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]

    def _spawn(self, *args: Any) -> Process:
        self.processes.append(Process(*args))
        return self.processes[-1]

    def _post(self, thunk: Callable[[], None]) -> None:
        thunk()

    def _background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())


def result(run: str, ns: int, **more: Any) -> Result:
    fields: dict[str, Any] = {
        "run": run, "test_time": f"{run[:4]}-{run[4:6]}-{run[6:8]}T10:00:00Z", "build": "b", "cpu_info": "c",
        "gpu_info": "", "system": "Linux", "n_cores": 2, "memory": 8 * 10**9, "model_filename": "/m.gguf",
        "model_name": "Smol", "model_type": "llama 135M Q4_1", "model_size": 96_000_000,
        "model_n_params": 135_000_000, "n_ctx": 512,
        "n_batch": 2048, "n_ubatch": 512, "n_threads": 2, "n_threads_batch": 2, "type_k": "f16", "type_v": "f16",
        "n_gpu_layers": 0, "flash_attn": True, "use_mmap": True, "use_mlock": False, "n_prompt": 512, "n_gen": 0,
        "n_depth": 0, "samples_ns": [ns, ns + ns // 100, ns - ns // 100],
    }  # fmt: skip
    return Result(**(fields | more))


OLD = [
    result("20260101T000000Z-aa", 10**9),
    result("20260101T000000Z-aa", 10**9, n_depth=1024),
    result("20260102T000000Z-aa", 8 * 10**8),
    result("20260102T000000Z-aa", 2 * 10**9, n_depth=1024),
    result("20260103T000000Z-aa", 5 * 10**8, model_name="Other"),
]


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path) -> Callable[..., Stand]:
    return lambda kept=(), scheme="dark": Stand(qtbot, tmp_path, list(kept), scheme)


def test_a_run_from_start_to_end(make: Callable[..., Stand]) -> None:
    stand = make()
    page = stand.page
    assert page.results.empty.isVisible()
    stand.type("depths", "0, 256")
    assert "4 tests, each 3 times" in page.setup.summary.text()
    stand.press(page.setup.start)
    assert page.setup.state.text().startswith("Reading the file")
    assert stand.process.commands[0].options == {"n_ctx": 768, "n_seq_max": 1}
    command = stand.loaded()
    assert [test.n_depth for test in command.tests] == [0, 0, 256, 256]
    stand.say(BenchProgress(command.request, 0, "prompt", 1, 0.25, 1))
    assert page.setup.state.text() == "pp512, 2 of 3 · reading"
    assert page.setup.meter.fraction == 0.25
    for index in range(4):
        stand.row(command, index)
        assert len(stand.cells("test")) == index + 1, "every row as soon as it is measured"
    stand.say(BenchDone(command.request, "done"))
    assert page.setup.state.text() == "Measured"
    assert page.setup.start.isVisible()
    assert stand.cells("test") == ["pp512", "tg128", "pp512 @ d256", "tg128 @ d256"]
    assert stand.cells("t/s")[0] == "512.14 ± 10.24"
    assert "pp512, depth 256" in page.results.plots[0].accessibleName()
    assert "tg128" in page.results.plots[1].accessibleName()
    assert len(stand.history.load().results) == 4
    assert page.results.first.title.text() == STARTER.name


def test_stop_and_once_more_ends_the_engine(make: Callable[..., Stand]) -> None:
    stand = make()
    stand.press(stand.page.setup.start)
    command = stand.loaded()
    assert not stand.page.setup.start.isVisible()
    stand.press(stand.page.setup.stop)
    assert isinstance(stand.process.commands[-1], StopBench)
    assert stand.page.setup.stop.text() == "End the engine"
    stand.row(command, 0)
    stand.say(BenchDone(command.request, "stopped"))
    assert stand.page.setup.state.text() == "Stopped; what was complete is kept"
    assert stand.cells("test") == ["pp512"]


@pytest.mark.parametrize("text", ["", "x", "5-1", "1,2,"])
def test_a_bad_list_is_marked_and_said_where_it_was_typed(make: Callable[..., Stand], text: str) -> None:
    stand = make()
    stand.type("depths", text)
    setup = stand.page.setup
    assert [row.field.property("invalid") or "" for row in setup.rows] == ["", "", "true", ""]
    assert setup.summary.text().startswith("Context depth")
    assert not setup.start.isEnabled()
    stand.qtbot.keyClick(setup.rows[2].field, Qt.Key.Key_Return)
    assert not stand.processes
    stand.type("depths", "0")
    assert setup.start.isEnabled()
    assert all(not row.field.property("invalid") for row in setup.rows)


def test_a_failure_is_a_sentence_and_the_next_start_works(make: Callable[..., Stand]) -> None:
    stand = make()
    stand.press(stand.page.setup.start)
    command = stand.loaded()
    stand.say(BenchDone(command.request, "failed", "llama.cpp could not compute the tokens."))
    assert stand.page.setup.state.text() == "llama.cpp could not compute the tokens."
    stand.press(stand.page.setup.start)
    assert stand.bench.busy


def test_another_model_can_be_chosen(make: Callable[..., Stand]) -> None:
    stand = make()
    stand.page.setup.model.setCurrentIndex(1)
    stand.page.setup.model.activated.emit(1)
    stand.press(stand.page.setup.start)
    assert stand.process.commands[0].path == GEMMA.path


def test_the_lanes_options_are_used_and_said(make: Callable[..., Stand]) -> None:
    stand = make()
    stand.workspace.set_load("A", {"n_threads": 1, "cache_type_k": "q8_0", "n_ctx": 1024})
    stand.workspace.lanes_changed.emit()
    assert "As lane A loads it: n_threads 1, cache_type_k q8_0." in stand.page.setup.engine.text()
    stand.press(stand.page.setup.start)
    assert stand.process.commands[0].options["cache_type_k"] == "q8_0"


def test_the_newest_run_is_shown_against_the_one_before(make: Callable[..., Stand]) -> None:
    stand = make(OLD[:4])
    assert stand.page.shown == "20260102T000000Z-aa"
    assert stand.cells("difference")[0].startswith("+25.0 ± ")
    assert stand.cells("") == ["faster", "slower"]
    stand.click_run(1)
    assert stand.page.shown == "20260101T000000Z-aa"
    assert "difference" not in [title for _, title in stand.page.results.table.rows_model.columns]


def test_two_runs_are_chosen_and_compared(make: Callable[..., Stand]) -> None:
    stand = make(OLD)
    page = stand.page
    assert page.shown.startswith("20260103")
    stand.click_run(2, button=True)
    assert (page.shown[:8], page.beside[:8]) == ("20260103", "20260101")
    assert stand.cells("difference")[0].startswith("+100")
    assert page.results.second.title.text() == "Smol"
    assert len(page.results.plots[0].plot._drawn) == 2
    stand.click_run(2)
    assert (page.shown[:8], page.beside[:8]) == ("20260101", "20260103"), "they change places"
    page.runs.setFocus()
    page.runs.setCurrentIndex(page.runs.model().index(1, 0))
    stand.qtbot.keyClick(page.runs, Qt.Key.Key_Space)
    assert page.beside.startswith("20260102")
    stand.qtbot.keyClick(page.runs, Qt.Key.Key_Space)
    assert page.beside == ""


def test_copies_and_exports_hold_what_is_shown(make: Callable[..., Stand], tmp_path: Path) -> None:
    stand = make(OLD[:4])
    stand.page.results.copy_as("md")
    text = QGuiApplication.clipboard().text()
    assert text.startswith("| model ")
    assert "1.25 ± 0.0" in text
    stand.page.results.copy_as("table")
    assert "pp512 @ d1024" in QGuiApplication.clipboard().text()
    for form in ("json", "csv"):
        stand.page.results.write(tmp_path / f"x.{form}", form, stand.page.results.results)
    assert [one["n_depth"] for one in json.loads((tmp_path / "x.json").read_text())] == [0, 1024]
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert float(rows[0]["avg_ts"]) == pytest.approx(640, rel=0.01)
    stand.page.results.write(tmp_path / "no" / "x.csv", "csv", stand.page.results.results)
    assert stand.told[-1].startswith("x.csv could not be written")


def test_a_forgotten_run_comes_back(make: Callable[..., Stand]) -> None:
    stand = make(OLD)
    page = stand.page
    page.runs.setFocus()
    page.runs.setCurrentIndex(page.runs.model().index(0, 0))
    stand.qtbot.keyClick(page.runs, Qt.Key.Key_Delete)
    stand.clock.tick()
    assert page.shown.startswith("20260102")
    assert len(stand.history.load().results) == 4
    stand.press(page.undo)
    assert len(stand.history.load().results) == 5
    assert not page.undo.isVisible()
    assert page.runs.model().rowCount() == 3


@pytest.mark.parametrize("width", [640, 1024, 1440])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_size_and_scheme_is_drawn(make: Callable[..., Stand], width: int, scheme: str) -> None:
    stand = make(OLD, scheme)
    stand.page.resize(width, 640)
    stand.page.compare("20260101T000000Z-aa")
    assert not stand.page.grab().isNull()
    table = stand.page.results.table
    shown = sum(table.columnWidth(i) for i in range(table.rows_model.columnCount()) if not table.isColumnHidden(i))
    assert shown <= max(table.viewport().width(), 520)


def test_speeds_of_several_models_are_in_sight_where_room_is_short(make: Callable[..., Stand]) -> None:
    other = {"model_name": "A very long name of a model, Instruct", "model_type": "qwen3moe 30B.A3B Q4_K - Medium"}
    stand = make([result("20260102T000000Z-aa", 10**9), result("20260102T000000Z-aa", 10**9, **other)])
    stand.page.resize(1024, 640)
    table = stand.page.results.table
    keys = [key for key, _ in table.rows_model.columns]
    shown = [key for key in keys if not table.isColumnHidden(keys.index(key))]
    assert {"name", "test", "t/s"} <= set(shown)
    assert "model" not in shown
    end = keys.index("t/s")
    assert table.columnViewportPosition(end) + table.columnWidth(end) <= table.viewport().width()


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        yield made


def test_the_window_goes_from_page_to_page_and_back(app: App, qtbot: QtBot) -> None:
    window = app.window
    qtbot.mouseClick(window.toolbar.pages._buttons["bench"], Qt.MouseButton.LeftButton)
    page = window.pages.currentWidget()
    assert isinstance(page, BenchPage)
    assert not window.toolbar.add.isVisible()
    assert window.toolbar.title.text() == "Bench"
    assert app.workspace.bench is not None
    qtbot.waitUntil(lambda: page.setup.start.toolTip() == "There is no model to measure.")
    page.setup.rows[2].field.setFocus()
    qtbot.keyClick(page, Qt.Key.Key_F6)
    window.view.focus_next_pane()
    window.show_palette()
    qtbot.keyClick(window.palette_popup._field, Qt.Key.Key_Escape)
    assert window.pages.shown == "bench", "closing the palette stays on the page"
    window.toggle_plots()
    assert window.pages.shown == "chat", "what acts on the chat goes there"
    window.toggle_plots()
    window.show_page("bench")
    assert window.pages.currentWidget() is page
    assert {other.id for other in PAGES} == {"chat", *window.pages.makers}


def test_nothing_of_the_page_is_imported_before_it_is_shown() -> None:
    said = subprocess.run(
        [sys.executable, "-c", "import playground.app, sys; print([m for m in sys.modules if 'bench' in m])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "[]"
