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


def is_dense(n: int, width: float) -> bool:
    """Whether so many points along so many pixels are more than two in a column."""
    return n >= 3 and n > 2 * width


def columns(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """A line in pixels as two points, least and greatest y, in each column of pixels; ``x`` is sorted.

    What a column has doesn't depend on where the line begins: a part of a line is drawn as the whole is.
    """
    column = np.floor(x)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    up = column[starts] % 2 == 0  # up in one column and down in the next: no long slanted strokes
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


def once(at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Indices in rising order, each once. Not np.unique: its first call imports numpy.ma, 90 ms in mid-answer."""
    return at[np.diff(at, prepend=-1) > 0]


class Ink:
    """Coverage, 0 to 255, of ``height`` × ``width`` device pixels, with a border that is never seen.

    ``shades`` is the colour for each coverage; ``colors`` follows the coverage at once.
    """

    def __init__(self, width: int, height: int, ratio: float, shades: NDArray[np.uint32]) -> None:
        self.width, self.height, self.ratio = width, height, ratio
        self._cells = kernel(ratio)
        self._covers = np.array([coverage for _, _, coverage in self._cells], np.uint8)
        self.pad = 2 * max(dx for dx, _, _ in self._cells) + 1
        self._stride, self._rows = width + 2 * self.pad, height + 2 * self.pad
        self._offsets = np.array([dy * self._stride + dx for dx, dy, _ in self._cells], np.int32)
        self._flat = np.zeros(self._rows * self._stride, np.uint8)
        self._shades = shades
        self._colors = np.zeros(len(self._flat), np.uint32)

    @property
    def colors(self) -> NDArray[np.uint32]:
        """The colours, border included: an image of 32-bit pixels, premultiplied."""
        return self._colors.reshape(self._rows, self._stride)

    @property
    def seen(self) -> NDArray[np.uint8]:
        """The coverage without the border."""
        pixels = self._flat.reshape(self._rows, self._stride)
        return pixels[self.pad : self.pad + self.height, self.pad : self.pad + self.width]

    def stamp(self, x: Floats, y: Floats) -> None:
        """A dot at each point (in device pixels).

        Points in the same pixel are drawn once: the picture is that of all points, at a cost
        that the pixels bound. Few points are stamped one by one, many all at once by shifting.
        """
        pad, stride, flat = self.pad, self._stride, self._flat
        # What is outside lands in the border, out of reach of what is seen.
        column = np.clip(x + pad, 0, stride - 1).astype(np.int32)
        at = np.clip(y + pad, 0, self._rows - 1).astype(np.int32) * stride + column
        reach = int(self._offsets.max())
        if len(at) >= _DENSE_FROM:
            self._spread(at, reach)
            np.take(self._shades, self._flat, out=self._colors, mode="clip")
            return
        at = at[(at >= reach) & (at < len(flat) - reach)]
        to = (at[:, None] + self._offsets).ravel()
        np.maximum.at(flat, to, np.tile(self._covers, len(at)))  # left to broadcast, numpy 2.4 reads beyond the end
        self._colors[to] = self._shades[flat[to]]

    def _spread(self, at: NDArray[np.int32], reach: int) -> None:
        hit = np.zeros(len(self._flat), np.uint8)
        hit[at] = 1
        middle = self._flat[reach:-reach]
        tones = {coverage: hit * np.uint8(coverage) for _, _, coverage in self._cells}
        for dx, dy, coverage in self._cells:
            shift = dy * self._stride + dx
            np.maximum(middle, tones[coverage][reach - shift : len(hit) - reach - shift], out=middle)

    def stamp_triangles(self, x: Floats) -> None:
        """Small triangles that point up, at the upper edge, in these columns."""
        flat, colors, stride = self._flat, self._colors, self._stride
        thick = round(self.ratio)
        hit = once(np.sort(np.clip(x, 0, self.width - 1).astype(np.intp)))
        for row in range(min(round(6 * self.ratio), self.height - thick)):
            half = round((row + 1) * 4 / 6)
            for dx in range(-half, half + 1):
                to = hit + dx
                at = (self.pad + row + thick) * stride + self.pad + to[(to >= 0) & (to < self.width)]
                flat[at] = 255
                colors[at] = self._shades[255]


def shades(red: int, green: int, blue: int, alpha: float) -> NDArray[np.uint32]:
    """The colour for each coverage, premultiplied, as QImage has it."""
    a = np.round(np.arange(256) * alpha).astype(np.uint32)
    colors = (a << 24) | ((red * a // 255) << 16) | ((green * a // 255) << 8) | (blue * a // 255)
    return colors.astype(np.uint32)
