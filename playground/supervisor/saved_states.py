"""The folder of saved states as the app sees it: how large it is, and files that have to go.

Engines write and read it, see ``engine/states.py``; a file's name begins with its chat's id. Touches the
disk: not for the window's thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from playground.translate import tr

_SUFFIXES = (".state", ".part")


def usage(folder: Path) -> int:
    """Bytes of all saved states."""
    total = 0
    for file in _files(folder):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total


def clear(folder: Path) -> str:
    """Delete them all; a sentence when some could not be deleted."""
    return _delete(_files(folder))


def forget(folder: Path, chats: set[str]) -> str:
    """Delete what was kept of these chats."""
    return _delete(file for file in _files(folder) if file.name.partition("-")[0] in chats)


def _delete(files: Iterator[Path]) -> str:
    failed = ""
    for file in files:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            failed = tr("“{name}” could not be deleted: {reason}.", name=file.name, reason=error.strerror)
    return failed


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    yield from (folder / name for name in names if name.endswith(_SUFFIXES))
