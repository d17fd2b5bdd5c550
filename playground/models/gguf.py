"""What a GGUF file says of itself: a bounded walk over its header that trusts nothing in it.

The weights are never read. Long arrays (the vocabulary) are stepped over, which is what makes this
fast enough for lists. It reads instead of mapping: a file cut short meanwhile gives an error here,
where a mapping would end the process. Layout: ggml/docs/gguf.md and ``ggml/src/gguf.cpp``.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from playground.fit.estimate import Model
from playground.fit.weights import Tensor
from playground.models.gguf_cursor import CHUNK, U64, Cursor, GgufError, GgufErrorKind, size_text
from playground.models.gguf_types import FILE_TYPES, TENSOR_TYPES, what_it_is
from playground.translate import tr

__all__ = [
    "ArrayInfo",
    "GgufError",
    "GgufErrorKind",
    "GgufHeader",
    "read_header",
    "refuse_unloadable",
    "size_text",
    "walk",
]

Scalar: TypeAlias = int | float | bool | str

MAX_PAIRS = 65_536
MAX_TENSORS = 262_144
MAX_NAME = 65_535
MAX_SAID = 200
"""Characters of a name or licence that are shown and searched; nobody means more."""
MAX_KEPT_NUMBERS = 1024
"""Entries of a list of numbers that is kept; longer ones are stepped over."""
_U32 = struct.Struct("<I")
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: _U32,
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array; long ones and texts are stepped over."""

    type: int
    """GGUF's number of the entries' type."""
    count: int
    values: tuple[int | float | bool, ...] = ()
    """The entries themselves of short lists of numbers: one for each layer, mostly."""


@dataclass(slots=True)
class GgufHeader:
    """A header's contents. Sizes in bytes."""

    path: str
    size: int
    """Of the file."""
    version: int = 0
    n_tensors: int = 0
    metadata: dict[str, Scalar | ArrayInfo] = field(default_factory=dict)
    tensor_bytes: int = 0
    """All tensors, without the padding between them."""
    n_params: int = 0
    """Values in all tensors: the model's parameters."""
    data_start: int = 0
    """Where the tensors' data begins in the file; 0 where there is none."""
    types: dict[str, int] = field(default_factory=dict)
    """Tensors of each type."""
    type_bytes: dict[str, int] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)

    def text(self, key: str) -> str:
        """A text of the metadata; empty if absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def said(self, key: str) -> str:
        """A text that is to be short, as a name is: its beginning, however long it is."""
        return self.text(key)[:MAX_SAID].strip()

    def number(self, key: str) -> int:
        """A whole number of the metadata; 0 if absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def arch(self) -> str:
        """llama.cpp's name of the architecture."""
        return self.said("general.architecture")

    @property
    def name(self) -> str:
        """``general.name``; often a training run's. `names.display_name` is what people are shown."""
        return self.said("general.name")

    @property
    def quant(self) -> str:
        """“Q4_1”; where the file doesn't say, the type that most bytes have."""
        if "general.file_type" in self.metadata and self.number("general.file_type") in FILE_TYPES:
            return FILE_TYPES[self.number("general.file_type")]
        return max(self.type_bytes, key=lambda name: self.type_bytes[name], default="")

    @property
    def n_ctx_train(self) -> int:
        """Context in tokens that the model was made for; 0 if unsaid."""
        return self.number(f"{self.arch}.context_length")

    @property
    def n_layer(self) -> int:
        """Layers; 0 if unsaid."""
        return self.number(f"{self.arch}.block_count")

    @property
    def n_vocab(self) -> int:
        """Tokens of the vocabulary; 0 if there is none."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        return tokens.count if isinstance(tokens, ArrayInfo) else 0

    def fit(self) -> Model:
        """What it needs in memory; of a model in several files, with the tensors of this one only."""
        known = {key: value.values if isinstance(value, ArrayInfo) else value for key, value in self.metadata.items()}
        return Model(known | {"tokenizer.n_vocab": self.n_vocab}, self.tensors)

    @property
    def licence(self) -> str:
        """As the file names it: “apache-2.0”."""
        return self.said("general.license")

    @property
    def size_label(self) -> str:
        """“135M”."""
        return self.said("general.size_label")

    @property
    def has_template(self) -> bool:
        """Whether it carries a chat template; base models don't."""
        return bool(self.text("tokenizer.chat_template"))

    @property
    def split(self) -> tuple[int, int]:
        """Number from 0 and count of the parts of a model in several files; (0, 1) for a whole one."""
        return self.number("split.no"), max(1, self.number("split.count"))


def read_header(path: str | os.PathLike[str]) -> GgufHeader:
    """The header of a GGUF file, checked. Raises GgufError and nothing else.

    Takes milliseconds from a warm disk; not for the GUI thread all the same.
    """
    where = Path(path)
    try:
        size = _regular_size(where)
        with where.open("rb", buffering=0) as file:
            return walk(file, str(where), size)
    except FileNotFoundError:
        raise GgufError("missing", tr("There is no file “{where}”.", where=where)) from None
    except PermissionError:
        raise GgufError(
            "unreadable", tr("“{name}” may not be read by you; check its permissions.", name=where.name)
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise GgufError(
            "unreadable", tr("“{name}” could not be read: {reason}.", name=where.name, reason=reason)
        ) from None


def refuse_unloadable(header: GgufHeader) -> None:
    """Refuse a sound GGUF that isn't a language model. Raises GgufError with a sentence."""
    name = Path(header.path).name
    kind = header.text("general.type")
    number, count = header.split
    if number > 0:
        raise GgufError(
            "unsupported",
            tr(
                "“{name}” is part {number} of {count} of a model; open its first part.",
                name=name,
                number=number + 1,
                count=count,
            ),
        )
    if header.arch == "clip" or kind == "mmproj":
        raise GgufError(
            "unsupported", tr("“{name}” is the image part of a model; open the model beside it.", name=name)
        )
    if kind in ("adapter", "imatrix"):
        raise GgufError("unsupported", tr("“{name}” is an {kind}, not a model.", name=name, kind=kind))
    if not header.arch:
        raise GgufError(
            "unsupported", tr("“{name}” doesn’t say which architecture it has, so it can’t be run.", name=name)
        )
    if header.n_tensors == 0 and count < 2:  # the first of several may have none
        raise GgufError("unsupported", tr("“{name}” holds no weights, only a vocabulary.", name=name))


def _regular_size(path: Path) -> int:
    info = path.stat()
    if stat.S_ISDIR(info.st_mode):
        raise GgufError("not_a_file", tr("“{path}” is a folder; open a .gguf file in it.", path=path))
    if not stat.S_ISREG(info.st_mode):
        raise GgufError("not_a_file", tr("“{path}” is a device or a pipe, not a file.", path=path))
    return info.st_size


def walk(file: BinaryIO, path: str, size: int, chunk: int = CHUNK) -> GgufHeader:
    """The header of an open file of that many bytes, read forwards. Raises GgufError and what reading raises.

    ``chunk``: bytes read at once. ``path`` is for sentences.
    """
    name = Path(path).name
    _check_magic(file, name, size)
    cursor = Cursor(file, name, size, chunk)
    cursor.skip(4)
    header = GgufHeader(path, size, version=_version(cursor, name))
    header.n_tensors = cursor.unpack(U64)
    n_pairs = cursor.unpack(U64)
    if header.n_tensors > MAX_TENSORS or n_pairs > MAX_PAIRS:
        raise cursor.corrupt(
            tr("it claims {n_tensors:,} tensors and {n_pairs:,} entries", n_tensors=header.n_tensors, n_pairs=n_pairs)
        )
    for _ in range(n_pairs):
        _read_pair(cursor, header)
    _read_tensors(cursor, header)
    return header


def _check_magic(file: BinaryIO, name: str, size: int) -> None:
    head = file.read(64)
    if head[:4] == b"GGUF":
        return
    if not head:
        raise GgufError("not_gguf", tr("“{name}” is empty.", name=name))
    raise GgufError(
        "not_gguf",
        tr("“{name}” is not a GGUF model. {head}, {size}.", name=name, head=what_it_is(head), size=size_text(size)),
    )


def _version(cursor: Cursor, name: str) -> int:
    version: int = cursor.unpack(_U32)
    if version and version & 0xFFFF == 0:
        raise GgufError(
            "unsupported", tr("“{name}” was written for big-endian machines; look for a little-endian copy.", name=name)
        )
    if version not in (2, 3):
        age = tr("older than llama.cpp still reads") if version < 2 else tr("newer than this app knows")
        raise GgufError(
            "unsupported", tr("“{name}” is a GGUF of version {version}, {age}.", name=name, version=version, age=age)
        )
    return version


def _read_pair(cursor: Cursor, header: GgufHeader) -> None:
    key = cursor.text(MAX_NAME)
    if key in header.metadata:
        raise cursor.corrupt(tr("“{key}” stands in it twice", key=key[:80]))
    kind = cursor.unpack(_U32)
    if kind == _ARRAY:
        header.metadata[key] = _read_array(cursor, keep=not key.startswith("tokenizer."))
    elif kind == _STRING:
        header.metadata[key] = cursor.text()
    elif kind in _SCALARS:
        header.metadata[key] = cursor.unpack(_SCALARS[kind])
    else:
        raise cursor.corrupt(tr("“{key}” is of type {kind}, which doesn’t exist", key=key[:80], kind=kind))


def _read_array(cursor: Cursor, *, keep: bool) -> ArrayInfo:
    kind, count = cursor.unpack(_U32), cursor.unpack(U64)
    if kind == _STRING:
        cursor.skip_texts(count)
    elif kind in _SCALARS and keep and count <= MAX_KEPT_NUMBERS:
        return ArrayInfo(kind, count, tuple(cursor.unpack(_SCALARS[kind]) for _ in range(count)))
    elif kind in _SCALARS:
        cursor.skip(count * _SCALARS[kind].size)
    else:
        raise cursor.corrupt(tr("it holds a list of type {kind}, which doesn’t exist", kind=kind))
    return ArrayInfo(kind, count)


def _read_tensors(cursor: Cursor, header: GgufHeader) -> None:
    alignment = header.number("general.alignment") if "general.alignment" in header.metadata else 32
    if alignment < 1 or alignment & (alignment - 1) or alignment > 1 << 20:
        raise cursor.corrupt(tr("an alignment of {alignment}", alignment=alignment))
    end, names = 0, set[str]()
    for _ in range(header.n_tensors):
        name = cursor.text(MAX_NAME)
        if name in names:
            raise cursor.corrupt(tr("the tensor “{name}” stands in it twice", name=name[:80]))
        names.add(name)
        end = max(end, _read_tensor(cursor, header, name, alignment))
    if header.n_tensors:
        start = -(-cursor.position // alignment) * alignment
        if start + end > header.size:
            raise cursor.truncated(start + end)
        header.data_start = start


def _read_tensor(cursor: Cursor, header: GgufHeader, name: str, alignment: int) -> int:
    """Count one tensor in; where its data ends, from the start of the data."""
    n_dims = cursor.unpack(_U32)
    if n_dims > 4:
        raise cursor.corrupt(tr("the tensor “{name}” has {n_dims} dimensions", name=name[:80], n_dims=n_dims))
    shape = [cursor.unpack(U64) for _ in range(n_dims)] or [1]
    kind, offset = cursor.unpack(_U32), cursor.unpack(U64)
    if kind not in TENSOR_TYPES:
        raise GgufError(
            "unsupported",
            tr("“{name}” holds tensors of type {kind}, unknown to this app.", name=Path(header.path).name, kind=kind),
        )
    type_name, block, block_bytes = TENSOR_TYPES[kind]
    values = 1
    for length in shape:
        values *= length
    if shape[0] % block or values >= 1 << 60 or offset % alignment:
        raise cursor.corrupt(tr("the tensor “{name}” has a shape or place that can’t be", name=name[:80]))
    size = values // block * block_bytes
    header.n_params += values
    header.tensor_bytes += size
    header.types[type_name] = header.types.get(type_name, 0) + 1
    header.type_bytes[type_name] = header.type_bytes.get(type_name, 0) + size
    header.tensors.append(Tensor(name, tuple(shape), kind, size, offset))
    return int(offset) + size
