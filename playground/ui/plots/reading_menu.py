"""The button in the memory pane's head that switches readings on and off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu

from playground.settings.readings import Reading
from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton


class ReadingButton(IconButton):
    """``chosen`` tells a reading's name and whether it shall be shown."""

    chosen = Signal(str, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "plus", tr("More readings under the plot: CPU, energy, context"), size=24)

    def menu_of(self, offered: Sequence[tuple[Reading, str]], on: frozenset[str]) -> QMenu:
        """One entry for each reading of this machine; one that it keeps to itself says why."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for row, why in offered:
            assert row.track is not None
            item = menu.addAction(tr(row.label))
            item.setCheckable(True)
            item.setChecked(row.name in on and not why)
            item.setEnabled(not why)
            item.setToolTip(why or tr(row.track.help))
            item.triggered.connect(lambda chosen=False, name=row.name: self.chosen.emit(name, chosen))
        return menu

    def open_menu(self, offered: Sequence[tuple[Reading, str]], on: frozenset[str]) -> None:
        """The menu under the button."""
        self.menu_of(offered, on).popup(self.mapToGlobal(QPoint(0, self.height() + 2)))
