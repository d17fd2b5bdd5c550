"""Waiting for what another process or thread brings about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout: float = 100, what: str = "") -> None:
    """Wait for a condition that another process or thread brings about."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s for {what or 'a condition'}"
        pause.wait(0.02)
