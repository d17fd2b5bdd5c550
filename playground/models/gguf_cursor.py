"""A bounded walk over a GGUF file's bytes, and the error that says why it can't be used."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, Literal, TypeAlias

from playground.gguf_lists import step_over
from playground.translate import tr

GgufErrorKind: TypeAlias = Literal[
    "missing", "not_a_file", "unreadable", "not_gguf", "truncated", "corrupt", "unsupported"
]

MAX_KEPT = 32 * 1024 * 1024
"""Bytes of texts that are kept in all; templates and licences are some ten kB."""

MAX_LISTED = 8_388_608
"""Texts in all lists together: ten times what the largest vocabulary with its merges has."""

U64 = struct.Struct("<Q")
CHUNK = 1024 * 1024
"""Bytes read at once."""


class GgufError(Exception):
    """A file that can't be used as a model; the message is a sentence or two for the user."""

    def __init__(self, kind: GgufErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Cursor:
    """A position in a file, reading ahead by chunks; holds one chunk at a time."""

    def __init__(self, file: BinaryIO, name: str, size: int, chunk: int = CHUNK) -> None:
        self._file = file
        self._name = name
        self._size = size
        self._ahead = chunk
        self._base = 0
        self._chunk = b""
        self._at = 0
        self._kept = 0
        self._listed = 0

    @property
    def position(self) -> int:
        """In the file."""
        return self._base + self._at

    def corrupt(self, what: str) -> GgufError:
        """An error that says what can't be."""
        return GgufError("corrupt", tr("“{name}” is damaged: {what}. Download it again.", name=self._name, what=what))

    def truncated(self, wanted: int) -> GgufError:
        """An error that says how much is there."""
        known = tr(" of at least {wanted}", wanted=size_text(wanted)) if wanted < 1 << 50 else ""
        return GgufError(
            "truncated",
            tr(
                "“{name}” is cut short: {size}{known} are there. Download it again.",
                name=self._name,
                size=size_text(self._size),
                known=known,
            ),
        )

    def unpack(self, form: struct.Struct) -> Any:
        """The next number."""
        self._need(form.size)
        value = form.unpack_from(self._chunk, self._at)[0]
        self._at += form.size
        return value

    def text(self, limit: int = MAX_KEPT) -> str:
        """The next text."""
        length = self.unpack(U64)
        if length > self._size - self.position:
            raise self.truncated(self.position + length)
        self._kept += length
        if length > limit or self._kept > MAX_KEPT:
            raise self.corrupt(tr("a text of {length} in its header", length=size_text(length)))
        self._need(length)
        data = self._chunk[self._at : self._at + length]
        self._at += length
        return data.decode("utf-8", "replace")

    def skip(self, count: int) -> None:
        """Step over bytes."""
        self._move(self._at + count)

    def skip_texts(self, count: int) -> None:
        """Step over texts; nearly all of a header's time is spent here."""
        self._listed += count
        if self._listed > MAX_LISTED:
            raise self.corrupt(tr("it claims lists of {listed:,} texts", listed=self._listed))
        while count:
            if self._at + 8 > len(self._chunk):
                self._need(8)
            at, count = step_over(self._chunk, self._at, count)
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
        wanted = max(count, self._ahead)
        while wanted > 0 and (part := self._file.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        self._base, self._chunk, self._at = start, b"".join(parts), 0
        if len(self._chunk) < count:
            raise self.truncated(start + count)


def size_text(size: int) -> str:
    """Bytes in decimal units, as shops and the Hub count them: “41 kB”, “98.4 MB”."""
    value = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit in ("bytes", "kB") or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
