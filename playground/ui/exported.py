"""A text or a picture written to a file that the user named."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from playground.translate import tr


def write_and_say(path: Path, content: str | bytes) -> str:
    """Write it whole, or leave the file as it was; a sentence says which. Touches the disk: not for the GUI thread."""
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    # Beside it, and not by `files.write_whole`: this file is the user's, with the rights that new files have here.
    new = path.with_name(f".{path.name[:100]}.{uuid.uuid4().hex[:8]}.new")
    try:
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
        return tr("{name} could not be written: {reason}.", name=path.name, reason=error.strerror)
    return tr("Written to {name}.", name=path.name)
