"""One download from its record to files with a name: all its parts, checked, and offered together."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playground.downloads import fetched
from playground.downloads.control import Control
from playground.downloads.errors import CommitGone, DownloadError, explain
from playground.downloads.fetch import Fetch
from playground.downloads.place import Place
from playground.downloads.record import Journal, Record
from playground.translate import tr


def run(
    record: Record,
    journal: Journal,
    place: Place,
    control: Control,
    offered: Callable[[list[Path]], None] = lambda _paths: None,
) -> None:
    """Fetch what is missing of a record and offer it; its journal says ``done`` then.

    ``offered`` gets the paths as soon as the files can be loaded; after it, they are put on disk for good.
    Blocks. Raises DownloadError, or GivenUp; what has arrived is kept.
    """
    try:
        with journal.alone(record):
            record.state, record.fault, record.message = "running", "", ""
            journal.save(record)
            _fetch_all(record, journal, place, control)
            paths = place.offer(record.files, record.revision)
            record.paths = [str(path) for path in paths]
            fetched.note(journal.folder, place, record.files)
            offered(paths)
            _put_on_disk(paths)
            record.state = "done"
            journal.save(record)
    except OSError as error:
        raise explain(error, record.repo, record.label or record.files[0].name, place.cache) or error from error


def survey(record: Record, place: Place, control: Control) -> None:
    """Say how much of each file is here, before anything is fetched."""
    for file in record.files:
        if file.checked and place.find(file) is None:
            file.checked = False
        here = file.size if file.checked else 0
        if not file.checked and file.etag:
            with suppress(OSError):
                here = min(place.part(file.etag).stat().st_size, file.size)
        control.here[file.name] = here


def discard(record: Record, journal: Journal, place: Place) -> None:
    """Cancel: remove all that a download left and no other needs."""
    with suppress(DownloadError):
        if record.state != "done":
            place.clear(record.files)
    journal.remove(record)


def _fetch_all(record: Record, journal: Journal, place: Place, control: Control) -> None:
    for last_chance in (False, True):
        survey(record, place, control)
        try:
            _look_up(record, journal, place, control)
            for file in record.files:
                if not file.checked:
                    Fetch(record, file, place, journal, control).run()
                    journal.save(record)
            if len({file.commit for file in record.files}) == 1:
                return
        except CommitGone as error:
            if last_chance:
                raise DownloadError(
                    "changed",
                    tr("{repo} is being changed on the Hub just now. Try again in a while.", repo=record.repo),
                ) from error
        # What stays the same is found by its etag.
        for file in record.files:
            file.commit = ""
            file.checked = False


def _look_up(record: Record, journal: Journal, place: Place, control: Control) -> None:
    """Learn the size of all files before the first is fetched, and hold on to one commit."""
    for file in record.files:
        if not file.etag or not file.commit:
            file.commit = file.commit or record.files[0].commit
            Fetch(record, file, place, journal, control).look()
            control.here.setdefault(file.name, 0)
    control.progress()


def _put_on_disk(paths: list[Path]) -> None:
    """Until then the record is not done: after a lost current all is checked again, and fetched where need be."""
    for path in paths:
        with suppress(OSError), path.open("rb") as file:
            os.fsync(file.fileno())
