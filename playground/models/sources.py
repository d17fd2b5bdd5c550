"""The places models come from, each one row: whose they are, which folders, how files are found in them.

Nothing but our own folder is ever written to; what other programs keep is used where it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.models import folders, ollama, remembered, starter
from playground.models.folders import Place
from playground.models.walk import find_ggufs
from playground.paths import Paths

FindIn = Callable[[Path], Iterator[tuple[str, str]]]
"""Paths of the model files of a folder (or of the file itself), each with what its program calls it, or ""."""


@dataclass(frozen=True, slots=True)
class Source:
    """A row. Its functions touch the disk, each source on a thread of its own."""

    key: str
    label: str
    where: Callable[[Paths], Sequence[Path]]
    """Folders or files to look at; they need not exist."""
    find: FindIn
    ours: bool = False
    """Whether its files may be deleted from here."""
    beside: bool = False
    """Whether a new quant may be put beside its files."""
    expected: bool = False
    """Whether it is worth a word when none of its places is there: the user chose them."""

    @property
    def place(self) -> str:
        """What to call it where something is wrong with it: its folder, or the program it belongs to."""
        return self.key.partition(":")[2] or self.label

    def name_of(self, path: str, origin: str) -> str:
        """A file's source as a list shows it."""
        if self.key == "hub":
            return _hub_name(path)
        if self.key == "ollama" and origin:
            return f"Ollama: {origin}"
        if self.key == f"extra:{path}":
            return "opened"
        return self.label


def _walk(depth: int) -> FindIn:
    def find(folder: Path) -> Iterator[tuple[str, str]]:
        if folder.is_file():
            yield str(folder), ""
            return
        for path in find_ggufs(Place("", folder, depth)):
            yield path, ""

    return find


def _file(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_file():
        yield str(path), ""


SOURCES: tuple[Source, ...] = (
    Source("starter", "starter", lambda paths: [path] if (path := starter.find(paths)) else [], _file),
    Source("ours", "models folder", lambda paths: [paths.models], _walk(6), ours=True, beside=True),
    Source("hub", "Hub cache", lambda paths: [folders.hub_cache()], _walk(6)),
    Source("lmstudio", "LM Studio", lambda paths: folders.lm_studio(), _walk(6)),
    Source("jan", "Jan", lambda paths: folders.jan(), _walk(6)),
    Source("gpt4all", "GPT4All", lambda paths: folders.gpt4all(), _walk(2)),
    Source("llamacpp", "llama.cpp cache", lambda paths: folders.llama_cpp(), _walk(2)),
    Source("koboldcpp", "KoboldCpp", lambda paths: folders.koboldcpp(), _walk(2)),
    Source("ollama", "Ollama", lambda paths: ollama.folders(), ollama.find),
)
"""In the order in which a file that lies in several of them is counted to one."""


def all_sources(paths: Paths, extra: Sequence[Path] = ()) -> list[Source]:
    """The table's rows, and one for each folder of the user's, each folder that files were opened from, and each
    file or folder in ``extra``.

    Each is a row of its own so that one on a disk that hangs doesn't hold up the others.
    """
    starter_row, ours, *programs = SOURCES
    mine = [_folder(f"folder:{path}", path, beside=True) for path in remembered.folders(paths)]
    shown = [_folder(f"extra:{path}", path) for path in extra]
    opened: dict[Path, list[Path]] = {}
    for file in map(Path, remembered.recent(paths)):
        opened.setdefault(file.parent, []).append(file)
    recent = [_recent(folder, files) for folder, files in opened.items()]
    return [starter_row, *shown, ours, *recent, *mine, *programs]


def _folder(key: str, path: Path, *, beside: bool = False) -> Source:
    return Source(key, path.name or str(path), lambda paths: [path], _walk(6), beside=beside, expected=True)


def _recent(folder: Path, files: list[Path]) -> Source:
    return Source(f"recent:{folder}", "recent", lambda paths: files, _file)


def _hub_name(path: str) -> str:
    folder = next((part for part in reversed(Path(path).parts) if part.startswith("models--")), "")
    return f"Hub: {folder.removeprefix('models--').replace('--', '/')}" if folder else "Hub cache"
