"""Asks before a link is followed: the whole address, Open, Copy."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import Label, TextButton

WIDTH = 360
_LINES = 6


class LinkPopup(QFrame):
    """A small card over the transcript; goes when something else is clicked, or with Esc."""

    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._over = theme, parent
        self._address = ""
        self._from: QWidget | None = None
        self.setProperty("card", "plain")
        self.setAccessibleName(tr("Follow this link?"))
        self._title = Label(theme, tr("This link leads to"), 12, "text-2")
        self.address = QPlainTextEdit()
        self.address.setReadOnly(True)
        self.address.setFrameShape(QFrame.Shape.NoFrame)
        self.address.setStyleSheet("background: transparent; border: 0; padding: 0;")
        self.address.viewport().setAutoFillBackground(False)
        self.address.setFont(theme.font(12, mono=True))
        self.address.document().setDocumentMargin(0)
        self.address.setAccessibleName(tr("Address"))
        self.address.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.open = TextButton(theme, tr("Open"), "primary", small=True)
        self.copy = TextButton(theme, tr("Copy"), "plain", small=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.open, self.copy):
            button.setFixedHeight(24)
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self.address)
        column.addSpacing(2)
        column.addLayout(row)
        self.open.clicked.connect(self._open)
        self.copy.clicked.connect(self._copy)
        self.hide()

    def ask(self, address: str, at: QPoint) -> None:
        """Show it for an address near a place in the parent."""
        self._address = address
        self._from = QApplication.focusWidget()
        room = self._over.rect()
        width = min(WIDTH, room.width() - 16)
        self.address.setPlainText(address)
        line = self.address.fontMetrics().lineSpacing()
        per_line = max(8, (width - 28) // max(1, self.address.fontMetrics().averageCharWidth()))
        lines = min(_LINES, -(-len(address) // per_line))
        self.address.setFixedHeight(line * lines + 4)
        self.setFixedWidth(width)
        self.adjustSize()
        x = max(8, min(at.x() - 16, room.width() - width - 8))
        below = at.y() + 8
        y = below if below + self.height() < room.height() else max(8, at.y() - self.height() - 24)
        self.move(x, y)
        self.show()
        self.raise_()
        self.copy.setFocus(Qt.FocusReason.PopupFocusReason)
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def leave(self) -> None:
        """Close it; the focus goes back to where it was."""
        if self.isHidden():
            return
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        inside = self.isAncestorOf(QApplication.focusWidget() or self._over)
        self.hide()
        if inside and self._from:
            self._from.setFocus(Qt.FocusReason.OtherFocusReason)

    def _open(self) -> None:
        address = self._address
        self.leave()
        self.opened.emit(address)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._address)
        self.leave()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A press anywhere else closes."""
        press = event.type() == QEvent.Type.MouseButtonPress
        if press and isinstance(watched, QWidget) and watched is not self and not self.isAncestorOf(watched):
            self.leave()
        return False
