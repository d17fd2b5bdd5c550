"""How fast: a limit that all downloads share, and speed and time left as they are shown."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_BURST_S = 0.1
"""Seconds' worth that may pass at once."""
_WINDOW_S = 5.0
_NAP_S = 0.1


class Limit:
    """A bucket of bytes that fills at the allowed speed. Any thread takes from it."""

    def __init__(self, bytes_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bytes_s = bytes_s
        self._level = 0.0
        self._at = clock()

    def set(self, bytes_s: float) -> None:
        """Bytes a second over all downloads from now on; 0: as fast as the line."""
        with self._lock:
            self._bytes_s, self._level, self._at = max(0.0, bytes_s), 0.0, self._clock()

    def take(self, n: int, given_up: Callable[[], bool]) -> None:
        """Count ``n`` bytes that came, and wait until they were allowed; returns early when given up."""
        with self._lock:
            if not self._bytes_s:
                return
            self._fill()
            self._level -= n  # below zero: later ones wait for it
        while not given_up() and (wait := self._debt_s()) > 0:
            time.sleep(min(wait, _NAP_S))

    def _debt_s(self) -> float:
        with self._lock:
            self._fill()
            return -self._level / self._bytes_s if self._bytes_s else 0.0

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._bytes_s * _BURST_S, self._level + (now - self._at) * self._bytes_s)
        self._at = now


class Speed:
    """Bytes a second over the last seconds, and how long the rest takes at it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def see(self, done: int) -> None:
        """Take down how much is there now."""
        now = self._clock()
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()  # begun anew
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] < now - _WINDOW_S:
            self._seen.popleft()

    def clear(self) -> None:
        """It rests: what comes later is no part of the same stretch."""
        self._seen.clear()

    @property
    def bytes_s(self) -> float:
        """0 while nothing can be said."""
        if len(self._seen) < 2:
            return 0.0
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end > start else 0.0

    def left_s(self, missing: int) -> float | None:
        """Seconds for what is missing; None while nothing can be said."""
        return missing / self.bytes_s if self.bytes_s > 0 else None
