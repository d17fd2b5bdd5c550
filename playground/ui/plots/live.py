"""Views that follow the lanes at the frame clock while they are shown, and do nothing while hidden."""

from __future__ import annotations

from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from playground.ui.widgets import Clock


class LiveView(QWidget):
    """`mark` it as often as something changes; `catch_up` is called with the next picture."""

    EVERY_MS = 0
    """Not sooner than this after the last time."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._shown = self._due = False

    def catch_up(self) -> None:
        """Show the state of the lanes."""
        raise NotImplementedError

    def mark(self) -> None:
        """Something changed."""
        # Called for every batch of tokens: no call into Qt, and nothing at all when a picture is due anyway.
        if self._shown and not self._due:
            self._due = True
            self._clock.mark(self, self._tick, self.EVERY_MS)

    def _tick(self) -> None:
        self._due = False
        if self._shown:
            self.catch_up()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while hidden."""
        super().showEvent(event)
        self._shown = True
        self.mark()

    def hideEvent(self, event: QHideEvent) -> None:
        """Hidden, it computes nothing."""
        super().hideEvent(event)
        self._shown = False
