"""Looking for GGUF files below a folder: bounded, and safe against links that go in circles."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

from playground.models.folders import Place

MAX_FOLDERS = 20_000
MAX_FILES = 2_000
"""More is nobody's collection of models but somebody's whole disk."""


def find_ggufs(place: Place) -> Iterator[str]:
    """The place's files that are called ``*.gguf``, by folder and name; nearer ones first. Never raises."""
    waiting = deque([(str(place.folder), 0)])
    visited: set[tuple[int, int]] = set()
    files = 0
    while waiting and len(visited) < MAX_FOLDERS:
        folder, depth = waiting.popleft()
        try:
            info = os.stat(folder)
            if (info.st_dev, info.st_ino) in visited:
                continue
            visited.add((info.st_dev, info.st_ino))
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is(entry, "folder"):
                if depth < place.depth:
                    waiting.append((entry.path, depth + 1))
            elif entry.name.lower().endswith(".gguf") and _is(entry, "file"):
                files += 1
                if files > MAX_FILES:
                    return
                yield entry.path


def _is(entry: os.DirEntry[str], kind: str) -> bool:
    try:
        return entry.is_dir() if kind == "folder" else entry.is_file()
    except OSError:
        return False
