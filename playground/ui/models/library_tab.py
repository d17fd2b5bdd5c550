"""The library: search, order and families over the table, the chosen model beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from playground.models import shelf
from playground.models.duplicates import wasted
from playground.translate import tr
from playground.ui.models.details import Details
from playground.ui.models.rooms import Rooms
from playground.ui.models.table import LibraryTable, rows_of
from playground.ui.widgets import Divider, ElidedLabel, IconButton, Label, LaneWatch, SearchField, TextButton, bind
from playground.workspace import model_words as words
from playground.workspace.words import format_bytes

if TYPE_CHECKING:
    from playground.ui.models.quant_pane import QuantPane

_TYPING_MS = 120
_ROOMY = 560
"""Pixels of the list from which its switches have words."""
_NARROW = 1000
"""Pixels of width below which the details are narrower."""


class LibraryTab(QWidget):
    """Follows the library; draws at the clock's frames."""

    opened = Signal()
    """A lane has a model now."""
    inspect_wanted = Signal(str)

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms, self._library, self._theme = rooms, rooms.library, rooms.theme
        theme = rooms.theme
        self.search = SearchField(theme, tr("Search the library"))
        self.sort = QComboBox()
        self.sort.setAccessibleName(tr("Order"))
        for key, (title, _) in shelf.SORTS.items():
            self.sort.addItem(tr(title), key)
        self.families = self._toggle(tr("Families"), "git-branch", tr("Models of one family under one heading"))
        self.all_kinds = self._toggle(tr("All files"), "eye", tr("Image parts, importance matrices and drafts, too"))
        self.count = ElidedLabel(theme, "", 11, "text-3")
        self.add = IconButton(theme, "folder-open", tr("List another folder’s models…"))
        self.again = IconButton(theme, "arrows-clockwise", tr("Look at the disk again"))
        self.table = LibraryTable(theme)
        self.empty = Label(theme, "", 13, "text-3", wrap=True)
        self.details = Details(rooms)
        self.quant: QuantPane | None = None
        """Made when it is first wanted."""
        self.side = QStackedWidget()
        self.side.setProperty("surface", "chrome")
        self.side.addWidget(self.details)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._compose()
        self._connect()
        self.refresh()

    def panes(self) -> list[QWidget]:
        """Where F6 goes."""
        return [self._left, self.side]

    def show_model(self, path: str) -> None:
        """Choose a model in the table, whatever was searched before."""
        if not self.table.select(path):
            self.search.clear()
            self.refresh()
            self.table.select(path)

    def show_quant_pane(self, path: str) -> None:
        """Offer to make another quant of a model."""
        if self.quant is None:
            from playground.ui.models.quant_pane import QuantPane

            self.quant = QuantPane(self._rooms)
            self.quant.closed.connect(lambda: self.side.setCurrentWidget(self.details))
            self.side.addWidget(self.quant)
        self.quant.show_model(path)
        self.side.setCurrentWidget(self.quant)
        self.quant.type.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Show the library as it is now."""
        library = self._library
        models = library.arrange(self.search.text(), str(self.sort.currentData()), all_kinds=self.all_kinds.isChecked())
        users: dict[str, str] = {}
        for lane in self._rooms.workspace.lanes:
            if lane.model is not None:
                users[lane.model.path] = users.get(lane.model.path, "") + lane.letter
        groups = shelf.by_family(models) if self.families.isChecked() else None
        self.table.show_rows(rows_of(models, library.notes, library.twins, users, groups))
        self.table.setVisible(bool(models))
        self.empty.setVisible(not models)
        if not models:
            self.empty.setText(self._nothing())
        self.count.setText(self._count(len(models)))
        self.again.setEnabled(not library.scanning)
        self.details.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Narrower details where room is short, and switches that are their icons alone."""
        side = 320 if self.width() >= _NARROW else 264
        self.side.setFixedWidth(side)
        for button in (self.families, self.all_kinds):
            button.setText(button.accessibleName() if self.width() - side >= self._theme.px(_ROOMY) else "")
        self.count.setVisible(self.width() >= 860)
        super().resizeEvent(event)

    def _nothing(self) -> str:
        if self.search.text().strip():
            return tr("No model here has all of these words. What the Hub has is under Find.")
        if self._library.scanning:
            return tr("Looking for models in the folders where they usually are…")
        return tr("No models here yet. Find one on the Hub, or list a folder of yours.")

    def _count(self, shown: int) -> str:
        library = self._library
        every = library.arrange(all_kinds=self.all_kinds.isChecked())
        said = (
            words.total_words(every)
            if shown == len(every)
            else tr("{shown:,} of {every}", shown=shown, every=words.total_words(every))
        )
        groups = {id(group): group for group in library.twins.values()}
        if groups:
            said += tr(" · {values} of it more than once", values=format_bytes(wasted(groups.values())))
        silent = [row.place for row in library.rows if library.states.get(row.key) == "no_answer"]
        if silent:
            said += tr(" · {silent} doesn’t answer", silent=silent[0])
        return tr("{said} · looking", said=said) if library.scanning else said

    def _toggle(self, text: str, icon: str, tip: str) -> TextButton:
        button = TextButton(self._theme, text, "segment", icon)
        button.setCheckable(True)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        return button

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 8, 8)
        head.setSpacing(8)
        self.search.setMinimumWidth(150)
        self.search.setMaximumWidth(320)
        head.addWidget(self.search, 1)
        for widget in (self.sort, self.families, self.all_kinds):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.count)
        head.addWidget(self.add)
        head.addWidget(self.again)
        self._left = QWidget()
        self._left.setProperty("surface", "canvas")
        column = QVBoxLayout(self._left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(Divider(self._theme))
        column.addWidget(self.table, 1)
        self.empty.setContentsMargins(20, 20, 20, 20)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.empty, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._left, 1)
        row.addWidget(Divider(self._theme, standing=True))
        row.addWidget(self.side)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _text: self._typing.start())
        self._typing.timeout.connect(self.refresh)
        self.sort.currentIndexChanged.connect(lambda _index: self.refresh())
        self.families.toggled.connect(lambda _on: self.refresh())
        self.all_kinds.toggled.connect(lambda _on: self.refresh())
        self.add.clicked.connect(self._ask_folder)
        self.again.clicked.connect(self._library.refresh)
        self.table.picked.connect(self._picked)
        self.table.open_wanted.connect(lambda _path: self.details.open_in_lane())
        self.table.delete_wanted.connect(lambda _path: self.details.ask_delete())
        self.table.sort_wanted.connect(lambda key: self.sort.setCurrentIndex(self.sort.findData(key)))
        self.table.menu_wanted.connect(self._menu)
        self.details.opened.connect(self.opened)
        self.details.inspect_wanted.connect(self.inspect_wanted)
        self.details.quant_wanted.connect(self.show_quant_pane)
        bind(self, self._library.changed, self._mark)
        self.watch = LaneWatch(self, self._rooms.workspace, self._mark)
        self._theme.changed.connect(self.refresh)

    def _picked(self, path: str) -> None:
        self.details.show_model(path)
        self.side.setCurrentWidget(self.details)

    def _mark(self) -> None:
        self._rooms.clock.mark((self, "library"), self.refresh, 200)

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, tr("List another folder’s models"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._library.add_folder)
        dialog.open()

    def _menu(self, path: str, where: QPoint) -> None:
        self.table.select(path)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        model = self._library.find(path)
        if model is not None and model.usable:
            menu.addAction(self.details.open.text(), self.details.open_in_lane)
            menu.addAction(tr("Open in a new lane"), self.details.open_beside)
            menu.addSeparator()
        for button in self.details.doings.values():
            if button.isEnabled() and not button.isHidden():
                menu.addAction(button.text(), button.click)
        folder = next((row.key for row in self._library.rows if model and row.key == model.source_key), "")
        if folder.startswith("folder:"):
            menu.addSeparator()
            menu.addAction(
                tr("List this folder no longer"), lambda: self._library.remove_folder(folder.removeprefix("folder:"))
            )
        menu.popup(where)
