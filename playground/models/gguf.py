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
from typing import Any, BinaryIO, Literal, TypeAlias

from playground.models.gguf_types import FILE_TYPES, TENSOR_TYPES, what_it_is

GgufErrorKind: TypeAlias = Literal[
    "missing", "not_a_file", "unreadable", "not_gguf", "truncated", "corrupt", "unsupported"
]
Scalar: TypeAlias = int | float | bool | str

MAX_PAIRS = 65_536
MAX_TENSORS = 262_144
MAX_STRINGS = 8_388_608
"""Texts in one array: thirty times the largest vocabulary there is."""
MAX_NAME = 65_535
MAX_KEPT = 32 * 1024 * 1024
"""Bytes of texts that are kept in all; templates and licences are some ten kB."""

_CHUNK = 1024 * 1024
_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
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
    10: _U64,
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}


class GgufError(Exception):
    """A file that can't be used as a model; the message is a sentence or two for the user."""

    def __init__(self, kind: GgufErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array that was stepped over."""

    type: int
    """GGUF's number of the entries' type."""
    count: int


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
    types: dict[str, int] = field(default_factory=dict)
    """Tensors of each type."""
    type_bytes: dict[str, int] = field(default_factory=dict)

    def text(self, key: str) -> str:
        """A text of the metadata; empty if absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int:
        """A whole number of the metadata; 0 if absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def arch(self) -> str:
        """llama.cpp's name of the architecture."""
        return self.text("general.architecture")

    @property
    def name(self) -> str:
        """``general.name``; often a training run's. `names.display_name` is what people are shown."""
        return self.text("general.name").strip()

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

    @property
    def licence(self) -> str:
        """As the file names it: “apache-2.0”."""
        return self.text("general.license")

    @property
    def size_label(self) -> str:
        """“135M”."""
        return self.text("general.size_label")

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
            return _walk(file, str(where), size)
    except FileNotFoundError:
        raise GgufError("missing", f"There is no file “{where}”.") from None
    except PermissionError:
        raise GgufError(
            "unreadable", f"“{where.name}” may not be read by you; check its permissions."
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise GgufError("unreadable", f"“{where.name}” could not be read: {reason}.") from None


def refuse_unloadable(header: GgufHeader) -> None:
    """Refuse a sound GGUF that isn't a language model. Raises GgufError with a sentence."""
    name = Path(header.path).name
    kind = header.text("general.type")
    number, count = header.split
    if number > 0:
        raise GgufError(
            "unsupported", f"“{name}” is part {number + 1} of {count} of a model; open its first part."
        )
    if header.arch == "clip" or kind == "mmproj":
        raise GgufError("unsupported", f"“{name}” is the image part of a model; open the model beside it.")
    if kind in ("adapter", "imatrix"):
        raise GgufError("unsupported", f"“{name}” is an {kind}, not a model.")
    if not header.arch:
        raise GgufError("unsupported", f"“{name}” doesn’t say which architecture it has, so it can’t be run.")
    if header.n_tensors == 0:
        raise GgufError("unsupported", f"“{name}” holds no weights, only a vocabulary.")


def size_text(size: int) -> str:
    """Bytes in decimal units, as shops and the Hub count them: “41 kB”, “98.4 MB”."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.5:
            return (
                f"{value:.0f} {unit}" if unit in ("bytes", "kB") or value >= 99.95 else f"{value:.1f} {unit}"
            )
        value /= 1000
    return f"{value:.1f} TB"


def _regular_size(path: Path) -> int:
    info = path.stat()
    if stat.S_ISDIR(info.st_mode):
        raise GgufError("not_a_file", f"“{path}” is a folder; open a .gguf file in it.")
    if not stat.S_ISREG(info.st_mode):
        raise GgufError("not_a_file", f"“{path}” is a device or a pipe, not a file.")
    return info.st_size


class _Walker:
    """A position in a file, reading ahead by chunks; holds one chunk at a time."""

    def __init__(self, file: BinaryIO, name: str, size: int) -> None:
        self._file = file
        self._name = name
        self._size = size
        self._base = 0
        self._chunk = b""
        self._at = 0
        self._kept = 0

    @property
    def position(self) -> int:
        """In the file."""
        return self._base + self._at

    def corrupt(self, what: str) -> GgufError:
        """An error that says what can't be."""
        return GgufError("corrupt", f"“{self._name}” is damaged: {what}. Download it again.")

    def truncated(self, wanted: int) -> GgufError:
        """An error that says how much is there."""
        known = f" of at least {size_text(wanted)}" if wanted < 1 << 50 else ""
        return GgufError(
            "truncated",
            f"“{self._name}” is cut short: {size_text(self._size)}{known} are there. Download it again.",
        )

    def unpack(self, form: struct.Struct) -> Any:
        """The next number."""
        self._need(form.size)
        value = form.unpack_from(self._chunk, self._at)[0]
        self._at += form.size
        return value

    def text(self, limit: int = MAX_KEPT) -> str:
        """The next text."""
        length = self.unpack(_U64)
        if length > self._size - self.position:
            raise self.truncated(self.position + length)
        self._kept += length
        if length > limit or self._kept > MAX_KEPT:
            raise self.corrupt(f"a text of {size_text(length)} in its header")
        self._need(length)
        data = self._chunk[self._at : self._at + length]
        self._at += length
        return data.decode("utf-8", "replace")

    def skip(self, count: int) -> None:
        """Step over bytes."""
        self._move(self._at + count)

    def skip_texts(self, count: int) -> None:
        """Step over texts; nearly all of a header's time is spent here, so it is one tight loop."""
        unpack = _U64.unpack_from
        while count:
            chunk, at, last = self._chunk, self._at, len(self._chunk) - 8
            if at > last:
                self._need(8)
                continue
            for left in range(count - 1, -1, -1):  # noqa: B007 — used after the loop
                at += 8 + unpack(chunk, at)[0]
                if at > last:
                    break
            count = left
            self._move(at)

    def _move(self, at: int) -> None:
        if self._base + at > self._size:
            raise self.truncated(self._base + at)
        if at > len(self._chunk):
            self._base, self._chunk, at = self._base + at, b"", 0
        self._at = at

    def _need(self, count: int) -> None:
        have = len(self._chunk) - self._at
        if have >= count:
            return
        start = self.position
        if start + count > self._size:
            raise self.truncated(start + count)
        self._file.seek(start)
        parts: list[bytes] = []
        wanted = max(count, _CHUNK)
        while wanted > 0 and (part := self._file.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self._base, self._chunk, self._at = start, b"".join(parts), 0
        if len(self._chunk) < count:
            raise self.truncated(start + count)


def _walk(file: BinaryIO, path: str, size: int) -> GgufHeader:
    name = Path(path).name
    _check_magic(file, name, size)
    walker = _Walker(file, name, size)
    walker.skip(4)
    header = GgufHeader(path, size, version=_version(walker, name))
    header.n_tensors = walker.unpack(_U64)
    n_pairs = walker.unpack(_U64)
    if header.n_tensors > MAX_TENSORS or n_pairs > MAX_PAIRS:
        raise walker.corrupt(f"it claims {header.n_tensors:,} tensors and {n_pairs:,} entries")
    for _ in range(n_pairs):
        _read_pair(walker, header)
    _read_tensors(walker, header)
    return header


def _check_magic(file: BinaryIO, name: str, size: int) -> None:
    head = file.read(64)
    if head[:4] == b"GGUF":
        return
    if not head:
        raise GgufError("not_gguf", f"“{name}” is empty.")
    raise GgufError("not_gguf", f"“{name}” is not a GGUF model. {what_it_is(head)}, {size_text(size)}.")


def _version(walker: _Walker, name: str) -> int:
    version: int = walker.unpack(_U32)
    if version and version & 0xFFFF == 0:
        raise GgufError(
            "unsupported", f"“{name}” was written for big-endian machines; look for a little-endian copy."
        )
    if version not in (2, 3):
        age = "older than llama.cpp still reads" if version < 2 else "newer than this app knows"
        raise GgufError("unsupported", f"“{name}” is a GGUF of version {version}, {age}.")
    return version


def _read_pair(walker: _Walker, header: GgufHeader) -> None:
    key = walker.text(MAX_NAME)
    if key in header.metadata:
        raise walker.corrupt(f"“{key[:80]}” stands in it twice")
    kind = walker.unpack(_U32)
    if kind == _ARRAY:
        header.metadata[key] = _skip_array(walker)
    elif kind == _STRING:
        header.metadata[key] = walker.text()
    elif kind in _SCALARS:
        header.metadata[key] = walker.unpack(_SCALARS[kind])
    else:
        raise walker.corrupt(f"“{key[:80]}” is of type {kind}, which doesn’t exist")


def _skip_array(walker: _Walker) -> ArrayInfo:
    kind, count = walker.unpack(_U32), walker.unpack(_U64)
    if kind == _STRING:
        if count > MAX_STRINGS:
            raise walker.corrupt(f"it claims a list of {count:,} texts")
        walker.skip_texts(count)
    elif kind in _SCALARS:
        walker.skip(count * _SCALARS[kind].size)
    else:
        raise walker.corrupt(f"it holds a list of type {kind}, which doesn’t exist")
    return ArrayInfo(kind, count)


def _read_tensors(walker: _Walker, header: GgufHeader) -> None:
    alignment = header.number("general.alignment") if "general.alignment" in header.metadata else 32
    if alignment < 1 or alignment & (alignment - 1) or alignment > 1 << 20:
        raise walker.corrupt(f"an alignment of {alignment}")
    end, names = 0, set[str]()
    for _ in range(header.n_tensors):
        name = walker.text(MAX_NAME)
        if name in names:
            raise walker.corrupt(f"the tensor “{name[:80]}” stands in it twice")
        names.add(name)
        end = max(end, _read_tensor(walker, header, name, alignment))
    if header.n_tensors:
        start = -(-walker.position // alignment) * alignment
        if start + end > header.size:
            raise walker.truncated(start + end)


def _read_tensor(walker: _Walker, header: GgufHeader, name: str, alignment: int) -> int:
    """Count one tensor in; where its data ends, from the start of the data."""
    n_dims = walker.unpack(_U32)
    if n_dims > 4:
        raise walker.corrupt(f"the tensor “{name[:80]}” has {n_dims} dimensions")
    shape = [walker.unpack(_U64) for _ in range(n_dims)] or [1]
    kind, offset = walker.unpack(_U32), walker.unpack(_U64)
    if kind not in TENSOR_TYPES:
        raise GgufError(
            "unsupported", f"“{Path(header.path).name}” holds tensors of type {kind}, unknown to this app."
        )
    type_name, block, block_bytes = TENSOR_TYPES[kind]
    values = 1
    for length in shape:
        values *= length
    if shape[0] % block or values >= 1 << 60 or offset % alignment:
        raise walker.corrupt(f"the tensor “{name[:80]}” has a shape or place that can’t be")
    size = values // block * block_bytes
    header.n_params += values
    header.tensor_bytes += size
    header.types[type_name] = header.types.get(type_name, 0) + 1
    header.type_bytes[type_name] = header.type_bytes.get(type_name, 0) + size
    return int(offset) + size
