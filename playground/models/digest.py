"""SHA-256 of large files, in pieces, so that it can be watched and stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Bytes done, bytes in all."""
Cancelled: TypeAlias = Callable[[], bool]
"""Asked between pieces; True gives up."""

PIECE = 1024 * 1024
"""Bytes read at once."""


class GivenUp(Exception):
    """The user cancelled; nothing was decided."""


def sha256_of(path: Path, progress: Progress | None = None, cancelled: Cancelled | None = None) -> str:
    """The file's digest in hex. Raises OSError, or GivenUp when cancelled."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        total = path.stat().st_size
        done = 0
        while piece := file.read(PIECE):
            if cancelled is not None and cancelled():
                raise GivenUp
            digest.update(piece)
            done += len(piece)
            if progress is not None:
                progress(done, max(done, total))
    return digest.hexdigest()
