"""One model as a list shows it: what its name says at once, what its header says for certain."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from playground.models import starter
from playground.models.gguf import GgufError, GgufHeader, read_header, refuse_unloadable
from playground.models.kinds import Kind, kind_by_name, kind_of, part_names
from playground.models.names import display_name, family, in_unicode, quant_in_name
from playground.models.split import read_whole_header
from playground.translate import later, tr

_BLOB = re.compile(r"sha256-[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a folder's listing shows it; nothing of it was read."""

    path: str
    """Of the first file, where a model has several."""
    size: int
    """Bytes of all files that are there."""
    mtime_ns: int
    """Of the newest of them."""
    file_id: str
    """Device and number: the same for two links to one file."""
    origin: str = ""
    """Where a program's own notes say it came from: “llama3.2:3b”, “owner/name”."""
    n_parts: int = 1
    missing: tuple[str, ...] = ()
    """Names of parts that should lie beside it and don't."""

    @property
    def stamp(self) -> tuple[int, int, int]:
        """What changes when the file does."""
        return self.size, self.mtime_ns, len(self.missing)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model as a list shows it."""

    path: str
    """Of its first part, where it has several."""
    name: str
    """“SmolLM2 135M Instruct”."""
    source: str
    """Where it was found: “starter”, “models folder”, “recent”, “Hub: owner/name”, “LM Studio”…"""
    size: int
    """Bytes of all parts."""
    quant: str = ""
    arch: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    """Context in tokens that it was made for; 0 if unsaid."""
    has_template: bool = True
    licence: str = ""
    n_parts: int = 1
    error: str = ""
    """Why it can't be used, as a sentence; empty: it looks sound."""
    kind: Kind = "model"
    family: str = field(default="", compare=False)
    """“SmolLM2”: what models of several sizes have in common."""
    mtime_ns: int = field(default=0, compare=False)
    file_id: str = field(default="", compare=False)
    source_key: str = field(default="", compare=False)
    """The row of `sources` it comes from."""
    pending: bool = field(default=False, compare=False)
    """Known by its name only: its header hasn't been read yet."""
    away: bool = field(default=False, compare=False)
    """Known from before; its folder isn't there or doesn't answer now."""

    @property
    def label(self) -> str:
        """Name and quant: “SmolLM2 135M Instruct Q4_1”."""
        return f"{self.name} {self.quant}".strip()

    @property
    def usable(self) -> bool:
        """Whether a lane could load it."""
        return self.kind == "model" and not self.error and not self.away

    @property
    def bits_per_weight(self) -> float:
        """Bits of the file for each parameter; 0 while unknown."""
        return 8 * self.size / self.n_params if self.n_params else 0.0


def guess(found: Found, source: str, key: str) -> ModelFile:
    """A model by its file's name and size alone, for a list that shouldn't wait."""
    title = _title(found)
    name = display_name(None, title)
    return ModelFile(
        found.path,
        name,
        source,
        found.size,
        quant_in_name(title),
        n_parts=found.n_parts,
        error=missing_sentence(found),
        kind=kind_by_name(title),
        family=family(name),
        mtime_ns=found.mtime_ns,
        file_id=found.file_id,
        source_key=key,
        pending=True,
    )


def read(found: Found, source: str, key: str) -> ModelFile:
    """A model by its header; a file that is no model says why in ``error``. Reads the file's beginning."""
    path = Path(found.path)
    plain = replace(guess(found, source, key), pending=False)
    if in_unicode(found.path) != found.path:
        # Neither llama.cpp’s messages nor ours can carry it.
        said = tr("The path of “{name}” has signs that are no Unicode. Rename the file or its folder.", name=plain.name)
        return replace(plain, error=said)
    try:
        header = read_header(path) if found.missing else read_whole_header(path)
        kind = kind_of(header, path.name)
        if kind == "model":
            refuse_unloadable(header)
    except GgufError as error:
        return replace(plain, error=in_unicode(str(error)))
    if header.split[1] > 1 and found.n_parts != header.split[1]:
        found = replace(found, n_parts=header.split[1], missing=found.missing or _unnamed_parts(path, header))
        plain = replace(plain, n_parts=found.n_parts, error=missing_sentence(found))
    is_starter = starter.is_starter(path)
    name = starter.STARTER.name if is_starter else display_name(header, _title(found))
    if kind != "model":
        name = in_unicode(path.stem)
    return replace(
        plain,
        name=name,
        quant=header.quant,
        arch=header.arch,
        n_params=header.n_params,
        n_ctx_train=header.n_ctx_train,
        has_template=header.has_template,
        licence=starter.STARTER.licence if is_starter else header.licence,
        kind=kind,
        family=family(name),
    )


def look_at(path: str | Path, origin: str = "") -> Found:
    """A file and the parts beside it, as a listing would show them. Raises OSError."""
    path = os.fspath(path)
    first = os.stat(path)
    folder, name = os.path.split(path)
    names = part_names(name)
    file_id = f"{first.st_dev:x}:{first.st_ino:x}"
    if len(names) == 1:
        return Found(path, first.st_size, first.st_mtime_ns, file_id, origin)
    infos, missing = [], []
    for name in names:
        try:
            infos.append(os.stat(os.path.join(folder, name)))
        except OSError:
            missing.append(name)
    size = sum(info.st_size for info in infos)
    newest = max((info.st_mtime_ns for info in infos), default=first.st_mtime_ns)
    return Found(path, size, newest, file_id, origin, len(names), tuple(missing))


def missing_sentence(found: Found) -> str:
    """What to say of parts that are not there; empty when none is missing."""
    if not found.missing:
        return ""
    where, n = os.path.basename(found.path), len(found.missing)
    if n == 1:
        part = found.missing[0]
        return tr("“{part}” is missing beside “{name}”. Download the model again.", part=part, name=where)
    words = later("{n} of its {n_parts} parts are missing beside “{name}”. Download the model again.")
    return tr(words, n=n, n_parts=found.n_parts, name=where)


def usable(models: Iterable[ModelFile]) -> list[ModelFile]:
    """Those that a lane could load."""
    return [model for model in models if model.usable]


def _unnamed_parts(path: Path, header: GgufHeader) -> tuple[str, ...]:
    """A split model whose name doesn't say so: its other parts can't be found by llama.cpp either."""
    count = header.split[1]
    return tuple(f"{path.stem}-{number:05}-of-{count:05}.gguf" for number in range(2, min(count, 999) + 1))


def _title(found: Found) -> str:
    """The name that tells most: the file's own, or of one named by its digest what its program calls it."""
    name = in_unicode(os.path.basename(found.path))
    if not found.origin or not _BLOB.fullmatch(name):
        return name
    model, _, tag = found.origin.rpartition("/")[2].partition(":")
    return model if tag in ("", "latest") else f"{model}-{tag}"
