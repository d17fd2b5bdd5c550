"""From many points to what the pixels can show, without losing a spike. Pure numpy, no Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DOT = 2.5
"""Diameter of a dot in logical pixels."""
_DEDUPE_FROM = 1000


def columns(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def stamp(x: NDArray[np.float64], y: NDArray[np.float64], width: int, height: int, ratio: float) -> NDArray[np.uint8]:
    """Coverage, 0 to 255, of ``height`` × ``width`` device pixels by a dot at each point (in device pixels).

    Points in the same pixel are drawn once: the picture is that of all points, at a cost
    that the pixels bound.
    """
    cells = kernel(ratio)
    reach = max(dx for dx, _, _ in cells)
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    stride = width + 2 * reach
    at = (row[inside] + reach) * stride + column[inside] + reach
    if len(at) > _DEDUPE_FROM:
        seen = np.zeros((height + 2 * reach) * stride, bool)
        seen[at] = True
        at = np.flatnonzero(seen)
    ink = np.zeros((height + 2 * reach) * stride, np.uint8)
    for dx, dy, coverage in cells:
        to = at + (dy * stride + dx)
        ink[to] = np.maximum(ink[to], coverage)
    return ink.reshape(height + 2 * reach, stride)[reach : reach + height, reach : reach + width]


def tint(ink: NDArray[np.uint8], red: int, green: int, blue: int, alpha: float) -> NDArray[np.uint32]:
    """Coverage as premultiplied 32-bit colour, as QImage has it."""
    a = np.round(np.arange(256) * alpha).astype(np.uint32)
    table = (a << 24) | ((red * a // 255) << 16) | ((green * a // 255) << 8) | (blue * a // 255)
    return np.ascontiguousarray(table[ink])
