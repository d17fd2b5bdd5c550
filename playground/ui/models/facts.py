"""Pairs of a word and what is known, in two columns."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from playground.ui.theme import Theme
from playground.ui.widgets import Label


class Facts(QWidget):
    """Labels are made once and used again."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._pairs: list[tuple[Label, Label]] = []

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join(f"{a.text()}: {b.text()}" for a, b in self._pairs if not a.isHidden())

    def show_facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Show other ones."""
        while len(self._pairs) < len(pairs):
            word, value = Label(self._theme, "", 12, "text-3"), Label(self._theme, "", 12, "text-1", wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            row = len(self._pairs)
            self._grid.addWidget(word, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
            self._pairs.append((word, value))
        for number, (word, value) in enumerate(self._pairs):
            there = number < len(pairs)
            word.setVisible(there)
            value.setVisible(there)
            if there:
                word.setText(pairs[number][0])
                value.setText(pairs[number][1])
