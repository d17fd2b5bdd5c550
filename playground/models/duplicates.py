"""One model lying on the disk more than once, in several programs' folders perhaps.

Files of the same size are compared by a digest of their beginning, middle and end; only on demand by the whole.
Links to one file are no duplicates: the scan counts them once.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from playground.models.catalog import Catalog
from playground.models.digest import Cancelled, Progress, sha256_of
from playground.models.model_file import ModelFile

_PIECE = 256 * 1024
"""Bytes that are read at each of the three places."""


def find(models: Iterable[ModelFile], catalog: Catalog) -> list[list[ModelFile]]:
    """Groups of files that are the same as far as their ends tell. Reads little, and only where sizes agree."""
    by_size: dict[tuple[int, int], list[ModelFile]] = defaultdict(list)
    for model in models:
        if not model.away and model.size:
            by_size[model.size, model.n_parts].append(model)
    groups = []
    for alike in by_size.values():
        if len(alike) < 2:
            continue
        by_ends: dict[str, list[ModelFile]] = defaultdict(list)
        for model in alike:
            if ends := ends_of(model, catalog):
                by_ends[ends].append(model)
        groups += [group for group in by_ends.values() if len(group) > 1]
    return groups


def wasted(groups: Iterable[Sequence[ModelFile]]) -> int:
    """Bytes that would be free with one file of each group."""
    return sum(group[0].size * (len(group) - 1) for group in groups)


def ends_of(model: ModelFile, catalog: Catalog | None) -> str:
    """Digest of a file's beginning, middle and end; empty where it can't be read."""
    ends, whole = catalog.digest(model.path, model.size, model.mtime_ns) if catalog else ("", "")
    if ends:
        return ends
    digest = hashlib.sha256()
    try:
        with Path(model.path).open("rb") as file:
            size = file.seek(0, 2)
            for place in (0, max(0, size // 2 - _PIECE // 2), max(0, size - _PIECE)):
                file.seek(place)
                digest.update(file.read(_PIECE))
    except OSError:
        return ""
    if catalog:
        catalog.keep_digest(model.path, model.size, model.mtime_ns, digest.hexdigest(), whole)
    return digest.hexdigest()


def whole_digest(
    model: ModelFile, catalog: Catalog, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> str:
    """SHA-256 of a model's first file; read once. Raises OSError, or GivenUp when cancelled."""
    ends, whole = catalog.digest(model.path, model.size, model.mtime_ns)
    if not whole:
        whole = sha256_of(Path(model.path), progress, cancelled)
        catalog.keep_digest(model.path, model.size, model.mtime_ns, ends, whole)
    return whole
