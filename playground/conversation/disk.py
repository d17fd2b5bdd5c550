"""The one thread that touches the chats' file: takes writes and questions, never keeps a caller waiting."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from playground.conversation import rows
from playground.conversation.opening import is_corrupt, open_database, replace_broken, sentence_for
from playground.conversation.pending import Key, Pending
from playground.conversation.rows import Write
from playground.translate import tr

Deliver: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a thunk later on the thread that wants the answers."""

_log = logging.getLogger(__name__)
_URGENT_RETRY_S = 0.1
_SLOWEST_RETRY_S = 5.0
HANGS_S = 2.0
"""A disk that takes longer over one write may never end it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the database."""

    read: Callable[[sqlite3.Connection], Any]
    reply: Callable[[Any], None]
    empty: Any
    """The answer while the file can't be read."""
    kind: str = ""
    """If set, a newer question of this kind replaces one that was not yet answered."""


class DiskThread:
    """Owns the connection. Values that can't be written now are kept and tried again."""

    def __init__(self, path: Path, deliver: Deliver, on_error: Callable[[str], None]) -> None:
        self._path = path
        self._deliver = deliver
        self.on_error = on_error
        self.on_waiting: Callable[[str], None] = lambda _sentence: None
        """Told why nothing can be written now, and an empty text once that is over."""
        self._wake = threading.Condition()
        self._pending = Pending()
        self._asks: list[Ask] = []
        self._busy = False
        self._writing_since = 0.0
        """By the monotonic clock; 0: nothing is being written."""
        self._flushing = 0
        self._close_by: float | None = None
        self._thread = threading.Thread(target=self._run, name="chats", daemon=True)
        # From here on touched by the thread only.
        self._db: sqlite3.Connection | None = None
        self._retry_at = 0.0
        self._failures = 0
        self._said = ""

    def start(self) -> None:
        """Open the file and begin."""
        self._thread.start()

    @property
    def stuck(self) -> bool:
        """Whether something waits to be written that could not be, or whose writing doesn't end."""
        with self._wake:
            # While it is tried again, it is with the thread.
            return self._hangs() or (self._failures > 0 and (self._busy or len(self._pending) > 0))

    @property
    def hangs(self) -> bool:
        """Whether that is because a write doesn't end, which may yet come right by itself."""
        with self._wake:
            return self._failures == 0 and self._hangs()

    def _hangs(self) -> bool:
        return self._writing_since > 0 and time.monotonic() - self._writing_since > HANGS_S

    def put(self, key: Key, write: Write) -> None:
        """Write this soon; replaces an earlier write of the same key."""
        with self._wake:
            self._pending.put(key, write)
            self._wake.notify_all()

    def grow(self, node_id: str, write: Write) -> None:
        """Write this at the pace of growing texts."""
        with self._wake:
            idle = len(self._pending) == 0
            self._pending.grow(node_id, write)
            if idle:
                self._wake.notify_all()

    def ask(self, ask: Ask) -> None:
        """Answer this after all that was put before."""
        with self._wake:
            if ask.kind:
                self._asks = [other for other in self._asks if other.kind != ask.kind]
            self._asks.append(ask)
            self._wake.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is on disk; whether it is."""
        with self._wake:
            self._flushing += 1
            self._wake.notify_all()
            done = self._wake.wait_for(lambda: not self._busy and len(self._pending) == 0, timeout_s)
            self._flushing -= 1
            return done

    def close(self, timeout_s: float) -> bool:
        """Write what is left and end; whether everything was written. May be called twice."""
        if self._thread.ident is None:
            return len(self._pending) == 0
        with self._wake:
            if self._close_by is None:
                self._close_by = time.monotonic() + timeout_s
            self._wake.notify_all()
        self._thread.join(timeout_s + 1)
        return not self._thread.is_alive() and len(self._pending) == 0

    def _run(self) -> None:
        self._open()
        while self._turn():
            pass
        if self._db is not None:
            self._db.close()

    def _turn(self) -> bool:
        """Wait for something to do and do it; False when that was the last."""
        with self._wake:
            while (wait := self._wait_s()) != 0:
                self._wake.wait(wait)
            asks, self._asks = self._asks, []
            urgent = bool(asks or self._flushing or self._close_by is not None)
            may_write = self._retry_at <= time.monotonic()
            batch = self._pending.take(time.monotonic(), urgent) if may_write else {}
            self._busy = True
            self._writing_since = time.monotonic() if batch else 0.0
        if may_write and self._db is None:
            self._open()
        if self._db is None:
            self._keep(batch)
        elif batch:
            self._write(batch)
        for ask in asks:
            self._answer(ask)
        with self._wake:
            self._busy, self._writing_since = False, 0.0
            self._wake.notify_all()
            if self._close_by is None:
                return True
            return len(self._pending) > 0 and time.monotonic() < self._close_by

    def _wait_s(self) -> float | None:
        """Seconds until there is work, 0 for now, None for no idea; the lock is held."""
        now = time.monotonic()
        if self._asks:
            return 0
        urgent = bool(self._flushing) or self._close_by is not None
        if urgent:
            self._retry_at = min(self._retry_at, now + _URGENT_RETRY_S)
        wait = self._pending.wait_s(now)
        if wait is None:
            return 0 if self._close_by is not None else None
        return max(0.0 if urgent else wait, self._retry_at - now, 0.0)

    def _open(self) -> None:
        try:
            self._db, sentence = open_database(self._path)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return
        self._succeeded()
        if sentence:
            self._say(sentence)
        try:
            self._transact([lambda db: rows.purge(db, _is_alive)])
        except sqlite3.Error as error:
            _log.warning("deleted chats could not be purged: %s", error)

    def _write(self, batch: dict[Key, Write]) -> None:
        try:
            self._transact(batch.values())
        except sqlite3.DatabaseError as error:
            if is_corrupt(error):
                self._keep(batch)
                self._replace()
            elif isinstance(error, sqlite3.OperationalError):
                self._keep(batch)
                self._failed(error)
            else:
                self._write_singly(batch)
        except Exception:
            self._write_singly(batch)
        else:
            self._succeeded()

    def _write_singly(self, batch: dict[Key, Write]) -> None:
        """One of these can't be written: find it, leave it out, keep the others."""
        for key, write in batch.items():
            try:
                self._transact([write])
            except sqlite3.OperationalError as error:
                self._keep({key: write})
                self._failed(error)
            except Exception as error:
                _log.exception("a %s was not saved", key[0])
                self._say(
                    tr("A part of this chat ({key}) can’t be saved: {error}. The rest is.", key=key[0], error=error)
                )

    def _transact(self, writes: Iterable[Write]) -> None:
        db = self._db
        if db is None:
            raise sqlite3.OperationalError("the file is not open")
        db.execute("BEGIN IMMEDIATE")
        try:
            for write in writes:
                write(db)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _answer(self, ask: Ask) -> None:
        value = ask.empty
        for _ in range(2):
            if self._db is None:
                break
            try:
                value = ask.read(self._db)
                break
            except sqlite3.DatabaseError as error:
                if not is_corrupt(error):
                    self._say(sentence_for(error, self._path))
                    break
                self._replace()
        self._tell(lambda: ask.reply(value))

    def _replace(self) -> None:
        """The file turned out to be damaged."""
        if self._db is not None:
            self._db.close()
            self._db = None
        try:
            self._db, sentence = replace_broken(self._path)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
        else:
            self._say(sentence)

    def _keep(self, batch: dict[Key, Write]) -> None:
        with self._wake:
            self._pending.give_back(batch)

    def _failed(self, error: sqlite3.Error | OSError) -> None:
        self._failures += 1
        self._retry_at = time.monotonic() + min(_SLOWEST_RETRY_S, 0.25 * 2.0**self._failures)
        sentence = sentence_for(error, self._path)
        self._tell(lambda: self.on_waiting(sentence))
        self._say(sentence)

    def _succeeded(self) -> None:
        if self._failures or self._hangs():
            self._tell(lambda: self.on_waiting(""))
        self._failures = 0
        self._retry_at = 0.0
        self._said = ""

    def _say(self, sentence: str) -> None:
        """One sentence to the user; the same one not again before things went well."""
        if sentence != self._said:
            self._said = sentence
            self._tell(lambda: self.on_error(sentence))

    def _tell(self, thunk: Callable[[], None]) -> None:
        try:
            self._deliver(thunk)
        except Exception:
            _log.exception("nobody takes the store's answers")


def _is_alive(pid: int) -> bool:
    """Whether another process of that id runs; an earlier session of our own id has ended."""
    import psutil  # only when there is something to purge

    return pid != os.getpid() and psutil.pid_exists(pid)
