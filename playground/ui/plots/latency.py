"""The latency pane: each token as it is made, for every lane."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from playground.translate import tr
from playground.ui.frame_clock import pace
from playground.ui.plots import painting, scale
from playground.ui.plots.crosshair import Hover
from playground.ui.plots.figures import Axis, Shown, Stats, largest_rate
from playground.ui.plots.frame import Frame, Heights, Picture, nameless, plot_rect
from playground.ui.plots.latency_head import HELP, LatencyHead, entries_of, format_value, next_axis, split_entries
from playground.ui.plots.live import LiveView
from playground.ui.plots.overlay import Over
from playground.ui.plots.overlay_bar import OverlayBar
from playground.ui.plots.ranges import Ranges
from playground.ui.plots.selection import Selection
from playground.ui.plots.split import KEYS, shares_of
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, LaneWatch
from playground.workspace.lane import Lane
from playground.workspace.series import Answer, Rows
from playground.workspace.slow_tokens import SlowTokens
from playground.workspace.words import RATE_WINDOW, format_rate_value

if TYPE_CHECKING:
    from playground.ui.plots.canvas import LatencyCanvas

MOST_AT_ONCE = 60_000
"""Tokens whose percentiles are taken for one picture, unless one answer alone has more."""
STATS_EVERY_S = pace(250, 900) / 1000
"""Between two takes of the percentiles while an answer is written."""


class _Blank(QWidget):
    """The empty plot before pyqtgraph is loaded: the same grey axes and the same sentence."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Axes and sentence."""
        frame = Frame(plot_rect(self.width(), self.height(), 1))
        Heights().fit(frame, 0, 0)
        with QPainter(self) as p:
            p.fillRect(QRectF(self.rect()), self._theme.color("canvas"))
            painting.paint_empty(p, frame, self._theme)


class LatencyPane(LiveView):
    """Head and plot. ``warm_up`` loads pyqtgraph; before it the pane is empty but right.

    While not visible it computes nothing; when shown again it catches up.
    """

    EVERY_MS = pace(66, 470)
    token_hovered = Signal(str, int)
    """Lane letter and index of the token under the mouse; index -1 when there is none any more."""
    token_clicked = Signal(str, int)
    range_chosen = Signal(str, int, int)
    """Of a lane the first and the last token of the range that is chosen; the last before the first: none."""
    axis_changed = Signal(str)
    """What is counted along x, when the user switched."""

    def __init__(self, workspace: Any, theme: Theme, clock: Clock) -> None:
        super().__init__(clock)
        self._workspace, self._theme = workspace, theme
        self.axis: Axis = "token"
        self.hidden: frozenset[str] = frozenset()
        self.name_token: Callable[[Answer, int], str] = nameless
        """What a token says; for whoever knows the texts to set."""
        self.frequency: Callable[[], Rows | None] = lambda: None
        """The processors' frequency over time, where it is read; likewise."""
        self.canvas: LatencyCanvas | None = None
        self._frozen: list[Shown] | None = None
        self._stats: dict[str, Stats] = {}
        self._of: dict[str, Any] = {}
        self._stats_at: dict[str, float] = {}
        self._told: object = None
        self._largest_rate = 0.0
        self._heights = Heights()
        self.ranges = Ranges()
        self.histogram = self.split = False
        self._slow: dict[str, SlowTokens] = {}
        self._told_ranges: dict[str, tuple[int, int]] = {}
        self.setProperty("surface", "canvas")
        self.setMinimumWidth(200)
        self.setAccessibleName(tr("Token latency"))
        self._build()
        self.watch = LaneWatch(self, workspace, self.mark, self.mark)
        self.mark()

    def _build(self) -> None:
        self.head = LatencyHead(self._theme)
        self.head.toggled.connect(self.show_series)
        self.head.pause.clicked.connect(lambda: self.set_paused(not self.paused))
        self.head.axis.clicked.connect(self._switch_axis)
        self.head.back.clicked.connect(self.zoom_back)
        self.head.bars.clicked.connect(self.show_histogram)
        self.head.split.clicked.connect(self.show_split)
        self.bar = OverlayBar(self._theme)
        self.bar.toggled.connect(self.show_series)
        self.bar.changed.connect(self.mark)
        self.bar.axis_chosen.connect(self._choose_axis)
        self.head.over.clicked.connect(lambda: self.bar.open_menu(self.head.over, self.axis))
        self._blank: QWidget = _Blank(self._theme)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(0)
        page.addWidget(self.head)
        page.addWidget(self.bar)
        page.addWidget(self._blank, 1)

    def warm_up(self) -> None:
        """Load pyqtgraph and build the plot; once, after the window's first paint."""
        if self.canvas is not None:
            return
        from playground.ui.plots.canvas import LatencyCanvas

        canvas = LatencyCanvas(self._theme)
        canvas.setAccessibleName(tr("Latency of each token"))
        canvas.setAccessibleDescription(tr(HELP))
        canvas.hovered.connect(self._hovered)
        canvas.clicked.connect(lambda hover: self.token_clicked.emit(hover.letter, hover.index))
        canvas.zoom_changed.connect(self.head.show_zoomed)
        for changed in (canvas.zoom_changed, canvas.seen_changed, canvas.chosen_changed):
            changed.connect(self.mark)
        layout = self.layout()
        assert layout is not None
        layout.replaceWidget(self._blank, canvas)
        self._blank.hide()
        self._blank.deleteLater()
        self.canvas = canvas
        if self.isVisible():
            self.catch_up()

    # What the user does.

    @property
    def paused(self) -> bool:
        """Whether the view is frozen; the answers go on."""
        return self._frozen is not None

    def set_paused(self, paused: bool) -> None:
        """Freeze the view, or catch up with what came meanwhile."""
        self._frozen = self._current() if paused else None
        self.head.show_paused(paused)
        self.mark()

    def set_axis(self, axis: Axis) -> None:
        """What to count along the axis, which is also how answers are laid over one another."""
        if axis != self.axis:
            self._turn_chosen(axis)
            self.axis = axis
            self.head.show_axis(axis)
            self.zoom_back()
            self.mark()

    def show_series(self, key: str, shown: bool) -> None:
        """Hide or show a lane by its letter, or, with one lane, its “dots” or “rate”."""
        self.hidden = self.hidden - {key} if shown else self.hidden | {key}
        self.mark()

    def show_histogram(self, shown: bool) -> None:
        """Show how often each latency comes, or don't."""
        self.histogram = shown
        self.head.bars.setChecked(shown)
        self.mark()

    def show_split(self, shown: bool) -> None:
        """Show of each token what its time went into, or dots; with several lanes it is dots."""
        self.split = shown
        self.head.split.setChecked(shown)
        self._told = None
        self.mark()

    def _turn_chosen(self, axis: Axis) -> None:
        """The tokens that are chosen stay chosen on another axis."""
        canvas = self.canvas
        if canvas is not None and canvas.chosen is not None:
            turned = [canvas.chosen.along(axis, s) for s in canvas.picture.visible]
            found = [one for one in turned if one is not None]
            low, high = min((one.low for one in found), default=0), max((one.high for one in found), default=0)
            canvas.choose(Selection(axis, low, high) if found else None)

    def answer_of(self, letter: str) -> Answer | None:
        """Whose tokens a lane's are here; while paused those of before."""
        shown = self._frozen if self._frozen is not None else self._current()
        return next((s.answer for s in shown if s.letter == letter), None)

    def point_at(self, letter: str, index: int) -> None:
        """Mark a token that is pointed at in the text; a negative index: none is."""
        if self.canvas is not None and self.isVisible():
            self.canvas.point_at(letter, index)

    def zoom_back(self) -> None:
        """Show all and follow again."""
        if self.canvas is not None:
            self.canvas.zoom_back()

    def _switch_axis(self) -> None:
        self._choose_axis(next_axis(self.axis))

    def _choose_axis(self, axis: Axis) -> None:
        self.set_axis(axis)
        self.axis_changed.emit(axis)

    def _hovered(self, hover: Hover | None) -> None:
        if hover is None:
            self.head.show_hover("")
        elif hover.mark:
            self.head.show_hover(f"{hover.text} · {hover.mark}", f"{hover.short or hover.text} · {hover.mark}")
        else:
            self.head.show_hover(hover.text)
        if self.canvas is not None and self.canvas.held == "text":
            return  # who points there knows
        self.token_hovered.emit(hover.letter if hover else "", hover.index if hover else -1)

    # Following the lanes.

    def _current(self) -> list[Shown]:
        lanes: list[Lane] = self._workspace.lanes
        return [Shown(lane.letter, lane.answer, len(lane.answer.tokens), lane.busy) for lane in lanes]

    def catch_up(self) -> None:
        """Show the state of the lanes."""
        shown = self._frozen if self._frozen is not None else self._current()
        many = len(shown) > 1
        told = (self.hidden, self.axis, tuple(s.letter for s in shown))
        new = self._measure(shown)
        if self._take_range(shown) or new or told != self._told:
            self._told = told
            self._tell(shown, many)
            self._largest_rate = 0.0 if many or not shown else largest_rate(shown[0])
        overs = self.bar.take(self.hidden)
        if self.canvas is not None:
            self.canvas.show_picture(self._picture(self.canvas, shown, many, overs))

    def _picture(self, canvas: LatencyCanvas, shown: list[Shown], many: bool, overs: list[Over]) -> Picture:
        frame = Frame(plot_rect(canvas.width(), canvas.height(), len(shown), self.histogram), self.axis)
        # What was hidden among several lanes must not stay so where one is left, without its switch.
        here = {s.letter for s in shown} if many else {"dots", "rate"} | KEYS
        picture = Picture(frame, shown, many, self.hidden & here, self.name_token, overs)
        tops = [_y_top(self._stats[s.letter]) for s in picture.visible if s.n]
        if many:
            tops += [_y_top(over.known) for over in overs]
        rates = [self._largest_rate, *(over.top_rate for over in overs)]
        self._heights.fit(frame, max(tops, default=0.0), 0.0 if many else max(rates))
        picture.split = self.split and not many
        picture.slow = {s.letter: self._slow[s.letter].known for s in picture.visible if s.letter in self._slow}
        if self.histogram:
            picture.bars = self.ranges.bars(picture.visible, frame, self._stats)
        return picture

    def _take_range(self, shown: list[Shown]) -> bool:
        """Take the figures of what is chosen or in sight, and tell which tokens are chosen; whether any are new."""
        canvas = self.canvas
        if canvas is None:
            return False
        chosen = canvas.chosen if canvas.chosen is not None and canvas.chosen.axis == self.axis else None
        frame = canvas.picture.frame
        sight = (self.axis, frame.x0, frame.x1) if canvas.zoomed and frame.axis == self.axis else None
        new = self.ranges.take(shown, chosen, sight)
        parts = {s.letter: self.ranges.part(s) for s in shown} if chosen is not None else {}
        told = {letter: (part.start, part.stop - 1) for letter, part in parts.items()}
        before, self._told_ranges = self._told_ranges, told
        for letter in before.keys() | told.keys():
            if before.get(letter) != told.get(letter):
                self.range_chosen.emit(letter, *told.get(letter, (0, -1)))
        return new

    def _measure(self, shown: list[Shown]) -> bool:
        """Take the percentiles where that is due; whether any are new."""
        answers = {s.letter: s.answer for s in shown}
        new = answers != self._of
        if new:
            self._of = answers
            self._stats = {}
            self._heights.forget()
            self.zoom_back()
            if self.canvas is not None:
                self.canvas.choose(None)
        now = time.monotonic()
        taken = 0
        for s in shown:
            known = self._stats.get(s.letter)
            due = now - self._stats_at.get(s.letter, 0.0) >= STATS_EVERY_S
            if known is None or (known.n != s.n and (due or not s.busy or known.n < 20)):
                if known is not None and taken and taken + s.n > MOST_AT_ONCE:
                    self.mark()  # with the next picture
                    continue
                self._stats[s.letter] = s.stats()
                self._explain(s)
                self._stats_at[s.letter], new = now, True
                taken += s.n
        return new

    def _explain(self, shown: Shown) -> None:
        """Find out why tokens were slow, where something tells."""
        lane = next((lane for lane in self._workspace.lanes if lane.letter == shown.letter), None)
        known = self._slow.get(shown.letter)
        if known is None or known.answer is not shown.answer:
            known = self._slow[shown.letter] = SlowTokens(shown.answer)
        kept = shown.answer.memory
        samples = kept if len(kept) or lane is None or lane.engine is None else lane.engine.memory.rows
        known.take(shown.n, self._stats[shown.letter].median, samples, self.frequency())

    def _tell(self, shown: list[Shown], many: bool) -> None:
        rates = {s.letter: s.answer.tok_s(RATE_WINDOW if s.busy else 0) for s in shown if s.n}
        rates |= self.ranges.rates
        stats, part = self._stats | self.ranges.stats, self.ranges.words
        entries = entries_of(shown, stats, rates, many, part)
        if self.split and not many and entries:
            entries[1:1] = split_entries(shown[0].letter, shares_of(shown[0], self.ranges.part(shown[0])))
        self.head.show_entries(entries, self.hidden, many, self.axis, part)
        words = []
        for s in shown:
            known = stats[s.letter]
            if known.n:
                figures = tr(
                    "median {median} ms, 95th percentile {p95} ms",
                    median=format_value(known.median),
                    p95=format_value(known.p95),
                )
                rate = (
                    tr(", {rate} tokens a second", rate=format_rate_value(rates[s.letter]))
                    if rates.get(s.letter)
                    else ""
                )
                words.append(
                    tr(
                        "Lane {letter}: {figures}{rate}, {n:,} tokens{part}.",
                        letter=s.letter,
                        figures=figures,
                        rate=rate,
                        n=known.n,
                        part=f" {part}" if part else "",
                    )
                )
        self.setAccessibleName(
            " ".join([tr("Token latency."), *words]) if words else tr("Token latency, no tokens yet")
        )


def _y_top(known: Stats) -> float:
    return scale.y_top(known.median, known.p95, known.p99, known.largest, known.n)
