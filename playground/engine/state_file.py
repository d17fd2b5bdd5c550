"""One saved state on disk: a head that is checked by itself, the tokens, and llama.cpp's bytes.

Layout: magic, length of the head, digest of head and tokens, the head as MessagePack, the tokens as
32-bit integers, the body. The body's digest stands in the head and is checked before llama.cpp sees a byte.
"""

from __future__ import annotations

import hashlib
import os
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

SUFFIX = ".state"
UNFINISHED = ".part"
_MAGIC = b"PGSTATE1"
_START = struct.Struct("<8sI32s")
_LONGEST_HEAD = 1 << 16
_MOST_TOKENS = 1 << 26
_BLOCK = 1 << 22

Part = tuple[int, bytes | bytearray]
"""0 and the whole state, or a checkpoint's length and its bytes."""


class Head(msgspec.Struct, frozen=True):
    """What a state is of."""

    name: str
    """Whose conversation: the slot's name."""
    model: str
    """The model file's path when it was saved."""
    content: str
    """What the model file holds, see `fingerprint`."""
    options: str
    """What changes the bits or their layout: cache types, flash attention, llama.cpp's build…"""
    n_tokens: int
    parts: list[tuple[int, int]]
    """Of the body: the checkpoint's tokens, 0 for the whole state, and bytes."""
    body: bytes
    """Digest of the body."""


@dataclass(frozen=True, eq=False, slots=True)
class Saved:
    """A state file whose head has been read."""

    path: Path
    head: Head
    tokens: Sequence[int]
    body_at: int

    @property
    def marks(self) -> list[int]:
        """Where its checkpoints are."""
        return [n for n, _ in self.head.parts if n]


class Damaged(Exception):
    """The file is not what it should be."""


def write(file: Path, head: Head, tokens: Sequence[int], parts: Sequence[Part]) -> None:
    """Write whole or not at all. Raises OSError; nothing is left then."""
    head = msgspec.structs.replace(head, body=_digest([data for _, data in parts]))
    head_bytes, token_bytes = msgspec.msgpack.encode(head), array("i", tokens).tobytes()
    start = _START.pack(_MAGIC, len(head_bytes), _digest([head_bytes, token_bytes]))
    part = file.with_name(f"{file.name}.{os.getpid()}{UNFINISHED}")
    try:
        with part.open("wb", buffering=0) as out:
            for data in (start, head_bytes, token_bytes, *(data for _, data in parts)):
                _write_all(out.fileno(), data)
            os.fsync(out.fileno())
        os.replace(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def size_of(head: Head, n_tokens: int, parts: Sequence[Part]) -> int:
    """Bytes the file will have, about."""
    return _START.size + len(msgspec.msgpack.encode(head)) + 64 + 4 * n_tokens + sum(len(data) for _, data in parts)


def read_head(file: Path) -> Saved:
    """All but the body. Raises Damaged, OSError."""
    with file.open("rb") as opened:
        start = opened.read(_START.size)
        if len(start) < _START.size:
            raise Damaged("it is cut short")
        magic, length, digest = _START.unpack(start)
        if magic != _MAGIC or length > _LONGEST_HEAD:
            raise Damaged("it is no saved state of this version")
        head_bytes = opened.read(length)
        try:
            head = msgspec.msgpack.decode(head_bytes, type=Head)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Damaged(f"its head is damaged ({error})") from None
        if not 0 < head.n_tokens <= _MOST_TOKENS:
            raise Damaged("it has no tokens")
        token_bytes = opened.read(4 * head.n_tokens)
        if _digest([head_bytes, token_bytes]) != digest:
            raise Damaged("its head or its tokens are damaged")
        body_at = opened.tell()
        if os.fstat(opened.fileno()).st_size - body_at != sum(size for _, size in head.parts):
            raise Damaged("it is cut short or too long")
    if any(size < 0 or n < 0 for n, size in head.parts):
        raise Damaged("its parts make no sense")
    tokens = array("i")
    tokens.frombytes(token_bytes)
    return Saved(file, head, list(tokens), body_at)


def read_body(saved: Saved) -> list[Part]:
    """The body, checked. Raises Damaged, OSError."""
    parts: list[Part] = []
    with saved.path.open("rb", buffering=0) as opened:
        opened.seek(saved.body_at)
        for n, size in saved.head.parts:
            data = bytearray(size)
            view, at = memoryview(data), 0
            while at < size and (got := opened.readinto(view[at : at + _BLOCK])):
                at += got
            view.release()
            if at != size:
                raise Damaged("it is cut short")
            parts.append((n, data))
    if _digest([data for _, data in parts]) != saved.head.body:
        raise Damaged("its content is damaged")
    return parts


def _digest(pieces: Sequence[bytes | bytearray]) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _write_all(fd: int, data: bytes | bytearray) -> None:
    with memoryview(data) as view:
        at = 0
        while at < len(view):
            at += os.write(fd, view[at : at + _BLOCK])
