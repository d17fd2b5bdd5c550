"""Reads what the machine tells of processors and energy while engines work: on a thread, and only what is shown.

The thread lives while a reading that needs it is on, its plot is in sight and an engine computes.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping

from playground.gauges.probe import Missing, Probe
from playground.settings.readings import Probed, probed, tracks
from playground.workspace.engines import Engine, Engines
from playground.workspace.ports import Background, Post
from playground.workspace.series import Columns, Rows
from playground.workspace.signal import Signal

INTERVAL_S = 0.5
GAUGE_DTYPE: Columns = [("t_ns", "i8"), ("value", "f8")]
MOST = 20_000
"""Values of a reading that are kept, at least: nearly three hours of writing."""


class Gauges:
    """The readings that are on, and what they told."""

    def __init__(self, engines: Engines, post_soon: Post, background: Background) -> None:
        self._engines, self._post, self._background = engines, post_soon, background
        self.on: frozenset[str] = frozenset()
        """Names of the readings that are shown."""
        self.missing: dict[str, Missing] | None = None
        """What this machine doesn't tell; None: nobody looked yet."""
        self.series: dict[tuple[str, int], Rows] = {}
        """By reading and process id, or `MACHINE`."""
        self.changed: Signal[[]] = Signal()
        """Another choice of readings, or it is known which there are."""
        self.chosen: Signal[[str, bool]] = Signal()
        """The user switched one on or off, which is to be remembered."""
        self._asking: list[Callable[[], None]] = []
        self._shown = 0
        self._probes: dict[str, Probe | Missing] = {}
        """Opened ones; the thread's own."""
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._running = False
        self._wanted: dict[str, Probed] = {}
        """What the thread has to read; empty: it ends."""
        self._pids: tuple[int, ...] = ()
        engines.changed.connect(self._follow)
        engines.sampled.connect(self._follow)
        engines.rested.connect(self._follow)

    @property
    def reading(self) -> bool:
        """Whether the thread runs."""
        return self._running

    def set_on(self, names: frozenset[str]) -> None:
        """Show these readings."""
        if names != self.on:
            self.on = names
            if self._shown and names:
                self.find()
            self._follow()
            self.changed.emit()

    def choose(self, name: str, on: bool) -> None:
        """The user's choice."""
        self.set_on(self.on | {name} if on else self.on - {name})
        self.chosen.emit(name, on)

    def show(self, shown: bool) -> None:
        """A view of the readings came into sight, or went."""
        self._shown = max(0, self._shown + (1 if shown else -1))
        if self._shown and self.on:
            self.find()
        self._follow()

    def find(self, then: Callable[[], None] = lambda: None) -> None:
        """Look which readings this machine has, once, on a thread; ``then`` it is known."""
        if self.missing is not None:
            then()
            return
        self._asking.append(then)
        if len(self._asking) == 1:
            self._background(_find, self._found)

    def close(self) -> None:
        """Read nothing any more."""
        self._shown = 0
        self._follow()

    def _found(self, missing: dict[str, Missing]) -> None:
        self.missing = missing
        self.changed.emit()
        while self._asking:
            self._asking.pop(0)()

    def _follow(self, _engine: Engine | None = None) -> None:
        """Start the thread or let it end: whatever it depends on may have changed."""
        if not self.on and not self._running:
            return
        working = [engine for engine in self._engines.all.values() if engine.sent]
        wanted = probed(self.on) if self._shown and working else {}
        self._pids = tuple(engine.facts.pid for engine in working if engine.facts.pid)
        with self._lock:
            self._wanted = wanted
            start = bool(wanted) and not self._running
            self._running = self._running or start
        if self._running and not wanted:
            self._awake.set()
        if start:
            threading.Thread(target=self._run, name="gauges", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                wanted = dict(self._wanted)
                if not wanted:
                    self._running = False
                    return
                self._awake.clear()
            found = {name: values for name, probed in wanted.items() if (values := self._look(name, probed))}
            if found:
                now = time.perf_counter_ns()
                self._post(lambda now=now, found=found: self._take(now, found))  # type: ignore[misc]
            due = time.monotonic() + INTERVAL_S
            while (rest := due - time.monotonic()) > 0 and self._wanted:
                self._awake.wait(rest)
                self._awake.clear()

    def _look(self, name: str, source: Probed) -> Mapping[int, float]:
        """One source's values; one that fails is given up."""
        try:
            probe = self._probes.get(name)
            if probe is None:
                probe = self._probes[name] = source.open()
            return {} if isinstance(probe, Missing) else probe.look(self._pids)
        except Exception:
            traceback.print_exc()
            self._probes[name] = Missing()
            return {}

    def _take(self, now: int, found: Mapping[str, Mapping[int, float]]) -> None:
        for name, values in found.items():
            for key, value in values.items():
                rows = self.series.setdefault((name, key), Rows(GAUGE_DTYPE, 256))
                if len(rows) >= 2 * MOST:
                    self._halve(name, key)
                    rows = self.series[name, key]
                rows.append((now, value))

    def _halve(self, name: str, key: int) -> None:
        """Forget the older half, so that a long day stays small."""
        newest = self.series[name, key].view[-MOST:]
        kept = Rows(GAUGE_DTYPE, 2 * MOST)
        for row in newest:
            kept.append(row.item())
        self.series[name, key] = kept


def _find() -> dict[str, Missing]:
    """Readings that this machine doesn't have. Opens every source; not for the GUI's thread."""
    missing: dict[str, Missing] = {}
    for name, source in probed(frozenset(row.name for row in tracks())).items():
        try:
            opened = source.open()
        except Exception:
            traceback.print_exc()
            opened = Missing()
        if isinstance(opened, Missing):
            missing[name] = opened
    return missing
