"""The row under the latency pane's head that names the answers laid over, and the menu that chooses them."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from playground.translate import tr
from playground.ui.plots.figures import Axis
from playground.ui.plots.latency_head import AXES
from playground.ui.plots.legend import Legend
from playground.ui.plots.overlay import Over, entry_of, over_of
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.overlays import Choice, Overlays

HEIGHT = 24
_MARGIN = 12


class OverlayBar(QWidget):
    """One read-out for each answer laid over; gone while there is none."""

    toggled = Signal(str, bool)
    """A turn's id, and whether its line is shown now."""
    axis_chosen = Signal(str)
    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._overlays: Overlays | None = None
        self._overs: dict[str, Over] = {}
        self.setFixedHeight(HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that nothing under it is painted, too
        self.legend = Legend(theme)
        self.legend.toggled.connect(self.toggled)
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN - 4, 0, _MARGIN, 0)
        row.addWidget(self.legend)
        row.addStretch(1)
        self.hide()

    def use(self, overlays: Overlays) -> None:
        """Follow what is chosen there."""
        self._overlays = overlays
        bind(self, overlays.changed, self.changed.emit)

    def take(self, hidden: frozenset[str]) -> list[Over]:
        """What is laid over now, figures and all, but for what is hidden; the row shows all."""
        shown = self._overlays.shown() if self._overlays is not None else []
        if not shown and not self._overs:
            return []
        before, self._overs = self._overs, {}
        for place, earlier in enumerate(shown):
            self._overs[earlier.id] = over_of(earlier, place, before.get(earlier.id))
        if self._overs != before:
            self.setVisible(bool(self._overs))
        self.legend.set_entries([entry_of(over) for over in self._overs.values()], hidden)
        return [over for over in self._overs.values() if over.key not in hidden]

    def menu(self, axis: Axis) -> QMenu:
        """What can be laid over, and what all are lined up by."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        overlays = self._overlays
        choices = overlays.choices() if overlays is not None else []
        menu.addAction(tr("Lay over this answer")).setEnabled(False)
        if not choices:
            menu.addAction(tr("Other versions and turns of this chat will be offered here")).setEnabled(False)
        for choice in choices:
            self._offer(menu, choice)
        menu.addSeparator()
        menu.addAction(tr("Line up by")).setEnabled(False)
        group = QActionGroup(menu)
        for name, (words, _) in AXES.items():
            shown = tr(words)
            item = menu.addAction(shown[0].upper() + shown[1:])
            item.setCheckable(True)
            item.setChecked(name == axis)
            group.addAction(item)
            item.triggered.connect(lambda _=False, name=name: self.axis_chosen.emit(name))
        if overlays is not None and self._overs:
            menu.addSeparator()
            menu.addAction(tr("Take all away")).triggered.connect(overlays.clear)
        return menu

    def open_menu(self, button: QWidget, axis: Axis) -> None:
        """The menu under its button."""
        self.menu(axis).popup(button.mapToGlobal(QPoint(0, button.height() + 2)))

    def _offer(self, menu: QMenu, choice: Choice) -> None:
        overlays = self._overlays
        assert overlays is not None
        words = f"{choice.letter} · {choice.name} · {choice.words}".replace("&", "&&")
        item = menu.addAction(words)
        item.setCheckable(True)
        item.setChecked(choice.chosen)
        item.setEnabled(choice.chosen or not overlays.full)
        item.triggered.connect(lambda on=False: overlays.set_over(choice.id, on))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the read-outs the room there is."""
        super().resizeEvent(event)
        self.legend.set_room(self.width() - 2 * _MARGIN)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas."""
        with QPainter(self) as p:
            p.fillRect(event.rect(), self._theme.color("canvas"))
