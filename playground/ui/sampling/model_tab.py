"""How the active lane's model is loaded, and what is known of it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from playground.settings.app import FIELDS as APP
from playground.settings.field import SettingError
from playground.settings.load import FIELDS
from playground.translate import later, tr, tr_n
from playground.ui.controls import NumberRow, SettingRow, row_for
from playground.ui.sampling.kept_states import KeptStates
from playground.ui.sampling.model_facts import FactTable, PathLine, buffers_of, facts_of
from playground.ui.sampling.ports import LaneFollower, PanelWorkspace, active_lane
from playground.ui.sampling.scroll import ScrollColumn, heading, rule, sentence
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import Clock
from playground.workspace.lane import Lane
from playground.workspace.words import join_letters

LIVE = "n_threads"
"""The one option that needs no reload."""
FIXED = later("A fixed count of threads stays as it is; choose “automatic” for that.")
NO_GPU = later("This build of llama.cpp has no GPU backend.")


class ApplyBar(QFrame):
    """Says that options wait for a reload, and does it."""

    def __init__(self) -> None:
        super().__init__()
        mark(self, card="info")
        self.text = sentence(tone="2", size="small")
        self.apply = QPushButton(tr("Apply: reload"))
        self.undo = QPushButton(tr("Undo"))
        mark(self.apply, kind="primary", small="true")
        mark(self.undo, kind="quiet", small="true")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 8)
        column.addWidget(self.text)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.apply)
        buttons.addWidget(self.undo)
        buttons.addStretch()
        column.addLayout(buttons)


class ModelTab(QWidget):
    """Load options wait here until they are applied; facts follow the engine."""

    hinted = Signal(str)

    def __init__(self, workspace: PanelWorkspace, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock = workspace, theme, clock
        self._waiting: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, SettingRow] = {}
        self.governor = row_for(APP["governor"], theme)
        self.bar = ApplyBar()
        self.facts, self.buffers = FactTable(theme), FactTable(theme)
        self.path = PathLine(theme)
        self._nothing = sentence(tr("Facts about the model stand here once it is loaded."), size="small")
        self._build()
        self.bar.apply.clicked.connect(self.apply)
        self.bar.undo.clicked.connect(self.undo)
        self._follower = LaneFollower(self, workspace, self.refresh, changed=self._mark)
        self.refresh()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        scroll = ScrollColumn()
        outer.addWidget(scroll, 1)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(12, 6, 12, 8)
        inner.addWidget(self.bar)
        self._holder = holder
        outer.addWidget(holder)
        column = scroll.column
        column.addWidget(heading(self._theme, tr("How the model is loaded")))
        for field in FIELDS.fields:
            row = row_for(field, self._theme)
            row.changed.connect(self._changed)
            row.hinted.connect(self.hinted)
            self.rows[field.name] = row
            column.addWidget(row)
            if field.name == LIVE:
                column.addWidget(self.governor)
        self.governor.changed.connect(lambda _name, on: self._workspace.set_governed(on))
        self.governor.hinted.connect(self.hinted)
        column.addSpacing(8)
        column.addWidget(rule())
        self.kept = KeptStates(self._workspace.keeping, self._theme)
        self.kept.hinted.connect(self.hinted)
        column.addWidget(self.kept)
        column.addSpacing(8)
        column.addWidget(rule())
        column.addWidget(heading(self._theme, tr("The loaded model")))
        for part in (self._nothing, self.facts, self.path):
            column.addWidget(part)
        self._buffers_title = heading(self._theme, tr("Buffers, as llama.cpp reports them"))
        column.addWidget(self._buffers_title)
        column.addWidget(self.buffers)
        column.addStretch(1)

    @property
    def _lane(self) -> Lane:
        return active_lane(self._workspace)

    def _mark(self) -> None:
        if self.isVisible():
            self._clock.mark(self, self.refresh)

    def showEvent(self, event: Any) -> None:
        """Catch up with what happened meanwhile."""
        self.refresh()
        super().showEvent(event)

    def _in_force(self, lane: Lane) -> dict[str, Any]:
        return FIELDS.complete(lane.load)

    def _changed(self, name: str, value: Any) -> None:
        lane = self._lane
        if name == LIVE:
            self._workspace.set_threads(lane.letter, value)
            self._show_governor(lane)
            return
        waiting = self._waiting.setdefault(lane.letter, {})
        if value == self._in_force(lane)[name]:
            waiting.pop(name, None)
        else:
            waiting[name] = value
        self._show_bar(lane)

    def apply(self) -> None:
        """Load again with the options that wait; the conversation stays."""
        lane = self._lane
        waiting = self._waiting.get(lane.letter, {})
        try:
            self._workspace.set_load(lane.letter, dict(waiting))
        except SettingError as error:
            self.bar.text.setText(str(error))
            mark(self.bar, card="danger")
            return
        self._waiting.pop(lane.letter, None)
        if lane.model is not None:
            self._workspace.reload(lane.letter)
        self.refresh()

    def undo(self) -> None:
        """Drop the options that wait."""
        self._waiting.pop(self._lane.letter, None)
        self.refresh()

    def refresh(self) -> None:
        """Show the active lane's options and facts."""
        lane = self._lane
        values = self._in_force(lane) | self._waiting.get(lane.letter, {})
        for name, row in self.rows.items():
            row.set_lane(lane.letter)
            row.set_value(values[name])
        self._show_governor(lane)
        numbers = [row for row in self.rows.values() if isinstance(row, NumberRow)]
        width = max(row.wanted_label_width() for row in numbers)
        for row in numbers:
            row.set_label_width(width)
        engine = lane.engine
        known = bool(engine.gpu or engine.gpu_reason or engine.info)
        self.rows["n_gpu_layers"].set_reason("" if engine.gpu or not known else engine.gpu_reason or tr(NO_GPU))
        self._show_bar(lane)
        loaded = engine.info is not None
        for part in (self.facts, self.buffers, self._buffers_title):
            part.setVisible(loaded)
        self._nothing.setVisible(not loaded)
        self.facts.show_facts(facts_of(lane))
        self.buffers.show_facts(buffers_of(lane))
        self.path.show_path(engine.info.path if engine.info else lane.model.path if lane.model else "")

    def _show_governor(self, lane: Lane) -> None:
        self.governor.set_lane(lane.letter)
        fixed = bool(self._in_force(lane)[LIVE])
        self.governor.set_value(self._workspace.governed and not fixed)
        self.governor.set_reason(tr(FIXED) if fixed else "")

    def _show_bar(self, lane: Lane) -> None:
        waiting = self._waiting.get(lane.letter, {})
        self._holder.setVisible(bool(waiting))
        if not waiting:
            return
        names = [tr(FIELDS[name].label) for name in waiting]
        what = names[0] if len(names) == 1 else tr("{n} options", n=len(names))
        others = [
            other.letter
            for other in self._workspace.lanes
            if other is not lane and other.engine is lane.engine and other.engine.info is not None
        ]
        shared = (
            tr_n(
                len(others),
                "Lane {letters} has the old options until reloaded.",
                "Lanes {letters} have the old options until reloaded.",
                letters=join_letters(others),
            )
            if others
            else ""
        )
        mark(self.bar, card="info")
        self.bar.text.setText(
            f"{tr('{what}: in force once the model is loaded again. The chat stays.', what=what)} {shared}".rstrip()
        )
        self.bar.apply.setEnabled(not lane.busy)
        tip = tr("An answer is being written; stop it first.") if lane.busy else ", ".join(names)
        self.bar.apply.setToolTip(tip)

    def show_setting(self, name: str) -> bool:
        """Give a row the focus; False when it is not one of these."""
        row = self.rows.get(name)
        if row is not None:
            row.setFocus()
        return row is not None
