"""Small parts of a turn: quiet buttons and the version walker."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton

BUTTON = 24
_LEFT = (QEvent.Type.Leave, QEvent.Type.FocusOut, QEvent.Type.Hide)


class TurnButton(IconButton):
    """A small button that can stay unseen, but reachable, until its turn is pointed at."""

    reached = Signal()
    """It has got the focus."""

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget) -> None:
        super().__init__(theme, icon, name, size=BUTTON)
        self._name, self._rest = name, icon
        self._quiet = False
        self.setParent(parent)
        self.setCursor(Qt.CursorShape.ArrowCursor)

    @property
    def quiet(self) -> bool:
        """Whether it shows only with focus."""
        return self._quiet

    def set_quiet(self, quiet: bool) -> None:
        """Unseen unless it has the focus, or seen."""
        if quiet != self._quiet:
            self._quiet = quiet
            self.update()

    def set_reason(self, reason: str) -> None:
        """Why it can't be used now; empty: it can."""
        self.setEnabled(not reason)
        self.setToolTip(reason or self._name)

    def tell_copied(self) -> None:
        """Say that something was copied, until the pointer or the focus leaves."""
        self.set_icon("check")
        self.set_name(tr("Copied"))

    def event(self, event: QEvent) -> bool:
        """Back to the offer when left."""
        if event.type() == QEvent.Type.FocusIn:
            self.reached.emit()
        if event.type() in _LEFT and self.accessibleName() == "Copied":
            self.set_icon(self._rest)
            self.set_name(self._name)
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nothing while quiet."""
        if not self._quiet or self.hasFocus():
            super().paintEvent(event)


class VersionWalker(QWidget):
    """‹ 2 / 3 ›"""

    walked = Signal(int)
    """-1: the version before, 1: the next."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._at, self._of = 1, 1
        self.setFont(theme.font(12))
        self.back = IconButton(theme, "caret-left", tr("Version before"), size=BUTTON)
        self.forth = IconButton(theme, "caret-right", tr("Next version"), size=BUTTON)
        for button, step in ((self.back, -1), (self.forth, 1)):
            button.setParent(self)
            button.clicked.connect(lambda _=False, step=step: self.walked.emit(step))

    def set_versions(self, at: int, of: int, reason: str = "") -> None:
        """Which version is shown, of how many; ``reason``: why it can't be changed now."""
        self._at, self._of = at, of
        self.back.setEnabled(at > 1 and not reason)
        self.forth.setEnabled(at < of and not reason)
        self.back.setToolTip(reason or tr("Version before"))
        self.forth.setToolTip(reason or tr("Next version"))
        self.setAccessibleName(tr("Version {at} of {of}", at=at, of=of))
        self.setVisible(of > 1)
        self.resize(2 * BUTTON + self.fontMetrics().horizontalAdvance(self.text) + 4, BUTTON)
        self.back.move(0, 0)
        self.forth.move(self.width() - BUTTON, 0)
        self.update()

    @property
    def text(self) -> str:
        """What it says."""
        return f"{self._at} / {self._of}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """The count between the arrows."""
        with QPainter(self) as p:
            p.setFont(self.font())
            p.setPen(self._theme.color("text-2"))
            p.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text)
