"""The chats' tables, as named and ordered migrations; ``PRAGMA user_version`` counts those that ran."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; all its statements run in one transaction, or none."""

    name: str
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        "001 chats, lanes, nodes, series, state",
        (
            # deleted_by: process that deleted it; its user may still undo while that process lives.
            """CREATE TABLE chats (
                id TEXT PRIMARY KEY NOT NULL,
                title TEXT NOT NULL DEFAULT '',
                created REAL NOT NULL,
                updated REAL NOT NULL,
                deleted REAL,
                deleted_by INTEGER
            )""",
            "CREATE INDEX chats_by_date ON chats (updated DESC)",
            """CREATE TABLE lanes (
                chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
                letter TEXT NOT NULL,
                position INTEGER NOT NULL,
                model_path TEXT NOT NULL,
                is_on INTEGER NOT NULL,
                settings TEXT NOT NULL,
                system TEXT NOT NULL,
                leaf TEXT,
                PRIMARY KEY (chat, letter)
            ) WITHOUT ROWID""",
            # seq is the order of creation, kept through every later save of the same node.
            """CREATE TABLE nodes (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                id TEXT NOT NULL UNIQUE,
                chat TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
                parent TEXT,
                role TEXT NOT NULL,
                text TEXT NOT NULL,
                thinking TEXT NOT NULL,
                created REAL NOT NULL,
                state TEXT NOT NULL,
                lane TEXT NOT NULL,
                send TEXT NOT NULL,
                model TEXT NOT NULL,
                record TEXT NOT NULL
            )""",
            "CREATE INDEX nodes_by_chat ON nodes (chat, seq)",
            # Apart from the nodes, so that a growing text does not rewrite it and a search does not read it.
            """CREATE TABLE series (
                node TEXT PRIMARY KEY NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
                data BLOB NOT NULL
            )""",
            "CREATE TABLE state (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)",
        ),
    ),
)


class NewerDatabase(Exception):
    """The file was written by a later version of the app; it has not been touched."""


class MigrationFailed(Exception):
    """A step did not work; the database is as it was before that step."""


def version(db: sqlite3.Connection) -> int:
    """How many migrations the file has seen."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Bring the tables up to date; the names of the steps that ran.

    The connection must be in autocommit mode. Raises NewerDatabase, MigrationFailed, or
    sqlite3.OperationalError when the file can't be written.
    """
    if version(db) > len(migrations):
        raise NewerDatabase(f"schema {version(db)}, this version knows {len(migrations)}")
    ran = []
    while version(db) < len(migrations):
        name = _step(db, migrations)
        if name:
            ran.append(name)
    return ran


def _step(db: sqlite3.Connection, migrations: Sequence[Migration]) -> str:
    """Run the next step; empty when another process ran it meanwhile."""
    before = version(db)
    db.execute("BEGIN IMMEDIATE")
    try:
        if version(db) != before:
            return ""
        step = migrations[before]
        for statement in step.statements:
            try:
                db.execute(statement)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                    raise  # disk full, locked, read-only: the step itself is fine
                raise MigrationFailed(f"{step.name}: {error}") from error
            except sqlite3.IntegrityError as error:
                raise MigrationFailed(f"{step.name}: {error}") from error
        db.execute(f"PRAGMA user_version = {before + 1}")
        db.execute("COMMIT")
        return step.name
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
