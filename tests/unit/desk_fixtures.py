"""Fixtures of the store tests, loaded by `pytest_plugins`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk, Desks


@pytest.fixture
def chats_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.sqlite3"


@pytest.fixture
def desks(chats_path: Path) -> Iterator[Desks]:
    """Opens the chats; all that a test opened is closed after it."""
    opened: list[Desk] = []

    def open_one(where: Path = chats_path) -> Desk:
        opened.append(Desk(where))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.store.close(timeout_s=1)
