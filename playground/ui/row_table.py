"""A table as every page shows it: whole rows are chosen, no grid, small titles, mostly a line under each row."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractItemModel, QLocale, Qt
from PySide6.QtWidgets import QHeaderView, QStyledItemDelegate, QTableView

from playground.ui.direction import figure
from playground.ui.theme import Theme


def beside(right: bool) -> Qt.AlignmentFlag:
    """A cell's place: at the right for figures, else at the left."""
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


class Cell(QStyledItemDelegate):
    """A cell that Qt paints."""

    def displayText(self, value: Any, locale: QLocale | QLocale.Language) -> str:
        """Figures with their unit, in their order."""
        return figure(super().displayText(value, locale))


class RowTable(QTableView):
    """What its users have in common; columns, keys and widths are theirs."""

    def __init__(
        self,
        theme: Theme,
        model: QAbstractItemModel,
        name: str,
        row_height: int,
        *,
        lined: bool = True,
        hover: bool = False,
        title_padding: int = 10,
    ) -> None:
        """``name``: for screen readers. Heights and paddings in pixels."""
        super().__init__()
        self._theme = theme
        self._hover, self._title_padding = hover, title_padding
        self.setModel(model)
        self.setItemDelegate(Cell(self))
        self.setFont(theme.font(12))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(row_height)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setFont(theme.font(11))
        head.setHighlightSections(False)
        if lined:
            theme.changed.connect(self._restyle)
            self._restyle()

    def _restyle(self) -> None:
        hex_of = self._theme.hex
        hovered = f"QTableView::item:hover {{ background: {hex_of('hover')}; }}" if self._hover else ""
        self.setStyleSheet(
            f"QTableView::item {{ padding: 0 8px; border: 0; border-bottom: 1px solid {hex_of('line')}; }}{hovered}"
            f"QHeaderView::section {{ color: {hex_of('text-3')}; padding: 4px {self._title_padding}px; }}"
        )
        # Cells hold colours of the theme.
        self.viewport().update()
