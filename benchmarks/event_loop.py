"""Qt's own event loop until something holds, for benchmarks that drive the whole app."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def run_until(qt: Any, condition: Callable[[], bool], patience_s: float, every_ms: int) -> None:
    """Look every ``every_ms``. `processEvents` with a time limit never sleeps and would take a core from the engine."""
    from PySide6.QtCore import QTimer

    deadline = time.monotonic() + patience_s

    def look() -> None:
        if condition() or time.monotonic() > deadline:
            qt.exit()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(every_ms)
    qt.exec()
    assert time.monotonic() < deadline, f"the app did not get there in {patience_s:g} s"
