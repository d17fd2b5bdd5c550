"""The bar on top: pages, the title, commands, and what belongs to the page that is shown."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from playground.actions.keymap import KEYS
from playground.actions.pages import CHAT, PAGES
from playground.translate import tr
from playground.ui.commands import key_of
from playground.ui.theme import Theme
from playground.ui.widgets import ElidedLabel, IconButton, SegmentedControl, TextButton, bind
from playground.workspace.workspace import Workspace


class Toolbar(QWidget):
    """Buttons emit ``asked`` with an action's id."""

    asked = Signal(str)

    def __init__(self, workspace: Workspace, theme: Theme) -> None:
        super().__init__()
        self._workspace = workspace
        self._theme = theme
        self._named: list[tuple[IconButton, str, str]] = []
        """Buttons with their name and their action, whose key the tooltip tells."""
        self.setFixedHeight(44)
        self.sidebar = self._icon("sidebar-simple", tr("Show or hide the sidebar"), "view.sidebar")
        self.new = self._icon("note-pencil", tr("New chat"), "chat.new")
        self.new.setCheckable(False)
        choices = [(page.id, tr(page.title), tr(page.help)) for page in PAGES]
        self.pages = SegmentedControl(theme, choices, tr("Pages"))
        self.pages.chosen.connect(lambda page: self.asked.emit(f"page.{page}"))
        self._page, self._can_new = CHAT, False
        self.title = ElidedLabel(theme, "", 13, weight=500)
        self.title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.commands = TextButton(theme, tr("Commands"), "plain", "magnifying-glass")
        self.commands.setToolTip(tr("Every action by name"))
        self.commands.clicked.connect(lambda: self.asked.emit("view.palette"))
        self.search = self._icon("magnifying-glass", tr("Commands"), "view.palette")
        self.search.setCheckable(False)
        self.add = TextButton(theme, tr("Add lane"), "plain", "columns")
        self.add.clicked.connect(lambda: self.asked.emit("lane.add"))
        self.plots = self._icon("chart-line", tr("Show or hide the plots"), "view.plots")
        self.panel = self._icon("sliders-horizontal", tr("Show or hide the settings panel"), "view.panel")
        self.menu = self._icon("dots-three", tr("Menu"), "app.menu")
        self.menu.setCheckable(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(9, 0, 12, 1)
        row.setSpacing(6)
        row.addWidget(self.sidebar)
        row.addWidget(self.pages)
        row.addWidget(self.new)
        row.addStretch(1)
        for widget in (self.commands, self.search, self.add, self.plots, self.panel, self.menu):
            row.addWidget(widget)
        self.title.setParent(self)
        bind(self, workspace.chat_changed, self._refresh)
        bind(self, workspace.lanes_changed, self._refresh)
        bind(self, KEYS.changed, self._show_keys)
        theme.changed.connect(self.update)
        self._show_keys()
        self.show_page(CHAT)

    def show_page(self, page: str) -> None:
        """Show which page it is, and only the buttons that act on it."""
        self._page = page
        self.pages.choose(page)
        for widget in (self.sidebar, self.add, self.plots, self.panel):
            widget.setVisible(page == CHAT)
        self.offer_new(self._can_new)
        self._refresh()

    def offer_new(self, can_new: bool) -> None:
        """Have a button for a new chat, where no other one can be seen."""
        self._can_new = can_new
        self.new.setVisible(can_new and self._page == CHAT)

    def event(self, event: QEvent) -> bool:
        """Buttons or the title want another width: a larger text, say."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._place_title()
        return done

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Drop words first, then the title."""
        wide = self.width() >= 960
        self.commands.setVisible(wide)
        self.search.setVisible(not wide)
        self._place_title()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Chrome with a line below."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._theme.color("chrome"))
            painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("line"))

    def _icon(self, icon: str, name: str, action: str) -> IconButton:
        button = IconButton(self._theme, icon, name)
        self._named.append((button, name, action))
        button.setCheckable(True)
        button.clicked.connect(lambda: self.asked.emit(action))
        return button

    def _show_keys(self) -> None:
        for button, name, action in self._named:
            button.set_name(name, key_of(action))
        self.commands.setText(f"{tr('Commands')}   {key_of('view.palette')}".rstrip())
        self.add.setToolTip(_with_key(tr("Another model or other settings beside this one"), "lane.add"))
        self.pages.set_tips({page.id: _with_key(tr(page.help), f"page.{page.id}") for page in PAGES})

    def _refresh(self) -> None:
        titles = {page.id: tr(page.title) for page in PAGES} | {CHAT: self._workspace.chat.title or tr("New chat")}
        self.title.setText(titles[self._page])
        self.add.setEnabled(len(self._workspace.lanes) < 4)
        self._place_title()

    def _place_title(self) -> None:
        # Centred in the window, not between the buttons; gives way to them.
        middle = self.width() // 2
        right = min(w.x() for w in (self.commands, self.search, self.add) if not w.isHidden())
        left = max(w.geometry().right() for w in (self.pages, self.new) if not w.isHidden())
        half = max(0, min(middle - left - 16, right - 16 - middle))
        width = min(self.title.sizeHint().width(), 2 * half)
        self.title.setVisible(width > 80 or width == self.title.sizeHint().width())
        self.title.setGeometry((self.width() - width) // 2, 0, width, self.height() - 1)


def _with_key(words: str, action: str) -> str:
    key = key_of(action)
    return f"{words} ({key})" if key else words
