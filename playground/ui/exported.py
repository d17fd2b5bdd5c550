"""A text or a picture written to a file that the user named."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from playground.translate import tr


def write_and_say(path: Path, content: str | bytes) -> str:
    """Write it whole, or leave the file as it was; a sentence says which. Touches the disk: not for the GUI thread."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    # A link stays a link: what it leads to is written.
    name, path = path.name, Path(os.path.realpath(path))
    # Beside it, and not by `files.write_whole`: this file is the user's, with the rights that new files have here.
    new = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:8]}.new")
    try:
        if path.exists() and not path.is_file():
            _write_into(path, data)
            return tr("Written to {name}.", name=name)
        try:
            with new.open("xb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
    except OSError as error:
        return tr("{name} could not be written: {reason}.", name=name, reason=error.strerror)
    return tr("Written to {name}.", name=name)


def _write_into(path: Path, data: bytes) -> None:
    """Write to a device or a pipe, which no file may take the place of. Raises OSError, also where nobody reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0)), "wb") as out:
        out.write(data)
