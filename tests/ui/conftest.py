"""What the tests of the window share."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot


class PatientBot(QtBot):
    """Waits as long as a slow and busy machine needs for what takes milliseconds on a quiet one."""

    def waitUntil(self, callback: Callable[[], object], *, timeout: int = 0) -> None:
        super().waitUntil(callback, timeout=max(timeout, 60_000))

    def waitSignal(self, signal: Any, *, timeout: int = 0, **more: Any) -> Any:
        # One that may not come (``raising=False``, of `assertNotEmitted`) would be waited for to the end.
        patience = 60_000 if more.get("raising", True) else 0
        return super().waitSignal(signal, timeout=max(timeout, patience), **more)


@pytest.fixture
def qtbot(qapp: object, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's own, with more patience."""
    return PatientBot(request)


@pytest.fixture(autouse=True)
def collect_here() -> Iterator[None]:
    """As in the app: widgets are collected on the GUI thread only, never on a helper thread."""
    gc.disable()
    yield
    # Nothing left behind that every later test would style and lay out again: no event loop runs that would do it.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect(1)
