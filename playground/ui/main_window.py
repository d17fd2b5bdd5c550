"""The main window: composes the panes and arranges them for the room there is. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QSplitter, QVBoxLayout, QWidget

from playground.actions.pages import CHAT
from playground.actions.table import ACTIONS
from playground.ui.chat.composer import Composer
from playground.ui.commands import Commands, Palette
from playground.ui.frame_clock import FrameClock
from playground.ui.pages import Pages, Place
from playground.ui.side_pane import SidePane
from playground.ui.sidebar import Sidebar
from playground.ui.status_bar import StatusBar
from playground.ui.theme import Theme
from playground.ui.toolbar import Toolbar
from playground.ui.widgets import ask_for_gguf, bind
from playground.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playground.ui.lanes_area import LanesArea
    from playground.ui.plots.dock import PlotDock
    from playground.ui.sampling.panel import RightPanel

OVERLAY_BELOW = 1100
"""Window width in pixels under which sidebar and panel lie over the centre."""
DOCK_MIN_HEIGHT = 720
DOCK_MIN_WIDTH = 960
TABLE_MIN_HEIGHT = {3: 780, 4: 880}
"""Window height in pixels under which the table of so many lanes would leave them too little room."""


class MainWindow(QWidget):
    """Toolbar, sidebar, lanes, composer, plots, panel, status bar."""

    closed = Signal()
    theme_chosen = Signal(str)

    def __init__(
        self,
        workspace: Workspace,
        theme: Theme,
        clock: FrameClock,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock, self._background = workspace, theme, clock, background
        self.before_closing: list[Callable[[], bool]] = []  # each may hold the window open
        self.setWindowTitle("Playground")
        self.setMinimumSize(900, 640)
        self.setAcceptDrops(True)
        self.setProperty("surface", "chrome")
        self._compose()
        self.commands = Commands(self, workspace, self)
        self.palette_popup = Palette(self, theme, self.commands)
        self.toolbar.asked.connect(self._run)
        workspace.outside |= {
            "choose_model": self._open_picker,
            "open_file": lambda letter: self.ask_for_model_file(letter),
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
        self.centre = QSplitter(Qt.Orientation.Vertical)
        self.centre.setChildrenCollapsible(False)
        self.centre.addWidget(talk)
        self.centre.addWidget(self.plots_place)
        self.centre.setStretchFactor(0, 1)
        self.centre.setStretchFactor(1, 0)
        self.centre.setSizes([640, 218])
        middle = QWidget()
        rows = QVBoxLayout(middle)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.centre, 1)
        rows.addWidget(self.readout_place)
        middle.setMinimumWidth(480)

        self.body = QSplitter(Qt.Orientation.Horizontal)
        self.body.setChildrenCollapsible(False)
        self.body.addWidget(middle)
        body_holder = QWidget()
        holder = QVBoxLayout(body_holder)
        holder.setContentsMargins(0, 0, 0, 0)
        holder.addWidget(self.body)
        self.left = SidePane(self.sidebar, body_holder, self.body, "left")
        self.right = SidePane(self.panel_place, body_holder, self.body, "right")
        self.body.setStretchFactor(1, 1)
        self._plots_wanted = True
        self._dock_height = 0

        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        self.pages = Pages(body_holder)
        page.addWidget(self.toolbar)
        page.addWidget(self.pages, 1)
        page.addWidget(self.status)

    def finish(self) -> None:
        """Fill the places that the first picture showed empty. Their modules take longer than the window itself."""
        from playground.ui.compare_table import CompareTable
        from playground.ui.lanes_area import LanesArea
        from playground.ui.plots.dock import PlotDock
        from playground.ui.plots.readout import PlotReadout
        from playground.ui.sampling.panel import RightPanel

        workspace, theme, clock = self._workspace, self._theme, self._clock
        self.lanes = LanesArea(workspace, theme, clock)
        self.lanes_place.fill(self.lanes)
        self.plots = PlotDock(workspace, theme, clock)
        self.plots_place.fill(self.plots)
        readout = PlotReadout(workspace, theme, clock)
        self.readout_place.fill(readout)
        self.compare_place.fill(CompareTable(workspace, theme, clock))
        self.panel = RightPanel(workspace, theme, clock)
        self.panel_place.fill(self.panel)
        self._dock_height = 0
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
        self._reflect()

    def toggle_panel(self) -> None:
        """Show or hide sampling and model settings."""
        self.show_page(CHAT)
        self.right.toggle()
        self._reflect()

    def toggle_plots(self) -> None:
        """Show or hide latency and memory."""
        self.show_page(CHAT)
        self._plots_wanted = not self._plots_wanted
        self._arrange()

    def show_palette(self) -> None:
        """Every action by name."""
        self.palette_popup.open()

    def focus_composer(self) -> None:
        """Put the cursor into the message field."""
        self.show_page(CHAT)
        self.composer.focus_field()

    def focus_next_pane(self) -> None:
        """Move the focus to the next visible pane."""
        chat = (self.sidebar, self.lanes_place, self.composer, self.plots_place, self.panel_place)
        other = self.pages.other
        places = chat if other is None else other.panes()
        panes = [pane for pane in places if pane.isVisible()]
        here = QApplication.focusWidget()
        at = next((i for i, p in enumerate(panes) if here is not None and (p is here or p.isAncestorOf(here))), -1)
        for step in range(1, len(panes) + 1):
            pane = panes[(at + step) % len(panes)]
            target = next((w for w in pane.findChildren(QWidget) if _takes_focus(w)), None)
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def search_chats(self) -> None:
        """Put the cursor into the chat search."""
        self.show_page(CHAT)
        if not self.left.shown:
            self.toggle_sidebar()
        self.sidebar.focus_search()

    def ask_for_model_file(self, letter: str | None = None) -> None:
        """Choose a GGUF from disk for a lane."""
        ask_for_gguf(self, lambda path: self._workspace.open_path(path, letter))

    def choose_theme(self, choice: str) -> None:
        """Dark, light, or as the system."""
        self.theme_chosen.emit(choice)

    def toggle_full_screen(self) -> None:
        """Full screen and back."""
        self.showNormal() if self.isFullScreen() else self.showFullScreen()

    def export_chat(self, kind: str) -> None:
        """Write the conversation to a file the user names."""
        from playground.conversation import export

        suffix = "md" if kind == "markdown" else "json"
        dialog = QFileDialog(self, "Export the chat", export.file_name(self._workspace.chat, suffix))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chat, lane = self._workspace.chat, self._workspace.lane(self._workspace.active)
        text = (
            export.path_as_markdown(chat, lane.leaf, lane.system) if kind == "markdown" else export.chat_as_json(chat)
        )

        def write(path: str) -> None:
            self._background(lambda: _write(Path(path), text), self.status.toast)

        dialog.fileSelected.connect(write)
        dialog.open()

    def rename_current(self) -> None:
        """Rename the open chat in the sidebar."""
        self.show_page(CHAT)
        if not self.left.shown:
            self.toggle_sidebar()
        self.sidebar.rename(self._workspace.chat.id)

    def quit(self) -> None:
        """Close the window, and with it the app."""
        self.close()

    # Layout.

    def layout_state(self) -> dict[str, Any]:
        """What is remembered for the next start."""
        return {
            "geometry": bytes(self.saveGeometry().toBase64().data()).decode(),
            "plots_height": self.centre.sizes()[1] if self._plots_wanted else 0,
            "plots": self._plots_wanted,
            "sidebar": self.left.wanted,
            "panel": self.right.wanted,
        }

    def restore_layout(self, kept: dict[str, Any]) -> None:
        """Bring back what was remembered."""
        self.restoreGeometry(QByteArray.fromBase64(str(kept.get("geometry", "")).encode()))
        self._plots_wanted = bool(kept.get("plots", True))
        self.left.set_wanted(bool(kept.get("sidebar", True)))
        self.right.set_wanted(bool(kept.get("panel", True)))
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
        small = width < OVERLAY_BELOW
        roomy = width >= 1400
        self.left.arrange(small or lanes >= 3, 240 if roomy else 200)
        self.right.arrange(small or (lanes >= 3 and not roomy), 312 if roomy else 280)
        readout = small or height < DOCK_MIN_HEIGHT
        self.plots_place.setVisible(self._plots_wanted and not readout)
        self.compare_place.setVisible(
            self._plots_wanted and lanes >= 3 and height >= TABLE_MIN_HEIGHT[lanes] and not readout
        )
        self.readout_place.setVisible(self._plots_wanted and readout and width >= DOCK_MIN_WIDTH)
        self._size_panes()
        dock = 218 if height >= 860 else 180
        if not self.plots_place.isHidden() and self._dock_height != dock:
            self._dock_height = dock
            self.centre.setSizes([max(1, self.centre.height() - dock), dock])
        self._reflect()

    def _size_panes(self) -> None:
        """Give the docked panes their width and the centre the rest."""
        docked = [self.body.widget(index) for index in range(self.body.count())]
        fixed: dict[QWidget | None, int] = {self.sidebar: self.left.width, self.panel_place: self.right.width}
        taken = sum(
            width for pane, width in fixed.items() if pane in docked and pane is not None and not pane.isHidden()
        )
        self.body.setSizes([fixed.get(pane, self.width() - taken) for pane in docked])

    def _reflect(self) -> None:
        self.toolbar.sidebar.setChecked(self.left.shown)
        self.toolbar.offer_new(not self.left.shown)  # the sidebar has one of its own
        self.toolbar.panel.setChecked(self.right.shown)
        self.toolbar.plots.setChecked(self._plots_wanted)

    # Inside.

    def _run(self, action_id: str) -> None:
        self.commands.run(next(action for action in ACTIONS if action.id == action_id))
        self._reflect()

    def _lanes_changed(self) -> None:
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
        import psutil

        self.status.set_own_rss(psutil.Process().memory_info().rss)

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
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped file as a model."""
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
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


def _write(path: Path, text: str) -> str:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path.name} could not be written: {error.strerror}."
    return f"Written to {path.name}."


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
