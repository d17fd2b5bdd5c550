"""What reads one quantity, again and again, on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

MACHINE = 0
"""In place of a process: the value is the whole machine's."""


class Probe(Protocol):
    """An opened source."""

    def look(self, pids: Collection[int]) -> Mapping[int, float]:
        """Values now, by process, or one under MACHINE; what can't be told yet is left out.

        Raises OSError where it can't be read any more.
        """


Open: TypeAlias = Callable[[], "Probe | Missing"]
"""Opens a source. Quick, but not for the GUI's thread."""


@dataclass(frozen=True, slots=True)
class Missing:
    """This machine doesn't tell it."""

    why: str = ""
    """A sentence where it could be changed; empty: there is no such thing here."""


class Rate:
    """How fast counters grow, from one look to the next."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[float, float]] = {}

    def of(self, key: int, count: float, seconds: float) -> float | None:
        """Growth a second since the last look at this counter; None at the first."""
        before = self._last.get(key)
        self._last[key] = (count, seconds)
        if before is None or seconds <= before[1]:
            return None
        return (count - before[0]) / (seconds - before[1])

    def keep(self, keys: Collection[int]) -> None:
        """Forget all others."""
        self._last = {key: value for key, value in self._last.items() if key in keys}
