"""What surrounds the dots: the prompt, the first token, the phases, changes of sampling."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPaintEngine, QPainter, QPixmap, QPolygonF

from playground.translate import tr, tr_n
from playground.ui.plots.figures import Shown
from playground.ui.plots.frame import Frame, Picture
from playground.ui.plots.painting import line_pen
from playground.ui.theme import Theme, mix
from playground.workspace.series import Mark
from playground.workspace.words import format_seconds

STRIP_TOP, STRIP_HEIGHT = 1, 14
_LABEL_FROM = 70
"""In a lower plot the first token's label would cover the dots; hover and head tell it there."""
_LABEL_WIDTH = 180
"""More than the first token's label ever takes."""
_RING = 4.5
"""How far a slow token's ring reaches."""
_CENTRE = Qt.AlignmentFlag.AlignCenter


def prompt_span(frame: Frame, shown: Shown) -> tuple[float, float] | None:
    """Where the prompt stands, in pixels across: its time, or its place left of token 1."""
    if frame.axis != "token":
        span = shown.prompt(frame.axis)
        return (float(frame.px(span[0])), float(frame.px(span[1]))) if span else None
    if not shown.answer.started_ns:
        return None
    return float(frame.px(frame.x0 if frame.x0 < 0 else 0)), float(frame.px(0.5 if shown.n else 0.0))


def paint_prompt(p: QPainter, frame: Frame, shown: Shown, theme: Theme, label: bool = True) -> None:
    """One lane: the prompt's time shaded and named, a dashed line at the first token, with its ``label``."""
    span = prompt_span(frame, shown)
    rect = frame.rect
    if span is not None and span[1] > rect.left() and span[0] < rect.right():
        left, right = max(span[0], rect.left()), min(max(span[1], span[0] + 1), rect.right())
        p.fillRect(QRectF(left, rect.top(), right - left, rect.height() - 1), theme.color("raised"))
        if shown.answer.n_prompt and right - left >= 14:
            _paint_prompt_words(p, QRectF(left, rect.top(), right - left, rect.height()), shown, theme)
    if shown.n:
        _paint_first(p, frame, shown, theme, span, label)


def reach(frame: Frame, shown: Shown) -> float:
    """How far right `paint_prompt` paints, at most."""
    span = prompt_span(frame, shown)
    return max(span[1] if span else 0.0, first_x(frame, shown, span) + _LABEL_WIDTH if shown.n else 0.0)


def _paint_prompt_words(p: QPainter, box: QRectF, shown: Shown, theme: Theme) -> None:
    p.setFont(theme.font(11))
    p.setPen(theme.color("text-2"))
    metrics = QFontMetrics(theme.font(11))
    words = shown.prompt_words()
    if box.width() >= metrics.horizontalAdvance(words) + 12:
        p.drawText(box.adjusted(0, 4, 0, 0), Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, words)
        return
    short = (words, words.split(" tokens")[0] + " tokens", "prompt")
    fitting = next((w for w in short if metrics.horizontalAdvance(w) <= box.height() - 8), "")
    p.save()
    p.translate(box.center())
    p.rotate(-90)
    p.drawText(QRectF(-box.height() / 2, -8, box.height(), 16), _CENTRE, fitting)
    p.restore()


def _paint_first(
    p: QPainter, frame: Frame, shown: Shown, theme: Theme, span: tuple[float, float] | None, label: bool
) -> None:
    rect = frame.rect
    x = first_x(frame, shown, span)
    if not rect.left() - 1 <= x <= rect.right():
        return
    p.setPen(line_pen(theme.color("text-2"), dashed=True))
    p.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    if not label or shown.first_s <= 0 or rect.height() < _LABEL_FROM:
        return
    words = tr("first token {first_s}", first_s=format_seconds(shown.first_s))
    width = QFontMetrics(theme.font(11)).horizontalAdvance(words)
    # At the upper edge: only a rare dot is that high, while marks and quick tokens lie low.
    box = QRectF(x + 8, rect.top() + 2, width + 4, 16)
    if box.right() < rect.right():
        ground = QColor(theme.color("canvas"))
        ground.setAlphaF(0.8)
        p.fillRect(box.adjusted(-1, 2, 0, -1), ground)
        p.setFont(theme.font(11))
        p.setPen(theme.color("text-2"))
        p.drawText(box, Qt.AlignmentFlag.AlignVCenter, words)


def first_x(frame: Frame, shown: Shown, span: tuple[float, float] | None) -> float:
    """Where the line of the first token stands, in pixels: at the end of the prompt."""
    if frame.axis == "token" and span is not None:
        return round(span[1]) + 0.5
    return round(float(frame.px(shown.x(frame.axis, 0)))) + 0.5


def paint_prompts(p: QPainter, picture: Picture, theme: Theme) -> None:
    """Several lanes: a thin bar for each one's prompt at the upper edge, a dashed line at its first token.

    On the token axis the bars stand left of token 1, as long as the waits compare.
    """
    frame = picture.frame
    rect = frame.rect
    longest = max((s.first_s for s in picture.visible), default=0.0)
    for row, shown in enumerate(picture.visible):
        color, y = theme.lane(shown.letter), rect.top() + 1 + row * 5
        if frame.axis != "token":
            span = prompt_span(frame, shown)
        else:
            end = float(frame.px(0.5))
            share = shown.first_s / longest if longest else 0.0
            span = (end - share * max(0.0, end - rect.left()), end)
        if span is not None and span[1] > rect.left():
            left = max(span[0], rect.left())
            p.fillRect(QRectF(left, y, min(span[1], rect.right()) - left, 3), mix(color, theme.color("canvas"), 0.6))
        if shown.n and frame.axis != "token":
            _dashes(p, frame, first_x(frame, shown, span), mix(color, theme.color("canvas"), 0.6))
    if frame.axis == "token" and any(s.n for s in picture.visible):
        _dashes(p, frame, round(float(frame.px(0.5))) + 0.5, theme.color("line-strong"))


def _dashes(p: QPainter, frame: Frame, x: float, color: object) -> None:
    if frame.rect.left() <= x <= frame.rect.right():
        p.setPen(line_pen(color, dashed=True))  # type: ignore[arg-type]
        p.drawLine(QPointF(x, frame.rect.top()), QPointF(x, frame.rect.bottom()))


def strip_rect(frame: Frame) -> QRectF:
    """Where the phases stand."""
    return QRectF(frame.rect.left(), 0, frame.rect.width(), STRIP_TOP + STRIP_HEIGHT + 1)


def paint_strip(p: QPainter, frame: Frame, shown: Shown, theme: Theme) -> None:
    """The phases on top: prompt, thinking, answer, each with its tokens."""
    font = theme.font(11)
    metrics = QFontMetrics(font)
    p.setFont(font)
    rect = frame.rect
    bars: list[tuple[float, float, str]] = []
    span = prompt_span(frame, shown)
    if span is not None:
        bars.append((*span, ""))
    for start, stop, name in shown.phases():
        left = first_x(frame, shown, span) if start == 0 else float(frame.px(shown.x(frame.axis, start)))
        tokens = stop - start
        words = f"{tr(name)} · {tr_n(tokens, '1 token', '{n:,} tokens')}"
        bars.append((left, float(frame.px(shown.x(frame.axis, stop - 1))), words))
    for left, right, words in bars:
        left, right = max(left, rect.left()), min(right, rect.right())
        if right - left < 1:
            continue
        box = QRectF(left, STRIP_TOP, right - left - 1, STRIP_HEIGHT)
        p.fillRect(box, theme.color("hover" if words.startswith("thinking") else "pressed"))
        if words and metrics.horizontalAdvance(words) + 10 <= box.width():
            p.setPen(theme.color("text-2"))
            p.drawText(box.adjusted(6, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)


def mark_x(frame: Frame, shown: Shown, mark: Mark) -> float | None:
    """Where a change of sampling stands, in pixels."""
    if frame.axis == "token":
        return float(frame.px(mark.index + 0.5))
    return float(frame.px(shown.seconds(mark.t_ns, frame.axis))) if mark.t_ns else None


def paint_marks(p: QPainter, picture: Picture, theme: Theme) -> None:
    """A tick with a small head where the sampling was changed."""
    frame = picture.frame
    rect = frame.rect
    for shown in picture.visible:
        color = theme.lane(shown.letter) if picture.many else theme.color("text-2")
        for mark in shown.answer.marks:
            x = mark_x(frame, shown, mark)
            if x is None or not rect.left() <= x <= rect.right():
                continue
            x = round(x) + 0.5
            foot = rect.bottom() - 1
            p.setPen(line_pen(color))
            p.drawLine(QPointF(x, foot - 12), QPointF(x, foot))
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(color)
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            head = [
                QPointF(x, foot - 8),
                QPointF(x + 3.5, foot - 12),
                QPointF(x, foot - 16),
                QPointF(x - 3.5, foot - 12),
            ]
            p.drawPolygon(QPolygonF(head))
            p.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_slow(
    p: QPainter, picture: Picture, theme: Theme, slow: Mapping[str, Collection[int]], left: float | None = None
) -> list[QRectF]:
    """A ring around each slow token of which it is known why; where. ``left``: only what is right of this pixel."""
    frame, found = picture.frame, []
    least = frame.rect.left() if left is None else left
    size = 2 * _RING + 2
    apart = p.paintEngine().type() == QPaintEngine.Type.SVG
    ring = None if apart else _ring(theme.color("warn").rgba(), p.device().devicePixelRatio())
    for shown in picture.visible:
        index = np.fromiter(slow.get(shown.letter, ()), np.intp)
        index = index[index < shown.n]
        x = frame.px(shown.xs_at(frame.axis, index))
        y = np.maximum(frame.py(shown.rows["gap_ns"][index] / 1e6), frame.rect.top() + _RING + 1)
        seen = (x >= least - _RING) & (x <= frame.rect.right() + 1)
        places = set(zip(np.round(x[seen]).tolist(), np.round(y[seen]).tolist(), strict=True))
        for px, py in places:
            box = QRectF(px - size / 2, py - size / 2, size, size)
            found.append(box)
            if ring is None:
                _paint_ring(p, box.center(), theme.color("warn"))
            else:  # a thousand of them in the time of thirty rings
                p.drawPixmap(box.topLeft(), ring)
    return found


def _paint_ring(p: QPainter, middle: QPointF, color: QColor) -> None:
    p.setRenderHint(QPainter.RenderHint.Antialiasing)
    p.setPen(line_pen(color, 1.5))
    p.setBrush(Qt.BrushStyle.NoBrush)
    p.drawEllipse(middle, _RING - 1, _RING - 1)
    p.setRenderHint(QPainter.RenderHint.Antialiasing, False)


@lru_cache(maxsize=8)
def _ring(color: int, ratio: float) -> QPixmap:
    size = 2 * _RING + 2
    image = QPixmap(round(size * ratio), round(size * ratio))
    image.fill(Qt.GlobalColor.transparent)
    image.setDevicePixelRatio(ratio)
    with QPainter(image) as p:
        _paint_ring(p, QPointF(size / 2, size / 2), QColor.fromRgba(color))
    return image
