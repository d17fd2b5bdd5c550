"""What the page is built on: handed in by the composition root, so that its parts import no services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from PySide6.QtWidgets import QWidget

from playground.ui.theme import Theme
from playground.ui.widgets import Clock
from playground.workspace.downloads import Downloads
from playground.workspace.hub import HubPages, HubSearch
from playground.workspace.library import Library
from playground.workspace.quantizing import Quantizing
from playground.workspace.workspace import Workspace

Background: TypeAlias = Callable[[Callable[[], Any], Callable[[Any], None]], None]


class Card(Protocol):
    """A widget that shows a stranger's Markdown: it loads nothing and follows no link by itself."""

    def show_text(self, text: str) -> None:
        """Show another text."""

    def height_for(self, width: int) -> int:
        """Pixels that it takes at this width."""


MakeCard: TypeAlias = Callable[[], QWidget]
"""Makes a widget that is also a `Card`."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """All of it."""

    workspace: Workspace
    library: Library
    quantizing: Quantizing
    downloads: Downloads
    search: HubSearch
    pages: HubPages
    theme: Theme
    clock: Clock
    background: Background
    make_card: MakeCard
