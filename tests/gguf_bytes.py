"""A GGUF written byte by byte, so that each byte can be wrong."""

from __future__ import annotations

import struct
from typing import Any

STRING, ARRAY, U32, BOOL = 8, 9, 4, 7


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def pairs() -> list[bytes]:
    words = [f"word{number}" for number in range(300)]
    return [
        pair("general.architecture", STRING, text("llama")),
        pair("general.name", STRING, text("Tiny Test 1M")),
        pair("general.license", STRING, text("mit")),
        pair("general.size_label", STRING, text("1M")),
        pair("general.file_type", U32, struct.pack("<I", 15)),
        pair("llama.context_length", U32, struct.pack("<I", 2048)),
        pair("llama.block_count", U32, struct.pack("<I", 2)),
        pair("tokenizer.ggml.tokens", ARRAY, struct.pack("<IQ", STRING, 300) + b"".join(map(text, words))),
        pair("tokenizer.ggml.scores", ARRAY, struct.pack("<IQ", 6, 300) + bytes(1200)),
        pair("tokenizer.chat_template", STRING, text("{{ messages }}")),
        pair("tokenizer.ggml.add_bos_token", BOOL, b"\1"),
    ]


def tensor(name: str, shape: list[int], kind: int, offset: int) -> bytes:
    return (
        text(name)
        + struct.pack("<I", len(shape))
        + struct.pack(f"<{len(shape)}Q", *shape)
        + struct.pack("<IQ", kind, offset)
    )


def build(
    entries: list[bytes] | None = None,
    tensors: list[bytes] | None = None,
    *,
    data: int = 32 * 8 * 4 + 144 * 4,
    **head: Any,
) -> bytes:
    entries = pairs() if entries is None else entries
    if tensors is None:
        tensors = [tensor("a", [32, 8], 0, 0), tensor("b", [256, 4], 12, 32 * 8 * 4)]
    start = head.get("magic", b"GGUF") + struct.pack(
        "<IQQ", head.get("version", 3), head.get("n_tensors", len(tensors)), head.get("n_pairs", len(entries))
    )
    body = start + b"".join(entries) + b"".join(tensors)
    return body + bytes(-len(body) % 32) + bytes(data)
