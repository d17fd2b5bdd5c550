"""Which set of values a lane starts from, and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from playground.settings.presets import Preset
from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton


class PresetCombo(QComboBox):
    """Says “…, changed” while the lane's values are not the preset's."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.changed = False
        self.setFont(theme.font(12))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def shown_text(self) -> str:
        """What stands in the closed box."""
        return tr("{preset}, changed", preset=self.currentText()) if self.changed else self.currentText()

    def set_changed(self, changed: bool) -> None:
        """Whether the values differ."""
        if changed != self.changed:
            self.changed = changed
            self.update()
        self.setAccessibleDescription(self.shown_text)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the panel instead: a preset is not chosen by accident."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The box with our text."""
        p = QStylePainter(self)
        try:
            option = QStyleOptionComboBox()
            self.initStyleOption(option)
            room = option.rect.width() - 36
            shown = option.fontMetrics.elidedText(self.shown_text, Qt.TextElideMode.ElideRight, room)
            option.currentText = shown
            p.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
            p.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        finally:
            p.end()


class PresetBar(QWidget):
    """Preset, neutralise all, reset, and a menu."""

    chosen = Signal(str)
    """Key of the preset the user chose."""
    neutralise = Signal()
    reset = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.combo = PresetCombo(theme)
        self.combo.setAccessibleName(tr("Sampling preset"))
        self.combo.activated.connect(lambda index: self.chosen.emit(self.combo.itemData(index)))
        self.neutral_button = IconButton(theme, "prohibit", tr("Neutralise all: switch every sampler off"))
        self.reset_button = IconButton(theme, "arrow-counter-clockwise", tr("Reset to the preset"))
        self.more_button = IconButton(theme, "dots-three", tr("Save, share and compare presets"))
        self.neutral_button.clicked.connect(self.neutralise)
        self.reset_button.clicked.connect(self.reset)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 10)
        row.setSpacing(2)
        row.addWidget(self.combo, 1)
        row.addSpacing(4)
        row.addWidget(self.neutral_button)
        row.addWidget(self.reset_button)
        row.addWidget(self.more_button)
        self._shown: list[tuple[str, str]] = []

    def show_presets(self, presets: Sequence[Preset], current: str, changed: bool) -> None:
        """The presets of the lane and the one it stands on."""
        keys = [preset.key for preset in presets]
        shown = [(preset.key, preset.label) for preset in presets]
        if shown != self._shown:
            self._shown = shown
            self.combo.clear()
            for place, preset in enumerate(presets):
                self.combo.addItem(preset.label, preset.key)
                self.combo.setItemData(place, _words(preset), Qt.ItemDataRole.ToolTipRole)
            first_own = next((place for place, preset in enumerate(presets) if preset.own), 0)
            if first_own:
                self.combo.insertSeparator(first_own)
        self.combo.setCurrentIndex(self.combo.findData(current))
        self.combo.set_changed(changed)
        self.combo.setToolTip(f"{self.combo.shown_text}. {_words(presets[keys.index(current)])}")
        self.reset_button.setEnabled(changed)


def _words(preset: Preset) -> str:
    """What a preset is for, and where it comes from."""
    source = " " + tr("Source: {source}", source=preset.source) if preset.source else ""
    return f"{tr(preset.help)}{source}".strip()
