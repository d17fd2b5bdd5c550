"""A column that scrolls, and small parts the tabs share."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from playground.ui.labels import ElidedLabel
from playground.ui.style import mark
from playground.ui.theme import Theme

PADDING = 12
_BAR = 8


class ScrollColumn(QScrollArea):
    """Content as wide as the panel; the scroll bar lies in its right margin."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.content = QWidget()
        self.column = QVBoxLayout(self.content)
        self.column.setContentsMargins(PADDING, 0, PADDING, PADDING)
        self.column.setSpacing(0)
        self.setWidget(self.content)
        self.verticalScrollBar().rangeChanged.connect(self._fit)

    def _fit(self, _low: int, high: int) -> None:
        right = PADDING - _BAR if high > 0 else PADDING
        if self.column.contentsMargins().right() != right:
            self.column.setContentsMargins(PADDING, 0, right, PADDING)


def heading(theme: Theme, text: str, right: str = "") -> QWidget:
    """A group's title with a quiet word at the right."""
    made = QWidget()
    row = QHBoxLayout(made)
    row.setContentsMargins(0, 8, 0, 2)
    row.setSpacing(4)
    row.addWidget(ElidedLabel(theme, text, 11, "text-2"))
    row.addStretch()
    if right:
        row.addWidget(ElidedLabel(theme, right, 11, "text-3"))
    return made


def rule() -> QFrame:
    """A line across."""
    made = QFrame()
    mark(made, line="true")
    return made


def sentence(text: str = "", tone: str = "3", size: str = "meta") -> QLabel:
    """A quiet sentence that wraps."""
    made = QLabel(text)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    mark(made, tone=tone, size=size)
    return made
