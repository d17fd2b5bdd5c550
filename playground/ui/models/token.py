"""An access token of the Hub, given once; the Hub's own client keeps it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Label, TextButton


class TokenCard(QWidget):
    """A field that shows dots. ``then`` is called once the Hub knows who asks."""

    def __init__(self, rooms: Rooms, then: Callable[[], None]) -> None:
        super().__init__()
        self._rooms, self._then = rooms, then
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setPlaceholderText("Access token, hf_…")
        self.field.setAccessibleName("Access token of the Hub")
        self.button = TextButton(rooms.theme, "Sign in", "plain")
        self.said = Label(rooms.theme, "", 12, "text-2", wrap=True)
        self.said.hide()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.said)
        self.field.returnPressed.connect(self.sign_in)
        self.button.clicked.connect(self.sign_in)

    def sign_in(self) -> None:
        """Try the token; it is cleared from the field whatever comes of it."""
        token = self.field.text()
        self.field.clear()
        if not token.strip():
            return
        self.button.setEnabled(False)
        self._say("Asking the Hub who that is…", "text-2")

        def work() -> tuple[bool, str]:
            from playground.hub.account import sign_in
            from playground.hub.client import Hub, never
            from playground.hub.errors import HubError

            try:
                return True, sign_in(Hub(), token, never)
            except HubError as error:
                return False, str(error)

        def came(answer: tuple[bool, str]) -> None:
            good, text = answer
            self.button.setEnabled(True)
            self._say(f"Signed in as {text}." if good else text, "ok" if good else "warn")
            if good:
                self._then()

        self._rooms.background(work, came)

    def _say(self, text: str, tone: str) -> None:
        self.said.setText(text)
        self.said.set_tone(tone)
        self.said.show()
