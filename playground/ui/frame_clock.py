"""One clock for all that repaints: it runs only while something is dirty, and yields to the engines.

llama.cpp's threads spin at barriers: on few cores every millisecond the window draws is taken from the
model, several times over, and so is every time that it wakes up. So the clock has no beat of its own: what
comes (`Bridge.post_soon`) wakes it and is drawn at once, unless the last picture is too young; then the rest
of the interval is waited out and what comes meanwhile is taken in with the picture, without a wakeup of its
own. Drawing has a budget, a share of one core: pictures come further apart when they are dear.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer
from shiboken6 import isValid

TICK_MS, SCARCE_TICK_MS = 33, 50
"""At most 30 pictures a second; 20 where cores are few, a little more often than an engine there sends."""
SLOWEST_MS = 100
"""A picture at least this often, however dear."""
SLICE_S = 0.004
"""Seconds of marking after which other events get their turn."""
FEW_CORES = 4
_BUDGETS = (0.15, 0.40)
_MOST_PACED = 256
_EARLY_S = 0.01


def drawing_budget(cores: int | None = None) -> float:
    """The share of one core that drawing may take while something changes: less where cores are few."""
    return _BUDGETS[(cores or os.cpu_count() or 1) > FEW_CORES]


def pace(ms: int, scarce_ms: int, cores: int | None = None) -> int:
    """Milliseconds between two paints of what needn't be in every picture: the second where cores are few."""
    return ms if (cores or os.cpu_count() or 1) > FEW_CORES else scarce_ms


class Feed(Protocol):
    """What the clock takes in before each picture, see `bridge`."""

    taken: Callable[[bool], None]
    """To be called when something came of itself and was run, all of it if True: the clock draws it."""
    running: bool
    """Something that came of itself is being run; `taken` will be called."""

    def hold(self) -> None:
        """A picture is due: what can wait for it need not wake this thread."""

    def release(self) -> None:
        """The clock rests: everything has to wake this thread again, what waits at once."""

    def take(self) -> bool:
        """Run what waits; whether there was anything."""


class FrameClock(QObject):
    """Collects what has to be painted and paints it once a picture, in slices."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._feed: Feed | None = None
        self._dirty: dict[object, tuple[Callable[[], None], float]] = {}
        """What to paint, and before when not (seconds on the monotonic clock)."""
        self._round: dict[object, Callable[[], None]] = {}
        """What is left of the picture being made."""
        self._painted: dict[int, float] = {}
        """When keys that must not be painted often were painted last; by hash: it must not hold views that are gone."""
        self._set = False
        """The timer runs; asked with every mark, so without a call into Qt."""
        self._far = 0.0
        """When the figures are due that the timer waits for; whatever else comes is painted before. 0: a picture is."""
        self._armed = 0.0
        """For which figures the timer runs, though pictures were made meanwhile; 0: for none."""
        self._paused = self._ticking = False
        self._budget = drawing_budget()
        self._shortest = float(pace(TICK_MS, SCARCE_TICK_MS))
        self._interval = self._shortest
        self._used = time.thread_time()
        self._cost = 0.0
        """Processor time of a picture and what belongs to it, seconds."""
        self._began = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._time_out)

    @property
    def feed(self) -> Feed | None:
        """What is taken in before each picture; None: nothing."""
        return self._feed

    @feed.setter
    def feed(self, feed: Feed) -> None:
        self._feed = feed
        feed.taken = self._draw

    @property
    def running(self) -> bool:
        """Whether a tick is due."""
        return self._set

    def mark(self, key: object, paint: Callable[[], None], least_ms: int = 0) -> None:
        """Run ``paint`` once at the next tick; later marks with the same key before it take its place.

        ``least_ms``: not sooner than this after it was painted last.
        """
        due = self._painted.get(hash(key), 0.0) + least_ms / 1000 if least_ms else 0.0
        self._dirty[key] = (paint, due)
        if self._paused or self._ticking or (self._set and self._far <= due):
            return
        if self._feed is not None and self._feed.running:
            return  # `_draw` comes next, and sees to all that was marked
        if not self._round and self._later(due):
            self._sleep()
        else:
            self._wake()

    def pause(self) -> None:
        """Paint nothing until `resume`, for a window nobody sees; marks are kept."""
        self._paused = True
        self._stop()
        if self._feed is not None:
            self._feed.release()

    def resume(self) -> None:
        """Paint again, first of all what was marked meanwhile."""
        self._paused = False
        if (self._dirty or self._round) and not self._set:
            self._wake()

    def _draw(self, whole: bool) -> None:
        """Something was taken in, all there is if ``whole``: what is due is drawn now, without a timer."""
        if self._paused or self._ticking or not (self._dirty or self._round):
            return
        if self._set and not self._far:
            if whole and self._timer.interval() == 0:
                self._stop()
                self._tick()
        elif not self._round and self._later(min(due for _, due in self._dirty.values())):
            self._sleep()
        else:
            self._wake(drawn=whole)

    def _stop(self) -> None:
        self._timer.stop()
        self._set, self._armed = False, 0.0

    def _wake(self, drawn: bool = False) -> None:
        """Start from rest: at once (``drawn``: here and now), unless the last picture is too young."""
        since = (time.monotonic() - self._began) * 1000
        if since > 4 * SLOWEST_MS:
            self._used = time.thread_time()  # what was done meanwhile was no drawing
        wait = max(0.0, self._interval - since)
        if drawn and round(wait) == 0:
            self._tick()
        else:
            self._start(wait)

    def _start(self, wait_ms: float) -> None:
        self._set, self._far, self._armed = True, 0.0, 0.0
        if self._feed is not None:
            self._feed.hold()
        self._timer.start(round(wait_ms))

    def _later(self, due: float) -> bool:
        """Whether that is not due yet; a few milliseconds early is better than a whole picture late."""
        return due > time.monotonic() + _EARLY_S

    def _sleep(self) -> None:
        """Rest until figures are due, and a little longer: a picture on its way takes them along."""
        if self._feed is not None:
            self._feed.release()
        self._far = min(due for _, due in self._dirty.values())
        self._set = True
        if self._armed != self._far:  # starting it anew after each picture is dear
            self._armed = self._far
            self._timer.start(round(max(0.0, (self._far - time.monotonic()) * 1000)) + SLOWEST_MS)

    def _time_out(self) -> None:
        self._armed = 0.0
        self._tick()

    def _tick(self) -> None:
        self._set, self._ticking = False, True
        self._take()
        if not self._round:
            self._begin()
        end = time.perf_counter() + SLICE_S
        while self._round and time.perf_counter() < end:
            key = next(iter(self._round))
            paint = self._round.pop(key)
            try:
                if not _is_gone(paint):
                    paint()
            except Exception:
                # One view's error is told and must not cost the others their picture.
                sys.excepthook(*sys.exc_info())
        self._ticking = False
        if self._paused:
            return
        if self._round:
            self._start(1)  # what was marked so far is painted in between
        elif not self._dirty:
            if self._armed:
                self._stop()
            if self._feed is not None:
                self._feed.release()
        elif all(due for _, due in self._dirty.values()):
            self._sleep()  # only figures, which have time
        else:
            self._wake()

    def _take(self) -> None:
        try:
            if self._feed is not None:
                self._feed.take()
        except Exception:
            sys.excepthook(*sys.exc_info())  # nor may what was posted

    def _begin(self) -> None:
        """A new picture; the time to the next follows from what this thread used since the last."""
        self._began = now = time.monotonic()
        if len(self._painted) > _MOST_PACED:
            self._painted.clear()
        ready = [(due > 0, key) for key, (_, due) in self._dirty.items() if due <= now + _EARLY_S]
        self._round = {}
        for paced, key in sorted(ready, key=lambda each: each[0]):  # text before figures
            self._round[key] = self._dirty.pop(key)[0]
            if paced:
                self._painted[hash(key)] = now
        used = time.thread_time()
        # Over several pictures: some have figures and plots, and one dear picture is no trend.
        self._cost += (used - self._used - self._cost) / 6
        self._used = used
        self._interval = min(SLOWEST_MS, max(self._shortest, self._cost * 1000 / self._budget))


def _is_gone(paint: Callable[[], None]) -> bool:
    """Whether it is a method of a widget that was deleted since, with a lane that was closed say."""
    owner = getattr(paint, "__self__", None)
    return isinstance(owner, QObject) and not isValid(owner)
