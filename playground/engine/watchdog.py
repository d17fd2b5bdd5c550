"""Ends a token that hangs at llama.cpp's barriers because another program has just taken a core.

The governor needs to see one slow decode, and that one can take seconds: its threads spin at hundreds of barriers
and each time wait for the one that has no core. It is ended as soon as it takes far too long *and* others are seen
on the cores, so that the governor takes a thread away and the token is computed anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from playground.engine.decode import Decoder
from playground.engine.governor import STUCK

LOOK_S = 0.1
"""Between two looks while tokens are written; the system's counters need about as long to tell."""
LEAST_NS, UNKNOWN_NS = 150_000_000, 500_000_000
"""No less than this is far too long, whatever a token usually takes; and this where that isn't known yet."""
_IDLE = 10
"""Looks without a token under way until it sleeps."""


class Watchdog:
    """Looks after one context's decoder; ``crowded`` says whether a thread would be given up, were this token over."""

    def __init__(self, decoder: Decoder, crowded: Callable[[], bool]) -> None:
        self._decoder = decoder
        decoder.allow_giving_up()
        self._crowded = crowded
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def attend(self) -> None:
        """Tokens are going to be written."""
        if self._awake.is_set():
            return
        self._awake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        idle = 0
        while True:
            self._awake.wait()
            time.sleep(LOOK_S)
            began = self._decoder.began_ns
            idle = 0 if began else idle + 1
            if idle > _IDLE:
                idle = 0
                self._awake.clear()
            elif began and time.perf_counter_ns() - began > self._limit_ns() and self._crowded():
                self._decoder.give_up(began)

    def _limit_ns(self) -> float:
        usual = self._decoder.usual_ns
        return max(LEAST_NS, STUCK * usual) if usual else UNKNOWN_NS
