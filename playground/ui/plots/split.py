"""What a token's time went into: decoding, sampling, waiting for other lanes, text; in words and as stacked bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter

from playground.translate import later
from playground.ui.plots.figures import Floats, Shown
from playground.ui.plots.frame import Frame
from playground.ui.plots.painting import Trace, polygon
from playground.ui.theme import Theme, mix


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a token's time."""

    key: str
    name: str
    help: str
    share: float
    """How much of the lane's colour it has."""


PARTS = (
    Part("decode", later("decode"), later("inside llama_decode, for all answers of the batch"), 1.0),
    Part("sample", later("sampling"), later("in the sampler chain"), 0.68),
    Part("wait", later("waiting"), later("the engine read prompts and drew tokens of other lanes"), 0.42),
    Part("rest", later("text"), later("making text of tokens, telling it, taking commands"), 0.24),
)
"""From below."""
KEYS = frozenset(part.key for part in PARTS)
_WIDEST, _AIRY = 8.0, 4
"""Pixels: the widest bar, and the narrowest with a pixel of air beside it."""


def parts_of(shown: Shown, part: slice) -> Floats:
    """Milliseconds of each part, a row each in the order of `PARTS`, for some tokens; they add up to the latency."""
    rows = shown.rows[part]
    gap = rows["gap_ns"] * 1e-6
    found = np.empty((len(PARTS), len(gap)))
    left = gap.copy()
    for row, column in enumerate(("decode_ns", "sample_ns", "wait_ns")):
        found[row] = np.minimum(rows[column] * 1e-6, left)
        left -= found[row]
    found[-1] = left
    return found


def shares_of(shown: Shown, part: slice) -> tuple[float, ...]:
    """How much of all the time each part took, 0 to 1; empty without tokens."""
    sums = parts_of(shown, part).sum(axis=1)
    total = float(sums.sum())
    return tuple((sums / total).tolist()) if total > 0 else ()


def color_of(part: Part, letter: str, theme: Theme) -> QColor:
    """The lane's tint of a part."""
    return mix(theme.lane(letter), theme.color("canvas"), part.share)


def paint_split(p: QPainter, frame: Frame, seen: Trace, hidden: frozenset[str], theme: Theme) -> None:
    """A bar for each token, its parts on one another; where there are more tokens than pixels the slowest of each."""
    shown, part = seen.shown, seen.part
    if part.stop <= part.start:
        return
    values = parts_of(shown, part)
    for row, one in enumerate(PARTS):
        if one.key in hidden:
            values[row] = 0
    tops = np.cumsum(values, axis=0)
    x = frame.px(shown.xs(frame.axis, part))
    if seen.dense:
        column = np.floor(x)
        slowest = np.lexsort((tops[-1], column))
        slowest = slowest[np.append(np.flatnonzero(np.diff(column[slowest])), len(slowest) - 1)]
        left, tops = column[slowest], tops[:, slowest]
        right = left + 1
    else:
        left, right = _edges(x, frame)
    bottom = frame.rect.bottom()
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    p.setPen(Qt.PenStyle.NoPen)
    for row in reversed(range(len(PARTS))):
        top = np.maximum(frame.py(tops[row]), frame.rect.top() - 2)
        p.setBrush(color_of(PARTS[row], shown.letter, theme))
        p.drawPolygon(polygon(_pairs(left, right), _steps(top, bottom)))


def _edges(x: Floats, frame: Frame) -> tuple[Floats, Floats]:
    """Left and right of each bar, on whole pixels: up to the middle between neighbours, with air if there is room."""
    step = frame.rect.width() / (frame.x1 - frame.x0) if frame.axis == "token" else 2 * _WIDEST
    gaps = np.diff(x)
    before = np.minimum(_WIDEST, np.append(step, gaps)) / 2
    after = np.minimum(_WIDEST, np.append(gaps, step)) / 2
    left, right = np.round(x - before), np.round(x + after)
    right -= right - left >= _AIRY
    return left, np.maximum(left + 1, right)


def _pairs(left: Floats, right: Floats) -> Floats:
    return np.column_stack([left, left, right, right]).ravel()


def _steps(top: Floats, bottom: float) -> Floats:
    base = np.full(len(top), bottom)
    return np.column_stack([base, top, top, base]).ravel()
