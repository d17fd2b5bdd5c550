"""Two presets side by side: every setting a row, those that differ first and marked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from playground.settings.presets import Preset, compare
from playground.translate import tr
from playground.ui.style import mark
from playground.ui.theme import Theme


class PresetCompare(QDialog):
    """A window that stays beside the panel."""

    def __init__(self, theme: Theme, presets: Sequence[Preset], other: str, parent: QWidget) -> None:
        """The first preset against ``other``, a key."""
        super().__init__(parent)
        self._theme, self._presets = theme, list(presets)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Compare presets"))
        self.left, self.right = self._combo(tr("First preset")), self._combo(tr("Second preset"))
        self.right.setCurrentIndex(next((n for n, preset in enumerate(self._presets) if preset.key == other), 0))
        self.only = QCheckBox(tr("Only what differs"))
        self.only.setChecked(True)
        self.summary = QLabel()
        mark(self.summary, tone="2", size="small")
        self.table = QTableWidget(0, 3)
        self._build()
        for combo in (self.left, self.right):
            combo.currentIndexChanged.connect(self._fill)
        self.only.toggled.connect(self._fill)
        self.resize(620, 520)
        self._fill()

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox()
        combo.setAccessibleName(name)
        for preset in self._presets:
            combo.addItem(preset.label, preset.key)
        return combo

    def _build(self) -> None:
        column = QVBoxLayout(self)
        top = QHBoxLayout()
        top.addWidget(self.left, 1)
        top.addWidget(self.right, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.summary, 1)
        bottom.addWidget(self.only)
        self.table.setAccessibleName(tr("Settings of both presets"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        column.addLayout(top)
        column.addWidget(self.table, 1)
        column.addLayout(bottom)

    def _fill(self) -> None:
        pair = [self._presets[self.left.currentIndex()], self._presets[self.right.currentIndex()]]
        rows = compare(pair)
        differing = sum(row.differs for row in rows)
        shown = [row for row in rows if row.differs or not self.only.isChecked()]
        self.summary.setText(
            tr("They are the same.")
            if not differing
            else tr("{differing} of {rows} settings differ.", differing=differing, rows=len(rows))
        )
        self.table.setHorizontalHeaderLabels([tr("Setting"), pair[0].label, pair[1].label])
        self.table.setRowCount(len(shown))
        for at, row in enumerate(shown):
            for column, text in enumerate((f"{row.label} ≠" if row.differs else row.label, *row.shown)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                item.setForeground(self._theme.color("text-1" if row.differs else "text-3"))
                if row.differs and column:
                    item.setBackground(self._theme.color("hover"))
                self.table.setItem(at, column, item)
