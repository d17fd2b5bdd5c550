"""Find: the shelf, or what the Hub finds while one types; the repository that is open beside it.

Nothing is asked of the Hub before the user does: by opening a model of the shelf, or by agreeing to search once.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from playground.hub.search import Query
from playground.translate import later, tr
from playground.ui.models.filters import Filters
from playground.ui.models.hub_list import ROW, HubList, of_found, of_shelf
from playground.ui.models.hub_page import HubPageView
from playground.ui.models.notice import NoticeCard
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Divider, IconLabel, Label, SearchField, bind

_TYPING_MS = 350


class FindTab(QWidget):
    """Typing on drops the search before."""

    agreed = Signal()
    """The user wants to search the Hub."""
    opened = Signal()

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms, self._theme, self._search = rooms, rooms.theme, rooms.search
        self.may_ask = False
        """The user agreed to send what is typed."""
        theme = rooms.theme
        self.search = SearchField(theme, tr("Search the Hub, or owner/name"))
        self.search.setToolTip(self.search.placeholderText())
        self.search.installEventFilter(self)
        self.filters = Filters(theme)
        self.head = self.filters.head
        self.list = HubList(theme)
        self.card = NoticeCard(theme)
        self.view = HubPageView(rooms)
        self.view.opened.connect(self.opened)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self.ask)
        self._compose()
        self._connect()
        rooms.pages.read_shelf()
        rooms.background(_free_memory, self._take_free)
        self.refresh()

    def panes(self) -> list[QWidget]:
        """Where F6 goes."""
        return [self._left, self.view]

    @property
    def query(self) -> Query | None:
        """What is looked for; None: nothing, so the shelf is shown."""
        text = self.search.text().strip()
        return self.filters.query(text) if text or self.filters.narrowed else None

    def ask(self) -> None:
        """Look for what the fields say, once the user has agreed to that."""
        query = self.query
        self._typing.stop()
        if query is None:
            self._search.stop()
            self._search.query = None
        elif self.may_ask and query != self._search.query:
            self._search.search(query)
        self.refresh()

    def agree(self) -> None:
        """What is typed may be sent, now and later."""
        if not self.may_ask:
            self.may_ask = True
            self.agreed.emit()
        self.ask()

    def open_repo(self, repo: str) -> None:
        """Show a repository's page."""
        self._rooms.pages.open(repo)
        self.view.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        self.card.hide()
        query = self.query
        if query is None:
            shelf = self._rooms.pages.shelf
            self.head.setText(tr("Good ones by size"))
            self.list.show_entries(of_shelf(shelf, self.filters.free) if shelf is not None else [])
        elif not self.may_ask:
            self.head.setText("")
            self.list.show_entries([])
            self.card.say(
                "info",
                tr("Search the Hugging Face Hub?"),
                tr("The words you type and the filters are sent to it, nothing else; from now on while you type."),
                ((tr("Search"), "primary", self.agree),),
            )
        else:
            self._show_found()

    def _show_found(self) -> None:
        search = self._search
        self.list.show_entries(of_found(search.found, self.filters.free))
        words = later("{n:,} found") if search.stage == "end" else later("{n:,} or more found")
        count = tr(words, n=len(search.found))
        if search.stage == "asking":
            self.head.setText(
                tr("{found:,}, asking for more…", found=len(search.found)) if search.found else tr("Asking the Hub…")
            )
        else:
            self.head.setText(count if search.found else "")
        if search.stage == "failed":
            self.card.say(
                "warn", tr("The Hub gave no answer."), search.message, ((tr("Try again"), "primary", self._again),)
            )
        elif search.stage in ("ready", "end") and not search.found:
            self.card.say(
                "info",
                tr("Nothing found."),
                tr(
                    "No model with GGUF files has all of this in its name and filters. Try fewer words or another size."
                ),
                ((tr("Clear the filters"), "plain", self.filters.clear),) if self.filters.narrowed else (),
            )
        if search.stage == "ready" and len(search.found) * ROW < self.list.viewport().height():
            search.more()

    def _again(self) -> None:
        query, self._search.query = self.query, None
        if query is not None:
            self._search.search(query)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter in the field searches or opens “owner/name”, Down goes into the list, Esc empties it."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.text().strip():
            text = self.search.text().strip()
            self.open_repo(text) if "/" in text else self.agree()
            return True
        if event.key() == Qt.Key.Key_Down:
            self.list.setFocus(Qt.FocusReason.TabFocusReason)
            return True
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self.search.clear()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrower list where room is short."""
        self._left.setFixedWidth(320 if self.width() >= 1100 else 260)
        super().resizeEvent(event)

    def _typed(self) -> None:
        self._search.stop()  # what is under way isn't wanted any more
        self._typing.start(_TYPING_MS)

    def _filtered(self, chosen: bool) -> None:
        if chosen:
            self._typing.start(0)
        else:
            self._typed()

    def _take_free(self, free: int) -> None:
        self.filters.free = free
        self.refresh()

    def _compose(self) -> None:
        theme = self._theme
        self._left = QWidget()
        self._left.setProperty("surface", "chrome")
        column = QVBoxLayout(self._left)
        column.setContentsMargins(8, 8, 4, 8)
        column.setSpacing(6)
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.search, 1)
        top.addWidget(self.filters.toggle)
        column.addLayout(top)
        column.addWidget(self.filters)
        column.addWidget(self.card)
        column.addWidget(self.list, 1)
        column.addWidget(Divider(theme))
        foot = QHBoxLayout()
        foot.setContentsMargins(6, 4, 6, 0)
        foot.setSpacing(8)
        foot.addWidget(IconLabel(theme, "shield-check", 14), 0, Qt.AlignmentFlag.AlignTop)
        said = tr("A search sends your words and filters to the Hub, nothing else. Opening a model asks for its page.")
        foot.addWidget(Label(theme, said, 11, "text-3", wrap=True), 1)
        column.addLayout(foot)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._left)
        row.addWidget(Divider(theme, standing=True))
        row.addWidget(self.view, 1)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda _text: self._typed())
        self.filters.changed.connect(self._filtered)
        self.list.picked.connect(self.open_repo)
        self.list.more_wanted.connect(self._search.more)
        for signal in (self._search.changed, self._rooms.pages.changed):
            bind(self, signal, lambda: self._rooms.clock.mark((self, "find"), self.refresh))
        self._theme.changed.connect(self.refresh)


def _free_memory() -> int:
    from playground.fit.machine import machine

    return machine()[0]
