"""How much of long chats’ memory is kept on disk, how much there is now, and a button that deletes it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from playground.settings.app import FIELDS as APP
from playground.translate import tr
from playground.ui.controls import row_for
from playground.ui.sampling.scroll import heading, sentence
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.keeping import Keeping
from playground.workspace.words import format_bytes

_REST_MS = 600
"""After the last step by keys, which have no end as a drag has."""


class KeptStates(QWidget):
    """The budget takes effect when the slider is let go: nothing is deleted on the way through zero."""

    hinted = Signal(str)

    def __init__(self, keeping: Keeping, theme: Theme) -> None:
        super().__init__()
        self._keeping = keeping
        self.row = row_for(APP["states_gb"], theme)
        self.used = sentence(size="small")
        self.clear = QPushButton(tr("Clear"))
        self.clear.setToolTip(tr("Delete what is kept. Chats stay; a model reads long ones again when they go on."))
        mark(self.clear, kind="quiet", small="true")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(heading(theme, tr("Chats’ memory")))
        column.addWidget(self.row)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.used, 1)
        line.addWidget(self.clear)
        column.addLayout(line)
        self._wanted: Any = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._settle)
        self.row.changed.connect(self._choose)
        self.row.released.connect(lambda _name: self._settle())
        self.row.hinted.connect(self.hinted)
        self.clear.clicked.connect(lambda: keeping.clear())
        bind(self, keeping.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show budget and use."""
        if self._wanted is None:
            self.row.set_value(self._keeping.gb)
        used, gb = self._keeping.used, self._keeping.gb
        self.used.setText(_used_words(used, gb))
        self.clear.setEnabled(used > 0)

    def showEvent(self, event: QShowEvent) -> None:
        """Look how much there is."""
        self._keeping.look()
        super().showEvent(event)

    def _choose(self, _name: str, value: Any) -> None:
        self._wanted = value
        self._rest.start()

    def _settle(self) -> None:
        self._rest.stop()
        if self._wanted is not None:
            wanted, self._wanted = float(self._wanted), None
            self._keeping.set_gb(wanted)


def _used_words(used: int, gb: float) -> str:
    if not used:
        return tr("Nothing is kept now.")
    if gb:
        return tr("{used} of {gb:g} GB used.", used=format_bytes(used), gb=gb)
    return tr("{used} used.", used=format_bytes(used))
