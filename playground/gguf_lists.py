"""Stepping over a GGUF's lists of texts (the vocabulary, its merges) without looking at each one.

A list is text after text, each behind its length in eight bytes, so where one begins is known only from
the one before. But nearly all lengths are below 256: a byte with seven zeros behind it, which hardly
occurs inside a text. All such places of a block are found at once with numpy, and believed only as far
as they form an unbroken chain: each exactly one length behind the one before.

Imports nothing of ours: the app's and the engine's walk over a header use it.
"""

from __future__ import annotations

import mmap
import struct
import sys
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Block: TypeAlias = bytes | memoryview | mmap.mmap

WORTH_NUMPY = 60_000
"""Shorter lists are walked one by one while numpy isn't loaded: loading it takes longer than that."""

BLOCK = 256 * 1024
"""Bytes looked at together; more leaves the processor's cache."""

_SHORT = 512
"""Bytes below which looking at a whole block costs more than it saves."""
_PATIENCE = 16
"""Breaks of the chain in one block after which the rest of it is walked one by one."""
_unpack = struct.Struct("<Q").unpack_from


def step_over(block: Block, at: int, count: int) -> tuple[int, int]:
    """Step over up to ``count`` texts from ``at``; where the next one begins, and how many are left.

    It ends early where a text's length isn't wholly inside the block. The place can lie behind the block's
    end (a text that reaches beyond it, however far): the caller checks it against the file.
    """
    if count >= WORTH_NUMPY or (count * 16 > _SHORT and "numpy" in sys.modules):
        while count and at + 8 <= len(block):
            end = min(len(block), at + BLOCK)
            before = at
            at, count = _step_block(block, at, end, count)
            if at == before:
                at, count = _step_each(block, at, at + 8, count)
        return at, count
    return _step_each(block, at, len(block), count)


def _step_each(block: Block, at: int, end: int, count: int) -> tuple[int, int]:
    """One by one, while lengths lie before ``end``."""
    last = end - 8
    while count and at <= last:
        at += 8 + _unpack(block, at)[0]
        count -= 1
    return at, count


def _step_block(block: Block, at: int, end: int, count: int) -> tuple[int, int]:
    """All texts whose length lies before ``end``, or the first ``count`` of them."""
    if end - at < _SHORT:
        return _step_each(block, at, end, count)
    import numpy as np

    data = np.frombuffer(block, np.uint8, end - at, at)
    begin = at
    places, steps = _places(data)
    for _ in range(_PATIENCE):
        first = int(np.searchsorted(places, at - begin))
        if first < len(places) and places[first] == at - begin:
            broken = np.flatnonzero(places[first + 1 :] != places[first:-1] + steps[first:-1])
            # The chain's last text is stepped over too: its length is good, whatever comes behind it.
            links = min(count, int(broken[0]) + 1 if len(broken) else len(places) - first)
            at = begin + int(places[first + links - 1] + steps[first + links - 1])
            count -= links
        if not count or at > end - 8:
            return at, count
        # A text of 256 bytes or more, an empty one, or no list at all.
        at, count = _step_each(block, at, at + 8, count)
        if not count or at > end - 8:
            return at, count
    return _step_each(block, at, end, count)


def _places(data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where a byte stands that seven zeros follow, and how far it is from there to the next length."""
    import numpy as np

    zero = data == 0
    run = zero[1:-6] & zero[2:-5]
    run &= zero[3:-4]
    run &= zero[4:-3]
    run &= zero[5:-2]
    run &= zero[6:-1]
    run &= zero[7:]
    # A text that begins with a zero makes the place behind its length look like one.
    run[1:] &= ~run[:-1]
    places = np.flatnonzero(run)
    return places, data[places].astype(np.int64) + 8
