"""What the user showed the library: files that were opened, folders that were added."""

from __future__ import annotations

from pathlib import Path

from playground.files import read_json, write_json
from playground.paths import Paths
from playground.translate import tr

MAX_RECENT = 30
"""Opened files that are remembered."""
MAX_FOLDERS = 100


def remember(paths: Paths, path: Path) -> None:
    """Keep a file that the user opened, so that the next scan lists it. Raises OSError."""
    kept = str(path.absolute())
    write_json(_recent(paths), [kept, *(other for other in recent(paths) if other != kept)][:MAX_RECENT])


def forget(paths: Paths, path: Path) -> None:
    """Take a file off the remembered ones; the file itself stays. Raises OSError."""
    gone = str(path.absolute())
    write_json(_recent(paths), [other for other in recent(paths) if other != gone])


def recent(paths: Paths) -> list[str]:
    """The files that the user opened, newest first, also such as are away at the moment."""
    return _texts(_recent(paths))


def folders(paths: Paths) -> list[Path]:
    """The folders that the user added, also such as are away at the moment."""
    return [Path(entry) for entry in _texts(_folders(paths))]


def add_folder(paths: Paths, folder: Path) -> None:
    """List the models of a folder from now on. Raises OSError, NotADirectoryError among them."""
    if not folder.is_dir():
        raise NotADirectoryError(tr("“{folder}” is no folder.", folder=folder))
    kept = str(folder.absolute())
    write_json(_folders(paths), [*(other for other in _texts(_folders(paths)) if other != kept), kept][-MAX_FOLDERS:])


def remove_folder(paths: Paths, folder: Path) -> None:
    """List a folder's models no longer; the folder itself stays. Raises OSError."""
    gone = str(folder.absolute())
    write_json(_folders(paths), [other for other in _texts(_folders(paths)) if other != gone])


def _texts(path: Path) -> list[str]:
    try:
        kept = read_json(path)
    except (OSError, ValueError):
        return []
    return [entry for entry in kept if isinstance(entry, str)] if isinstance(kept, list) else []


def _recent(paths: Paths) -> Path:
    return paths.data / "recent.json"


def _folders(paths: Paths) -> Path:
    return paths.config / "model_folders.json"
