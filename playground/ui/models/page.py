"""The page: Library and Find as tabs, what is fetched and made in a strip below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from playground.translate import later, tr
from playground.ui.dropped import local_files
from playground.ui.models.library_tab import LibraryTab
from playground.ui.models.rooms import Rooms
from playground.ui.models.strip import Strip
from playground.ui.widgets import Divider, SegmentedControl

if TYPE_CHECKING:
    from playground.ui.models.find_tab import FindTab
    from playground.ui.models.inspector import Inspector

TABS = (
    ("library", later("Library"), later("The models on this machine")),
    ("find", later("Find"), later("Models on the Hugging Face Hub; nothing is asked before you do")),
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
        self.setAcceptDrops(True)
        self.tabs = SegmentedControl(rooms.theme, [(key, tr(name), tr(tip)) for key, name, tip in TABS], tr("Models"))
        self.tabs.chosen.connect(self.show_tab)
        self.library = LibraryTab(rooms)
        self.library.opened.connect(self.opened)
        self.library.inspect_wanted.connect(self.inspect)
        self.inspector: Inspector | None = None
        self.finder: FindTab | None = None
        """Made when it is first shown: nothing of it is needed before."""
        self._may_ask = False
        self.strip = Strip(rooms)
        self.strip.opened.connect(self.opened)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.library)
        self.shown = "library"
        self._compose()
        self.tabs.choose("library")

    def panes(self) -> list[QWidget]:
        """Where F6 goes."""
        shown = self.finder if self.shown == "find" and self.finder is not None else self.library
        return [*shown.panes(), self.strip]

    def focus_first(self) -> None:
        """The search of the tab that is shown."""
        shown = self.finder if self.shown == "find" and self.finder is not None else self.library
        shown.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_tab(self, tab: str) -> None:
        """Show a tab."""
        self.shown = tab
        self.tabs.choose(tab)
        self.stack.setCurrentWidget(self._make_find() if tab == "find" else self.library)
        self.focus_first()

    def restore(self, kept: dict[str, Any]) -> None:
        """Bring back what was remembered."""
        self._may_ask = kept.get("may_ask") is True
        if self.finder is not None:
            self.finder.may_ask = self._may_ask

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept local files."""
        if local_files(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first dropped file in the active lane, and go there; a bad file says so in the lane."""
        paths = local_files(event.mimeData())
        if paths:
            self._rooms.workspace.open_path(paths[0])
            event.acceptProposedAction()
            self.opened.emit()

    def inspect(self, path: str) -> None:
        """Show everything a file says of itself."""
        if self.inspector is None:
            from playground.ui.models.inspector import Inspector

            self.inspector = Inspector(self._rooms)
            self.inspector.closed.connect(lambda: self.show_tab("library"))
            QShortcut(QKeySequence("Esc"), self.inspector, self.inspector.closed.emit).setContext(
                Qt.ShortcutContext.WidgetWithChildrenShortcut
            )
            self.stack.addWidget(self.inspector)
        self.inspector.show_file(path)
        self.stack.setCurrentWidget(self.inspector)
        self.inspector.metadata.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_find(self) -> FindTab:
        if self.finder is None:
            from playground.ui.models.find_tab import FindTab

            self.finder = FindTab(self._rooms)
            self.finder.may_ask = self._may_ask
            self.finder.agreed.connect(lambda: self.kept_changed.emit({"may_ask": True}))
            self.finder.opened.connect(self.opened)
            self.stack.addWidget(self.finder)
        return self.finder

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
        column.addWidget(self.strip)
