"""The window's pages over each other; each is made when it is shown first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from playground.actions.pages import CHAT


class PageWidget(Protocol):
    """What the window asks of a page beside the chat."""

    def panes(self) -> list[QWidget]:
        """Where F6 goes, in order."""

    def focus_first(self) -> None:
        """Take the keyboard."""


MakePage: TypeAlias = Callable[[], QWidget]
"""Imports and makes a page, which is also a `PageWidget`."""


class Pages(QStackedWidget):
    """The chat, and the other pages as they are asked for."""

    def __init__(self, chat: QWidget) -> None:
        super().__init__()
        self.makers: dict[str, MakePage] = {}
        """How to make the other pages, by their id."""
        self._made: dict[str, QWidget] = {CHAT: chat}
        self.addWidget(chat)
        self.shown = CHAT

    def show_page(self, page: str) -> None:
        """Show a page, made now if it wasn't yet."""
        if page not in self._made:
            self._made[page] = self.makers[page]()
            self.addWidget(self._made[page])
        self.shown = page
        self.setCurrentWidget(self._made[page])

    @property
    def other(self) -> PageWidget | None:
        """The page that is shown; None for the chat."""
        return None if self.shown == CHAT else cast(PageWidget, self._made[self.shown])


class Place(QWidget):
    """Room for a pane that is made after the first picture."""

    def __init__(self, surface: str) -> None:
        super().__init__()
        self.setProperty("surface", surface)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)

    def fill(self, pane: QWidget) -> None:
        """Put the pane in."""
        self._box.addWidget(pane)
