"""Deleting a model: ours only, all its parts, to the system's trash."""

from __future__ import annotations

from pathlib import Path

from playground.models import notes, remembered
from playground.models.kinds import part_names
from playground.models.model_file import ModelFile
from playground.paths import Paths
from playground.translate import tr


class NotDeleted(Exception):
    """A model that stays; the message is a sentence for the user."""


def may_delete(paths: Paths, model: ModelFile) -> bool:
    """Whether it lies in our own folder. What other programs and the user keep is never deleted from here."""
    return _is_ours(paths, Path(model.path))


def delete(paths: Paths, model: ModelFile, *, forever: bool = False) -> list[Path]:
    """Put a model's files into the trash, or delete them for good; what went. Raises NotDeleted."""
    first = Path(model.path)
    if not may_delete(paths, model):
        raise NotDeleted(
            tr(
                "“{name}” isn’t ours: it belongs to {source} and lies in {parent}. Delete it there, if you want it "
                "gone.",
                name=first.name,
                source=model.source,
                parent=first.parent,
            )
        )
    files = [first.with_name(name) for name in part_names(first.name)]
    gone: list[Path] = []
    for file in files:
        if file.is_symlink() or file.exists():
            remove(file, forever)
            gone.append(file)
    if not gone:
        raise NotDeleted(tr("“{name}” isn’t there any more.", name=first.name))
    forget(paths, first)
    return gone


def forget(paths: Paths, first: Path) -> None:
    """Drop what is noted of a model that is gone."""
    try:
        notes.drop(paths, first)
        remembered.forget(paths, first)
    except OSError:
        pass  # a note too many


def remove(file: Path, forever: bool) -> None:
    """Put one file into the trash, or delete it for good. Raises NotDeleted."""
    try:
        if forever:
            file.unlink()
            return
        from send2trash import send2trash  # slow to import, and rarely needed

        send2trash(file)
    except OSError as error:
        raise not_deleted(file, error, forever) from error


def not_deleted(file: Path, error: OSError, forever: bool) -> NotDeleted:
    """Why a file stays, as a sentence."""
    what = "deleted" if forever else tr("put into the trash")
    return NotDeleted(
        tr("“{name}” could not be {what}: {reason}.", name=file.name, what=what, reason=error.strerror or error)
    )


def _is_ours(paths: Paths, path: Path) -> bool:
    """By the folder that the name stands in, with links in the way followed: a link of ours to elsewhere is ours,
    a file elsewhere that a linked folder shows isn't."""
    try:
        return path.parent.resolve().is_relative_to(paths.models.resolve())
    except OSError:
        return False
