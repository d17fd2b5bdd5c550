"""Starts engine processes in the usual way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from playground.protocol.events import Event

if TYPE_CHECKING:
    from playground.supervisor.outcome import Outcome
    from playground.supervisor.process import EngineProcess


def start_process(
    log: Path, on_events: Callable[[list[Event]], None], on_exit: Callable[[Outcome], None]
) -> EngineProcess:
    """An engine process that isn't started yet, see `supervisor.process`."""
    from playground.supervisor.process import EngineProcess  # not before the window's first picture

    return EngineProcess(log, on_events, on_exit)
