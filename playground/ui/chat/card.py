"""A stranger's Markdown on another page: shown as an answer is, loads nothing, links are asked about."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from playground.ui.chat.body import Body
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.link_popup import LinkPopup
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme


def card_maker(theme: Theme, clock: FrameClock, window: QWidget) -> Callable[[], QWidget]:
    """Makes such cards for a window."""
    highlighter = Highlighter(clock)

    def make() -> QWidget:
        card, popup = Body(theme, highlighter, window), LinkPopup(theme, window)
        card.link_activated.connect(lambda address, at: popup.ask(address, window.mapFromGlobal(at)))
        return card

    return make
