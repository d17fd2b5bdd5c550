"""Before a quant is made: which file it becomes, what speaks against it, how large it will be."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playground.models import duplicates, sources
from playground.models.gguf import GgufError, GgufHeader, read_header, refuse_unloadable, size_text
from playground.models.gguf_types import TENSOR_TYPES
from playground.models.kinds import part_names
from playground.models.model_file import ModelFile
from playground.models.names import bare, quant_in_name
from playground.paths import Paths
from playground.quantize.messages import Order
from playground.quantize.predict import Estimate, estimate, fits, is_quantized
from playground.quantize.table import FileType
from playground.translate import tr

SPARE = 64 * 1024 * 1024
"""Bytes that must stay free on the disk."""
MAX_NAME = 255
"""Bytes of a file's name on the usual disks."""
ORIGIN = "playground.quantized_from"
"""Key of the new file's metadata that names the old one."""


class CantQuantize(Exception):
    """Why a quant can't be made; the message is a sentence for the user."""

    def __init__(self, message: str, *, while_working: bool = False) -> None:
        super().__init__(message)
        self.while_working = while_working
        """Whether it came to light only when llama.cpp was at it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants."""

    to: FileType
    imatrix: Path | None = None
    tensor_types: Sequence[tuple[str, str]] = ()
    """Pairs of a pattern on tensor names and a tensor type."""
    output_type: str = ""
    embedding_type: str = ""
    keep_output: bool = False
    pure: bool = False
    target: Path | None = None
    """Where the new file goes; None: beside the old one or into our folder, by the type's name."""
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done."""

    source: ModelFile
    wish: Wish
    target: Path
    size: Estimate
    """From the header; `process.Quantizer` can ask llama.cpp for the exact one."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def part(self) -> Path:
        """What the new file is called until it is complete."""
        return self.target.with_name(f".{self.target.name}.part")

    def order(self, *, dry_run: bool = False) -> Order:
        """What the quantizer's process is told."""
        wish = self.wish
        return Order(
            str(Path(self.source.path).absolute()),
            "" if dry_run else str(self.part),
            wish.to.number,
            wish.threads,
            str(wish.imatrix.absolute()) if wish.imatrix else "",
            tuple((pattern, tensor_type(kind)) for pattern, kind in wish.tensor_types),
            tensor_type(wish.output_type) if wish.output_type else "",
            tensor_type(wish.embedding_type) if wish.embedding_type else "",
            wish.keep_output,
            wish.pure,
            dry_run,
            () if dry_run else _origin(self.source),
        )


def make_plan(paths: Paths, source: ModelFile, wish: Wish) -> Plan:
    """Look at the source and say what would come of it. Reads headers. Raises CantQuantize."""
    headers = _headers(Path(source.path))
    if not fits(headers, wish.to):
        raise CantQuantize(
            tr("This model’s rows don’t fit the blocks of {name}; choose another type.", name=wish.to.name)
        )
    for kind in (*(kind for _, kind in wish.tensor_types), wish.output_type, wish.embedding_type):
        if kind:
            tensor_type(kind)
    for pattern, _ in wish.tensor_types:
        _check_pattern(pattern)
    if wish.imatrix is not None and not wish.imatrix.is_file():
        raise CantQuantize(tr("There is no importance matrix “{imatrix}”.", imatrix=wish.imatrix))
    target = (wish.target or paths_of_new(paths, source, wish.to)).absolute()
    if len(os.fsencode(f".{target.name}.part")) > MAX_NAME:
        raise CantQuantize(tr("The new file’s name is too long for a disk; give it a shorter one."))
    if target.exists():
        raise CantQuantize(
            tr(
                "“{name}” is in {parent} already. Delete it, or give the new file a name.",
                name=target.name,
                parent=target.parent,
            )
        )
    size = estimate(headers, wish.to)
    _check_room(target.parent, size)
    return Plan(source, wish, target, size, tuple(_warnings(headers, source, wish, size)))


def paths_of_new(paths: Paths, source: ModelFile, to: FileType) -> Path:
    """Beside the source where that is the user's own place; else in our folder. Named like it, with the type."""
    path = Path(source.path)
    folder = path.parent if _is_own_place(paths, path.absolute()) else paths.models
    # A file named by its digest says nothing; neither does one that is all quant.
    base = (
        bare(path.name) if not path.name.startswith("sha256-") else re.sub(r"[^\w.+-]+", "-", source.name).strip("-.")
    )
    mark = path.name[len(base) : len(base) + 1] if quant_in_name(path.name) and path.name.startswith(base) else "-"
    return folder / f"{base or 'model'}{mark if mark in '-._' else '-'}{to.name}.gguf"


def tensor_type(name: str) -> str:
    """A tensor type's name as ggml has it, in capitals. Raises CantQuantize."""
    wanted = name.strip().upper()
    known = [known for known, _, _ in TENSOR_TYPES.values()]
    if wanted not in known:
        raise CantQuantize(
            tr("There is no tensor type “{name}”. There are: {known}.", name=name, known=", ".join(known))
        )
    return wanted


def _headers(first: Path) -> list[GgufHeader]:
    try:
        headers = [read_header(first.with_name(name)) for name in part_names(first.name)]
        refuse_unloadable(headers[0])
    except GgufError as error:
        raise CantQuantize(str(error)) from error
    return headers


def _warnings(headers: Sequence[GgufHeader], source: ModelFile, wish: Wish, size: Estimate) -> list[str]:
    said = []
    if is_quantized(headers):
        said.append(
            tr(
                "“{label}” is quantized already; a quant of a quant loses more than one of the original (F16 or "
                "BF16) would.",
                label=source.label,
            )
        )
        if size.low > source.size:
            said.append(tr("It has fewer bits than that type: the file grows, and nothing comes back."))
    if wish.to.low_bit and wish.imatrix is None:
        said.append(
            tr("{name} wants an importance matrix; without one llama.cpp refuses most models.", name=wish.to.name)
        )
    return said


def _is_own_place(paths: Paths, path: Path) -> bool:
    """Whether a file may be put beside it: in our folder and the user's, not in another program's."""
    for row in sources.all_sources(paths):
        if row.label != "recent" and any(path.is_relative_to(folder) for folder in row.where(paths)):
            return row.beside
    return os.access(path.parent, os.W_OK)


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise CantQuantize(tr("“{pattern}” is no regular expression: {error}.", pattern=pattern, error=error)) from None
    if not pattern or "\0" in pattern:
        raise CantQuantize(tr("A pattern for tensor names must not be empty."))


def _check_room(folder: Path, size: Estimate) -> None:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise CantQuantize(
            tr("{folder} can’t be written to: {reason}.", folder=folder, reason=error.strerror)
        ) from error
    if free < size.size + SPARE:
        raise CantQuantize(
            tr(
                "The new file takes about {size}, and {folder} has {free} free. Free some space, then try again.",
                size=size_text(size.size),
                folder=folder,
                free=size_text(free),
            )
        )


def _origin(source: ModelFile) -> tuple[tuple[str, str], ...]:
    """What the new file says of the old one."""
    return (
        (ORIGIN, Path(source.path).name),
        (f"{ORIGIN}.type", source.quant or "unknown"),
        (f"{ORIGIN}.size", str(source.size)),
        (f"{ORIGIN}.ends_sha256", duplicates.ends_of(source, None)),
        (
            "playground.quantizer",
            f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')}",
        ),
    )
