"""The window as it is for people who write from the right, and on screens with more dots to a pixel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chrome_fake import answer, load
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from walk_kit import misplaced
from window_kit import open_window

from playground.app import App
from playground.ui.direction import figure
from playground.ui.labels import ElidedLabel


@pytest.fixture
def mirrored(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    qt = QApplication.instance()
    assert isinstance(qt, QApplication)
    qt.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    with open_window(qtbot, monkeypatch) as app:
        app.window.resize(1440, 900)
        lane = answer(load(app.workspace.lanes[0]))
        lane.notice = None
        lane.changed.emit()
        lane.path_changed.emit()
        qtbot.wait(120)
        yield app
    qt.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


def left_of(app: App, pane: QWidget) -> int:
    return pane.mapTo(app.window, QPoint(0, 0)).x()


def test_panes_and_their_grips_are_mirrored(mirrored: App, qtbot: QtBot) -> None:
    window = mirrored.window
    assert left_of(mirrored, window.sidebar) > 1000
    assert left_of(mirrored, window.panel_place) <= 1
    for grip in window.grips:
        pane = grip.parentWidget()
        assert grip.geometry().right() == pane.width() - 1
    window.place_plots("beside")
    qtbot.waitUntil(lambda: left_of(mirrored, window.plots_place) < left_of(mirrored, window.composer))
    window.place_plots("below")
    window.resize(1024, 700)
    window.toggle_sidebar()
    qtbot.waitUntil(lambda: window.sidebar.isVisible() and left_of(mirrored, window.sidebar) > 700)


def test_no_words_are_cut_in_a_mirrored_window(mirrored: App, qtbot: QtBot) -> None:
    found = set()
    for size in ((1440, 900), (1024, 700)):
        mirrored.window.resize(*size)
        for page in ("chat", "models", "bench"):
            mirrored.window.show_page(page)
            qtbot.wait(100)
            found |= {f"{size} {page}: {words}" for words in misplaced(mirrored.window, qtbot)}
    assert not found, "\n".join(sorted(found))


def test_figures_keep_their_unit_behind_them(mirrored: App, qtbot: QtBot) -> None:
    assert figure("98 MB") == "\u200e98 MB"
    assert figure("שלום") == "שלום"
    shown = []
    for text in ("98 MB", "\u200e98 MB"):
        label = ElidedLabel(mirrored.theme, text)
        qtbot.addWidget(label)
        label.resize(60, 20)
        shown.append(label.grab().toImage())
    assert shown[0] == shown[1]


RATIO_2 = """
import gc, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QPaintDevice, QPainter, QPixmap
from PySide6.QtWidgets import QApplication
qt = QApplication([])
import playground.app as app_module
from chrome_fake import answer, load
from playground.paths import find_paths
from playground.ui.theme import load_fonts
load_fonts()
app_module.find_models = lambda _paths: ([], None)
qt.setQuitOnLastWindowClosed(False)
app = app_module.App(find_paths())
app.show()

def wait(ms):
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()

while not app.workspace.state.searched:
    wait(100)
app.window.resize(1280, 800)
lane = answer(load(app.workspace.lanes[0]))
lane.notice = None
lane.changed.emit()
lane.path_changed.emit()
wait(800)
assert app.window.devicePixelRatio() == 2.0
blurred = []
kept = [held for held in gc.get_objects() if isinstance(held, QPixmap)]
ours = [held for held in gc.get_objects() if type(held).__module__.startswith("playground.ui")]
kept += [value for held in ours for value in getattr(held, "__dict__", {}).values() if isinstance(value, QPixmap)]
for pixmap in kept:
    if not pixmap.isNull() and pixmap.width() > 4 and pixmap.devicePixelRatio() < 2:
        blurred.append((pixmap.width(), pixmap.height()))
picture = app.window.grab().toImage()
assert picture.width() == 2560
print("kept", len(kept), "blurred", blurred)
sys.stdout.flush()
# A picture that was drawn at half the dots and stretched has only blocks of two equal pixels.
plots = app.window.plots_place
place = plots.mapTo(app.window, plots.rect().topLeft())
own = 0
for y in range(2 * place.y(), 2 * (place.y() + plots.height()) - 1, 2):
    for x in range(2 * place.x(), 2 * (place.x() + plots.width()) - 1, 2):
        if picture.pixel(x, y) != picture.pixel(x + 1, y) or picture.pixel(x, y) != picture.pixel(x, y + 1):
            own += 1
print("own", own)
sys.stdout.flush()
os._exit(1 if blurred or not kept or own < 500 else 0)
"""


def test_pictures_have_the_screen_s_dots(home: Path) -> None:
    here = Path(__file__).parent
    env = os.environ | {
        "QT_SCALE_FACTOR": "2",
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONPATH": os.pathsep.join(map(str, (here, here.parent, here.parents[1]))),
    }
    done = subprocess.run(
        [sys.executable, "-c", RATIO_2], env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
