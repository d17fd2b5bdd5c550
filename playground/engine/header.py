"""A bounded look at a GGUF's header before llama.cpp reads it: hostile files can abort the process there."""

from __future__ import annotations

import errno
import math
import mmap
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.engine.binding import block_size, lib, type_size
from playground.fit.estimate import Model as FitModel
from playground.fit.weights import Tensor
from playground.gguf_lists import step_over
from playground.protocol.events import LoadFailed
from playground.translate import later, tr

_MOST_KEYS = 65_536
_MOST_TENSORS = 1_000_000
_LONGEST_KEY = 65_535
_MOST_NUMBERS = 1024
"""Of a list that is kept."""
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"<!doctype", later("a web page")),
    (b"<html", later("a web page")),
    (b"version https://git-lfs", later("a Git LFS pointer, not the file itself")),
    (b"pk\x03\x04", later("a ZIP archive or a PyTorch checkpoint")),
    (b"\x1f\x8b", later("a gzip archive")),
    (b"tjgg", later("a GGML file of before August 2023; such files must be converted")),
    (b"lmgg", later("a GGML file of before August 2023; such files must be converted")),
    (b"fmgg", later("a GGML file of before August 2023; such files must be converted")),
    (b"{", later("a JSON text")),
)


class LoadError(Exception):
    """Why a model can't be loaded: kind, a sentence, llama.cpp's own words."""

    def __init__(self, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.event = LoadFailed(kind, message, detail)  # type: ignore[arg-type]


@dataclass(slots=True)
class Header:
    """What of a header concerns loading."""

    version: int
    n_tensors: int
    scalars: dict[str, Any] = field(default_factory=dict)
    """Every value that is no array, and as tuples the short lists of numbers."""
    tensors: list[Tensor] = field(default_factory=list)

    def number(self, key: str) -> int:
        """A whole number; 0 where there is none by that key."""
        value = self.scalars.get(key, 0)
        return value if isinstance(value, int) else 0

    def fit(self) -> FitModel:
        """What the model needs in memory, by the tensors that are known."""
        return FitModel(self.scalars, self.tensors)


def check(path: str) -> Header:
    """Read a file's header. Raises LoadError when llama.cpp could not load it."""
    file = Path(path)
    name = file.name
    try:
        if file.is_dir():
            raise LoadError("not_a_file", tr("“{name}” is a folder. Choose a GGUF file in it.", name=name))
        if not file.exists():
            raise LoadError("missing", tr("There is no file “{path}”. It may have been moved or deleted.", path=path))
        if not file.is_file():
            raise LoadError("not_a_file", tr("“{name}” is no ordinary file.", name=name))
        with file.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            _check_magic(name, opened.read(64), size)
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _Walk(name, data, size).read()
    except OSError as error:
        if error.errno == errno.ENOMEM:
            raise LoadError("memory", tr("There is not enough memory to open the model."), str(error)) from error
        raise LoadError(
            "other", tr("“{name}” can’t be read: {reason}.", name=name, reason=error.strerror or error)
        ) from error


def _check_magic(name: str, start: bytes, size: int) -> None:
    if size == 0:
        raise LoadError("truncated", tr("“{name}” is empty. Download it again.", name=name))
    if start[:4] != b"GGUF":
        raise LoadError(
            "not_gguf", tr("“{name}” is not a GGUF model: it begins like {start}.", name=name, start=_looks_like(start))
        )
    if size < 24:
        raise LoadError("truncated", tr("“{name}” ends inside its first line. Download it again.", name=name))


def _looks_like(start: bytes) -> str:
    low = start.lstrip().lower()
    for beginning, words in _BEGINNINGS:
        if low.startswith(beginning):
            return tr(words)
    shown = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in start[:12])
    return f"“{shown}”"


class _Walk:
    """One pass over the header; nothing is believed beyond the file's own size."""

    def __init__(self, name: str, data: mmap.mmap, size: int) -> None:
        self._name = name
        self._data = data
        self._size = size
        self._at = 4

    def read(self) -> Header:
        """The header, or LoadError."""
        (version,) = struct.unpack("<I", self._take(4))
        if version not in (2, 3):
            swapped = int.from_bytes(version.to_bytes(4, "big"), "little")
            kind = (
                tr("is for big-endian machines")
                if swapped in (2, 3)
                else tr("has GGUF version {version}", version=version)
            )
            raise LoadError(
                "unsupported", tr("“{name}” {kind}, which llama.cpp here can’t read.", name=self._name, kind=kind)
            )
        n_tensors, n_keys = self._number("Q"), self._number("Q")
        if n_keys > _MOST_KEYS or n_tensors > _MOST_TENSORS:
            raise self._corrupt(
                tr("its header claims {n_keys:,} keys and {n_tensors:,} tensors", n_keys=n_keys, n_tensors=n_tensors)
            )
        header = Header(version, n_tensors)
        for _ in range(n_keys):
            key = self._string(_LONGEST_KEY)
            value = self._value(header, key)
            if value is not None:
                header.scalars[key] = value
        self._check_general(header)
        self._check_tensors(header)
        return header

    def _check_general(self, header: Header) -> None:
        # Of several files only the first names the architecture, and it may have no tensors; see `parts`.
        is_part = header.number("split.count") > 1
        if is_part and header.number("split.no") > 0:
            return
        if not isinstance(header.scalars.get("general.architecture"), str):
            raise self._corrupt(tr("it doesn’t name its architecture"))
        if header.n_tensors == 0 and not is_part:
            raise LoadError(
                "unsupported",
                tr("“{name}” holds only a vocabulary, no weights. Choose the model itself.", name=self._name),
            )

    def _check_tensors(self, header: Header) -> None:
        end = 0
        for _ in range(header.n_tensors):
            name = self._string(_LONGEST_KEY)
            n_dims = self._number("I")
            if not 0 < n_dims <= 4:
                raise self._corrupt(tr("a tensor has {n_dims} dimensions", n_dims=n_dims))
            shape = [self._number("Q") for _ in range(n_dims)]
            kind, offset = self._number("I"), self._number("Q")
            size = self._bytes(kind, shape)
            header.tensors.append(Tensor(name, tuple(shape), kind, size, offset))
            end = max(end, offset + size)
        alignment = header.scalars.get("general.alignment", 32)
        if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
            raise self._corrupt(tr("its alignment makes no sense"))
        needed = math.ceil(self._at / alignment) * alignment + end
        if needed > self._size:
            raise LoadError(
                "truncated",
                tr(
                    "“{name}” is cut short: it has {size:,} bytes and should have {needed:,}. Download it again.",
                    name=self._name,
                    size=self._size,
                    needed=needed,
                ),
            )

    def _bytes(self, kind: int, shape: list[int]) -> int:
        if kind >= lib.GGML_TYPE_COUNT or not (per_block := type_size(kind)):
            raise LoadError(
                "unsupported",
                tr(
                    "“{name}” has weights of a type ({kind}) that this llama.cpp doesn’t know.",
                    name=self._name,
                    kind=kind,
                ),
            )
        n = math.prod(shape)
        if n == 0 or n >= 1 << 62:
            raise self._corrupt(tr("a tensor’s shape makes no sense"))
        return n // int(block_size(kind)) * int(per_block)

    def _value(self, header: Header, key: str) -> Any:
        """A scalar or a short list of numbers; None for other arrays, which are walked over."""
        kind = self._number("I")
        if kind == _ARRAY:
            kind, count = self._number("I"), self._number("Q")
            if key == "tokenizer.ggml.tokens":
                header.scalars["tokenizer.n_vocab"] = count
            if kind != _STRING and count <= _MOST_NUMBERS and not key.startswith("tokenizer."):
                form = self._format(kind)
                return tuple(self._number(form) for _ in range(count))
            self._skip_array(kind, count)
            return None
        if kind == _STRING:
            return self._string(self._size)
        return self._number(self._format(kind))

    def _skip_array(self, kind: int, count: int) -> None:
        if kind != _STRING:
            self._skip(struct.calcsize(self._format(kind)) * count)
            return
        if count > self._size:
            raise self._cut()
        at, left = step_over(self._data, self._at, count)
        if left or at > self._size:
            raise self._cut()
        self._at = at

    def _format(self, kind: int) -> str:
        try:
            return _SCALARS[kind]
        except KeyError:
            raise self._corrupt(tr("a value has the unknown type {kind}", kind=kind)) from None

    def _string(self, longest: int) -> str:
        length = self._number("Q")
        if length > longest:
            raise self._cut() if length > self._size else self._corrupt(tr("a name is absurdly long"))
        return self._take(length).decode("utf-8", "replace")

    def _number(self, form: str) -> Any:
        return struct.unpack("<" + form, self._take(struct.calcsize(form)))[0]

    def _take(self, n: int) -> bytes:
        start = self._at
        self._skip(n)
        return self._data[start : self._at]

    def _skip(self, n: int) -> None:
        if n > self._size - self._at:
            raise self._cut()
        self._at += n

    def _cut(self) -> LoadError:
        return LoadError(
            "truncated",
            tr("“{name}” is cut short or damaged: it ends inside its header. Download it again.", name=self._name),
        )

    def _corrupt(self, what: str) -> LoadError:
        return LoadError("other", tr("“{name}” is damaged: {what}. Download it again.", name=self._name, what=what))
