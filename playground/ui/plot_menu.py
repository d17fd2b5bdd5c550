"""The plots' own menu: what the actions do with a plot, where the mouse is."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from playground.actions.table import ACTIONS
from playground.translate import tr
from playground.ui.commands import Commands
from playground.ui.plots.dock import PlotDock


class PlotMenus:
    """Opens a menu over the plot that asks for one."""

    def __init__(self, plots: PlotDock, commands: Commands) -> None:
        self._plots, self._commands = plots, commands
        plots.menu_wanted.connect(self._open)

    def menu(self, plot: str) -> QMenu:
        """Laying over, for the latency plot, and the ways out."""
        menu = QMenu(self._plots)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if plot == "latency":
            latency = self._plots.latency
            over = latency.bar.menu(latency.axis)
            over.setParent(menu, over.windowFlags())
            over.setTitle(tr("Lay over and line up"))
            menu.addMenu(over)
            menu.addSeparator()
        for action in ACTIONS:
            if action.id.startswith(f"plot.{plot}."):
                item = menu.addAction(tr(action.title))
                item.setEnabled(self._commands.usable(action))
                item.triggered.connect(lambda _=False, action=action: self._commands.run(action))
        return menu

    def _open(self, plot: str, place: QPoint) -> None:
        self.menu(plot).popup(place)
