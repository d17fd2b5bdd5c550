"""What ends the command line early, with its exit code."""

from __future__ import annotations

from playground.protocol.events import LoadFailed
from playground.supervisor.outcome import Outcome

OK, ENGINE_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class CliError(Exception):
    """A sentence for standard error, and the exit code."""

    def __init__(self, message: str, code: int = BAD_INPUT) -> None:
        super().__init__(message)
        self.code = code


class EngineGone(CliError):
    """The engine ended though it was needed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.title}: {outcome.text}", ENGINE_FAILED)
        self.outcome = outcome


def load_error(event: LoadFailed) -> CliError:
    """A model that didn't load: the user's file (2) or the machine's limits (1)."""
    return CliError(event.message, ENGINE_FAILED if event.kind == "memory" else BAD_INPUT)
