"""The sampling of the active lane: preset, chain, length and luck."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from playground.settings.field import Field, SettingError
from playground.settings.presets import changed_names
from playground.settings.sampling import CHAIN, DEFAULT_ORDER, FIELDS, LENGTH_AND_LUCK, SAMPLERS
from playground.translate import tr
from playground.ui import icons
from playground.ui.controls import NumberRow, SettingRow, row_for
from playground.ui.dropped import local_files
from playground.ui.sampling.chain_list import ChainList
from playground.ui.sampling.chain_order import ChainOrder
from playground.ui.sampling.editors import give_editors
from playground.ui.sampling.ports import LaneFollower, PanelWorkspace, active_lane
from playground.ui.sampling.preset_bar import PresetBar
from playground.ui.sampling.preset_control import PresetControl
from playground.ui.sampling.scroll import ScrollColumn, heading, rule
from playground.ui.sampling.stage_row import StageRow
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, IconButton
from playground.workspace.lane import Lane

_SEEDS = 2**32 - 1
_RARE = ("min_keep", "ignore_eos", "logit_bias")
_BESIDE_MIROSTAT = ("temperature", "mirostat")


class SamplingTab(QWidget):
    """Every field of the table as a row; a change goes to the workspace at once."""

    hinted = Signal(str)
    status_changed = Signal(str)
    """“as shipped” or “3 changed”."""

    def __init__(self, workspace: PanelWorkspace, theme: Theme, clock: Clock, letters: Callable[[], list[str]]) -> None:
        """``letters``: the lanes a change goes to."""
        super().__init__()
        self._workspace, self._theme, self._clock, self._letters = workspace, theme, clock, letters
        self._luck: dict[str, SettingRow] = {}
        self._optional: dict[str, StageRow] = {}
        self.presets = PresetBar(theme)
        self.preset = PresetControl(self.presets, workspace, theme, letters, lambda: self.refresh())
        self.chain = ChainList(DEFAULT_ORDER, theme)
        self.order = ChainOrder(theme)
        self._more_button = QPushButton(tr("More samplers"))
        self._more = QWidget()
        self.setAcceptDrops(True)
        self._build()
        self._connect()
        self._follower = LaneFollower(self, workspace, self.refresh, sampling_changed=self._mark, changed=self._mark)
        self.refresh()

    def event(self, event: QEvent) -> bool:
        """Ctrl+Z here is the panel's, whatever it means elsewhere in the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _undo_key(event):
            event.accept()
            return True
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Preset files may be dropped here; anything else is the window's."""
        event.setAccepted(bool(_preset_files(event.mimeData())))

    def dropEvent(self, event: QDropEvent) -> None:
        """Keep the presets that were dropped, and use the last."""
        if paths := _preset_files(event.mimeData()):
            event.acceptProposedAction()
            self.preset.take_in(paths)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Undo and redo of the lanes that changes go to."""
        which = _undo_key(event)
        if not which:
            event.ignore()
            return
        for letter in self._letters():
            self._workspace.undo_sampling(letter) if which == "undo" else self._workspace.redo_sampling(letter)

    @property
    def stages(self) -> dict[str, StageRow]:
        """All stages by name, made if need be."""
        self._make_optional()
        return self.chain.stages | self._optional

    @property
    def rows(self) -> dict[str, SettingRow]:
        """All rows by field name, made if need be."""
        rows = dict(self._luck)
        for stage in self.stages.values():
            rows |= stage.rows
        return rows

    def _made(self) -> dict[str, SettingRow]:
        """The rows there are so far; the others cost nothing yet."""
        rows = dict(self._luck)
        for stage in (self.chain.stages | self._optional).values():
            rows |= stage.made
        return rows

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        scroll = ScrollColumn()
        outer.addWidget(self.presets)
        outer.addWidget(rule())
        outer.addWidget(scroll, 1)
        column = scroll.column
        column.addWidget(heading(self._theme, tr("Sampler chain, top to bottom"), tr("drag to reorder")))
        column.addWidget(self.chain)
        column.addSpacing(4)
        column.addWidget(self.order)
        column.addSpacing(4)
        self._build_more(column)
        column.addSpacing(4)
        column.addWidget(rule())
        column.addWidget(heading(self._theme, tr("Length and luck")))
        for field in sorted(LENGTH_AND_LUCK, key=lambda row: row.name in _RARE):
            column.addWidget(self._luck_row(field))
        give_editors(self._luck, self._workspace)
        column.addStretch(1)

    def _build_more(self, column: QVBoxLayout) -> None:
        mark(self._more_button, kind="quiet", small="true", fold="true")
        self._more_button.setCheckable(True)
        self._more_button.setToolTip(tr("Stages that are not in llama.cpp’s default chain"))
        self._more_button.toggled.connect(self._fold)
        column.addWidget(self._more_button)
        column.addWidget(self._more)
        self._theme.changed.connect(lambda: self._fold(self._more_button.isChecked()))
        self._fold(False)

    def _make_optional(self) -> None:
        if self._optional:
            return
        inner = QVBoxLayout(self._more)
        inner.setContentsMargins(0, 0, 0, 4)
        inner.setSpacing(0)
        for sampler in CHAIN:
            if sampler.optional:
                stage = StageRow(sampler, self._theme, self._more)
                stage.grip.hide()
                stage.move_wanted.connect(self.chain.move_stage)
                self._adopt(stage)
                self._optional[sampler.name] = stage
                inner.addWidget(stage)
        self._show_values(self._lane)

    def _adopt(self, stage: StageRow) -> None:
        for row in stage.made.values():
            self._listen(row)
        stage.grew.connect(lambda: self._adopt_more(stage))

    def _adopt_more(self, stage: StageRow) -> None:
        for row in list(stage.made.values())[1:]:
            self._listen(row)
        self._show_values(self._lane)

    def _listen(self, row: SettingRow) -> None:
        row.changed.connect(self._apply)
        row.hinted.connect(self.hinted)

    def _fold(self, is_open: bool) -> None:
        if is_open:
            self._make_optional()
        self._more.setVisible(is_open)
        name = "caret-down" if is_open else "caret-right"
        self._more_button.setIcon(icons.icon(self._theme, name, 12))

    def _luck_row(self, field: Field) -> SettingRow:
        row = row_for(field, self._theme)
        self._luck[field.name] = row
        if field.name == "seed" and isinstance(row, NumberRow):
            dice = IconButton(self._theme, "dice-five", tr("A new random seed that stays"), size=24)
            dice.clicked.connect(lambda: row.choose(random.randrange(_SEEDS)))
            row.put_before_field(dice)
        return row

    def _connect(self) -> None:
        for stage in self.chain.stages.values():
            self._adopt(stage)
        for row in self._luck.values():
            self._listen(row)
        self.chain.order_wanted.connect(self._set_order)
        self.presets.neutralise.connect(self.neutralise)

    @property
    def _lane(self) -> Lane:
        return active_lane(self._workspace)

    def _mark(self) -> None:
        self._clock.mark(self, self.refresh)

    # From the user to the workspace

    def _apply(self, name: str, value: Any) -> None:
        for letter in self._letters():
            try:
                self._workspace.set_sampling(letter, name, value)
            except SettingError as error:
                self._made()[name].show_error(str(error))
                return

    def _set_order(self, order: list[str]) -> None:
        for letter in self._letters():
            self._workspace.set_samplers(letter, order)

    def neutralise(self) -> None:
        """Switch every sampler off."""
        for letter in self._letters():
            self._workspace.neutralise(letter)

    # From the workspace to the rows

    def refresh(self) -> None:
        """Show the active lane's values; only what differs is touched."""
        lane = self._lane
        preset = self.preset.of(lane)
        changed = changed_names(lane.sampling, lane.samplers, preset)
        self.preset.show()
        self.chain.set_order(lane.samplers)
        self._show_values(lane)
        if not self._optional and any(SAMPLERS[n].is_on(lane.sampling) for n in SAMPLERS if SAMPLERS[n].optional):
            self._more_button.setChecked(True)
        self.order.show_chain(lane.sampling, lane.samplers)
        shipped = tr("as shipped") if preset.key == "defaults" else tr("as the preset")
        self.status_changed.emit(tr("{changed} changed", changed=len(changed)) if changed else shipped)

    def _show_values(self, lane: Lane) -> None:
        preset = self.preset.of(lane)
        for name, row in self._made().items():
            row.set_lane(lane.letter)
            row.set_base(preset.values[name])
            row.set_value(lane.sampling.get(name, FIELDS[name].default))
        for stage in self._optional.values():
            stage.show_optional(stage.main.value)
        self._show_reasons(lane)
        width = max(stage.main.wanted_label_width() for stage in self.chain.stages.values())
        for row in (row for name, row in self._made().items() if name not in self._luck):
            row.set_label_width(width)

    def _show_reasons(self, lane: Lane) -> None:
        mirostat = lane.sampling.get("mirostat", "off") != "off"
        for name, stage in (self.chain.stages | self._optional).items():
            reason = self.chain.reason_of(name) if name in self.chain.stages else ""
            if mirostat and name not in _BESIDE_MIROSTAT:
                reason = tr("Mirostat takes the place of this sampler; switch it off to use this one.")
            for row in stage.made.values():
                row.set_reason(reason)

    def show_setting(self, name: str) -> bool:
        """Bring a setting into view and give it the focus; False when it is not one of these."""
        row = self.rows.get(name)
        if row is None:
            return False
        for stage in self.stages.values():
            if name in stage.rows:
                stage.set_expanded(stage.main is not row)
                if SAMPLERS[stage.stage.name].optional:
                    self._more_button.setChecked(True)
        row.setFocus()
        return True


def _undo_key(event: QKeyEvent) -> str:
    """``undo``, ``redo`` or nothing."""
    keys = QKeySequence.StandardKey
    if event.matches(keys.Undo):
        return "undo"
    combined = event.keyCombination().toCombined()
    redo = event.matches(keys.Redo) or QKeySequence(combined).toString() in ("Ctrl+Y", "Ctrl+Shift+Z")
    return "redo" if redo else ""


def _preset_files(data: QMimeData) -> list[str]:
    """The dragged files that may be presets."""
    paths = local_files(data)
    return [path for path in paths if path.lower().endswith(".json")]
