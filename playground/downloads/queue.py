"""The queue: what is wanted, what runs, what rests; one thread of its own changes it and hands out snapshots."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue

from playground.downloads import job
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError, explain
from playground.downloads.pace import Limit, Speed
from playground.downloads.place import Place, free_at, place_of
from playground.downloads.record import Journal, Record
from playground.downloads.view import DownloadView, look_at
from playground.models.digest import GivenUp
from playground.translate import tr

_TICK_S = 0.25
"""Between two snapshots while bytes come."""
_DISK_S = 2.0
"""Between two looks at the free space."""
_BUSY_S = 3.0
"""Before a download that another program has in hand is looked at again."""


@dataclass(slots=True)
class Entry:
    """A record with what is only true while this process runs."""

    record: Record
    place: Place
    control: Control
    speed: Speed = field(default_factory=Speed)
    thread: threading.Thread | None = None
    after: str = ""
    """What to do with it once its thread has ended: ``pause``, ``resume``, ``cancel``, or ``leave`` the list."""
    not_before: float = 0.0
    """Monotonic time; another program has it until then."""
    note: str = ""


class Queue:
    """All downloads of this user. Every method returns at once, on any thread; `changed` is called on the queue's."""

    def __init__(
        self,
        folder: Path,
        changed: Callable[[tuple[DownloadView, ...]], None],
        *,
        finished: Callable[[DownloadView], None] = lambda _view: None,
        cache: Path | None = None,
        at_once: int = 2,
        bytes_s: float = 0.0,
        patience: Patience | None = None,
    ) -> None:
        """``finished`` is called when a download's files can be loaded, before they are on disk for good."""
        self._journal = Journal(folder)
        self._changed = changed
        self._finished = finished
        self._cache = cache
        self._at_once = at_once
        self._limit = Limit(bytes_s)
        self._patience = patience or Patience(for_ever=True)
        self._entries: list[Entry] = []
        self._orders: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.free: int | None = None
        """Bytes free where downloads go, as last looked at; None: not known yet."""
        self._looked = 0.0
        self._thread = threading.Thread(target=self._run, name="downloads", daemon=True)
        self._closing = self._dirty = False

    def start(self) -> None:
        """Take up what an earlier run left: what was running goes on, what rested rests."""
        self._orders.put(self._load)
        self._thread.start()

    def close(self, wait_s: float = 5.0) -> None:
        """End, keeping what has arrived; the next start goes on with it."""
        self._orders.put(self._close)
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def add(self, record: Record) -> str:
        """Put a download at the end; its id. What is in the queue already is only woken."""
        self._orders.put(lambda: self._add(record))
        return record.id

    def pause(self, download_id: str) -> None:
        """Rest until `resume`."""
        self._order(download_id, self._pause)

    def resume(self, download_id: str) -> None:
        """Go on, or try again what failed; what waits for its next try doesn't wait any longer."""
        self._order(download_id, self._resume)

    def cancel(self, download_id: str) -> None:
        """Give up and clean up; what is done only leaves the list, its files stay."""
        self._order(download_id, self._cancel)

    def first(self, download_id: str) -> None:
        """Let it be the next one."""
        self._order(download_id, self._first)

    def pause_all(self) -> None:
        """Let all rest."""
        self._order_all(self._pause)

    def resume_all(self) -> None:
        """Let all that rest go on."""
        self._order_all(lambda entry: self._resume(entry) if entry.record.state == "paused" else None)

    def set_at_once(self, n: int) -> None:
        """How many run at the same time; those above it end their run and wait."""
        self._orders.put(lambda: setattr(self, "_at_once", max(1, n)))

    def set_limit(self, bytes_s: float) -> None:
        """Bytes a second over all; 0: as fast as the line."""
        self._limit.set(bytes_s)

    # on the queue's thread

    def _order(self, download_id: str, act: Callable[[Entry], None]) -> None:
        def run() -> None:
            for entry in [entry for entry in self._entries if entry.record.id == download_id]:
                act(entry)

        self._orders.put(run)

    def _order_all(self, act: Callable[[Entry], None]) -> None:
        def run() -> None:
            for entry in list(self._entries):
                act(entry)

        self._orders.put(run)

    def _run(self) -> None:
        while not (self._closing and not any(entry.thread for entry in self._entries)):
            with suppress(Empty):
                self._orders.get(timeout=self._nap_s())()
                while True:
                    self._orders.get_nowait()()
            self._begin_next()
            self._show()

    def _nap_s(self) -> float | None:
        if any(entry.thread for entry in self._entries):
            return _TICK_S
        return _BUSY_S if any(entry.not_before for entry in self._entries) else None

    def _load(self) -> None:
        for record in self._journal.load():
            self._entries.append(self._entry(record))
        self._dirty = True

    def _entry(self, record: Record) -> Entry:
        control = Control(limit=self._limit, patience=self._patience)
        entry = Entry(record, place_of(record.repo, self._cache), control)
        control.promised = lambda: self._promised(entry)
        job.survey(record, entry.place, control)
        if record.state == "running":
            record.state = "waiting"
        return entry

    def _add(self, record: Record) -> None:
        known = next((e for e in self._entries if e.record.same_as(record) and e.record.state != "done"), None)
        if known is not None:
            self._resume(known)
            return
        entry = self._entry(record)
        self._entries.append(entry)
        self._save(entry)

    def _pause(self, entry: Entry) -> None:
        if entry.thread is not None:
            entry.after = entry.after or "pause"
            entry.control.stop()
        elif entry.record.state in ("waiting", "failed"):
            self._rest(entry)

    def _rest(self, entry: Entry) -> None:
        entry.record.state, entry.note, entry.not_before = "paused", "", 0.0
        self._save(entry)

    def _resume(self, entry: Entry) -> None:
        if entry.thread is not None:
            entry.after = "" if entry.after in ("cancel", "leave") else ("resume" if entry.after else "")
            entry.control.hurry()
        elif entry.record.state != "done":
            entry.record.state, entry.not_before, entry.note = "waiting", 0.0, ""
            entry.record.fault = entry.record.message = ""
            self._save(entry)

    def _cancel(self, entry: Entry) -> None:
        if entry.thread is not None:
            # Done is shown while a slow disk still keeps that it is: then only the list is meant.
            entry.after = "leave" if entry.record.state == "done" else "cancel"
            entry.control.stop()
            return
        self._entries.remove(entry)
        job.discard(entry.record, self._journal, entry.place)
        self._dirty = True

    def _first(self, entry: Entry) -> None:
        earliest = min(other.record.added for other in self._entries)
        if entry.record.added > earliest:
            entry.record.added = earliest - 1
            self._entries.sort(key=lambda other: other.record.added)
            self._save(entry)

    def _begin_next(self) -> None:
        running = sum(entry.thread is not None for entry in self._entries)
        for entry in self._entries:
            if self._closing or running >= self._at_once:
                break
            if entry.record.state == "waiting" and entry.thread is None and entry.not_before <= time.monotonic():
                running += 1
                self._begin(entry)
        for entry in [entry for entry in self._entries if entry.thread][self._at_once :]:
            entry.after = entry.after or "resume"
            entry.control.stop()

    def _begin(self, entry: Entry) -> None:
        here = entry.control.here
        entry.control = Control(limit=self._limit, patience=self._patience, here=here)
        entry.control.promised = lambda: self._promised(entry)
        entry.after = entry.note = ""
        entry.not_before = 0.0
        entry.speed.clear()
        entry.record.state = "running"
        entry.thread = threading.Thread(target=self._work, args=(entry,), name="download", daemon=True)
        self._dirty = True
        entry.thread.start()

    def _work(self, entry: Entry) -> None:
        """On the download's own thread."""
        failure: DownloadError | None = None
        given_up = False
        try:
            job.run(entry.record, self._journal, entry.place, entry.control, lambda _paths: self._offer(entry))
        except GivenUp:
            given_up = True
        except Exception as error:
            failure = explain(error, entry.record.repo, entry.record.label, entry.place.cache) or DownloadError(
                "other",
                tr("The download broke off by a fault of the app ({name}). Try it again.", name=type(error).__name__),
            )
        self._orders.put(lambda: self._ended(entry, failure, given_up))

    def _offer(self, entry: Entry) -> None:
        view = look_at(entry)
        self._orders.put(lambda: self._finished(view))

    def _ended(self, entry: Entry, failure: DownloadError | None, given_up: bool) -> None:
        entry.thread = None
        after, entry.after = entry.after, ""
        record = entry.record
        if after == "leave" or (after == "cancel" and record.state != "done"):
            self._cancel(entry)
        elif failure is not None and failure.kind == "busy":
            self._elsewhere(entry, failure)
        elif failure is not None:
            record.state, record.fault, record.message = "failed", failure.kind, str(failure)
            self._save(entry)
        elif given_up:
            record.state = "paused" if after == "pause" else "waiting"
            self._save(entry)
        self._dirty = True

    def _elsewhere(self, entry: Entry, failure: DownloadError) -> None:
        """Another window or program has it: wait for how it ends there."""
        entry.record.state, entry.note = "waiting", str(failure)
        entry.not_before = time.monotonic() + _BUSY_S
        there = self._journal.reload(entry.record.id)
        if there is not None and there.state == "done":
            entry.record, entry.note, entry.not_before = there, "", 0.0
            self._finished(look_at(entry))

    def _promised(self, entry: Entry) -> int:
        others = [other for other in list(self._entries) if other is not entry and other.thread is not None]
        return sum(max(0, other.record.size - sum(other.control.here.values())) for other in others)

    def _save(self, entry: Entry) -> None:
        self._dirty = True
        try:
            self._journal.save(entry.record)
        except OSError as error:
            entry.note = tr("The list of downloads can’t be kept ({reason}).", reason=error.strerror or error)

    def _show(self) -> None:
        if not self._dirty and not any(entry.thread for entry in self._entries):
            return
        self._dirty = False
        self._look_at_disk()
        for entry in self._entries:
            if entry.thread is not None:
                entry.speed.see(sum(list(entry.control.here.values())))
        self._changed(tuple(look_at(entry) for entry in self._entries))

    def _look_at_disk(self) -> None:
        now = time.monotonic()
        if self._entries and (self.free is None or now - self._looked >= _DISK_S):
            self._looked = now
            with suppress(OSError):
                self.free = free_at(self._entries[0].place.cache)

    def _close(self) -> None:
        self._closing = True
        for entry in self._entries:
            entry.control.stop()
