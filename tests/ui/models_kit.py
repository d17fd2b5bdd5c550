"""A Models page on real services: a real library and quantizer, downloads and searches of the stand-in Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chrome_fake import FakeClock
from panel_kit import dressed
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.hub.client import Hub
from playground.paths import find_paths
from playground.ui.bridge import Bridge
from playground.ui.chat.body import Body
from playground.ui.chat.highlight import Highlighter
from playground.ui.models.page import ModelsPage
from playground.ui.models.rooms import Rooms
from playground.workspace.downloads import Downloads
from playground.workspace.hub import HubPages, HubSearch
from playground.workspace.library import Library
from playground.workspace.quantizing import Quantizing
from playground.workspace.workspace import Workspace


class AtOnce(FakeClock):
    """Paints at once."""

    def mark(self, key: object, paint: Any, least_ms: int = 0) -> None:
        paint()


class Stand:
    """The page and what it stands on. ``hub``: what is asked; None: asking fails the test."""

    def __init__(self, qtbot: QtBot, hub: Hub | None = None, scheme: str = "dark") -> None:
        qt = QApplication.instance()
        assert isinstance(qt, QApplication)
        self.qtbot, self.paths, self.told = qtbot, find_paths(), list[str]()
        self.asked = 0
        self.bridge = Bridge(qt)
        store: Any = type("Store", (), {"__getattr__": lambda *_: lambda *_args: None})()
        self.workspace = Workspace(
            self.paths.logs, store, self.bridge.post, self.bridge.background, lambda path: "no", _never_spawn
        )
        self.workspace.told.connect(self.told.append)
        post, background = self.bridge.post, self.bridge.background
        self.library = Library(self.paths, post, background, self.told.append)
        self.quantizing = Quantizing(self.paths, post, background)
        self.quantizing.made.connect(lambda _path: self.library.refresh())
        self.downloads = Downloads(self.paths, post)
        self.downloads.finished.connect(lambda _view: self.library.refresh())

        def get_hub() -> Hub:
            self.asked += 1
            assert hub is not None, "nobody may ask the Hub"
            return hub

        self.search = HubSearch(get_hub, background)
        self.pages = HubPages(get_hub, background, self.paths.config, lambda: True)
        clock = AtOnce()
        theme = dressed(qt, scheme)
        highlighter = Highlighter(clock)
        self.page = ModelsPage(
            Rooms(
                self.workspace,
                self.library,
                self.quantizing,
                self.downloads,
                self.search,
                self.pages,
                theme,
                clock,
                background,
                lambda: Body(theme, highlighter, self.page),
            )
        )
        qtbot.addWidget(self.page)
        self.page.resize(1280, 760)
        self.page.show()

    def look(self) -> None:
        """Look at the disk, to the end."""
        self.library.refresh()
        self.qtbot.waitUntil(lambda: not self.library.scanning, timeout=20_000)

    def close(self) -> None:
        """End everything."""
        self.search.stop()
        self.pages.close()
        self.downloads.close()
        self.quantizing.close()
        self.library.close()
        self.workspace.close()
        self.bridge.close()


def _never_spawn(*_: Any) -> Any:
    raise AssertionError("no engine is started here")


def put(folder: Path, name: str, **more: Any) -> Path:
    """A tiny model under that name."""
    from gguf_factory import random_model

    folder.mkdir(parents=True, exist_ok=True)
    random_model(folder / name, **more)
    return folder / name
