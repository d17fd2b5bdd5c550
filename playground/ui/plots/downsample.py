"""From many points to what the pixels can show, without losing a spike. Pure numpy, no Qt."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

DOT = 2.5
"""Diameter of a dot in logical pixels."""
_DENSE_FROM = 1500


def columns(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A line in pixels, at most two points (least and greatest y) in each column of pixels.

    ``x`` is sorted. Where there are no more points than that, they come back as they are.
    """
    if len(x) < 3 or len(x) <= 2 * (x[-1] - x[0]):
        return x, y
    column = np.floor(x)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    up = np.arange(len(starts)) % 2 == 0  # up in one column and down in the next: no long slanted strokes
    pairs = np.empty((len(starts), 2))
    pairs[:, 0] = np.where(up, low, high)
    pairs[:, 1] = np.where(up, high, low)
    return np.repeat(column[starts] + 0.5, 2), pairs.ravel()


@lru_cache(maxsize=8)
def kernel(ratio: float) -> list[tuple[int, int, int]]:
    """A round dot as (dx, dy, coverage 1 to 255) around its middle, in device pixels."""
    radius = DOT * ratio / 2
    reach = int(radius + 0.5)
    cells = []
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            coverage = round(255 * min(1.0, max(0.0, radius + 0.5 - float(np.hypot(dx, dy)))))
            if coverage:
                cells.append((dx, dy, coverage))
    return cells


def stamp(x: Floats, y: Floats, width: int, height: int, ratio: float) -> NDArray[np.uint8]:
    """Coverage, 0 to 255, of ``height`` × ``width`` device pixels by a dot at each point (in device pixels).

    Points in the same pixel are drawn once: the picture is that of all points, at a cost
    that the pixels bound. Few points are stamped one by one, many all at once by shifting.
    """
    cells = kernel(ratio)
    pad = 2 * max(dx for dx, _, _ in cells) + 1
    stride, rows = width + 2 * pad, height + 2 * pad
    # What is outside lands in the border, out of reach of what is seen.
    column = np.clip(x + pad, 0, stride - 1).astype(np.int32)
    at = np.clip(y + pad, 0, rows - 1).astype(np.int32) * stride + column
    ink = np.zeros(rows * stride, np.uint8)
    if len(at) < _DENSE_FROM:
        reach = _reach(cells, stride)
        at = at[(at >= reach) & (at < len(ink) - reach)]
        for dx, dy, coverage in cells:
            to = at + (dy * stride + dx)
            ink[to] = np.maximum(ink[to], coverage)
    else:
        _spread(ink, at, cells, stride)
    return ink.reshape(rows, stride)[pad : pad + height, pad : pad + width]


def _reach(cells: list[tuple[int, int, int]], stride: int) -> int:
    return max(dy * stride + dx for dx, dy, _ in cells)


def _spread(ink: NDArray[np.uint8], at: NDArray[np.int32], cells: list[tuple[int, int, int]], stride: int) -> None:
    seen = np.zeros(len(ink), np.uint8)
    seen[at] = 1
    reach = _reach(cells, stride)
    middle = ink[reach:-reach]
    tones = {coverage: seen * np.uint8(coverage) for _, _, coverage in cells}
    for dx, dy, coverage in cells:
        shift = dy * stride + dx
        np.maximum(middle, tones[coverage][reach - shift : len(ink) - reach - shift], out=middle)


def stamp_triangles(ink: NDArray[np.uint8], x: Floats, ratio: float) -> None:
    """Mark these columns at the upper edge of ``ink`` with small triangles that point up."""
    height = round(6 * ratio)
    columns_hit = np.unique(np.clip(x, 0, ink.shape[1] - 1).astype(np.int32))
    for row in range(height):
        half = round((row + 1) * 4 / 6)
        for dx in range(-half, half + 1):
            to = columns_hit + dx
            ink[min(row + round(ratio), ink.shape[0] - 1), to[(to >= 0) & (to < ink.shape[1])]] = 255


@lru_cache(maxsize=32)
def shades(red: int, green: int, blue: int, alpha: float) -> list[int]:
    """The colour for each coverage, as a colour table of QImage has it."""
    a = np.round(np.arange(256) * alpha).astype(np.int64)
    colors = (a << 24) | (red << 16) | (green << 8) | blue
    table: list[int] = colors.tolist()
    return table
