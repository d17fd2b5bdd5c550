"""What was read of model files before, kept in SQLite by path, size and time of change.

A cache: whatever is wrong with it, it is made anew, and a disk that can't be written only costs time.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from playground import __version__
from playground.models.kinds import Kind
from playground.models.model_file import Found, ModelFile
from playground.models.names import in_unicode

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, missing INTEGER, source TEXT, read BLOB
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS digests (
    path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ends TEXT, sha256 TEXT
) WITHOUT ROWID;
"""
_FORMAT = 1
_PATIENCE_S = 2.0
MAX_KEPT = 20_000
"""Rows; the library never lists as many."""


class _Row(msgspec.Struct, array_like=True, frozen=True):
    """A `ModelFile` without what its path and its source say."""

    version: str
    name: str
    source: str
    quant: str
    arch: str
    n_params: int
    n_ctx_train: int
    has_template: bool
    licence: str
    n_parts: int
    error: str
    kind: Kind
    family: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Row).decode


class Catalog:
    """The cache; its methods may be called from any thread and never raise."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "library.sqlite3"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._rows: dict[str, tuple[int, int, int, str, bytes]] = {}
        with self._lock:
            self._database = self._open()

    def model(self, found: Found, source: str, key: str) -> ModelFile | None:
        """A file as it was read before; None if it never was, or has changed."""
        kept = self._rows.get(found.path)
        if kept is None or kept[:3] != found.stamp:
            return None
        return _model(found, source, key, kept[4])

    def of_source(self, key: str) -> list[ModelFile]:
        """The files last seen in a source, for when it can't be looked at; all of them are away."""
        models = []
        for path, (size, mtime_ns, _, source, data) in list(self._rows.items()):
            model = _model(Found(path, size, mtime_ns, ""), "", key, data) if source == key else None
            if model is not None:
                models.append(replace(model, source=_decode(data).source, away=True))
        return models

    def keep(self, read: Iterable[tuple[Found, ModelFile]]) -> None:
        """Remember what was read."""
        rows = []
        for found, model in read:
            data = _encode(_row(model))
            self._rows[found.path] = (*found.stamp, model.source_key, data)
            rows.append((_text(found.path), *found.stamp, model.source_key, data))
        self._write("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)

    def forget(self, source: str, still: Iterable[str]) -> None:
        """Drop what a source no longer has."""
        there = set(still)
        gone = [path for path, row in list(self._rows.items()) if row[3] == source and path not in there]
        for path in gone:
            del self._rows[path]
        self._write("DELETE FROM files WHERE path = ?", [(_text(path),) for path in gone])

    def digest(self, path: str, size: int, mtime_ns: int) -> tuple[str, str]:
        """Digest of a file's ends and of the whole, as far as known; else empty."""
        with self._lock:
            try:
                row = (
                    self._database
                    and self._database.execute(
                        "SELECT size, mtime_ns, ends, sha256 FROM digests WHERE path = ?", (_text(path),)
                    ).fetchone()
                )
            except sqlite3.Error:
                row = None
        return (row[2] or "", row[3] or "") if row and row[:2] == (size, mtime_ns) else ("", "")

    def keep_digest(self, path: str, size: int, mtime_ns: int, ends: str, sha256: str) -> None:
        """Remember digests."""
        self._write(
            "INSERT OR REPLACE INTO digests VALUES (?, ?, ?, ?, ?)", [(_text(path), size, mtime_ns, ends, sha256)]
        )

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        for _ in range(2):
            try:
                return self._load()
            except (sqlite3.Error, OverflowError):
                # Damaged, or of another version: nothing is lost by beginning anew.
                for ending in ("", "-wal", "-shm", "-journal"):
                    try:
                        self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
                    except OSError:
                        return None
        return None

    def _load(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=_PATIENCE_S, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, _FORMAT):
                raise sqlite3.DatabaseError("of another version")
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version = {_FORMAT}")
            found = database.execute("SELECT * FROM files LIMIT ?", (MAX_KEPT,))
            self._rows = {_path(row[0]): row[1:] for row in found if isinstance(row[5], bytes)}
        except BaseException:
            database.close()
            raise
        return database

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if not rows:
            return
        with self._lock:
            try:
                if self._database is not None:
                    with self._database:
                        self._database.executemany(statement, rows)
            except (sqlite3.Error, OverflowError):
                pass


def _row(model: ModelFile) -> _Row:
    return _Row(
        __version__,
        in_unicode(model.name),
        in_unicode(model.source),
        model.quant,
        model.arch,
        model.n_params,
        model.n_ctx_train,
        model.has_template,
        model.licence,
        model.n_parts,
        in_unicode(model.error),
        model.kind,
        in_unicode(model.family),
    )


def _model(found: Found, source: str, key: str, data: bytes) -> ModelFile | None:
    try:
        row = _decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if row.version != __version__:
        return None  # another version of the app may read more, or accept more
    return ModelFile(
        found.path,
        row.name,
        source,
        found.size,
        row.quant,
        row.arch,
        row.n_params,
        row.n_ctx_train,
        row.has_template,
        row.licence,
        row.n_parts,
        row.error,
        row.kind,
        row.family,
        found.mtime_ns,
        found.file_id,
        key,
    )


def _text(path: str) -> str:
    """SQLite wants clean UTF-8; a file's name may hold any bytes."""
    return path.encode("utf-8", "surrogateescape").decode("latin-1")


def _path(text: str) -> str:
    return text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
