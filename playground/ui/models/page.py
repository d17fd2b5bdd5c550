"""The page: Library and Find as tabs, what is fetched and made in a strip below."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from playground.ui.models.library_tab import LibraryTab
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Divider, SegmentedControl

TABS = (
    ("library", "Library", "The models on this machine"),
    ("find", "Find", "Models on the Hugging Face Hub; nothing is asked before you do"),
)


class ModelsPage(QWidget):
    """Parts that are seldom wanted are made when they are."""

    opened = Signal()
    """A lane has a model: the chat should be shown."""
    kept_changed = Signal(dict)
    """What is to be remembered for the next start."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms
        self.setProperty("surface", "chrome")
        self.tabs = SegmentedControl(rooms.theme, TABS, "Models")
        self.tabs.chosen.connect(self.show_tab)
        self.library = LibraryTab(rooms)
        self.library.opened.connect(self.opened)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.library)
        self.shown = "library"
        self._compose()
        self.tabs.choose("library")

    def panes(self) -> list[QWidget]:
        """Where F6 goes."""
        return self.library.panes()

    def focus_first(self) -> None:
        """The search of the tab that is shown."""
        self.library.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_tab(self, tab: str) -> None:
        """Show a tab."""
        self.shown = tab
        self.tabs.choose(tab)
        self.stack.setCurrentWidget(self.library)
        self.focus_first()

    def restore(self, kept: dict[str, Any]) -> None:
        """Bring back what was remembered."""

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 12, 8)
        head.addWidget(self.tabs)
        head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Divider(self._rooms.theme))
        column.addWidget(self.stack, 1)
