"""A GGUF file taken apart, changed in one or a few places, and put together again. Layout: ggml/docs/gguf.md."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from faults.templates import HOSTILE

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
_FORMS = {
    U8: "B",
    I8: "b",
    U16: "H",
    I16: "h",
    U32: "I",
    I32: "i",
    F32: "f",
    BOOL: "B",
    U64: "Q",
    I64: "q",
    F64: "d",
}
_ABSURD = (0, 1, 2, 3, 7, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_ABSURD_FLOATS = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e38, -1e38, 1e-45, 3.0)


@dataclass
class Pair:
    """One entry: its key, type and the bytes of its value."""

    key: bytes
    kind: int
    value: bytes

    def bytes(self) -> bytes:
        """As it stands in a file."""
        return struct.pack("<Q", len(self.key)) + self.key + struct.pack("<I", self.kind) + self.value


@dataclass
class Tensor:
    """One tensor's line in the header."""

    name: bytes
    shape: list[int]
    kind: int
    offset: int

    def bytes(self) -> bytes:
        """As it stands in a file."""
        dims = struct.pack(f"<{len(self.shape)}Q", *(length % 2**64 for length in self.shape))
        head = struct.pack("<Q", len(self.name)) + self.name + struct.pack("<I", len(self.shape))
        return head + dims + struct.pack("<IQ", self.kind % 2**32, self.offset % 2**64)


@dataclass
class File:
    """A whole file. ``header_end`` is where the header ended when it was read."""

    magic: bytes
    version: int
    n_tensors: int
    n_pairs: int
    pairs: list[Pair]
    tensors: list[Tensor]
    data: bytes
    sparse: int = 0
    """Bytes of zeros after ``data``: weights that take no room on disk."""
    alignment: int = 32

    def header(self) -> bytes:
        """Up to the last tensor's line."""
        head = self.magic + struct.pack("<IQQ", self.version % 2**32, self.n_tensors % 2**64, self.n_pairs % 2**64)
        return head + b"".join(p.bytes() for p in self.pairs) + b"".join(t.bytes() for t in self.tensors)

    def find(self, ends: str) -> Pair | None:
        """The first entry whose key ends so."""
        return next((pair for pair in self.pairs if pair.key.decode("utf-8", "replace").endswith(ends)), None)


def parse(blob: bytes, size: int) -> File:
    """A sound file's parts; ``blob`` may stop after the header, ``size`` is the whole file's."""
    at = 24
    version, n_tensors, n_pairs = struct.unpack_from("<IQQ", blob, 4)

    def text() -> bytes:
        nonlocal at
        (length,) = struct.unpack_from("<Q", blob, at)
        at += 8 + length
        return blob[at - length : at]

    def skip(kind: int) -> None:
        nonlocal at
        if kind == STRING:
            text()
        elif kind == ARRAY:
            inner, count = struct.unpack_from("<IQ", blob, at)
            at += 12
            if inner == STRING:
                for _ in range(count):
                    text()
            else:
                at += struct.calcsize(_FORMS[inner]) * count
        else:
            at += struct.calcsize(_FORMS[kind])

    pairs, tensors = [], []
    for _ in range(n_pairs):
        key = text()
        (kind,) = struct.unpack_from("<I", blob, at)
        at += 4
        start = at
        skip(kind)
        pairs.append(Pair(key, kind, blob[start:at]))
    for _ in range(n_tensors):
        name = text()
        (n_dims,) = struct.unpack_from("<I", blob, at)
        shape = list(struct.unpack_from(f"<{n_dims}Q", blob, at + 4))
        kind, offset = struct.unpack_from("<IQ", blob, at + 4 + 8 * n_dims)
        at += 16 + 8 * n_dims
        tensors.append(Tensor(name, shape, kind, offset))
    start = -(-at // 32) * 32
    data = blob[start:size]
    return File(blob[:4], version, n_tensors, n_pairs, pairs, tensors, data, size - start - len(data))


def absurd(rng: random.Random, kind: int) -> bytes:
    """A value of a type that nobody would write."""
    if kind in (F32, F64):
        return struct.pack("<" + _FORMS[kind], rng.choice(_ABSURD_FLOATS))
    size = struct.calcsize(_FORMS[kind])
    return struct.pack("<Q", rng.choice(_ABSURD) % 2**64)[:size]


def array(kind: int, values: list[bytes]) -> bytes:
    """An array's bytes."""
    if kind == STRING:
        values = [struct.pack("<Q", len(value)) + value for value in values]
    return struct.pack("<IQ", kind, len(values)) + b"".join(values)


def texts(value: bytes) -> list[bytes]:
    """An array of texts, taken apart."""
    (count,) = struct.unpack_from("<Q", value, 4)
    at, found = 12, []
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", value, at)
        found.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    return found


def some_counts(rng: random.Random, file: File) -> None:
    """The counts of the head."""
    if rng.random() < 0.5:
        file.n_tensors = rng.choice((*_ABSURD, file.n_tensors - 1, file.n_tensors + 1))
    else:
        file.n_pairs = rng.choice((*_ABSURD, file.n_pairs - 1, file.n_pairs + 1))


def some_head(rng: random.Random, file: File) -> None:
    """Magic and version."""
    if rng.random() < 0.4:
        file.magic = rng.choice((b"GGUX", b"\0\0\0\0", b"PK\3\4", b"GGML", b"<htm"))
    else:
        file.version = rng.choice((0, 1, 2, 4, 0x03000000, 2**32 - 1))


def some_length(rng: random.Random, file: File) -> None:
    """The length of a text or list."""
    pair = rng.choice([pair for pair in file.pairs if pair.kind in (STRING, ARRAY)])
    at = 4 if pair.kind == ARRAY else 0
    pair.value = pair.value[:at] + struct.pack("<Q", rng.choice(_ABSURD)) + pair.value[at + 8 :]


def some_type(rng: random.Random, file: File) -> None:
    """The type of an entry or of a list's elements."""
    pair = rng.choice(file.pairs)
    if pair.kind == ARRAY and rng.random() < 0.5:
        pair.value = struct.pack("<I", rng.choice((*range(14), 255))) + pair.value[4:]
    elif rng.random() < 0.5:
        pair.kind = rng.choice((*range(14), 99, 2**31))
    else:  # another type with a value that fits it: the file stays sound, the entry is wrong
        pair.kind = rng.choice([kind for kind in _FORMS if kind != pair.kind])
        pair.value = absurd(rng, pair.kind)


def some_parameter(rng: random.Random, file: File) -> None:
    """Hyperparameters: no heads, a context without end, a rope that is not a number."""
    for _ in range(rng.randint(1, 3)):
        pair = rng.choice([pair for pair in file.pairs if pair.kind in _FORMS])
        pair.value = absurd(rng, pair.kind)


def some_entry(rng: random.Random, file: File) -> None:
    """An entry that is gone, doubled, or renamed."""
    pair = rng.choice(file.pairs)
    match rng.randrange(4):
        case 0:
            file.pairs.remove(pair)
            file.n_pairs -= 1
        case 1:
            file.pairs.append(pair)
            file.n_pairs += 1
        case 2:
            pair.key = rng.choice((b"", b"\xff\xfe", b"x" * 70000, pair.key[:-1], b"general.alignment"))
        case _:
            file.pairs.append(Pair(b"general.alignment", U32, struct.pack("<I", rng.choice(_ABSURD) % 2**32)))
            file.n_pairs += 1


def some_tensor(rng: random.Random, file: File) -> None:
    """A tensor's shape, type, place or name."""
    tensor = rng.choice(file.tensors)
    match rng.randrange(6):
        case 0:
            tensor.offset = rng.choice((*_ABSURD, tensor.offset + 1, tensor.offset + 32, 2**64 - 32))
        case 1:
            tensor.kind = rng.choice((*range(45), 255, 2**31, 2**32 - 1))
        case 2:
            tensor.shape[rng.randrange(len(tensor.shape))] = rng.choice((*_ABSURD, 31, 33, 64))
        case 3:
            tensor.shape = [rng.choice((1, 2, 64, 2**32)) for _ in range(rng.choice((0, 1, 3, 4, 5, 9)))]
        case 4:
            tensor.name = rng.choice((b"", b"\xff" * 5, b"n" * 300, file.tensors[0].name, b"blk.999999.attn_q.weight"))
        case _:
            tensor.shape.reverse()


def some_vocabulary(rng: random.Random, file: File) -> None:
    """The token list, its scores, types and special tokens."""
    tokens = file.find("tokenizer.ggml.tokens")
    assert tokens is not None
    words = texts(tokens.value)
    match rng.randrange(7):
        case 0:
            words = words[: rng.choice((0, 1, 2, len(words) // 2, len(words) - 1))]
        case 1:
            words += words[: rng.randint(1, 300)]
        case 2:
            words[rng.randrange(len(words))] = rng.choice((b"", b"\xff\xfe\xc3", b"w" * 2_000_000, b"a\0b", b"<0xZZ>"))
        case 3:
            words = [b"" for _ in words]
        case 4:
            rng.shuffle(words)
        case 5:
            other = file.find("token_type") or file.find("scores") or tokens
            other.value = array(I32, [struct.pack("<I", rng.choice(_ABSURD) % 2**32) for _ in words])
            return
        case _:
            ids = [pair for pair in file.pairs if pair.key.endswith(b"token_id")]
            for pair in ids:
                pair.value = struct.pack("<I", rng.choice((0, len(words) - 1, len(words), 2**31, 2**32 - 1)))
            return
    tokens.value = array(STRING, words)


def some_template(rng: random.Random, file: File) -> None:
    """A hostile chat template."""
    text = HOSTILE[rng.randrange(len(HOSTILE))].encode("utf-8", "surrogatepass")
    value = struct.pack("<Q", len(text)) + text
    pair = file.find("tokenizer.chat_template")
    if pair is None:
        file.pairs.append(Pair(b"tokenizer.chat_template", STRING, value))
        file.n_pairs += 1
    else:
        pair.value = value


def some_architecture(rng: random.Random, file: File) -> None:
    """Another architecture's name on these tensors."""
    names = (
        b"",
        b"gemma3",
        b"mamba",
        b"qwen2",
        b"bert",
        b"t5",
        b"clip",
        b"gpt2",
        b"nonsense",
        b"llama\0",
        b"deepseek2",
    )
    pair = file.find("general.architecture")
    if pair is not None:
        before, after = pair.value[8:], rng.choice(names)
        pair.value = struct.pack("<Q", len(after)) + after
        for other in file.pairs:
            if after and other.key.startswith(before + b".") and rng.random() < 0.9:
                other.key = after + other.key[len(before) :]


MUTATIONS: dict[str, Callable[[random.Random, File], None]] = {
    "head": some_head,
    "counts": some_counts,
    "lengths": some_length,
    "types": some_type,
    "parameters": some_parameter,
    "entries": some_entry,
    "tensors": some_tensor,
    "vocabulary": some_vocabulary,
    "template": some_template,
    "architecture": some_architecture,
}
"""By name; ``bits``, ``truncated`` and ``weights`` work on the finished bytes."""

ON_BYTES = ("bits", "truncated", "weights")


def on_bytes(rng: random.Random, name: str, header: bytes, data: bytes, sparse: int) -> tuple[bytes, int]:
    """The file's bytes, changed where no part of it is understood; and the zeros that follow."""
    if name == "bits":
        changed = bytearray(header)
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed) + data, sparse
    if name == "truncated":
        whole = header + data
        cut = rng.choice((rng.randrange(64), rng.randrange(len(header)), rng.randrange(len(whole) + 1)))
        return whole[:cut], 0 if cut < len(whole) else sparse // 2
    changed = bytearray(data)
    for _ in range(rng.choice((1, 16, 1000))):
        if changed:
            at = rng.randrange(len(changed))
            changed[at : at + 4] = rng.randbytes(min(4, len(changed) - at))
    return header + bytes(changed), sparse
