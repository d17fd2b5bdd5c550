"""Opening the chats' file: WAL, tables, and what happens to a file that is broken or from the future."""

from __future__ import annotations

import os
import sqlite3
import struct
from datetime import datetime
from pathlib import Path

from playground.conversation.schema import MIGRATIONS, MigrationFailed, NewerDatabase, migrate, version
from playground.translate import later, tr

BUSY_S = 5.0
"""How long a statement waits for another window to finish its write."""

_USER_VERSION_AT = 60
"""Offset of ``user_version`` in the file's header (sqlite.org/fileformat2.html, section 1.3)."""

_SENTENCES = {
    sqlite3.SQLITE_FULL: later(
        "The disk is full, so the newest turns are not saved yet. Free some space; saving goes on by itself."
    ),
    sqlite3.SQLITE_READONLY: later(
        "The chats’ file {path} is read-only, so the newest turns are not saved yet. Make it writable; saving goes "
        "on by itself."
    ),
    sqlite3.SQLITE_BUSY: later(
        "Another program is holding the chats’ file, so the newest turns are not saved yet. Saving goes on as soon "
        "as it lets go."
    ),
    sqlite3.SQLITE_CANTOPEN: later(
        "The chats’ file {path} can’t be opened, so the newest turns are not saved yet. Check that its folder exists "
        "and may be written to; saving goes on by itself."
    ),
}
_OTHER = later(
    "The chats’ file {path} can’t be used now ({error}), so the newest turns are not saved yet. It is tried again."
)
_SENTENCES[sqlite3.SQLITE_LOCKED] = _SENTENCES[sqlite3.SQLITE_BUSY]
_SENTENCES[sqlite3.SQLITE_PERM] = _SENTENCES[sqlite3.SQLITE_READONLY]


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error is the binding's own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_corrupt(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged or no database."""
    return code_of(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def sentence_for(error: sqlite3.Error | OSError, path: Path) -> str:
    """What went wrong with the file, for the user."""
    code = sqlite3.SQLITE_CANTOPEN if isinstance(error, OSError) else code_of(error)
    text = _SENTENCES.get(code, _OTHER)
    return tr(text, path=path, error=error)


def open_database(path: Path) -> tuple[sqlite3.Connection, str]:
    """A connection with all tables, and a sentence when something about the file must be said.

    A damaged file is moved aside and what can be read of it goes into a fresh one. A file of a
    newer version stays untouched; the session then lives in memory. Raises sqlite3.OperationalError
    or OSError when the file can't be opened or written now.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _version_in_header(path) > len(MIGRATIONS):
            raise NewerDatabase
        return _connect(path), ""
    except NewerDatabase:
        return _in_memory(), (
            tr(
                "The chats in {path} were written by a newer version of the app, so they are left alone and this "
                "session is not saved. Update the app to see them.",
                path=path,
            )
        )
    except MigrationFailed as error:
        return _in_memory(), (
            tr(
                "The chats in {path} could not be brought up to date ({error}), so they are left as they were and "
                "this session is not saved. Please report this.",
                path=path,
                error=error,
            )
        )
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise
    return replace_broken(path)


def replace_broken(path: Path) -> tuple[sqlite3.Connection, str]:
    """Move a damaged file aside and start a fresh one with what could be read; no connection may be open."""
    aside = _move_aside(path)
    db = _connect(path)
    saved = _rescue(aside, db)
    words = {0: tr("none of its chats could be read"), 1: tr("one chat could be read from it")}
    return db, (
        tr(
            "The chats’ file was damaged and is now {name}, in the same folder; {saved}. A fresh file was started.",
            name=aside.name,
            saved=words.get(saved, f"{saved:,} chats could be read from it"),
        )
    )


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        version(db)
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA journal_size_limit = 16777216")
        migrate(db)
    except BaseException:
        db.close()
        raise
    return db


def _in_memory() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("PRAGMA foreign_keys = ON")
    migrate(db)
    return db


def _version_in_header(path: Path) -> int:
    """The schema version without opening the database; 0 when there is none to read."""
    try:
        with path.open("rb") as file:
            head = file.read(_USER_VERSION_AT + 4)
    except FileNotFoundError:
        return 0
    if len(head) < _USER_VERSION_AT + 4 or not head.startswith(b"SQLite format 3\0"):
        return 0
    return int(struct.unpack_from(">i", head, _USER_VERSION_AT)[0])


def _move_aside(path: Path) -> Path:
    """Give the file and its write-ahead log another name; the new path."""
    stem = f"{path.name}.broken-{datetime.now():%Y-%m-%d-%H%M%S}"
    aside = path.with_name(stem)
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{stem}-{number}")
    moved: list[str] = []
    try:
        for tail in ("-wal", "-shm", ""):
            if os.path.exists(f"{path}{tail}"):
                os.replace(f"{path}{tail}", f"{aside}{tail}")
                moved.append(tail)
    except OSError:
        for tail in moved:  # a log without its file would be read into the fresh one
            os.replace(f"{aside}{tail}", f"{path}{tail}")
        raise
    return aside


def _rescue(broken: Path, db: sqlite3.Connection) -> int:
    """Copy every row that can still be read; the number of chats."""
    try:
        old = sqlite3.connect(broken, isolation_level=None)
    except sqlite3.Error:
        return 0
    old.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        if version(old) != version(db):
            return 0
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("BEGIN IMMEDIATE")
        for table, order in (("chats", "rowid"), ("lanes", "chat"), ("nodes", "seq"), ("series", "rowid")):
            # From both ends, so that a damaged page in the middle costs only itself.
            for way in ("ASC", "DESC"):
                _copy(old, db, table, f"ORDER BY {order} {way}")
        db.execute(
            """INSERT OR IGNORE INTO chats (id, title, created, updated)
               SELECT chat, '', min(created), max(created) FROM nodes GROUP BY chat"""
        )
        db.execute("DELETE FROM lanes WHERE chat NOT IN (SELECT id FROM chats)")
        db.execute("DELETE FROM series WHERE node NOT IN (SELECT id FROM nodes)")
        db.execute("COMMIT")
        db.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError:
        if db.in_transaction:
            db.execute("ROLLBACK")
        db.execute("PRAGMA foreign_keys = ON")
    finally:
        old.close()
    return int(db.execute("SELECT count(*) FROM chats").fetchone()[0])


def _copy(old: sqlite3.Connection, db: sqlite3.Connection, table: str, order: str) -> None:
    """Copy a table's rows until one can't be read."""
    try:
        cursor = old.execute(f"SELECT * FROM {table} {order}")
        marks = ", ".join("?" * len(cursor.description))
        for row in cursor:
            try:
                db.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
            except sqlite3.IntegrityError:
                continue
    except sqlite3.DatabaseError:
        return
