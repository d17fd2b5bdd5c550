"""What is under the mouse in the latency plot, and its ring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter

from playground.translate import tr
from playground.ui.plots.figures import Shown
from playground.ui.plots.frame import Picture
from playground.ui.plots.painting import line_pen
from playground.ui.plots.phases import mark_x, prompt_span
from playground.ui.theme import Theme
from playground.workspace.words import format_rate, format_seconds

REACH = 14
"""Pixels across within which a token is found."""
_MARK_REACH = 5
_EDGE = 4


@dataclass(frozen=True, slots=True)
class Hover:
    """The token, the prompt (``index`` -1) or the change of sampling under the mouse."""

    letter: str
    index: int
    x: float
    y: float
    text: str
    mark: str = ""
    """What was changed here, if anything, and why the token was slow."""
    short: str = ""
    """What has to be said of it where there is little room, apart from the mark."""


def find(picture: Picture, px: float, py: float) -> Hover | None:
    """What is nearest to this pixel, among the visible answers; None where nothing is near."""
    rect = picture.frame.rect
    if picture.empty or not rect.contains(QPointF(px, py)):
        return None
    best: tuple[float, Hover] | None = None
    for shown in picture.visible:
        near = _nearest(picture, shown, px, py)
        if near is not None and (best is None or near[0] < best[0]):
            best = near
    if best is not None:
        return best[1]
    return next((h for s in picture.visible if (h := _prompt(picture, s, px, py)) is not None), None)


def _nearest(picture: Picture, shown: Shown, px: float, py: float) -> tuple[float, Hover] | None:
    frame = picture.frame
    part = shown.between(frame.axis, frame.x_at(px - REACH), frame.x_at(px + REACH))
    if part.stop <= part.start:
        return None
    x = frame.px(shown.xs(frame.axis, part))
    y = np.maximum(frame.py(shown.rows["gap_ns"][part] / 1e6), frame.rect.top() + _EDGE)
    # Across counts more: one reads a place along the answer, not a height.
    distance = np.hypot((x - px) * 2, (y - py) * 0.5)
    at = int(np.argmin(distance))
    if abs(float(x[at]) - px) > REACH:
        return None
    return float(distance[at]), at_token(picture, shown, part.start + at, _mark(picture, shown, px))


def at_token(picture: Picture, shown: Shown, index: int, mark: str = "") -> Hover:
    """One token, as if the mouse were on it."""
    frame = picture.frame
    x = float(frame.px(shown.x(frame.axis, index)))
    y = max(float(frame.py(shown.rows["gap_ns"][index] / 1e6)), frame.rect.top() + _EDGE)
    text = shown.describe(index, picture.name_token(shown.answer, index))
    why = picture.slow.get(shown.letter, {}).get(index, "")
    if why and mark.endswith(why):
        why = ""  # the mark is the reason
    mark = " · ".join(part for part in (tr("Slow: {why}", why=why) if why else "", mark) if part)
    short = shown.name_and_time(index)
    if picture.many:
        text, short = f"{shown.letter} · {text}", f"{shown.letter} · {short}"
    return Hover(shown.letter, index, x, y, text, mark, short)


def _mark(picture: Picture, shown: Shown, px: float) -> str:
    for mark in shown.answer.marks:
        x = mark_x(picture.frame, shown, mark)
        if x is not None and abs(x - px) <= _MARK_REACH:
            return tr("From token {index:,}: {words}", index=mark.index + 1, words=mark.text)
    return ""


def _prompt(picture: Picture, shown: Shown, px: float, py: float) -> Hover | None:
    span = prompt_span(picture.frame, shown)
    if span is None or not span[0] <= px <= span[1]:
        return None
    words = shown.prompt_words()
    took = shown.prompt()
    if took is not None and took[1] > took[0]:
        words = f"{words}, {format_seconds(took[1] - took[0])}"
    if shown.answer.prompt_tok_s:
        words = f"{words} · {format_rate(shown.answer.prompt_tok_s)}"
    return Hover(shown.letter, -1, px, py, f"{shown.letter} · {words}" if picture.many else words)


def paint_hover(p: QPainter, picture: Picture, hover: Hover, theme: Theme) -> None:
    """The crosshair's line, and a ring around the token."""
    rect = picture.frame.rect
    x = round(hover.x) + 0.5
    if not rect.left() - 1 <= x <= rect.right() + 1:
        return  # pointed at in the text, or walked to, outside of what is in sight
    p.setPen(line_pen(theme.color("text-3")))
    p.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    if hover.index < 0:
        return
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setBrush(theme.color("canvas"))
    p.setPen(line_pen(theme.color("text-1"), 1.5))
    p.drawEllipse(QPointF(hover.x, hover.y), 4.5, 4.5)
    p.setBrush(theme.lane(hover.letter))
    p.setPen(Qt.PenStyle.NoPen)
    p.drawEllipse(QPointF(hover.x, hover.y), 2, 2)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
