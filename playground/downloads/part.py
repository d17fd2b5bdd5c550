"""The part of a file that is here: appended to by one thread, hashed behind it by another.

The hash reads back what was written, from the start: so a part that an earlier try left needs no second way (SHA-256
has no state that could be kept), the line never waits for it, and what is checked is what the disk gives back.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playground.models.digest import GivenUp

_PIECE = 1024 * 1024
"""Bytes hashed at once."""
_SYNC_S = 5.0
"""Seconds after which the part is put on disk for good: what came since is fetched again after a lost current."""
_LOOK_S = 0.05


class Part:
    """One file on its way. `write` belongs to the line's thread; after `close` it takes nothing more."""

    def __init__(
        self,
        path: Path,
        size: int,
        digest: str,
        trusted: int | None = None,
        synced: Callable[[int], None] | None = None,
    ) -> None:
        """``trusted``: bytes of an earlier part to build on, None for all. ``synced`` hears what is surely on disk,
        on the hash's thread. Raises OSError."""
        self._path = path
        self.size = size
        self._digest = digest
        self._on_synced = synced
        self._changed = threading.Condition()
        self._file: Any = None
        self._hashing: threading.Thread | None = None
        self._start = self._new_hash()
        self._hash = self._start.copy()
        self._failure: OSError | None = None
        self._piece = bytearray(_PIECE)
        self.length = self.hashed = 0
        """Bytes here; bytes of them that were hashed."""
        self._open(trusted)

    def _open(self, trusted: int | None) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: the hash must find in the file what `length` says.
        self._file = os.fdopen(
            os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", 0
        )
        there = self._file.seek(0, os.SEEK_END)
        keep = there if trusted is None else min(there, trusted)
        if keep > self.size:
            keep = 0
        if keep < there:
            self._file.truncate(keep)
        self.length = self._file.seek(keep)
        self._hashing = threading.Thread(target=self._follow, name="download hash", daemon=True)
        self._hashing.start()

    def write(self, data: Any) -> None:
        """Append a piece. Raises OSError, or GivenUp once closed."""
        with self._changed:
            if self._file is None:
                raise GivenUp
            view = memoryview(data)
            while view:
                n = self._file.write(view)
                view = view[n:]
                self.length += n
            if self.length - self.hashed >= _PIECE or self.length >= self.size:
                self._changed.notify_all()

    def restart(self) -> None:
        """Throw away what is here: the server sends from the start, or another file. Raises OSError, GivenUp."""
        with self._changed:
            if self._file is None:
                raise GivenUp
            self._file.seek(0)
            self._file.truncate(0)
            self.length = self.hashed = 0
            self._hash = self._start.copy()

    def finish(self, cancelled: Callable[[], bool], told: Callable[[int], None]) -> bool:
        """Wait until all is hashed; whether it is the published file. Raises OSError, GivenUp."""
        while True:
            with self._changed:
                if self._failure is not None:
                    raise self._failure
                if cancelled() or self._file is None:
                    raise GivenUp
                if self.hashed >= self.length:
                    return self.length == self.size and self._hash.hexdigest() == self._digest.partition(":")[2]
                self._changed.notify_all()
                told(self.hashed)
                self._changed.wait(_LOOK_S)

    def close(self) -> None:
        """End both threads' work on it; what is here stays."""
        with self._changed:
            file, self._file = self._file, None
            self._changed.notify_all()
        if self._hashing is not None:
            self._hashing.join()
        if file is not None:
            file.close()

    def _follow(self) -> None:
        """The hash's thread."""
        try:
            with self._path.open("rb", 0) as behind:
                synced_at = time.monotonic()
                while (done := self._hash_piece(behind)) is not None:
                    if done and time.monotonic() - synced_at > _SYNC_S:
                        self._sync(behind)
                        synced_at = time.monotonic()
        except OSError as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _hash_piece(self, behind: Any) -> int | None:
        """Bytes hashed, 0 after a wait in vain; None when it is over."""
        with self._changed:
            if self._file is None:
                return None
            if self.length - self.hashed < _PIECE and self.length < self.size:
                self._changed.wait(_LOOK_S)
            state, at, n = self._hash, self.hashed, min(_PIECE, self.length - self.hashed)
        if not n:
            if self.length >= self.size:
                time.sleep(_LOOK_S)
            return 0
        behind.seek(at)
        n = int(behind.readinto(memoryview(self._piece)[:n]))
        state.update(memoryview(self._piece)[:n])  # without the lock: the line goes on meanwhile
        with self._changed:
            if self._hash is state:  # not restarted
                self.hashed += n
                self._changed.notify_all()
        return n

    def _sync(self, behind: Any) -> None:
        """Put on disk what was hashed so far. A second handle of a file does for it."""
        state, at = self._hash, self.hashed
        with suppress(OSError):  # Windows wants a handle for writing: less is trusted there
            getattr(os, "fdatasync", os.fsync)(behind.fileno())
            if self._on_synced is not None and self._hash is state:
                self._on_synced(at)

    def _new_hash(self) -> Any:
        return _hash_for(self._digest, self.size)


def is_published(
    path: Path, size: int, digest: str, told: Callable[[int], None], cancelled: Callable[[], bool]
) -> bool:
    """Whether a whole file is the one with that digest (see `FileRecord.digest`). Raises OSError, GivenUp."""
    state = _hash_for(digest, size)
    done = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            if cancelled():
                raise GivenUp
            state.update(piece)
            done += len(piece)
            told(done)
    return done == size and state.hexdigest() == digest.partition(":")[2]


def _hash_for(digest: str, size: int) -> Any:
    if digest.startswith("git:"):
        return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    return hashlib.sha256()
