"""What is known of a model follows its file when that is renamed or moved: by its size and a digest of its ends."""

from __future__ import annotations

import os
from collections.abc import Iterable

from playground.models import duplicates, notes
from playground.models.catalog import Catalog
from playground.models.model_file import ModelFile
from playground.paths import Paths


def content_of(model: ModelFile, catalog: Catalog | None) -> str:
    """What a file is known by under any name; empty where it can't be read. Reads three small pieces, once."""
    ends = duplicates.ends_of(model, catalog)
    return f"{model.size}-{ends[:32]}" if ends else ""


def follow(paths: Paths, models: Iterable[ModelFile], catalog: Catalog) -> dict[str, str]:
    """Move notes of files that are gone to where the same content is now: old path to new. Raises OSError.

    ``models``: everything that a whole look has found. Reads ends only where there is a note, or a size agrees.
    """
    known, there = notes.load(paths), {model.path: model for model in models if not model.away}
    away = {model.path for model in models if model.away}
    contents: dict[str, str] = {}
    lost: dict[str, str] = {}
    for path, note in known.items():
        if path in there:
            content = content_of(there[path], catalog)
            if content and content != note.content:
                contents[path] = content
        elif note.content and path not in away and not os.path.lexists(path):
            lost[note.content] = path
    sizes = {content.partition("-")[0] for content in lost}
    moved: dict[str, str] = {}
    for model in there.values():
        if model.path not in known and str(model.size) in sizes:
            old = lost.pop(content_of(model, catalog), "")
            if old:
                moved[old] = model.path
    if contents or moved:
        notes.rewrite(paths, contents, moved)
    return moved
