"""A system's keyring for tests: a real backend of the keyring library that keeps its secrets in this process."""

from __future__ import annotations

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class MemoryKeyring(KeyringBackend):
    """``locked``: it refuses; ``stuck``: it answers nobody until that event is set."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.stuck: threading.Event | None = None
        self.asked = 0

    def _open(self) -> None:
        self.asked += 1
        if self.stuck is not None:
            self.stuck.wait(30)
        if self.locked:
            raise KeyringLocked("it is locked, and hf_nobody_may_see_this")

    def get_password(self, service: str, username: str) -> str | None:
        self._open()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._open()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._open()
        del self.kept[service, username]
