"""The latency plot itself. Needs pyqtgraph, so it is imported late."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from playground.ui import icons
from playground.ui.plots import crosshair, histogram, overlay, painting, phases, scale, split
from playground.ui.plots.dots import ALPHA, FAINT_ALPHA, Dots
from playground.ui.plots.frame import PROMPT_BAND, Picture, plot_rect
from playground.ui.plots.hand_view import HandView
from playground.ui.plots.histogram import Histogram
from playground.ui.plots.painting import Trace
from playground.ui.plots.selection import paint_selection
from playground.ui.theme import Theme

_BADGE = 14
_LEAST = {"token": 64.0, "time": 2.0, "first": 2.0}
_CLOSEST = {"token": 8.0, "time": 0.05, "first": 0.05}
"""The narrowest view: tokens, seconds."""
_INK = 4
"""Pixels that a token's dot and line reach beyond its place."""


class LatencyCanvas(HandView):
    """Shows a `Picture`; while only tokens come, only their part of it is painted."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._dots: dict[str, Dots] = {}
        self._painted: tuple[object, ...] = ()
        """All that the kept picture depends on, but for how many tokens there are."""
        self._upto: dict[str, int] = {}
        """How many tokens of each lane are in it."""
        self._slow: dict[str, set[int]] = {}
        """The slow tokens that have their mark in it."""
        self._slow_of: dict[str, dict[int, str]] = {}
        self._bars: list[Histogram] | None = None
        """The histogram that is in it."""
        self._ends: dict[str, QPointF] = {}
        """Where the lines end."""

    def show_picture(self, picture: Picture) -> None:
        """Draw this; ``picture.frame`` gets its area and what part it shows from here."""
        self.picture = picture
        self.show_now()

    def full(self) -> tuple[float, float]:
        """The whole range of the axis; but for the time axis with room for the prompt left of token 1."""
        axis = self.picture.frame.axis
        end = max((s.end(axis) for s in [*self.picture.visible, *self.picture.overs]), default=0.0)
        high = scale.follow(end, _LEAST[axis])
        if axis == "time":
            return 0.0, high
        prompts = any(s.answer.started_ns for s in self.picture.visible)
        share = (PROMPT_BAND if prompts else 0) / max(1.0, self.picture.frame.rect.width())
        return -high * share / max(0.1, 1 - share), high

    def limits(self) -> tuple[float, float]:
        """Back to the beginning, and a few tokens."""
        low, high = self.full()
        return low, min(_CLOSEST[self.picture.frame.axis], high - low)

    def place(self) -> QRectF:
        """The area of the dots."""
        rect = plot_rect(self.width(), self.height(), 2 if self.picture.many else 1, self.picture.bars is not None)
        self.picture.frame.rect = rect
        return rect

    def is_whole(self, low: float, high: float) -> bool:
        """Nearly all of it."""
        first, last = self.full()
        return high - low >= 0.995 * (last - first)

    # Drawing.

    def paint_over(self, p: QPainter) -> None:
        """The ends of the lines, the crosshair, the focus."""
        theme = self.theme
        if self.picture.many:
            for letter, at in self._badges().items():
                p.drawPixmap(at, icons.badge(letter, theme.lane(letter), theme.color("canvas"), _BADGE))
        else:
            for at in self._ends.values():
                if at.x() < self.picture.frame.rect.right() - 1:
                    painting.paint_end(p, at, theme.color("text-1"))
        if self.chosen is not None and self.chosen.axis == self.picture.frame.axis:
            paint_selection(p, self.picture.frame, self.chosen, theme)
        if self.hover is not None:
            crosshair.paint_hover(p, self.picture, self.hover, theme)
        if self.hasFocus():
            p.setPen(painting.line_pen(theme.color("accent")))
            p.setBrush(Qt.BrushStyle.NoBrush)
            p.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))

    def paint_all(self, p: QPainter, ratio: float) -> None:
        """Grid, labels, phases, dots, lines."""
        picture, theme = self.picture, self.theme
        frame = picture.frame
        self._ends = {}
        if picture.empty:
            self._painted = ()
            painting.paint_empty(p, frame, theme)
            return
        traces = [painting.trace(frame, shown) for shown in picture.visible]
        self._painted = self._depends(traces, ratio)
        self._upto = {shown.letter: shown.n for shown in picture.visible}
        painting.paint_grid(p, frame, theme, unit=not picture.many)
        painting.paint_x_axis(p, frame, theme)
        self._slow_of = dict(picture.slow)
        self._slow = {letter: set(known) for letter, known in picture.slow.items()}
        self._bars = picture.bars
        if picture.bars:
            histogram.paint(p, frame, self.width(), picture.bars, theme)
        if not picture.many:
            for shown in picture.visible:
                phases.paint_strip(p, frame, shown, theme)
                phases.paint_prompt(p, frame, shown, theme, not picture.split)
        self._paint_data(p, traces, ratio)

    def paint_growth(self, p: QPainter, ratio: float) -> Sequence[QRectF] | None:
        """The new tokens' part of the plot, and the strip over it."""
        picture, frame = self.picture, self.picture.frame
        traces = [] if picture.empty else [painting.trace(frame, shown) for shown in picture.visible]
        band = self._band()
        if not self._painted or self._depends(traces, ratio) != self._painted or band is None:
            return None
        before = self._over()
        self._upto = {shown.letter: shown.n for shown in picture.visible}
        fresh = self._new_slow()
        if fresh is None:
            return None
        places = [*self._paint_new_bars(p), *self._paint_new_slow(p, fresh)]
        if band.isEmpty():
            return places
        places.append(band)
        if not picture.many:
            strip = phases.strip_rect(frame)
            places.append(strip)
            p.setClipRect(strip)
            p.fillRect(strip, self.theme.color("canvas"))
            phases.paint_strip(p, frame, picture.visible[0], self.theme)
        p.setClipRect(band)
        p.fillRect(band, self.theme.color("canvas"))
        painting.paint_lines(p, frame, self.theme)
        if not picture.many and phases.reach(frame, picture.visible[0]) > band.left():
            phases.paint_prompt(p, frame, picture.visible[0], self.theme, not picture.split)
        left = band.left() - _INK
        self._paint_data(p, [painting.trace_from(frame, seen, left) for seen in traces], ratio, left)
        return [*places, *before, *self._over()]

    def _new_slow(self) -> dict[str, set[int]] | None:
        """Slow tokens without a mark in the kept picture; None: one has a mark that it no longer should have."""
        if self.picture.slow == self._slow_of:  # nearly always: the very same objects
            return {}
        self._slow_of = dict(self.picture.slow)
        now = {letter: set(known) for letter, known in self.picture.slow.items()}
        if any(before - now.get(letter, set()) for letter, before in self._slow.items()):
            return None
        return {letter: fresh for letter, known in now.items() if (fresh := known - self._slow.get(letter, set()))}

    def _paint_new_slow(self, p: QPainter, fresh: dict[str, set[int]]) -> list[QRectF]:
        """Their marks, each by itself; where."""
        for letter, indexes in fresh.items():
            self._slow.setdefault(letter, set()).update(indexes)
        p.setClipRect(self.picture.frame.rect.adjusted(0, -_INK, 1, 0))
        return phases.paint_slow(p, self.picture, self.theme, fresh) if fresh else []

    def _paint_new_bars(self, p: QPainter) -> list[QRectF]:
        """The histogram, if it is another one than the one in the kept picture; where it stands."""
        picture = self.picture
        if picture.bars is self._bars or picture.bars is None:
            return []
        self._bars, place = picture.bars, histogram.area(picture.frame, self.width())
        p.setClipRect(place)
        p.fillRect(place, self.theme.color("canvas"))
        histogram.paint(p, picture.frame, self.width(), picture.bars, self.theme)
        return [place]

    def _depends(self, traces: list[Trace], ratio: float) -> tuple[object, ...]:
        frame = self.picture.frame
        state = (self.theme.scheme, ratio, frame.rect.getRect(), frame.axis, frame.x0, frame.x1)
        heights = (frame.y1, frame.lines, frame.rate_step, self.picture.many, self.picture.hidden, self.picture.split)
        overs = tuple((over.key, over.strength, over.n) for over in self.picture.overs)
        return (*state, *heights, overs, *(self._depends_on(seen) for seen in traces))

    def _depends_on(self, seen: Trace) -> tuple[object, ...]:
        shown = seen.shown
        answer = shown.answer
        begin = (shown.n > 0, shown.first_s, shown.prompt(), answer.n_prompt, answer.n_reused)
        return (shown.letter, answer, *begin, len(answer.marks), seen.dense, seen.smooth)

    def _band(self) -> QRectF | None:
        """Where the tokens are that came since; empty when there are none, None when some are gone."""
        frame = self.picture.frame
        left, right = frame.rect.right(), frame.rect.left()
        for shown in self.picture.visible:
            known = self._upto.get(shown.letter, 0)
            if shown.n < known or not known:
                return None
            if shown.n > known:
                # The last stretch of a line ends with a cap, where it now goes on.
                left = min(left, float(frame.px(shown.x(frame.axis, max(0, known - 2)))))
                right = max(right, float(frame.px(shown.x(frame.axis, shown.n - 1))))
        left, right = max(frame.rect.left(), np.floor(left) - _INK), min(frame.rect.right() + 1, np.ceil(right) + _INK)
        return QRectF(left, frame.rect.top(), max(0.0, right - left), frame.rect.height())

    def _paint_data(self, p: QPainter, traces: list[Trace], ratio: float, left: float | None = None) -> None:
        """All that stands between the axes; ``left``: only what is right of this pixel is needed."""
        picture, theme = self.picture, self.theme
        frame = picture.frame
        if picture.many:
            phases.paint_prompts(p, picture, theme)
        p.save()
        p.setClipRect(frame.rect.adjusted(0, 0, 1, 0), Qt.ClipOperation.IntersectClip)
        if picture.split and "dots" not in picture.hidden:
            for seen in traces:
                split.paint_split(p, frame, seen, picture.hidden, theme)
        elif "dots" not in picture.hidden:
            alpha = FAINT_ALPHA if picture.many else ALPHA
            for shown in picture.visible:
                dots = self._dots.setdefault(shown.letter, Dots())
                dots.paint(p, frame, shown, theme.lane(shown.letter), alpha, ratio)
        phases.paint_marks(p, picture, theme)
        overlay.paint_overs(p, picture, theme, left)
        p.restore()
        if "rate" not in picture.hidden:
            p.save()
            p.setClipRect(frame.rect, Qt.ClipOperation.IntersectClip)
            for seen in traces:
                self._paint_line(p, seen)
            p.restore()
        if self._slow:
            phases.paint_slow(p, picture, theme, self._slow, left)

    def _paint_line(self, p: QPainter, seen: Trace) -> None:
        picture, theme, letter = self.picture, self.theme, seen.shown.letter
        if not seen.shown.n:
            return
        x, y = painting.line_of(picture, seen)
        painting.paint_line(p, x, y, theme.lane(letter) if picture.many else theme.color("text-1"), seen.smooth)
        inside = x <= picture.frame.rect.right()
        if inside.any():
            self._ends[letter] = QPointF(float(x[inside][-1]), float(y[inside][-1]))

    def _over(self) -> list[QRectF]:
        """What the ends of the lines cover."""
        if self.picture.many:
            return [QRectF(at.x() - 1, at.y() - 1, _BADGE + 2, _BADGE + 2) for at in self._badges().values()]
        return [QRectF(at.x() - _INK, at.y() - _INK, 2 * _INK, 2 * _INK) for at in self._ends.values()]

    def _badges(self) -> dict[str, QPointF]:
        """Upper left corners of the lanes' badges: at the ends of their lines, apart from one another."""
        rect, half = self.picture.frame.rect, _BADGE / 2
        letters = list(self._ends)
        lefts = [min(at.x() + 4, rect.right() - _BADGE + 8) for at in self._ends.values()]
        found: dict[str, QPointF] = {}
        for near in scale.clusters(lefts, _BADGE + 1):
            ys = [self._ends[letters[i]].y() for i in near]
            ys = painting.spread(ys, _BADGE + 1, rect.top() + half, rect.bottom() - half)
            found |= {letters[i]: QPointF(lefts[i], y - half) for i, y in zip(near, ys, strict=True)}
        return found
