"""One file: asked for, fetched over as many tries as it takes, checked; then it is a blob of the cache."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import ExitStack, suppress

from playground.downloads import line
from playground.downloads.control import Control
from playground.downloads.errors import LINE, PASSING, CommitGone, DownloadError, explain
from playground.downloads.line import Answer, Remote
from playground.downloads.part import Part, is_published
from playground.downloads.place import Place, free_at
from playground.downloads.record import FileRecord, Journal, Record, locked
from playground.models.digest import GivenUp
from playground.translate import later, tr

SPARE = 64 * 1024 * 1024
"""Bytes that must stay free on the disk."""
_LOOK_BYTES = 32 * 1024 * 1024
"""Between two looks at the free space."""


class Fetch:
    """The work on one file of a record. Blocks: for a thread of its own."""

    def __init__(self, record: Record, file: FileRecord, place: Place, journal: Journal, control: Control) -> None:
        self._record = record
        self._file = file
        self._place = place
        self._journal = journal
        self._control = control
        self._part: Part | None = None
        self._held = ExitStack()
        self._vain = 0

    def look(self) -> None:
        """Learn size, digest and commit. Raises DownloadError, CommitGone, GivenUp."""
        self._persist(self._settle)

    def run(self) -> None:
        """Fetch what is missing; the file is `checked` then. Raises DownloadError, CommitGone, GivenUp."""
        try:
            self._persist(self._try)
        finally:
            self._close()

    def _persist(self, attempt: Callable[[], object]) -> None:
        """One attempt after the other, with pauses, until it succeeds or there is no use."""
        while True:
            self._control.check()
            before = self._part.length if self._part else 0
            try:
                attempt()
                return
            except (GivenUp, CommitGone):
                raise
            except Exception as error:
                trouble = explain(error, self._record.repo, self._file.name, self._place.root)
                if trouble is None:
                    raise
                if self._part is not None and self._part.length > before:
                    self._vain = 0
                self._give_up_or_wait(trouble, error)

    def _give_up_or_wait(self, trouble: DownloadError, error: Exception) -> None:
        patience = self._control.patience
        endless = patience.for_ever and trouble.kind in LINE
        if trouble.kind not in PASSING or (self._vain >= patience.tries and not endless):
            raise trouble from error
        wait = max(patience.wait_s(self._vain, random.random()), trouble.retry_after_s)
        self._vain += 1
        self._control.wait(wait, tr(_WHY.get(trouble.kind, "")))

    def _settle(self) -> Remote:
        """Look the file up; what is here of another version of it is thrown away."""
        remote: list[Remote] = []
        try:
            self._control.run_aside(lambda: remote.append(line.ask(self._record, self._file)))
        except Exception as error:
            if self._file.commit and _is_gone(error):
                raise CommitGone from error
            raise
        found, file = remote[0], self._file
        if not found.digest:
            raise DownloadError(
                "digest",
                tr(
                    "The server gives no digest for {name}, so it could not be checked; nothing was downloaded.",
                    name=file.name,
                ),
            )
        if file.only_sha256 and found.digest != f"sha256:{file.only_sha256}":
            raise DownloadError(
                "changed",
                tr(
                    "{name} in {repo} is another file now than the one asked for. Nothing was downloaded.",
                    name=file.name,
                    repo=self._record.repo,
                ),
            )
        if file.etag and (file.etag, file.size, file.digest) != (found.etag, found.size, found.digest):
            self._drop()
        if (file.etag, file.commit, file.size) != (found.etag, found.commit, found.size):
            file.etag, file.size, file.digest, file.commit = found.etag, found.size, found.digest, found.commit
            self._journal.save(self._record)
        return found

    def _try(self) -> None:
        remote = self._settle()
        part = self._open()
        if part is None:
            self._done()
            return
        self._room()
        while part.length < part.size:
            self._receive(remote, part)
        self._accept(part)

    def _receive(self, remote: Remote, part: Part) -> None:
        begun, answer = part.length, Answer()
        self._control.run_aside(
            lambda: line.receive(remote, begun, self._restart, self._take, answer), answer.break_off
        )
        if part.length < part.size and part.length - begun != line.MAX_ANSWER:
            raise DownloadError(
                "stalled",
                tr("{name} ended before it was complete. Try again; it goes on where it ended.", name=self._file.name),
            )

    def _open(self) -> Part | None:
        """The part, with what an earlier try left; kept over the tries, as its hash is under way. None: all is here."""
        file, place = self._file, self._place
        if self._part is None:
            self._held.close()
            self._held.enter_context(locked(place.lock(file.etag)))
            there = place.find(file)
            # The Hub's client doesn't check what it puts into the cache.
            if there and is_published(there, file.size, file.digest, self._see_checked, self._control.stopped):
                return None
            trusted = None if file.trusted < 0 else file.trusted
            self._part = Part(place.part(file.etag), file.size, file.digest, trusted, self._note_synced)
            file.trusted = -1
        self._see(self._part.length)
        return self._part

    def _take(self, data: bytes) -> None:
        """A piece from the line, on its thread."""
        part = self._part
        if part is None or self._control.stopped():
            raise GivenUp
        if part.length + len(data) > part.size:
            self._restart()
            raise DownloadError(
                "length",
                tr("More came as {name} than the file has. It is fetched anew; try again later.", name=self._file.name),
            )
        before = part.length
        part.write(data)
        if before // _LOOK_BYTES != part.length // _LOOK_BYTES:
            self._refuse_when_below(SPARE)
        self._see(part.length)
        self._control.limit.take(len(data), self._control.stopped)

    def _restart(self) -> None:
        if self._part is None:
            raise GivenUp
        self._file.synced = 0
        self._part.restart()
        self._see(0)

    def _accept(self, part: Part) -> None:
        """Give a sound part its name as a blob; put any other where nothing takes it for a model."""
        sound = part.finish(
            self._control.stopped,
            lambda n: self._control.tell(tr("Checking it: {value} %.", value=100 * n // max(1, part.size))),
        )
        self._close()
        file, path = self._file, self._place.part(self._file.etag)
        if not sound:
            bad = self._place.bad(file.etag)
            os.replace(path, bad)
            file.synced = 0
            raise DownloadError(
                "digest",
                tr(
                    "What arrived as {name} is not the file that was published (its digest is another), so it is not "
                    "used. It was put aside as {bad}; try again, which replaces it, or cancel, which deletes it.",
                    name=file.name,
                    bad=f"{bad.name[:12]}…{bad.suffix}",
                ),
            )
        os.replace(path, self._place.blob(file.etag))
        file.ours = True
        with suppress(OSError):
            self._place.bad(file.etag).unlink()
        self._done()

    def _done(self) -> None:
        self._file.checked = True
        self._see(self._file.size)
        self._control.tell("")

    def _see_checked(self, done: int) -> None:
        self._control.tell(
            tr("It is here already; checking it: {value} %.", value=100 * done // max(1, self._file.size))
        )

    def _room(self) -> None:
        """Raises DownloadError when the disk would not hold the rest, with what others fetch at the time."""
        missing = self._record.size - sum(self._control.here.values())
        self._refuse_when_below(missing + self._control.promised() + SPARE)

    def _refuse_when_below(self, needed: int) -> None:
        free = free_at(self._place.root)
        if free < needed:
            raise DownloadError(
                "disk",
                tr(
                    "The disk with {cache} has {free:.1f} GB free, and {needed:.1f} GB are needed. Free some space, "
                    "then try again; what has arrived is kept.",
                    cache=self._place.cache,
                    free=free / 1e9,
                    needed=needed / 1e9,
                ),
            )

    def _note_synced(self, n: int) -> None:
        self._file.synced = n
        with suppress(OSError):
            self._journal.save(self._record)

    def _see(self, here: int) -> None:
        self._control.here[self._file.name] = here
        self._control.progress()

    def _drop(self) -> None:
        """Begin anew, for another version of the file."""
        self._close()
        with suppress(OSError):
            self._place.part(self._file.etag).unlink()
        self._file.synced, self._file.checked = 0, False
        self._see(0)

    def _close(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.close()
        self._held.close()


_WHY = {
    "offline": later("The Hub can’t be reached."),
    "stalled": later("The line broke."),
    "rate": later("The Hub asks for a pause."),
    "server": later("The Hub has trouble."),
    "length": later("The server sent something else."),
}


def _is_gone(error: Exception) -> bool:
    from huggingface_hub.errors import RevisionNotFoundError

    return isinstance(error, RevisionNotFoundError)
