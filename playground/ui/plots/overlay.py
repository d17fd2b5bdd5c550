"""Earlier answers in the latency plot: thin, dimmer lines over the one on screen."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from playground.translate import tr
from playground.ui.plots import painting
from playground.ui.plots.figures import Shown, Stats, largest_rate
from playground.ui.plots.frame import Picture
from playground.ui.plots.latency_head import format_value
from playground.ui.plots.legend import Entry
from playground.ui.theme import Theme, mix
from playground.workspace.overlays import Earlier
from playground.workspace.words import format_rate_value

STRENGTHS = (0.8, 0.62, 0.48, 0.36)
"""How much of the lane's colour each line has, in the order in which they were laid over."""
_NAME_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Over(Shown):
    """An earlier answer, its figures taken once."""

    key: str = ""
    name: str = ""
    strength: float = STRENGTHS[0]
    known: Stats = field(default_factory=Stats)
    speed: float = 0.0
    """Tokens a second of all of it."""
    top_rate: float = 0.0


def over_of(earlier: Earlier, place: int, known: Over | None = None) -> Over:
    """The line of an answer that is the ``place``-th over; ``known``: the same one before."""
    strength = STRENGTHS[min(place, len(STRENGTHS) - 1)]
    answer, n = earlier.answer, len(earlier.answer.tokens)
    if known is not None and known.answer is answer and known.strength == strength and known.name == earlier.name:
        return known
    bare = Shown(earlier.letter or "A", answer, n)
    figures = (bare.stats(), answer.tok_s(), largest_rate(bare))
    return Over(bare.letter, answer, n, False, earlier.id, earlier.name, strength, *figures)


def color_of(over: Over, theme: Theme) -> QColor:
    """The lane's colour, dimmed."""
    return mix(theme.lane(over.letter), theme.color("canvas"), over.strength)


def entry_of(over: Over) -> Entry:
    """Its read-out."""
    median = format_value(over.known.median)
    rate = format_rate_value(over.speed) if over.speed else "–"
    name = tr(
        "Laid over: {name} of lane {letter}, median {median} ms, {rate} tokens a second, {n:,} tokens",
        name=over.name,
        letter=over.letter,
        median=median,
        rate=rate,
        n=over.n,
    )
    figures = [("median", False), (median, True), ("ms,", False), (rate, True), ("tok/s", False)]
    texts = [[(over.name, False), *figures], [(over.name, False), (median, True)], [(over.name, False)]]
    return Entry(over.key, "over", name, texts, over.letter, over.strength)


def paint_overs(p: QPainter, picture: Picture, theme: Theme, left: float | None = None) -> None:
    """The lines of all earlier answers, each with its name at its end; ``left``: only what is right of this pixel."""
    frame = picture.frame
    for over in picture.overs:
        seen = painting.trace(frame, over)
        if left is not None:
            seen = painting.trace_from(frame, seen, left)
        if seen.part.stop - seen.part.start < 2:
            continue
        x, y = painting.line_of(picture, seen)
        p.setPen(painting.line_pen(color_of(over, theme)))
        p.setRenderHint(QPainter.RenderHint.Antialiasing, seen.smooth)
        p.drawPolyline(painting.polygon(x, y))
        p.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    _paint_names(p, picture, theme)


def _paint_names(p: QPainter, picture: Picture, theme: Theme) -> None:
    """Each line's name where it ends, inside the plot and apart from one another."""
    frame = picture.frame
    rect = frame.rect
    ends: list[tuple[Over, float, float]] = []
    for over in picture.overs:
        x = float(frame.px(over.x(frame.axis, over.n - 1)))
        last = slice(over.n - 1, over.n)
        value = over.mean(last) if picture.many else frame.rate_in_ms(over.rate(last))
        if over.n > 1 and rect.left() <= x <= rect.right():
            ends.append((over, x, max(float(frame.py(value)[0]), rect.top())))
    p.setFont(theme.font(11))
    heights = painting.spread([y for _, _, y in ends], _NAME_HEIGHT, rect.top() + 8, rect.bottom() - 8)
    for (over, x, _), y in zip(ends, heights, strict=True):
        width = p.fontMetrics().horizontalAdvance(over.name) + 2
        p.setPen(color_of(over, theme))
        place = QRectF(min(x + 4, rect.right() - width), y - _NAME_HEIGHT / 2, width, _NAME_HEIGHT)
        p.drawText(place, Qt.AlignmentFlag.AlignVCenter, over.name)
