from __future__ import annotations

import random
import struct

import numpy as np  # noqa: F401 - loaded, so that the fast way is taken
import pytest

from playground import gguf_lists
from playground.gguf_lists import step_over


def plain(block: bytes, at: int, count: int) -> tuple[int, int]:
    while count and at + 8 <= len(block):
        at += 8 + struct.unpack_from("<Q", block, at)[0]
        count -= 1
    return at, count


def listed(texts: list[bytes]) -> bytes:
    return b"".join(struct.pack("<Q", len(text)) + text for text in texts)


def texts_of(kind: str, n: int, rng: random.Random) -> list[bytes]:
    match kind:
        case "words":
            return [rng.randbytes(rng.randint(1, 14)).replace(b"\0", b"a") for _ in range(n)]
        case "zeros inside":
            return [bytes(rng.choices([0, 1, 97], k=rng.randint(1, 14))) for _ in range(n)]
        case "lengths inside":
            return [struct.pack("<Q", rng.randint(0, 255)) * rng.randint(1, 3) for _ in range(n)]
        case "empty":
            return [b""] * n
        case "long":
            return [rng.randbytes(rng.choice([3, 255, 256, 300, 70_000])) for _ in range(n // 100)]
        case _:
            return [rng.choice([b"", b"\0" * 9, b"ab", rng.randbytes(400), b"\7" + bytes(7)]) for _ in range(n)]


@pytest.mark.parametrize("kind", ["words", "zeros inside", "lengths inside", "empty", "long", "mixed"])
def test_goes_where_a_plain_walk_goes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_lists, "BLOCK", 5_003)
    for seed in range(8):
        rng = random.Random(seed)
        texts = texts_of(kind, 3_000, rng)
        data = rng.randbytes(13) + listed(texts) + rng.randbytes(50)
        for count in (len(texts), len(texts) - 1, len(texts) // 2):
            assert step_over(data, 13, count) == plain(data, 13, count)
        cut = data[: rng.randint(14, len(data))]
        assert step_over(cut, 13, len(texts)) == plain(cut, 13, len(texts))
        assert step_over(memoryview(cut), 13, len(texts)) == plain(cut, 13, len(texts))


def test_bytes_that_are_no_list_end_outside() -> None:
    for seed in range(20):
        data = random.Random(seed).randbytes(20_000)
        assert step_over(data, 0, 1_000_000) == plain(data, 0, 1_000_000)


def test_a_length_beyond_all_bounds_is_the_callers_to_refuse() -> None:
    data = listed([b"abc"] * 1000) + struct.pack("<Q", (1 << 64) - 1) + b"xyz"
    at, left = step_over(data, 0, 5000)
    assert at > 1 << 63
    assert left == 3999
