"""All that a GGUF file says of itself, as plain data: metadata, tensors by type and size, tokenizer, template."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from playground.fit.weights import layer_of
from playground.models.gguf import ArrayInfo, GgufHeader, read_header
from playground.models.gguf_types import TENSOR_TYPES
from playground.models.split import read_whole_header
from playground.translate import later

Value = str | int | float | bool

VALUE_TYPES = {
    0: "u8", 1: "i8", 2: "u16", 3: "i16", 4: "u32", 5: "i32", 6: "f32", 7: "bool", 8: "text",
    10: "u64", 11: "i64", 12: "f64",
}  # fmt: skip
"""GGUF's number of a type, as the inspector shows it."""
TOKEN_TYPES = {
    1: later("normal"),
    2: later("unknown"),
    3: later("control"),
    4: later("user defined"),
    5: later("unused"),
    6: later("byte"),
}
_TOKENS = "tokenizer.ggml.tokens"
_TEXT, _LIST = 8, 9
MAX_TOKEN = 1024 * 1024
"""Bytes."""
MAX_FACTS = 100
"""Of the tokenizer's flags and special tokens, and chat templates."""
MAX_SHOWN = 200
"""Characters of a name, and of a text in a list of metadata; `Inspected.template` and `text_of` have the whole."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of the metadata."""

    key: str
    value: str
    """As a line shows it; long ones cut."""
    type: str
    length: int = 0
    """Entries of a list, characters of a text; else 0."""


@dataclass(frozen=True, slots=True)
class TensorRow:
    """A line of the tensors."""

    name: str
    type: str
    shape: tuple[int, ...]
    size: int
    """Bytes."""
    group: str
    """“token_embd”, “attention”, “feed forward”, “experts”, “norms”, “output”, “other”."""
    layer: int
    """-1: in none."""


@dataclass(frozen=True, slots=True)
class TypeShare:
    """The tensors of one type."""

    type: str
    count: int
    size: int
    bits: float
    """For each value."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Facts of the vocabulary."""

    model: str
    """“gpt2” (BPE), “llama” (SentencePiece)…"""
    pre: str
    n_tokens: int
    n_merges: int
    special: dict[str, int]
    """“bos”, “eos”… to the token's id."""
    flags: dict[str, bool]
    """“add_bos_token”… as the file says."""


@dataclass(slots=True)
class Inspected:
    """A whole file."""

    header: GgufHeader
    metadata: list[Pair] = field(default_factory=list)
    tensors: list[TensorRow] = field(default_factory=list)
    types: list[TypeShare] = field(default_factory=list)
    """Largest first."""
    groups: list[tuple[str, int]] = field(default_factory=list)
    """Bytes of each group, largest first."""
    tokenizer: Tokenizer | None = None
    templates: dict[str, str] = field(default_factory=dict)
    """Chat templates by name; the usual one is called “default”."""

    @property
    def bits_per_weight(self) -> float:
        """Of all tensors together."""
        return 8 * self.header.tensor_bytes / self.header.n_params if self.header.n_params else 0.0


def inspect(path: Path) -> Inspected:
    """Read a file's header and put it in order. Raises GgufError; not for the GUI thread."""
    header = read_whole_header(path)
    seen = Inspected(header)
    seen.metadata = [_pair(key[:MAX_SHOWN], value) for key, value in header.metadata.items()]
    seen.tensors = [
        TensorRow(t.name[:MAX_SHOWN], TENSOR_TYPES[t.type][0], t.shape, t.size, group_of(t.name), layer_of(t.name))
        for t in header.tensors
    ]
    seen.types = _types(seen.tensors)
    sizes: dict[str, int] = defaultdict(int)
    for row in seen.tensors:
        sizes[row.group] += row.size
    seen.groups = sorted(sizes.items(), key=lambda item: -item[1])
    seen.tokenizer = _tokenizer(header)
    seen.templates = dict(islice(_templates(header), MAX_FACTS))
    return seen


def group_of(name: str) -> str:
    """What a tensor is part of, by llama.cpp's names."""
    if name.startswith(("token_embd", "per_layer_token_embd")):
        return "token_embd"
    if name.startswith("output.") or name == "output":
        return "output"
    if "norm" in name:
        return "norms"
    if "_exps" in name or "_shexp" in name or "ffn_gate_inp" in name:
        return "experts"
    if "attn" in name:
        return "attention"
    if "ffn" in name:
        return "feed forward"
    if "ssm" in name or "time_mix" in name or "shortconv" in name:
        return "recurrent"
    return "other"


def tokens(path: Path, limit: int = 1_000_000) -> Iterator[str]:
    """The vocabulary's texts in order. Raises GgufError, OSError; the header's walk has checked the file before."""
    info = read_header(path).metadata.get(_TOKENS)
    if not isinstance(info, ArrayInfo) or info.type != _TEXT:
        return
    place = _find_texts(path, _TOKENS, info.count)
    if place is None:
        return
    with path.open("rb") as file:
        file.seek(place)
        for _ in range(min(info.count, limit)):
            said = file.read(8)
            length = int.from_bytes(said, "little")
            if len(said) < 8 or length > MAX_TOKEN:
                return  # cut short meanwhile, or a text that looks like the list's beginning
            yield file.read(length).decode("utf-8", "replace")


def _find_texts(path: Path, key: str, count: int) -> int | None:
    """Where the first text of a list of so many is, of which the header has been read: it is there."""
    wanted = struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IIQ", _LIST, _TEXT, count)
    with path.open("rb") as file:
        before, base = b"", 0
        while block := file.read(1 << 20):
            at = (before + block).find(wanted)
            if at >= 0:
                return base - len(before) + at + len(wanted)
            base += len(block)
            before = block[-len(wanted) :]
    return None


def _pair(key: str, value: Value | ArrayInfo) -> Pair:
    if isinstance(value, ArrayInfo):
        of = VALUE_TYPES.get(value.type, "?")
        shown = ", ".join(_number(entry) for entry in value.values[:12])
        more = ", …" if len(value.values) > 12 else ""
        text = f"[{shown}{more}]" if value.values else f"{value.count:,} × {of}"
        return Pair(key, text, f"{of} list", value.count)
    if isinstance(value, str):
        flat = value.replace("\n", "↵")
        return Pair(key, flat if len(flat) <= MAX_SHOWN else flat[: MAX_SHOWN - 1] + "…", "text", len(value))
    kind = "bool" if isinstance(value, bool) else "float" if isinstance(value, float) else "int"
    return Pair(key, _number(value), kind)


def _number(value: int | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _types(rows: list[TensorRow]) -> list[TypeShare]:
    bits = {name: 8 * size / block for name, block, size in TENSOR_TYPES.values()}
    sizes: dict[str, int] = defaultdict(int)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        sizes[row.type] += row.size
        counts[row.type] += 1
    shares = [TypeShare(name, counts[name], size, bits[name]) for name, size in sizes.items()]
    return sorted(shares, key=lambda share: -share.size)


def _tokenizer(header: GgufHeader) -> Tokenizer | None:
    if not header.n_vocab:
        return None
    front = "tokenizer.ggml."
    special: dict[str, int] = {}
    flags: dict[str, bool] = {}
    for key, value in header.metadata.items():
        name = key.removeprefix(front)[:MAX_SHOWN]
        if not key.startswith(front) or len(special) + len(flags) >= MAX_FACTS:
            continue
        if isinstance(value, bool):
            flags[name] = value
        elif name.endswith("_token_id") and isinstance(value, int):
            special[name.removesuffix("_token_id")] = value
    merges = header.metadata.get(front + "merges")
    return Tokenizer(
        header.said(front + "model"),
        header.said(front + "pre"),
        header.n_vocab,
        merges.count if isinstance(merges, ArrayInfo) else 0,
        special,
        flags,
    )


def _templates(header: GgufHeader) -> Iterator[tuple[str, str]]:
    for key, value in header.metadata.items():
        if isinstance(value, str) and key.startswith("tokenizer.chat_template"):
            yield key.removeprefix("tokenizer.chat_template").strip(".")[:MAX_SHOWN] or "default", value
