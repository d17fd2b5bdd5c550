"""The Models page in the window: how one gets there, what the status bar says, files dropped on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from models_kit import put
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot
from window_kit import open_window

from playground.app import App
from playground.downloads.view import DownloadView, FileView
from playground.ui.models.page import ModelsPage


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        yield made


def page(app: App) -> ModelsPage:
    shown = app.window.pages.currentWidget()
    assert isinstance(shown, ModelsPage)
    return shown


def test_the_sidebar_leads_to_find_and_the_keys_to_the_library(app: App, qtbot: QtBot) -> None:
    qtbot.mouseClick(app.window.sidebar.shelf.get, Qt.MouseButton.LeftButton)
    assert page(app).shown == "find"
    app.window.show_page("chat")
    app.window.show_page("models")
    page(app).show_tab("library")
    assert page(app).library.search.hasFocus() or not app.window.isActiveWindow()
    assert all(pane.isVisible() for pane in page(app).library.panes())


def test_the_page_fits_every_size(app: App, qtbot: QtBot) -> None:
    app.window.show_page("models")
    for width, height in ((1440, 900), (1024, 700), (900, 640)):
        app.window.resize(width, height)
        for tab in ("library", "find"):
            page(app).show_tab(tab)
            qtbot.wait(30)
            assert app.window.width() == width
            assert page(app).width() == width


def test_the_status_bar_says_what_goes_over_the_network(app: App) -> None:
    assert app.window.status.network.text() == "Network idle"
    assert app.downloads is not None
    view = DownloadView("1", "a/b", "B Q4_0", "running", (FileView("b.gguf", 100, 50),), 11.4e6, 1.0, "", "", "", ())
    app.downloads.items = (view,)
    app.downloads.changed.emit()
    assert app.window.status.network.text() == "Network: 1 download, 11.4 MB/s"
    app.downloads.items = ()
    app.downloads.changed.emit()
    assert app.window.status.network.text() == "Network idle"


def test_a_file_dropped_on_the_page_opens_in_the_active_lane(
    app: App, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(app.workspace, "open_path", opened.append)
    file = put(tmp_path / "ein Ordner", "Größe 1B.gguf")
    app.window.show_page("models")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(QPoint(200, 200)),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    page(app).dropEvent(event)
    assert [Path(path) for path in opened] == [file]
    assert app.window.pages.shown == "chat"
