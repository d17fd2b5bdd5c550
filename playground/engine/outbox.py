"""Events to the app: the first and the last token leave at once, the rest every few ms as one frame.

A thread of its own encodes and writes, so a reader that is slow, or a full pipe, never holds up
decoding; what waits is bounded by the answers' lengths.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from playground.protocol.codec import encode_events
from playground.protocol.events import Event

INTERVAL_S = 0.008
SCARCE_INTERVAL_S = 0.080
"""Where cores are few: each frame wakes two threads and is drawn at once, text within 100 ms of its token."""
_MOST_IN_FRAME = 2000
_LAST_WORDS_S = 5.0


class Outbox:
    """Takes events from any thread; ends the process when nobody reads any more."""

    def __init__(self, fd: int, interval_s: float = INTERVAL_S) -> None:
        self._fd = fd
        self.interval_s = interval_s
        """Seconds between two frames while nothing is urgent."""
        self._idle = True
        """The thread waits for the first event of a frame, not for the time to send it."""
        self._waiting: list[Event] = []
        self._condition = threading.Condition()
        self._urgent = False
        self._closed = False
        self._sent_at = 0.0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def send(self, event: Event, *, urgent: bool = True) -> None:
        """Queue an event. Not urgent: it may wait for others, at most the interval."""
        with self._condition:
            self._waiting.append(event)
            self._urgent = self._urgent or urgent
            if urgent or self._idle:
                self._idle = False
                self._condition.notify()

    def send_all(self, events: Sequence[Event]) -> None:
        """Send these now, as one frame with what waits."""
        if events:
            with self._condition:
                self._waiting += events
                self._urgent, self._idle = True, False
                self._condition.notify()

    def close(self) -> None:
        """Write what waits, then stop; gives a reader that doesn't read five seconds."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(_LAST_WORDS_S)

    def _run(self) -> None:
        try:
            while batch := self._next():
                for start in range(0, len(batch), _MOST_IN_FRAME):
                    self._write(encode_events(batch[start : start + _MOST_IN_FRAME]))
        except OSError:
            # The app closed its end. Nobody waits for an answer.
            os._exit(0)

    def _next(self) -> list[Event]:
        """The events of the next frame, waiting for them; empty at the end."""
        with self._condition:
            while True:
                if self._waiting:
                    rest = self._sent_at + self.interval_s - time.monotonic()
                    if self._urgent or self._closed or rest <= 0:
                        break
                    self._condition.wait(rest)
                elif self._closed:
                    return []
                else:
                    self._idle = True
                    self._condition.wait()
            batch, self._waiting = self._waiting, []
            self._urgent = False
            self._sent_at = time.monotonic()
            return batch

    def _write(self, frame: bytes) -> None:
        view = memoryview(frame)
        while view:
            view = view[os.write(self._fd, view) :]
