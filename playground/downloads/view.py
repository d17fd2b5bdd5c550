"""A download as it is shown: a snapshot that any thread may read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from playground.downloads.control import Control
from playground.downloads.pace import Speed
from playground.downloads.record import Record, State


@dataclass(frozen=True, slots=True)
class FileView:
    """One file of it."""

    name: str
    size: int
    """Bytes; 0: not known yet."""
    here: int
    """Bytes that have arrived."""


@dataclass(frozen=True, slots=True)
class DownloadView:
    """One line of a list of downloads."""

    id: str
    repo: str
    label: str
    state: State
    files: tuple[FileView, ...]
    bytes_s: float
    """Over the last seconds; 0 while it rests."""
    left_s: float | None
    """Seconds until it is complete, at that speed; None while nothing can be said."""
    note: str
    """What it waits for: a sentence, or empty."""
    fault: str
    """What kind of failure, see `errors.DownloadFault`; empty: none."""
    message: str
    """The failure as a sentence or two."""
    paths: tuple[str, ...]
    """Where the files are, once they can be loaded; the first stands for a split model."""

    @property
    def size(self) -> int:
        """Bytes in all; 0: not known yet."""
        return sum(file.size for file in self.files)

    @property
    def here(self) -> int:
        """Bytes that have arrived."""
        return sum(file.here for file in self.files)


class Shown(Protocol):
    """What a snapshot is made from."""

    record: Record
    control: Control
    speed: Speed
    note: str


def look_at(entry: Shown) -> DownloadView:
    """A snapshot."""
    record, here = entry.record, entry.control.here
    files = tuple(FileView(file.name, file.size, here.get(file.name, 0)) for file in record.files)
    missing = sum(file.size - file.here for file in files)
    running = record.state == "running"
    return DownloadView(
        record.id,
        record.repo,
        record.label or record.files[0].name.rpartition("/")[2],
        record.state,
        files,
        entry.speed.bytes_s if running else 0.0,
        entry.speed.left_s(missing) if running else None,
        entry.note or (entry.control.note if running else ""),
        record.fault,
        record.message,
        tuple(record.paths),
    )
