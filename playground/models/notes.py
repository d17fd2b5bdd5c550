"""What the user and this machine know of a model that its file doesn't say: label, last use, measured speed.

Kept by path in ``data/library.json``; it follows the file to another path, see `following`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from playground.files import read_json, write_json
from playground.paths import Paths

MAX_NOTES = 2_000
MAX_LABEL = 200
"""Characters."""
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Note:
    """Of one model. All zero or empty: nothing is known."""

    label: str = ""
    """The user's own word for it."""
    last_used: float = 0.0
    """Seconds since 1970."""
    tok_s: float = 0.0
    """Tokens a second of the last answer that was long enough to tell."""
    content: str = field(default="", compare=False)
    """What the file is found by once it has another name, see `following`; empty: not known yet."""


def load(paths: Paths) -> dict[str, Note]:
    """All notes by path. A damaged file counts as none."""
    try:
        kept = read_json(_file(paths))
    except (OSError, ValueError):
        return {}
    entries = kept.items() if isinstance(kept, dict) else []
    return {path: _note(entry) for path, entry in entries if isinstance(entry, dict)}


def change(paths: Paths, path: str | Path, **values: Any) -> Note:
    """Set fields of a model's note; the note. Raises OSError."""
    with _lock:
        notes = load(paths)
        note = with_values(notes.pop(str(path), Note()), **values)
        notes[str(path)] = note
        _save(paths, notes)
    return note


def with_values(note: Note, **values: Any) -> Note:
    """The note with other values, its label tidied."""
    note = replace(note, **values)
    return replace(note, label=note.label.strip()[:MAX_LABEL])


def put(paths: Paths, path: str | Path, current: Callable[[], Note], content: str = "") -> None:
    """Keep a note as it is when its turn to be written comes: of several writers the last one has the newest.

    ``content``: see `Note.content`; empty: as it was. Raises OSError.
    """
    with _lock:
        notes = load(paths)
        before = notes.pop(str(path), Note())
        notes[str(path)] = replace(current(), content=content or before.content)
        _save(paths, notes)


def rewrite(paths: Paths, contents: Mapping[str, str], moved: Mapping[str, str]) -> None:
    """Set what files are found by, and give notes other paths: old to new. Raises OSError."""
    with _lock:
        notes = load(paths)
        for path, content in contents.items():
            if path in notes:
                notes[path] = replace(notes[path], content=content)
        for old, new in moved.items():
            if old in notes and new not in notes:
                notes[new] = notes.pop(old)
        _save(paths, notes)


def drop(paths: Paths, path: str | Path) -> None:
    """Forget a model's note. Raises OSError."""
    with _lock:
        notes = load(paths)
        if notes.pop(str(path), None) is not None:
            _save(paths, notes)


def _save(paths: Paths, notes: dict[str, Note]) -> None:
    kept = list(notes.items())[-MAX_NOTES:]
    write_json(
        _file(paths),
        {
            path: {"label": n.label, "last_used": n.last_used, "tok_s": n.tok_s, "content": n.content}
            for path, n in kept
        },
    )


def _note(entry: dict[str, Any]) -> Note:
    label, used, speed = entry.get("label"), entry.get("last_used"), entry.get("tok_s")
    content = entry.get("content")
    return Note(
        label if isinstance(label, str) else "",
        float(used) if isinstance(used, int | float) else 0.0,
        float(speed) if isinstance(speed, int | float) else 0.0,
        content if isinstance(content, str) else "",
    )


def _file(paths: Paths) -> Path:
    return paths.data / "library.json"
