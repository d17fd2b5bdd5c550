"""Series of figures as a few bytes and back: a compressed numpy archive, never pickled.

Column by column, as whole numbers: what grows is kept as differences, what nearly equals the time since the row
before as what it differs from that, and then the lowest bytes of all numbers stand together, the next ones after
them, and so on. A token takes about ten bytes so, a third of its row compressed as it is.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Columns: TypeAlias = list[tuple[str, str]]
"""Names and numpy formats of a row, in order."""

MAX_SERIES = 256 * 1024 * 1024
"""Bytes a kept series may unpack to: three million tokens. An imported chat's blob is a stranger's."""
_TIME = "t_ns"
_LIKE_A_STEP = frozenset({"gap_ns", "decode_ns"})
"""Nearly the time since the row before."""
_AS_IT_IS = frozenset({"sample_ns", "wait_ns", "id", "n_batch", "thinking"})
"""Neighbours have nothing to do with one another."""


def pack(**series: NDArray[Any]) -> bytes:
    """Some series, each by its name; empty ones are left out, but for “rows”."""
    import numpy as np

    arrays: dict[str, Any] = {}
    for name, rows in series.items():
        if len(rows) or name == "rows":
            arrays[f"{name}_names"] = np.array(rows.dtype.names)
            arrays[f"{name}_planes"] = np.stack([_planes(_small(rows, column)) for column in rows.dtype.names or ()])
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpack(data: bytes, name: str, columns: Columns) -> NDArray[Any]:
    """One of the series. Columns that came later than the data are zero. Raises ValueError on anything else."""
    import numpy as np

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_SERIES:
                raise ValueError("it is too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if f"{name}_planes" not in archive.files:
                return _as_rows(archive[name], np.dtype(columns))
            names, planes = archive[f"{name}_names"].tolist(), archive[f"{name}_planes"]
    except Exception as error:
        raise ValueError(f"not a kept series: {error}") from error
    if planes.dtype != np.uint8 or planes.ndim != 3 or planes.shape[1] != 8 or len(names) != len(planes):
        raise ValueError("a kept series of another shape")
    known = [column for column, _ in columns]
    if len(set(names)) < len(names) or not set(names) <= set(known) or known[0] not in names:
        raise ValueError("a kept series of another shape")
    return _whole(dict(zip(names, planes, strict=True)), columns)


def _small(rows: NDArray[Any], column: str) -> NDArray[np.int64]:
    """A column as small numbers; what runs over comes back as it went."""
    import numpy as np

    values = rows[column].astype(np.int64)
    if column in _AS_IT_IS:
        return values
    if column in _LIKE_A_STEP and _TIME in (rows.dtype.names or ()):
        return values - _steps(rows[_TIME].astype(np.int64))
    return _steps(values)


def _steps(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first value, then the differences."""
    steps = values.copy()
    steps[1:] -= values[:-1]
    return steps


def _whole(planes: dict[str, NDArray[Any]], columns: Columns) -> NDArray[Any]:
    """The rows again."""
    import numpy as np

    rows = np.zeros(next(iter(planes.values())).shape[1], columns)
    small = {name: _numbers(plane) for name, plane in planes.items()}
    for name, values in small.items():
        if name in _LIKE_A_STEP and _TIME in small:
            rows[name] = values + small[_TIME]
        else:
            rows[name] = values if name in _AS_IT_IS else np.cumsum(values)
    return rows


def _planes(values: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Zigzagged, so that small negative numbers have zeros in front, too; then byte by byte."""
    import numpy as np

    zigzag = (values << 1) ^ (values >> 63)
    return np.ascontiguousarray(zigzag.astype("<i8").view(np.uint8).reshape(-1, 8).T)


def _numbers(planes: NDArray[np.uint8]) -> NDArray[np.int64]:
    import numpy as np

    zigzag = np.ascontiguousarray(planes.T).view("<u8").ravel()
    numbers: NDArray[np.int64] = (zigzag >> np.uint64(1)).astype(np.int64) ^ -(zigzag & np.uint64(1)).astype(np.int64)
    return numbers


def _as_rows(old: NDArray[Any], wanted: np.dtype[Any]) -> NDArray[Any]:
    """Rows as they were kept before: as they are, later columns missing at the end."""
    import numpy as np

    names = old.dtype.names or ()
    if old.ndim != 1 or not names or old.dtype.descr != wanted.descr[: len(names)]:
        raise ValueError("a kept series of another shape")
    rows = np.zeros(len(old), wanted)
    for name in names:
        rows[name] = old[name]
    return rows
