"""An access token of the Hub, given once: the system's keyring or the Hub's own client keeps it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from playground.translate import tr
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Label, TextButton


class TokenCard(QWidget):
    """A field that shows dots. ``then`` is called once the Hub knows who asks, or that nobody does any more."""

    def __init__(self, rooms: Rooms, then: Callable[[], None]) -> None:
        super().__init__()
        self._rooms, self._then = rooms, then
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText(tr("Access token, hf_…"))
        self.field.setAccessibleName(tr("Access token of the Hub"))
        self.button = TextButton(rooms.theme, tr("Sign in"), "plain")
        self.leave = TextButton(rooms.theme, tr("Sign out"), "plain")
        self.leave.hide()
        self.said = Label(rooms.theme, "", 12, "text-2", wrap=True)
        self.said.hide()
        self.where = Label(rooms.theme, "", 11, "text-3", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        row.addWidget(self.leave)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.said)
        column.addWidget(self.where)
        self.field.returnPressed.connect(self.sign_in)
        self.button.clicked.connect(self.sign_in)
        self.leave.clicked.connect(self.sign_out)

    def showEvent(self, event: QShowEvent) -> None:
        """Say where a token is, and where one would go; the keyring is only looked for when that matters."""
        super().showEvent(event)
        self._look()

    def sign_in(self) -> None:
        """Try the token; it is cleared from the field whatever comes of it."""
        token = self.field.text()
        self.field.clear()
        if not token.strip():
            return

        def work() -> str:
            from playground.hub.account import sign_in
            from playground.hub.client import Hub, never

            account = sign_in(Hub(), token, never)
            return tr("Signed in as {name}.", name=account.name)

        self._do(tr("Asking the Hub who that is…"), work)

    def sign_out(self) -> None:
        """Forget the token in force."""

        def work() -> str:
            from playground.hub.account import sign_out
            from playground.hub.client import Hub

            sign_out(Hub())
            return tr("Signed out.")

        self._do(tr("Deleting the access token…"), work)

    def _do(self, saying: str, work: Callable[[], str]) -> None:
        self._busy(True)
        self._say(saying, "text-2")

        def safely() -> tuple[bool, str]:
            from playground.hub.errors import HubError

            try:
                return True, work()
            except HubError as error:
                return False, str(error)

        def came(answer: tuple[bool, str]) -> None:
            good, text = answer
            self._busy(False)
            self._say(text, "ok" if good else "warn")
            self._look()
            if good:
                self._then()

        self._rooms.background(safely, came)

    def _look(self) -> None:
        def read() -> tuple[bool, str]:
            from playground.hub.account import keeping
            from playground.hub.client import Hub

            found = keeping(Hub())
            return found.place in ("keyring", "file"), found.words()

        def came(found: tuple[bool, str]) -> None:
            can_leave, words = found
            self.leave.setVisible(can_leave)
            self.where.setText(words)

        self._rooms.background(read, came)

    def _busy(self, busy: bool) -> None:
        self.button.setDisabled(busy)
        self.leave.setDisabled(busy)

    def _say(self, text: str, tone: str) -> None:
        self.said.setText(text)
        self.said.set_tone(tone)
        self.said.show()
