"""A text written to a file that the user named."""

from __future__ import annotations

from pathlib import Path

from playground.translate import tr


def write_and_say(path: Path, text: str) -> str:
    """Write it; a sentence says what came of it. Touches the disk: not for the GUI thread."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        return tr("{name} could not be written: {reason}.", name=path.name, reason=error.strerror)
    return tr("Written to {name}.", name=path.name)
