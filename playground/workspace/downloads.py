"""Downloads as the window has them: the queue's snapshots on the window's thread, and what can be done with each.

Nothing here blocks or touches the disk: orders go to the queue's own thread, what comes of them comes back as signals.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from playground.downloads import record
from playground.downloads.errors import DownloadError
from playground.downloads.queue import Queue
from playground.downloads.record import Record
from playground.downloads.view import DownloadView
from playground.paths import Paths
from playground.translate import tr
from playground.workspace.ports import Post
from playground.workspace.signal import Signal


class Downloads:
    """The list of downloads; they go on while everything else does."""

    def __init__(
        self, paths: Paths, post: Post, *, at_once: int = 2, mb_s: float = 0.0, cache: Path | None = None
    ) -> None:
        """``at_once``: how many run at the same time. ``mb_s``: megabytes a second over all, 0: no limit.

        ``cache``: the Hub's, if not the usual one.
        """
        self._post = post
        self._queue = Queue(
            record.folder_of(paths),
            self._heard,
            finished=lambda view: post(lambda: self._finished(view)),
            cache=cache,
            at_once=at_once,
            bytes_s=mb_s * 1e6,
        )
        self.mb_s = mb_s
        """The limit in force: megabytes a second over all; 0: none."""
        self.limited: Signal[[]] = Signal()
        """Another limit is in force."""
        self._lock = threading.Lock()
        self._latest: tuple[DownloadView, ...] | None = None
        self._started = False
        self.items: tuple[DownloadView, ...] = ()
        """In the order of the queue."""
        self.changed: Signal[[]] = Signal()
        """Up to four times a second while bytes come."""
        self.finished: Signal[[DownloadView]] = Signal()
        """Its files are checked and can be loaded: ``paths[0]`` stands for the model."""
        self.told: Signal[[str]] = Signal()
        """A short confirmation, or why something can't be asked for."""
        self.pause, self.resume, self.cancel = self._queue.pause, self._queue.resume, self._queue.cancel
        self.first, self.pause_all, self.resume_all = self._queue.first, self._queue.pause_all, self._queue.resume_all
        self.set_at_once = self._queue.set_at_once

    def start(self) -> None:
        """Take up what an earlier run left."""
        if not self._started:
            self._started = True
            self._queue.start()

    def close(self) -> None:
        """End, keeping what has arrived."""
        if self._started:
            self._queue.close()

    def add(
        self, repo: str, names: Iterable[str], sizes: Iterable[int] = (), *, revision: str = "", label: str = ""
    ) -> str:
        """Download files of a repository as one: its id; empty for what can't be asked for, which `told` says.

        ``names``: paths in the repository, of a split model all in their order; ``label``: how lists call it.
        """
        try:
            return self.add_record(record.new(repo, list(names), sizes, revision, label=label))
        except DownloadError as error:
            self.told.emit(str(error))
            return ""

    def add_record(self, wanted: Record) -> str:
        """As `add`, for one that says more, such as the one digest that is wanted."""
        self.start()
        return self._queue.add(wanted)

    def find(self, download_id: str) -> DownloadView | None:
        """One of them, as it was last heard of."""
        return next((view for view in self.items if view.id == download_id), None)

    def find_file(self, repo: str, name: str) -> DownloadView | None:
        """The download that fetches or fetched a file of a repository."""
        return next(
            (view for view in self.items if view.repo == repo and any(file.name == name for file in view.files)), None
        )

    def drop(self, path: str) -> None:
        """Take what fetched this file off the list: the file has been deleted."""
        for view in self.items:
            if view.state == "done" and path in view.paths:
                self.cancel(view.id)

    def set_limit(self, mb_s: float) -> None:
        """Megabytes a second over all downloads; 0: as fast as the line."""
        if mb_s != self.mb_s:
            self.mb_s = mb_s
            self._queue.set_limit(mb_s * 1e6)
            self.limited.emit()

    @property
    def free(self) -> int | None:
        """Bytes free where downloads go; None: not known yet."""
        return self._queue.free

    @property
    def to_come(self) -> int:
        """Bytes that all downloads that aren't done still need, as far as their sizes are known."""
        return sum(max(0, view.size - view.here) for view in self.items if view.state != "done")

    @property
    def active(self) -> list[DownloadView]:
        """Those that run or wait for their turn."""
        return [view for view in self.items if view.state in ("running", "waiting")]

    def _heard(self, views: tuple[DownloadView, ...]) -> None:
        """On the queue's thread: only the latest snapshot is of interest."""
        with self._lock:
            waiting = self._latest is not None
            self._latest = views
        if not waiting:
            self._post(self._take)

    def _take(self) -> None:
        with self._lock:
            latest, self._latest = self._latest, None
        if latest is not None and latest != self.items:
            self.items = latest
            self.changed.emit()

    def _finished(self, view: DownloadView) -> None:
        self._take()
        self.told.emit(tr("{label} is here and checked.", label=view.label))
        self.finished.emit(view)
