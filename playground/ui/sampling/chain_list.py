"""The chain as a list of stages that can be reordered."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from playground.settings.sampling import SAMPLERS
from playground.translate import later, tr
from playground.ui.sampling.chain_flags import moved
from playground.ui.sampling.stage_row import LEAD, StageRow
from playground.ui.theme import Theme

_NOT_IN_CHAIN = later("Switched off; its values stay. Its switch or its menu puts it back into the chain.")


class ChainList(QWidget):
    """Stages in the order of the lane's chain; those switched off keep their place, greyed."""

    order_wanted = Signal(list)

    def __init__(self, names: Sequence[str], theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.stages: dict[str, StageRow] = {}
        self._order: list[str] = []
        self._shown: list[str] = []
        self._place: int | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._line = QFrame(self)
        self._line.setFixedHeight(2)
        self._line.hide()
        theme.changed.connect(self._restyle)
        self._restyle()
        for name in names:
            self._add(name)

    def _add(self, name: str) -> None:
        stage = StageRow(SAMPLERS[name], self._theme, self)
        stage.move_wanted.connect(self.move_stage)
        stage.dragged.connect(self._dragged)
        stage.dropped.connect(self._dropped)
        stage.chain_wanted.connect(self._put)
        self.stages[name] = stage
        self._shown.append(name)
        self._column.addWidget(stage)

    def _restyle(self) -> None:
        self._line.setStyleSheet(f"background: {self._theme.hex('accent')};")

    def set_order(self, order: Sequence[str]) -> None:
        """The lane's chain."""
        self._order = list(order)
        shown = self._with_resting([name for name in order if name in self.stages])
        for name, stage in self.stages.items():
            stage.set_in_chain(name in self._order)
        if shown != self._shown:
            self._shown = shown
            for place, name in enumerate(shown):
                self._column.insertWidget(place, self.stages[name])
            self._fix_tab_order()

    def _with_resting(self, shown: list[str]) -> list[str]:
        """The stages switched off put behind those they stood behind so far."""
        for place, name in enumerate(self._shown):
            if name not in shown:
                before = [other for other in self._shown[:place] if other in shown]
                shown.insert(shown.index(before[-1]) + 1 if before else 0, name)
        return shown

    def reason_of(self, name: str) -> str:
        """Why a stage is greyed, as far as the order says."""
        return "" if name in self._order else tr(_NOT_IN_CHAIN)

    def _fix_tab_order(self) -> None:
        for before, after in zip(self._shown, self._shown[1:], strict=False):
            last = list(self.stages[before].made.values())[-1]
            QWidget.setTabOrder(last, self.stages[after].grip)

    def move_stage(self, name: str, steps: int) -> None:
        """Move a stage up (negative) or down."""
        if name in self._order:
            wanted = moved(self._order, name, self._order.index(name) + steps)
            if wanted != self._order:
                self.order_wanted.emit(wanted)

    def _put(self, name: str, into: bool) -> None:
        wanted = [other for other in self._order if other != name]
        if into:
            before = [other for other in self._shown[: self._shown.index(name)] if other in wanted]
            wanted.insert(wanted.index(before[-1]) + 1 if before else 0, name)
        if wanted:  # an empty order means llama.cpp's own
            self.order_wanted.emit(wanted)

    def _dragged(self, name: str, at: QPointF) -> None:
        """Show where the stage would go."""
        y = self.mapFromGlobal(at).y()
        others = [other for other in self._shown if other in self._order and other != name]
        place = sum(1 for other in others if self._middle(other) < y)
        self._place = place
        edge = self.stages[others[place - 1]].geometry().bottom() + 1 if place else 0
        self._line.setGeometry(LEAD, max(0, edge - 1), self.width() - LEAD, 2)
        self._line.show()
        self._line.raise_()

    def _middle(self, name: str) -> float:
        return self.stages[name].geometry().center().y()

    def _dropped(self, name: str, kept: bool) -> None:
        self._line.hide()
        place, self._place = self._place, None
        if not kept or place is None or name not in self._order:
            return
        # Places were counted among the stages shown here; optional ones stand in the order as well.
        others = [other for other in self._shown if other in self._order and other != name]
        rest = [other for other in self._order if other != name]
        at = rest.index(others[place - 1]) + 1 if place else 0
        wanted = moved(self._order, name, at)
        if wanted != self._order:
            self.order_wanted.emit(wanted)
