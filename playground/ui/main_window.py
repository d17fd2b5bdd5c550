"""The main window: composes the panes and arranges them for the room there is. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from playground.actions.pages import CHAT
from playground.actions.table import ACTIONS
from playground.ui.chat.composer import Composer
from playground.ui.commands import Commands, MainMenu
from playground.ui.docks import OVERLAY_BELOW, Docks
from playground.ui.dropped import local_files
from playground.ui.frame_clock import FrameClock
from playground.ui.layouts import Column
from playground.ui.pages import Pages, Place
from playground.ui.pane_grip import PaneGrip
from playground.ui.sidebar import Sidebar
from playground.ui.status_bar import StatusBar
from playground.ui.theme import Theme
from playground.ui.toolbar import Toolbar
from playground.ui.view import WindowView
from playground.ui.widgets import bind
from playground.workspace.workspace import Workspace

if TYPE_CHECKING:
    import psutil

    from playground.ui.lanes_area import LanesArea
    from playground.ui.palette import Palette
    from playground.ui.plots.dock import PlotDock
    from playground.ui.sampling.panel import RightPanel

DOCK_MIN_HEIGHT = 720
DOCK_MIN_WIDTH = 960
TABLE_MIN_HEIGHT = {3: 780, 4: 880}
"""Window height in pixels under which the table of so many lanes would leave them too little room."""


class MainWindow(QWidget):
    """Toolbar, sidebar, lanes, composer, plots, panel, status bar."""

    closed = Signal()
    theme_chosen = Signal(str)
    text_resized = Signal(int)
    """Steps larger or smaller; 0: the usual size."""
    settings_wanted = Signal(str)
    """A section of the settings."""

    def __init__(
        self,
        workspace: Workspace,
        theme: Theme,
        clock: FrameClock,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock = workspace, theme, clock
        self.before_closing: list[Callable[[], bool]] = []  # each may hold the window open
        self.setWindowTitle("Playground")
        self.setMinimumSize(900, 640)
        self.setAcceptDrops(True)
        self.setProperty("surface", "chrome")
        self._compose()
        self.view = WindowView(self, workspace, background)
        self.commands = Commands(self, workspace, self.view)
        self.menu = MainMenu(self, self.commands)
        self.toolbar.asked.connect(self._run)
        workspace.outside |= {
            "choose_model": self._open_picker,
            "open_file": self.view.ask_for_model_file,
        }
        bind(self, workspace.lanes_changed, self._lanes_changed)
        bind(self, workspace.chat_changed, self._title)
        bind(self, workspace.active_changed, self._title)
        self._told = workspace.told.connect(self.status.toast)
        self._ticker = QTimer(self)
        self._ticker.setInterval(1000)
        self._ticker.timeout.connect(self._tick)
        self._watched: list[Callable[[], None]] = []
        self._lanes_changed()
        self._title()

    def _compose(self) -> None:
        workspace, theme, clock = self._workspace, self._theme, self._clock
        self.toolbar = Toolbar(workspace, theme)
        self.sidebar = Sidebar(workspace, theme)
        self.lanes: LanesArea | None = None
        self.grips: list[PaneGrip] = []
        self.plots: PlotDock | None = None
        self.panel: RightPanel | None = None
        self.lanes_place, self.plots_place = Place("canvas"), Place("canvas")
        self.panel_place, self.readout_place, self.compare_place = Place("chrome"), Place("canvas"), Place("canvas")
        self.composer = Composer(workspace, theme)
        self.status = StatusBar(workspace, theme, clock)
        self.composer.edit_last.connect(self._edit_last)
        self.composer.refused.connect(self.status.toast)

        talk = QWidget()
        talk.setProperty("surface", "canvas")
        column = QVBoxLayout(talk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.lanes_place, 1)
        column.addWidget(self.composer)
        column.addWidget(self.compare_place)
        self.docks = Docks(self.sidebar, self.panel_place, talk, self.plots_place, self.readout_place)
        self.layouts, self.left, self.right = self.docks.layouts, self.docks.left, self.docks.right

        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        self.pages = Pages(self.docks.page)
        page.addWidget(self.toolbar)
        page.addWidget(self.pages, 1)
        page.addWidget(self.status)

    def finish(self) -> None:
        """Fill the places that the first picture showed empty. Their modules take longer than the window itself."""
        from playground.ui.compare_table import CompareTable
        from playground.ui.grips import add_grips
        from playground.ui.lanes_area import LanesArea
        from playground.ui.plot_menu import PlotMenus
        from playground.ui.plots.dock import PlotDock
        from playground.ui.plots.readout import PlotReadout
        from playground.ui.sampling.panel import RightPanel
        from playground.ui.token_link import TokenLink

        workspace, theme, clock = self._workspace, self._theme, self._clock
        self.lanes = LanesArea(workspace, theme, clock)
        self.lanes_place.fill(self.lanes)
        self.plots = PlotDock(workspace, theme, clock)
        self.plots.latency.bar.use(workspace.overlays)
        self.plot_menus = PlotMenus(self.plots, self.commands)
        self.token_link = TokenLink(workspace, self.lanes, self.plots.latency)
        self.plots_place.fill(self.plots)
        readout = PlotReadout(workspace, theme, clock)
        self.readout_place.fill(readout)
        self.compare_place.fill(CompareTable(workspace, theme, clock))
        self.panel = RightPanel(workspace, theme, clock)
        self.panel_place.fill(self.panel)
        self.grips = add_grips(self.docks, self, theme)
        self.docks.forget_sizes()
        self._arrange()

    # What the actions ask of the window.

    def show_page(self, page: str) -> None:
        """Show the chat or another page, and give it the keyboard."""
        if page == self.pages.shown:
            return
        self.pages.show_page(page)
        self.toolbar.show_page(page)
        self.focus_page()

    def focus_page(self) -> None:
        """Give the keyboard to the page that is shown."""
        other = self.pages.other
        self.composer.focus_field() if other is None else other.focus_first()

    def toggle_sidebar(self) -> None:
        """Show or hide the chat list."""
        self.show_page(CHAT)
        self.left.toggle()
        self.layouts.change(sidebar=self.left.wanted)
        self._reflect()

    def toggle_panel(self) -> None:
        """Show or hide sampling and model settings."""
        self.show_page(CHAT)
        self.right.toggle()
        self.layouts.change(panel=self.right.wanted)
        self._reflect()

    def toggle_plots(self) -> None:
        """Show or hide latency and memory."""
        self.show_page(CHAT)
        self.layouts.change(plots=not self.layouts.now.plots)
        self._arrange()

    @cached_property
    def palette_popup(self) -> Palette:
        """Every action by name, made when it is first wanted."""
        from playground.ui.palette import Palette

        return Palette(self, self._theme, self.commands)

    def show_palette(self) -> None:
        """Every action by name."""
        self.palette_popup.open()

    def focus_composer(self) -> None:
        """Put the cursor into the message field."""
        self.show_page(CHAT)
        self.composer.focus_field()

    def panes(self) -> list[QWidget]:
        """Where F6 goes, in order."""
        chat = (self.sidebar, self.lanes_place, self.composer, self.plots_place, self.panel_place)
        other = self.pages.other
        return list(chat) if other is None else other.panes()

    def place_plots(self, where: str) -> None:
        """Put the plots somewhere around the chat, see `layouts.PlotsAt`, and show them."""
        self.show_page(CHAT)
        self.layouts.change(plots=True, plots_at=where, plots_size=0)
        self._arrange()

    def swap_sides(self) -> None:
        """Change places of sidebar and settings panel."""
        self.show_page(CHAT)
        self.layouts.swap_sides()
        self._arrange()

    def place_column(self, columns: tuple[Column, ...]) -> None:
        """Put sidebar, chat and panel into another order."""
        self.layouts.change(columns=columns)
        self._arrange()

    def reset_layout(self) -> None:
        """Every pane where it was at first."""
        self.show_page(CHAT)
        self.layouts.reset()
        self._arrange()

    # Layout.

    def layout_state(self) -> dict[str, Any]:
        """What is remembered for the next start."""
        return {
            "geometry": bytes(self.saveGeometry().toBase64().data()).decode(),
            "layouts": self.layouts.as_kept(),
        }

    def restore_layout(self, kept: dict[str, Any]) -> None:
        """Bring back what was remembered."""
        self.restoreGeometry(QByteArray.fromBase64(str(kept.get("geometry", "")).encode()))
        self.layouts.restore(kept.get("layouts"))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the panes for the new size."""
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """A minimised window draws nothing."""
        if event.type() == QEvent.Type.WindowStateChange:
            self._clock.pause() if self.isMinimized() else self._clock.resume()
        super().changeEvent(event)

    def _arrange(self) -> None:
        lanes, width, height = len(self._workspace.lanes), self.width(), self.height()
        layout = self.layouts.now
        self.docks.arrange(lanes, width)
        readout = width < OVERLAY_BELOW or height < DOCK_MIN_HEIGHT
        self.plots_place.setVisible(layout.plots and not readout)
        self.compare_place.setVisible(layout.plots and lanes >= 3 and height >= TABLE_MIN_HEIGHT[lanes] and not readout)
        self.readout_place.setVisible(layout.plots and readout and width >= DOCK_MIN_WIDTH)
        if not self.plots_place.isHidden():
            self.docks.place_plots(layout, height, self.plots.splitter if self.plots is not None else None)
        for grip in self.grips:
            grip.setVisible(not self.docks.is_overlay(grip.parentWidget()))
        self._reflect()

    def _reflect(self) -> None:
        self.toolbar.sidebar.setChecked(self.left.shown)
        self.toolbar.offer_new(not self.left.shown)  # the sidebar has one of its own
        self.toolbar.panel.setChecked(self.right.shown)
        self.toolbar.plots.setChecked(self.layouts.now.plots)

    # Inside.

    def _run(self, action_id: str) -> None:
        self.commands.run(next(action for action in ACTIONS if action.id == action_id))
        self._reflect()

    def _lanes_changed(self) -> None:
        self.layouts.go_to(len(self._workspace.lanes))
        for disconnect in self._watched:
            disconnect()
        self._watched = [lane.changed.connect(self._wake) for lane in self._workspace.lanes]
        self._arrange()

    def _wake(self) -> None:
        if not self._ticker.isActive() and any(lane.busy or lane.state == "loading" for lane in self._workspace.lanes):
            self._ticker.start()

    def _tick(self) -> None:
        self.tell_own_memory()
        if not self._workspace.tick():
            self._ticker.stop()

    def tell_own_memory(self) -> None:
        """Show what this process occupies in the status bar."""
        self.status.set_own_rss(self._process.memory_info().rss)

    @cached_property
    def _process(self) -> psutil.Process:
        """Made once: that reads several files."""
        import psutil

        return psutil.Process()

    def _title(self) -> None:
        title = self._workspace.chat.title
        self.setWindowTitle(f"{title} — Playground" if title else "Playground")

    def _edit_last(self) -> None:
        if self.lanes is not None:
            self.lanes.view(self._workspace.active).transcript.edit_last_user()

    def _open_picker(self, letter: str) -> None:
        if self.lanes is not None:
            self.lanes.view(letter).header.open_picker()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept local files."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file as a model."""
        paths = local_files(event.mimeData())
        if paths:
            self._workspace.open_path(paths[0])
            event.acceptProposedAction()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell the composition root, if nobody objects; it ends engines and keeps what is open."""
        if not all(agrees() for agrees in self.before_closing):
            event.ignore()
            return
        self.closed.emit()
        super().closeEvent(event)
