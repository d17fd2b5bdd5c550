"""What actions may ask of the window: `actions.table.View`, carried out on its panes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from playground.actions.pages import CHAT
from playground.translate import tr
from playground.ui.exported import write_and_say
from playground.ui.widgets import ask_for_gguf
from playground.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playground.ui.main_window import MainWindow


class WindowView:
    """The window as actions see it; it owns nothing."""

    def __init__(
        self,
        window: MainWindow,
        workspace: Workspace,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        self._window, self._workspace, self._background = window, workspace, background
        self.focus_page = window.focus_page
        self.focus_composer = window.focus_composer
        self.show_page = window.show_page
        self.show_palette = window.show_palette
        self.toggle_sidebar = window.toggle_sidebar
        self.toggle_panel = window.toggle_panel
        self.toggle_plots = window.toggle_plots
        self.place_plots = window.place_plots
        self.swap_sides = window.swap_sides
        self.reset_layout = window.reset_layout

    def focus_next_pane(self) -> None:
        """Move the focus to the next visible pane."""
        panes = [pane for pane in self._window.panes() if pane.isVisible()]
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
        self._open_sidebar()
        self._window.sidebar.focus_search()

    def rename_current(self) -> None:
        """Rename the open chat in the sidebar."""
        self._open_sidebar()
        self._window.sidebar.rename(self._workspace.chat.id)

    def _open_sidebar(self) -> None:
        self._window.show_page(CHAT)
        if not self._window.left.shown:
            self._window.toggle_sidebar()

    def ask_for_model_file(self, letter: str | None = None) -> None:
        """Choose a GGUF from disk for a lane."""
        ask_for_gguf(self._window, lambda path: self._workspace.open_path(path, letter))

    def choose_theme(self, choice: str) -> None:
        """Dark, light, high contrast, or as the system."""
        self._window.theme_chosen.emit(choice)

    def resize_text(self, steps: int) -> None:
        """Larger, smaller; 0: the usual size."""
        self._window.text_resized.emit(steps)

    def show_menu(self) -> None:
        """All actions as a menu, under its button."""
        button = self._window.toolbar.menu
        menu = self._window.menu
        menu.refresh()
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 2)))

    def show_settings(self, section: str) -> None:
        """The settings: ``app``, ``load``, ``sampling`` or ``keys``."""
        self._window.settings_wanted.emit(section)

    def toggle_full_screen(self) -> None:
        """Full screen and back."""
        self._window.showNormal() if self._window.isFullScreen() else self._window.showFullScreen()

    def export_chat(self, kind: str) -> None:
        """Write the conversation to a file the user names."""
        from playground.conversation import export

        suffix = "md" if kind == "markdown" else "json"
        dialog = QFileDialog(self._window, tr("Export the chat"), export.file_name(self._workspace.chat, suffix))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        chat, lane = self._workspace.chat, self._workspace.lane(self._workspace.active)
        text = (
            export.path_as_markdown(chat, lane.leaf, lane.system) if kind == "markdown" else export.chat_as_json(chat)
        )

        def write(path: str) -> None:
            self._background(lambda: write_and_say(Path(path), text), self._window.status.toast)

        dialog.fileSelected.connect(write)
        dialog.open()

    def export_plot(self, plot: str, kind: str) -> None:
        """Write what a plot shows to a file the user names, or copy it as an image."""
        from playground.ui.plot_exports import PlotExports

        PlotExports(self._window, self._workspace, self._background, self._window.status.toast).export(plot, kind)

    def show_overlays(self) -> None:
        """What can be laid over the latency plot, as a menu there."""
        plots = self._window.plots
        if plots is not None:
            latency = plots.latency
            latency.bar.open_menu(latency.head.axis, latency.axis)

    def quit(self) -> None:
        """Close the window, and with it the app."""
        self._window.close()


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
