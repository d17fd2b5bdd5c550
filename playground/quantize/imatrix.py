"""Reading an importance matrix: GGUF as llama.cpp writes it now, or its older form (``imatrix.dat``).

A file from a stranger like any other: every count is checked against the file's size. Layouts:
``common/imatrix-loader.cpp``; the mean of each column's squares is what the quantizer wants.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playground.models.gguf import GgufError, GgufHeader, read_header
from playground.translate import tr

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SIZE = 4_000_000_000
"""Bytes; the largest known ones have some hundred MB."""
_SUMS, _COUNTS = ".in_sum2", ".counts"
_I32 = struct.Struct("<i")


class BadImatrix(Exception):
    """A file that is no importance matrix; the message is a sentence for the user."""


@dataclass(slots=True)
class Imatrix:
    """The matrix: for each tensor a weight for each column (of each expert)."""

    weights: dict[str, NDArray[np.float32]]
    n_chunks: int
    """Pieces of text that it was measured on; 0 if unsaid."""
    dataset: str = ""


def load(path: Path) -> Imatrix:
    """Read one. Raises BadImatrix."""
    import numpy as np  # only where there is a matrix

    try:
        size = path.stat().st_size
        if size > MAX_SIZE:
            raise BadImatrix(
                tr("“{name}” is too large for an importance matrix ({size:.1f} GB).", name=path.name, size=size / 1e9)
            )
        with path.open("rb") as file:
            is_gguf = file.read(4) == b"GGUF"
        found = _from_gguf(path) if is_gguf else _from_old(path)
    except (OSError, GgufError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BadImatrix(
            tr("“{name}” can’t be used as an importance matrix: {reason}", name=path.name, reason=reason)
        ) from error
    if not found.weights:
        raise BadImatrix(tr("“{name}” holds no importance matrix.", name=path.name))
    for name, values in found.weights.items():
        if not np.isfinite(values).all():
            raise BadImatrix(
                tr("“{name}” is damaged: “{tensor}” has values that are no numbers.", name=path.name, tensor=name[:80])
            )
    return found


def _from_gguf(path: Path) -> Imatrix:
    import numpy as np

    header = read_header(path)
    start = header.data_start
    places = {tensor.name: tensor for tensor in header.tensors}
    weights: dict[str, NDArray[np.float32]] = {}
    with path.open("rb") as file:
        for name, sums in places.items():
            counts = places.get(name.removesuffix(_SUMS) + _COUNTS)
            if not name.endswith(_SUMS):
                continue
            if counts is None or sums.type or counts.type:
                raise BadImatrix(
                    tr("“{name}” is damaged: “{tensor}” has no counts beside it.", name=path.name, tensor=name[:80])
                )
            total = _floats(file.fileno(), start + sums.offset, sums.size)
            count = np.rint(_floats(file.fileno(), start + counts.offset, counts.size)).astype(np.float32)
            if not len(count) or len(total) % len(count):
                raise BadImatrix(
                    tr("“{name}” is damaged: “{tensor}” and its counts don’t fit.", name=path.name, tensor=name[:80])
                )
            rows = total.reshape(len(count), -1)
            safe = np.where(count > 0, count, 1).astype(np.float32)[:, None]
            mean = np.where(count[:, None] > 0, rows / safe, np.float32(1))
            weights[name.removesuffix(_SUMS)] = mean.astype(np.float32).ravel()
    return Imatrix(weights, header.number("imatrix.chunk_count"), _dataset(header))


def _dataset(header: GgufHeader) -> str:
    """The datasets are a list of texts, which the header's walk steps over; only a single text is known."""
    return header.text("imatrix.datasets")


def _floats(handle: int, place: int, size: int) -> NDArray[np.float32]:
    import numpy as np

    os.lseek(handle, place, os.SEEK_SET)
    parts = []
    while size > 0 and (part := os.read(handle, size)):
        parts.append(part)
        size -= len(part)
    if size:
        raise BadImatrix(tr("The importance matrix is cut short."))
    return np.frombuffer(b"".join(parts), "<f4").astype(np.float32)


def _from_old(path: Path) -> Imatrix:
    import numpy as np

    data = path.read_bytes()
    at = 0

    def number() -> int:
        nonlocal at
        if at + 4 > len(data):
            raise BadImatrix(tr("“{name}” is no importance matrix, or cut short.", name=path.name))
        (value,) = _I32.unpack_from(data, at)
        at += 4
        return int(value)

    def take(count: int) -> bytes:
        nonlocal at
        if count < 0 or at + count > len(data):
            raise BadImatrix(tr("“{name}” is no importance matrix, or cut short.", name=path.name))
        piece = data[at : at + count]
        at += count
        return piece

    weights: dict[str, NDArray[np.float32]] = {}
    entries = number()
    if not 0 < entries < 1_000_000:
        raise BadImatrix(tr("“{name}” is no importance matrix.", name=path.name))
    for _ in range(entries):
        name = take(number()).decode("utf-8", "replace")
        calls, values = number(), number()
        if values < 1:
            raise BadImatrix(tr("“{name}” is damaged: “{tensor}” has no values.", name=path.name, tensor=name[:80]))
        sums = np.frombuffer(take(4 * values), "<f4").astype(np.float32)
        weights[name] = sums / np.float32(calls) if calls > 0 else sums
    chunks = number() if at < len(data) else 0
    dataset = take(number()).decode("utf-8", "replace") if at < len(data) else ""
    return Imatrix(weights, max(0, chunks), dataset)
