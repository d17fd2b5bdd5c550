"""What of a repository is here already: asked of the disk, so that it works without a network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playground.downloads.place import Place


def files_here(place: Place) -> Iterator[tuple[str, Path, int]]:
    """Complete GGUF files of the version that was asked for last: path in the repository, path here, bytes."""
    folder = _newest(place.root / "snapshots", _commit(place.root / "refs" / "main"))
    if folder is None:
        return
    with suppress(OSError):
        for path in sorted(folder.rglob("*.gguf")):
            with suppress(OSError):
                yield path.relative_to(folder).as_posix(), path, path.stat().st_size


def _commit(ref: Path) -> str:
    try:
        return ref.read_text(encoding="utf-8", errors="replace").strip()[:64]
    except OSError:
        return ""


def _newest(snapshots: Path, commit: str) -> Path | None:
    with suppress(OSError):
        found = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime)
        return next((path for path in found if path.name == commit), found[-1] if found else None)
    return None
