"""The composition root of the window: builds the services, hands them on, ends them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QWidget

from playground.conversation.store import Store
from playground.paths import Paths, find_paths
from playground.protocol.events import Tuned
from playground.protocol.measured import Measured
from playground.resources import resource
from playground.settings.app import AppSettings
from playground.supervisor.machine import read_machine, write_machine
from playground.translate import tr
from playground.ui import language, plot_settings
from playground.ui.bridge import Bridge
from playground.ui.collector import Collector
from playground.ui.frame_clock import FrameClock
from playground.ui.leaving import Leaving
from playground.ui.main_window import MainWindow
from playground.ui.preferences import Preferences, connect
from playground.ui.theme import Theme, load_fonts
from playground.ui.unsaved import Unsaved
from playground.workspace.lane import ModelRef, Notice, NoticeAction
from playground.workspace.loading import starter_missing
from playground.workspace.measuring import Measuring
from playground.workspace.ports import Spawn
from playground.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playground.ui.models.page import ModelsPage
    from playground.ui.settings.window import SettingsWindow
    from playground.workspace.downloads import Downloads
    from playground.workspace.hub import HubPages, HubSearch
    from playground.workspace.library import Library
    from playground.workspace.quantizing import Quantizing

LAYOUT = "layout"
BENCH = "bench"
MODELS = "models"
"""Where the store keeps the window's layout, what was measured last, and how the Models page was left."""
LIBRARY_AFTER_MS = 2000
"""The first model comes first."""


class App(QObject):
    """The running window with everything behind it."""

    def __init__(self, paths: Paths, open_path: str | None = None, spawn: Spawn | None = None) -> None:
        """``spawn`` starts engine processes in place of the usual one, see `workspace.ports`."""
        super().__init__()
        self._paths = paths
        self._open_path = open_path
        self.settings = AppSettings(paths.config / "settings.json")
        self.settings.load()
        qt = QApplication.instance()
        assert isinstance(qt, QApplication)
        language.use(self.settings["language"], qt)
        self.theme = Theme(self.settings["theme"], self)
        qt.setFont(self.theme.font())
        self.clock = FrameClock(self)
        self.bridge = self.clock.feed = Bridge(self)
        self.store = Store(paths.database, self.bridge.post)
        self.workspace = Workspace(
            paths.logs,
            self.store,
            self.bridge.post,
            self.bridge.background,
            lambda path: read_model(paths, path),
            spawn,
            self.bridge.post_soon,
        )
        self.library: Library | None = None
        self.quantizing: Quantizing | None = None
        self.downloads: Downloads | None = None
        """Made after the first paint."""
        self.models_page: ModelsPage | None = None
        self._search: HubSearch | None = None
        self._pages: HubPages | None = None
        self.store.on_error = self.workspace.told.emit
        self.measuring = Measuring(self.workspace.jobs, self.workspace.engines, self.bridge.background, paths.config)
        self.window = MainWindow(self.workspace, self.theme, self.clock, self.bridge.background)
        self.window.pages.makers |= {"models": self._make_models, "bench": self._make_bench}
        # After the window: under a style sheet every reparenting would polish its subtree again.
        self.theme.apply(qt)
        self.window.closed.connect(self.close)
        self._leaving = Leaving(self.workspace, self.window)
        self._unsaved = Unsaved(self.store, self.window)
        self.workspace.outside |= {"download_starter": self._download_starter, "find_models": self._find_models}
        self.preferences = Preferences(self.settings, self.bridge.background, self.workspace.told.emit, self)
        connect(self.preferences, self.window, self.theme, self.workspace)
        self._connect_settings()
        self._settings_window: SettingsWindow | None = None
        self.window.settings_wanted.connect(self._show_settings)
        self.workspace.engines.tune_s = 1.0
        self.workspace.engines.watch = self.bridge.watch
        self.workspace.engines.tuned.connect(self._keep_measured)
        self._collector = Collector(self.workspace, self)
        self._models: list[ModelRef] | None = None
        self._starter: ModelRef | None = None
        self._restored = self._measured_known = False
        self._closed = False

    def show(self) -> None:
        """Show the window; everything slow begins after its first paint."""
        self.window.resize(1440, 900)
        self._first_paint = _FirstPaint(self._after_paint, self.window)
        self.window.show()

    def close(self) -> None:
        """Keep what is open and end every engine."""
        if self._closed:
            return
        self._closed = True
        self.store.set_state(LAYOUT, self.window.layout_state())
        self.workspace.close()
        if self._search is not None and self._pages is not None:
            self._search.stop()
            self._pages.close()
        for service in (self.library, self.quantizing, self.downloads):
            if service is not None:
                service.close()
        self.store.close()
        self.bridge.close()

    def _after_paint(self) -> None:
        self.store.start()
        self.workspace.presets.begin(self._paths.config / "presets")
        self.workspace.keeping.begin(self._paths.states, self.settings["states_gb"])
        self.bridge.background(lambda: read_machine(self._paths.config), self._take_measured)
        self.bridge.background(lambda: find_models(self._paths), self._found)
        self.workspace.chats.start(self._lanes_stand)
        self.window.finish()
        self._ring_focus()
        self.store.get_state(LAYOUT, lambda kept: self.window.restore_layout(kept) if kept else None)
        self.window.focus_composer()
        if self.window.plots is not None:
            plot_settings.follow(self.preferences, self.window.plots.latency)
            QTimer.singleShot(0, self.window.plots.warm_up)
        for complaint in self.settings.complaints:
            self.workspace.told.emit(complaint)
        self._start_downloads()
        QTimer.singleShot(LIBRARY_AFTER_MS, self._start_library)

    def _ring_focus(self) -> None:
        from playground.ui.focus_ring import FocusRing

        qt = QApplication.instance()
        assert isinstance(qt, QApplication)
        self._focus_ring = FocusRing(qt, self.theme, self)

    def _lanes_stand(self) -> None:
        self._restored = True
        self._begin()

    def _found(self, found: tuple[list[ModelRef], ModelRef | None]) -> None:
        self._models, self._starter = found
        self._begin()

    def _begin(self) -> None:
        """Load what the lanes ask for, once both the kept lanes and the models are known."""
        if not self._restored or self._models is None or not self._measured_known:
            return
        chosen = self._starter
        self.workspace.set_models(self._models, chosen)
        self.window.tell_own_memory()
        if self._open_path is not None:
            self.workspace.open_path(str(Path(self._open_path).absolute()))
            self._open_path = None
            return
        if chosen is None and not any(lane.model for lane in self.workspace.lanes):
            lane = self.workspace.lanes[0]
            lane.notice = starter_missing()
            lane.changed.emit()
            return
        self.workspace.load_lanes()
        if chosen is not None:
            self.bridge.background(lambda: verify_starter(self._paths, chosen.path), self._verified)

    def _take_measured(self, machine: Measured | None) -> None:
        self._measured_known = True
        self.workspace.engines.machine = machine
        self._begin()

    def _keep_measured(self, event: Tuned) -> None:
        if event.machine is None:
            self.workspace.told.emit(event.skipped)
            return
        machine = event.machine
        self.bridge.background(
            lambda: write_machine(self._paths.config, machine),
            lambda said: self.workspace.told.emit(said) if said else None,
        )

    def _verified(self, good: bool) -> None:
        if good:
            return
        for lane in self.workspace.lanes:
            if lane.model is not None and lane.model is self._starter:
                lane.notice = Notice(
                    "warn",
                    tr("The starter model is not the published file"),
                    tr("Its SHA-256 differs from the published one, so it may be damaged and answer wrongly."),
                    (
                        NoticeAction("download_starter", tr("Download it again"), primary=True),
                        NoticeAction("dismiss", tr("Dismiss")),
                    ),
                )
                lane.changed.emit()

    def _show_settings(self, section: str) -> None:
        if self._settings_window is None:
            from playground.ui.settings.window import SettingsWindow

            self._settings_window = SettingsWindow(self.preferences, self.theme, self.window)
        self._settings_window.open_at(section)

    def _connect_settings(self) -> None:
        """What the settings change outside the window; what is changed elsewhere is kept here."""
        preferences, workspace = self.preferences, self.workspace
        preferences.effect("together", workspace.set_together)
        preferences.effect("governor", workspace.set_governed)
        preferences.effect("states_gb", workspace.keeping.set_gb, now=False)
        preferences.effect("downloads_at_once", self._limit_downloads)
        preferences.effect("download_mb_s", self._limit_downloads)
        workspace.lanes_changed.connect(lambda: preferences.set("together", workspace.together))
        workspace.keeping.changed.connect(lambda: preferences.set("states_gb", workspace.keeping.gb))
        workspace.governed_changed.connect(lambda on: preferences.set("governor", on))

    def _limit_downloads(self, _value: object) -> None:
        if self.downloads is not None:
            self.downloads.set_at_once(self.settings["downloads_at_once"])
            self.downloads.set_limit(self.settings["download_mb_s"])

    def _make_models(self) -> QWidget:
        from playground.fit.gpu import Gpu
        from playground.hub.client import Hub
        from playground.ui.chat.card import card_maker
        from playground.ui.models.page import ModelsPage
        from playground.ui.models.rooms import Rooms
        from playground.workspace.hub import HubPages, HubSearch

        self._start_downloads()
        self._start_library()
        assert self.library is not None
        assert self.quantizing is not None
        assert self.downloads is not None
        workspace, background = self.workspace, self.bridge.background
        self._search = HubSearch(Hub, background)
        self._pages = HubPages(
            Hub, background, self._paths.config, lambda: any(lane.busy for lane in workspace.lanes),
            lambda: Gpu(workspace.engines.gpu or "", *workspace.engines.gpu_memory),
        )  # fmt: skip
        for signal in (self._search.changed, self._pages.changed):
            signal.connect(self._tell_network)
        page = self.models_page = ModelsPage(
            Rooms(
                workspace, self.library, self.quantizing, self.downloads, self._search, self._pages, self.theme,
                self.clock, background, card_maker(self.theme, self.clock, self.window),
            )
        )  # fmt: skip
        page.opened.connect(lambda: self.window.show_page("chat"))
        self.store.get_state(MODELS, lambda kept: page.restore(kept) if kept else None)
        page.kept_changed.connect(lambda kept: self.store.set_state(MODELS, kept))
        return page

    def _find_models(self, _letter: str) -> None:
        self.window.show_page("models")
        if self.models_page is not None:
            self.models_page.show_tab("find")

    def _make_bench(self) -> QWidget:
        from playground.bench.history import History
        from playground.ui.bench.page import BenchPage
        from playground.workspace.bench import Bench
        from playground.workspace.bench_kept import BenchKept

        workspace, background = self.workspace, self.bridge.background
        kept = BenchKept(History(self._paths.data), background, workspace.told.emit)
        workspace.bench = Bench(workspace.state, workspace.engines, workspace.loading, kept)
        page = BenchPage(workspace, workspace.bench, self.theme, self.clock, background)
        self.store.get_state(BENCH, lambda wishes: page.setup.restore(wishes) if wishes else None)
        page.setup.changed.connect(lambda wishes: self.store.set_state(BENCH, wishes))
        return page

    def _download_starter(self, letter: str) -> None:
        from playground.workspace.starter_download import StarterDownload

        if self.downloads is not None:
            StarterDownload(self.workspace, self.downloads, letter, self._reload_models).start()

    def _start_downloads(self) -> None:
        """What an earlier run left goes on; what arrives is in the library at once."""
        if self.downloads is not None:
            return
        from playground.workspace.downloads import Downloads

        at_once, mb_s = self.settings["downloads_at_once"], self.settings["download_mb_s"]
        made = self.downloads = Downloads(self._paths, self.bridge.post, at_once=at_once, mb_s=mb_s)
        made.told.connect(self.workspace.told.emit)
        made.changed.connect(self._tell_network)
        made.finished.connect(lambda _view: self._arrived())
        made.limited.connect(lambda: self.preferences.set("download_mb_s", made.mb_s))
        made.start()

    def _arrived(self) -> None:
        """A download is complete: the picker and the library have it now."""
        self.bridge.background(lambda: find_models(self._paths), lambda found: self.workspace.set_models(*found))
        if self.library is not None:
            self.library.refresh()

    def _tell_network(self) -> None:
        """The status bar says what goes over the network."""
        from playground.workspace.model_words import network_words

        search, shown = self._search, self._pages.open_page if self._pages is not None else None
        asking = search is not None and search.stage == "asking"
        asking = asking or (shown is not None and "asking" in (shown.stage, shown.header))
        self.window.status.set_network(network_words(self.downloads.items if self.downloads else (), asking))

    def _start_library(self) -> None:
        """All models of this machine; what the first look left out for being slow comes with it."""
        if self._closed or self.library is not None:
            return
        from playground.workspace.library import Library
        from playground.workspace.quantizing import Quantizing
        from playground.workspace.starter_quants import StarterQuants

        self.library = Library(self._paths, self.bridge.post, self.bridge.background, self.workspace.told.emit)
        self.library.follow(self.workspace.jobs)
        self.library.looked.connect(lambda models: self.workspace.set_models(models, self._starter))
        self.quantizing = Quantizing(self._paths, self.bridge.post, self.bridge.background)
        self.quantizing.made.connect(lambda _path: self.library.refresh() if self.library else None)
        quants = StarterQuants(self.workspace, self.library, self.quantizing)
        self.workspace.outside["starter_quants"] = lambda _letter: quants.start()
        self.library.refresh()

    def _reload_models(self) -> None:
        self.bridge.background(lambda: find_models(self._paths), self._found)


class _FirstPaint(QObject):
    """Calls a function once, right after a window was first painted."""

    def __init__(self, then: Callable[[], None], window: QWidget) -> None:
        super().__init__(window)
        self._then = then
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the paint; what it draws is on screen when the next events are handled."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self._then)
        return False


def read_model(paths: Paths, path: str) -> ModelRef | str:
    """`known_models.read_model`, imported when first wanted; not for the GUI thread."""
    from playground.workspace import known_models

    return known_models.read_model(paths, path)


def find_models(paths: Paths) -> tuple[list[ModelRef], ModelRef | None]:
    """`known_models.find_models`, likewise."""
    from playground.workspace import known_models

    return known_models.find_models(paths)


def verify_starter(paths: Paths, path: str) -> bool:
    """`known_models.verify_starter`, likewise."""
    from playground.workspace import known_models

    return known_models.verify_starter(paths, path)


def main(open_path: str | None = None) -> int:
    """Open the window and run until it is closed; the exit code."""
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")
    QApplication.setApplicationName("playground")
    QApplication.setApplicationDisplayName("Playground")
    QApplication.setDesktopFileName("playground")
    qt = QApplication(sys.argv[:1])
    qt.setWindowIcon(QIcon(str(resource("icons", "playground.svg"))))
    load_fonts()
    app = App(find_paths(), open_path)
    app.show()
    code = qt.exec()
    app.close()
    return code
