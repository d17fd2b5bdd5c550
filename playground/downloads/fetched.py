"""What this app has fetched into the Hub's cache, and deleting it: only that, never what other programs put there.

``data/fetched.json`` has the path of each such file under its name, and that of its blob. The Hub client's own delete
goes by whole revisions, with all that others fetched of them; so files are deleted one by one here, and no link, ref
or empty folder is left behind.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from playground.downloads.errors import DownloadError
from playground.downloads.place import Place
from playground.downloads.record import FileRecord, folder_of, locked
from playground.files import read_json, write_json
from playground.models import trash
from playground.models.kinds import part_names
from playground.models.model_file import ModelFile
from playground.models.trash import NotDeleted
from playground.paths import Paths
from playground.translate import tr


def note(folder: Path, place: Place, files: Iterable[FileRecord]) -> None:
    """Remember files that were just offered; ``folder`` is the journal's. Never raises: what isn't known isn't ours."""
    with suppress(OSError, DownloadError), locked(_lock(folder)):
        known = load(folder)
        blobs = set(known.values())  # another version of ours may have brought the file
        for file in files:
            blob = str(place.blob(file.etag))
            if file.ours or blob in blobs:
                known[str(place.pointer(file))] = blob
        write_json(_file(folder), known)


def load(folder: Path) -> dict[str, str]:
    """Path to blob of every file that we fetched; ``folder`` is the journal's."""
    try:
        kept = read_json(_file(folder))
    except (OSError, ValueError):
        return {}
    pairs = kept.items() if isinstance(kept, dict) else ()
    return {path: blob for path, blob in pairs if isinstance(blob, str)}


def may_delete(paths: Paths, model: ModelFile) -> bool:
    """Whether it is ours: in our own folder, or fetched by us with all its parts. Reads a small file."""
    if trash.may_delete(paths, model):
        return True
    known = load(folder_of(paths))
    return all(str(path) in known for path in _all_parts(Path(model.path)))


def delete(paths: Paths, model: ModelFile, *, forever: bool = False) -> list[Path]:
    """Put a model of ours into the trash, or delete it for good; what went. Raises NotDeleted."""
    if trash.may_delete(paths, model) or not may_delete(paths, model):
        return trash.delete(paths, model, forever=forever)
    folder, files = folder_of(paths), _all_parts(Path(model.path))
    known = load(folder)
    gone: list[Path] = []
    try:
        for file in files:
            if file.is_symlink() or file.exists():
                gone += _take(file, Path(known[str(file)]), known, forever)
    finally:
        _forget(folder, [*gone, *(file for file in files if not os.path.lexists(file))])
    if not gone:
        raise NotDeleted(tr("“{name}” isn’t there any more.", name=files[0].name))
    trash.forget(paths, files[0])
    return gone


def _take(pointer: Path, blob: Path, known: dict[str, str], forever: bool) -> list[Path]:
    """Remove a file under all names that we gave it; its content stays where another program uses it."""
    root = blob.parent.parent
    if root / "snapshots" not in pointer.parents:
        raise NotDeleted(tr("“{name}” has been moved since, so it stays.", name=pointer.name))
    with ExitStack() as held:
        try:
            held.enter_context(locked(root.parent / ".locks" / root.name / f"{blob.name}.lock"))
        except (DownloadError, OSError):
            raise NotDeleted(tr("Another program is using “{name}” now; try again later.", name=pointer.name)) from None
        names = [path for path in root.glob("snapshots/**/*") if path.is_symlink() and _target(path) == _target(blob)]
        ours = [path for path in names if known.get(str(path)) == str(blob)]
        if pointer.is_symlink() and pointer not in ours:
            raise NotDeleted(tr("“{name}” is another file now, so it stays.", name=pointer.name))
        others = [path for path in ours if path != pointer]
        if len(names) == len(ours) and blob.is_file():
            _remove(pointer, blob, forever)
        elif pointer.is_symlink():
            pointer.unlink()
        else:
            trash.remove(pointer, forever)
        for path in others:
            path.unlink()
    for path in (pointer, *others):
        _tidy(path, root)
    with suppress(OSError):
        (root.parent / ".locks" / root.name / f"{blob.name}.lock").unlink()
    return [pointer, *others]


def _remove(pointer: Path, blob: Path, forever: bool) -> None:
    """The file takes the place of its link first: so it has its name in the trash, and comes back where it is found."""
    link = os.readlink(pointer)
    try:
        os.replace(blob, pointer)
    except OSError as error:
        raise trash.not_deleted(pointer, error, forever) from error
    try:
        trash.remove(pointer, forever)
    except NotDeleted:
        with suppress(OSError):
            os.replace(pointer, blob)
            pointer.symlink_to(link)
        raise


def _tidy(pointer: Path, root: Path) -> None:
    """Remove folders that are empty now, and refs to a version of which nothing is left."""
    commit = pointer.relative_to(root / "snapshots").parts[0]
    folder = pointer.parent
    with suppress(OSError):
        while folder != root / "snapshots":
            folder.rmdir()
            folder = folder.parent
    if not (root / "snapshots" / commit).exists():
        for ref in root.glob("refs/**/*"):
            with suppress(OSError):
                if ref.is_file() and ref.read_text("utf-8", "replace").strip() == commit:
                    ref.unlink()
    for empty in (root / "snapshots", root / "blobs", root / "refs", root, root.parent / ".locks" / root.name):
        with suppress(OSError):
            empty.rmdir()


def _forget(folder: Path, files: Iterable[Path]) -> None:
    gone = {str(file) for file in files}
    with suppress(OSError, DownloadError), locked(_lock(folder)):
        write_json(_file(folder), {path: blob for path, blob in load(folder).items() if path not in gone})


def _all_parts(first: Path) -> list[Path]:
    return [first.with_name(name) for name in part_names(first.name)]


def _target(path: Path) -> str:
    return os.path.realpath(path)


def _file(folder: Path) -> Path:
    return folder.parent / "fetched.json"


def _lock(folder: Path) -> Path:
    return folder.parent / "fetched.lock"
