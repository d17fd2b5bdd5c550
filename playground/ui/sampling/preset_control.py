"""Which preset each lane stands on, and what the preset bar's menu does with presets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QInputDialog, QMenu

from playground.settings.field import SettingError
from playground.settings.presets import Preset, changed_names, preset_of, to_text
from playground.translate import tr
from playground.ui.sampling.ports import PanelWorkspace, active_lane
from playground.ui.sampling.preset_bar import PresetBar
from playground.ui.sampling.preset_compare import PresetCompare
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.lane import Lane


class PresetControl(QObject):
    """Chooses, saves, renames, deletes, shares and compares presets."""

    def __init__(
        self,
        bar: PresetBar,
        workspace: PanelWorkspace,
        theme: Theme,
        letters: Callable[[], list[str]],
        refresh: Callable[[], None],
    ) -> None:
        """``letters``: the lanes a change goes to; ``refresh``: another preset is the base now."""
        super().__init__(bar)
        self._bar, self._workspace, self._theme = bar, workspace, theme
        self._letters, self._refresh = letters, refresh
        self._chosen: dict[str, str] = {}
        self._compare: PresetCompare | None = None
        bar.chosen.connect(self.use)
        bar.reset.connect(lambda: self.use(self.of(self._lane).key))
        bar.more_button.clicked.connect(self._open_menu)
        bind(self, workspace.presets.changed, refresh)

    @property
    def _lane(self) -> Lane:
        return active_lane(self._workspace)

    def of(self, lane: Lane) -> Preset:
        """The preset a lane stands on."""
        presets = self._workspace.presets.of(lane)
        if lane.letter not in self._chosen:
            same = (preset.key for preset in presets if not changed_names(lane.sampling, lane.samplers, preset))
            self._chosen[lane.letter] = next(same, "defaults")
        key = self._chosen[lane.letter]
        return next((preset for preset in presets if preset.key == key), presets[0])

    def use(self, key: str, letters: list[str] | None = None) -> None:
        """Set lanes to a preset: those that changes go to, or these."""
        for letter in letters or self._letters():
            lane = next(lane for lane in self._workspace.lanes if lane.letter == letter)
            preset = self._workspace.presets.find(lane, key)
            if preset is not None:
                self._chosen[letter] = key
                self._workspace.set_setup(letter, preset.applied, preset.samplers)
        self._refresh()

    def show(self) -> None:
        """Bring the bar to the active lane."""
        lane = self._lane
        preset = self.of(lane)
        changed = changed_names(lane.sampling, lane.samplers, preset)
        self._bar.show_presets(self._workspace.presets.of(lane), preset.key, bool(changed))

    def menu(self) -> QMenu:
        """The menu as it is now."""
        lane, menu = self._lane, QMenu(self._bar)
        preset = self.of(lane)
        changed = bool(changed_names(lane.sampling, lane.samplers, preset))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Save as a preset…"), self.save_as)
        if preset.own:
            menu.addAction(tr("Save the changes to “{label}”", label=preset.label), self.save).setEnabled(changed)
            menu.addAction(tr("Rename…"), self.rename)
            menu.addAction(tr("Delete"), self.delete)
        trying = self._workspace.trying
        tries = menu.addMenu(tr("Try another with"))
        for other in self._workspace.presets.of(lane):
            action = tries.addAction(other.label, partial(self._try_with, other.key))
            action.setCheckable(True)
            action.setChecked(other.key == trying.preset_for(lane).key)
        menu.addSeparator()
        menu.addAction(tr("Copy as text"), self.copy)
        menu.addAction(tr("Paste a preset"), self.paste)
        menu.addAction(tr("Compare…"), self.compare)
        if len(self._workspace.lanes) > 1:
            menu.addAction(tr("Apply to all lanes"), self.apply_to_all)
        menu.addSeparator()
        menu.addAction(tr("Open the presets’ folder"), self._open_folder).setEnabled(
            self._workspace.presets.folder is not None
        )
        return menu

    def _open_menu(self) -> None:
        button = self._bar.more_button
        menu = self.menu()
        menu.popup(button.mapToGlobal(QPoint(button.width() - menu.sizeHint().width(), button.height())))

    def save_as(self) -> None:
        """Ask for a name, then keep the lane's values under it."""
        self._ask(tr("Save as a preset"), "", self.save_under)

    def save_under(self, name: str) -> None:
        """Keep the lane's values as a preset of that name."""
        self._try(lambda: self._workspace.presets.save(self._now(name), self._choose))

    def save(self) -> None:
        """Put the lane's values into its preset."""
        preset = self.of(self._lane)
        made = preset_of(preset.label, self._lane.sampling, self._lane.samplers, preset.help, preset.source)
        self._workspace.presets.save(made, self._choose)

    def rename(self) -> None:
        """Ask for another name."""
        preset = self.of(self._lane)
        presets = self._workspace.presets
        self._ask(
            tr("Rename the preset"),
            preset.label,
            lambda name: self._try(lambda: presets.rename(preset.key, name, self._choose)),
        )

    def delete(self) -> None:
        """Move the preset's file away."""
        self._try(lambda: self._workspace.presets.delete(self.of(self._lane).key))

    def copy(self) -> None:
        """The lane's values as a preset's text, to share."""
        preset = self.of(self._lane)
        same = not changed_names(self._lane.sampling, self._lane.samplers, preset)
        name = preset.label if same else tr("{preset}, changed", preset=preset.label[:50])
        QGuiApplication.clipboard().setText(to_text(self._now(name)))

    def paste(self) -> None:
        """Keep the preset that is on the clipboard."""
        self._try(lambda: self._workspace.presets.paste(QGuiApplication.clipboard().text(), self.use))

    def take_in(self, paths: list[str]) -> None:
        """Keep dropped files, and use the last."""
        self._workspace.presets.take_in(paths, self.use)

    def apply_to_all(self) -> None:
        """The active lane's sampling for every lane."""
        lane, key = self._lane, self.of(self._lane).key
        values, order = dict(lane.sampling), list(lane.samplers)
        for other in self._workspace.lanes:
            self._chosen[other.letter] = key
            self._workspace.set_setup(other.letter, values, order)
        self._refresh()

    def compare(self) -> None:
        """Two presets side by side."""
        lane = self._lane
        now = preset_of(tr("This lane, as it is now"), lane.sampling, lane.samplers)
        self._compare = PresetCompare(
            self._theme, [now, *self._workspace.presets.of(lane)], self.of(lane).key, self._bar
        )
        self._compare.show()

    def _try_with(self, key: str) -> None:
        """Draw the answer again with that preset; the next tries by key have it, too."""
        self._workspace.trying.choose(key)
        if self._workspace.trying.can_try(self._lane.letter):
            self._workspace.trying.try_here()

    def _now(self, name: str) -> Preset:
        return preset_of(name, self._lane.sampling, self._lane.samplers)

    def _choose(self, key: str) -> None:
        self._chosen[self._lane.letter] = key
        self._refresh()

    def _ask(self, title: str, before: str, then: Callable[[str], None]) -> None:
        dialog = QInputDialog(self._bar)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(title)
        dialog.setLabelText(tr("Name"))
        dialog.setTextValue(before)
        dialog.textValueSelected.connect(then)
        dialog.open()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except SettingError as error:
            self._workspace.told.emit(str(error))

    def _open_folder(self) -> None:
        if (folder := self._workspace.presets.folder) is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
