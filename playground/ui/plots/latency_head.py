"""The latency pane's head: title, read-outs or what is under the mouse, and the small buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from playground.translate import later, tr, tr_n
from playground.ui.plots.figures import Axis, Shown, Stats
from playground.ui.plots.legend import Entry, Legend
from playground.ui.plots.split import PARTS
from playground.ui.theme import Theme
from playground.ui.widgets import ElidedLabel, IconButton, Label
from playground.workspace.words import format_rate_value

HEIGHT = 32
_MARGIN = 12
_GAP = 8
_ROOMY, _WIDE = 300, 400
"""Narrower, the read-outs need the room of the buttons that can be done without."""
AXES: dict[Axis, tuple[str, str]] = {
    "token": (later("token number"), later("Show token numbers along the axis")),
    "time": (later("time"), later("Show time along the axis")),
    "first": (later("time since the first token"), later("Show time since the first token along the axis")),
}
"""What each axis counts, in words, and what the button says that leads to it; in the button's order."""
HELP = later(
    "Drag over the plot to choose a range: its text is selected and its figures are told. The wheel zooms; zoomed "
    "in, a drag pans and Shift with a drag chooses. A click beside the dots lets the range go, a click on one "
    "scrolls the text to its token. By keyboard: arrows, Shift with arrows, plus, minus, 0."
)
_TITLE, _SHORT_TITLE = later("Token latency"), later("Latency")


def format_value(ms: float) -> str:
    """Milliseconds without the unit: “14.6”, “0.45”, “240”."""
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 99.95 else f"{ms:,.0f}"


def next_axis(axis: Axis) -> Axis:
    """What the button leads to."""
    names = list(AXES)
    return names[(names.index(axis) + 1) % len(names)]


def entries_of(
    shown: list[Shown], stats: dict[str, Stats], rates: dict[str, float], many: bool, part: str = ""
) -> list[Entry]:
    """The read-outs: of one lane its latency and speed, of several the median of each.

    ``part``: in words which part of the answers the figures are of; empty: all.
    """
    if many:
        return [_lane_entry(s, stats.get(s.letter, Stats()), part) for s in shown]
    if not shown or not stats.get(shown[0].letter, Stats()).n:
        return []
    letter = shown[0].letter
    known = stats[letter]
    median, p95 = format_value(known.median), format_value(known.p95)
    both = [(tr("median"), False), (median, True), (" p95", False), (p95, True)]
    p99 = format_value(known.p99)
    longest = [*both, (" p99", False), (p99, True)]
    tokens = tr_n(known.n, "1 token", "{n:,} tokens")
    few = [("n", False), (f"{known.n:,}", True)] if part else []
    counted = f"{tokens} {part}," if part else tr("ms per token,")
    dots = Entry(
        "dots",
        "dot",
        tr(
            "Latency: median {median} ms, 95th percentile {p95} ms, 99th {p99} ms, {tokens}{part}",
            median=median,
            p95=p95,
            p99=p99,
            tokens=tokens,
            part=f" {part}" if part else "",
        ),
        [[(counted, False), *longest], [(counted, False), *both], [*few, *both], [*few, *both[:2]], [(median, True)]],
        letter,
    )
    rate = format_rate_value(rates[letter]) if rates.get(letter) else "–"
    line = Entry(
        "rate",
        "line",
        tr("Speed: {rate} tokens a second", rate=rate),
        [[("tok/s", False), (rate, True)]] * 4 + [[(rate, True)]],
        letter,
    )
    return [dots, line]


def split_entries(letter: str, shares: tuple[float, ...]) -> list[Entry]:
    """What share of the time each part took, with its colour."""
    found = []
    for part, share in zip(PARTS, shares, strict=False):
        figure = f"{100 * share:.0f} %" if share >= 0.095 or not share else f"{100 * share:.1f} %"
        name = tr(part.name)
        long, short = [(name, False), (figure, True)], [(name, False)]
        words = tr(
            "{name}: {figure} of the time, {help}",
            name=name[:1].upper() + name[1:],
            figure=figure,
            help=tr(part.help),
        )
        found.append(Entry(part.key, "part", words, [long, long, short, [], []], letter, part.share))
    return found


def _lane_entry(shown: Shown, stats: Stats, part: str = "") -> Entry:
    median = format_value(stats.median) if stats.n else "–"
    name = tr("Lane {letter}: no tokens {part}", letter=shown.letter, part=part or tr("yet"))
    if stats.n:
        p95, p99 = format_value(stats.p95), format_value(stats.p99)
        name = tr(
            "Lane {letter}: median {median} ms, 95th percentile {p95} ms, 99th {p99} ms",
            letter=shown.letter,
            median=median,
            p95=p95,
            p99=p99,
        )
        name = f"{name}, {tr_n(stats.n, '1 token', '{n:,} tokens')}{f' {part}' if part else ''}"
    if shown.first_s > 0:
        name = tr("{name}, first token after {first_s:.2f} s", name=name, first_s=shown.first_s)
    return Entry(shown.letter, shown.letter, name, [[(median, True)], []], shown.letter)


class LatencyHead(QWidget):
    """Title, read-outs, pause, axis and zoom back; nothing ever covers the title."""

    toggled = Signal(str, bool)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedHeight(HEIGHT)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # so that nothing under it is painted, too
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.title = Label(theme, tr(_TITLE), 12, weight=600)
        self.title.setToolTip(tr(HELP))
        self.title.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.subtitle = Label(theme, "", 11, "text-3")
        self.median = Label(theme, tr("median"), 11, "text-2")
        self.legend = Legend(theme)
        self.legend.toggled.connect(self.toggled)
        self.hover = ElidedLabel(theme, px=11, tone="text-1")
        self.back = IconButton(theme, "magnifying-glass-minus", tr("Zoom back to the whole answer"), size=24)
        self.axis = IconButton(theme, "clock", tr(AXES["time"][1]), size=24)
        self.axis.setCheckable(True)
        self.pause = IconButton(theme, "pause", tr("Pause the plot"), size=24)
        self.pause.setCheckable(True)
        self.over = IconButton(
            theme, "graph", tr("Lay earlier answers over this one, and choose what lines them up"), size=24
        )
        self.bars = IconButton(
            theme, "histogram", tr("Show how often each latency comes, with p50, p95 and p99"), size=24
        )
        self.bars.setCheckable(True)
        self.split = IconButton(theme, "split", tr("Show what each token’s time went into"), size=24)
        self.split.setCheckable(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(_MARGIN, 0, 6, 0)
        row.setSpacing(0)
        row.addWidget(self.title)
        row.addSpacing(_GAP)
        row.addWidget(self.subtitle)
        row.addStretch(1)
        for widget in (self.median, self.legend, self.hover):
            row.addWidget(widget)
        row.addSpacing(_GAP)
        for button in (self.back, self.over, self.split, self.bars, self.axis, self.pause):
            row.addWidget(button)
        self._words = ("", "")
        self._hovered = ("", "")
        """Of what is under the mouse, all there is to say, and what has to be said."""
        self._many = False
        self.back.hide()
        self.hover.hide()
        self.median.hide()
        theme.changed.connect(self._fit)

    def show_entries(
        self, entries: list[Entry], hidden: frozenset[str], many: bool, axis: Axis, part: str = ""
    ) -> None:
        """The read-outs, and in words what several lanes are shown by, or which part of them is told."""
        self._many = many
        x = tr(AXES[axis][0])
        self._words = (tr("ms, by {x}; line: mean of 8", x=x), tr("ms, by {x}", x=x)) if many else ("", "")
        if many and part:
            self._words = (tr("ms, of the tokens {part}", part=part), part)
        self.legend.set_entries(entries, hidden)
        self._fit()

    def show_hover(self, text: str, short: str = "") -> None:
        """What is under the mouse, in the place of the read-outs; nothing: the read-outs again.

        ``short`` is said in its place where there is too little room for all of it.
        """
        self._hovered = (text, short or text)
        self.hover.setText(text)
        self.hover.setVisible(bool(text))
        self.legend.setVisible(not text)
        self._fit()

    def show_axis(self, axis: Axis) -> None:
        """Set the button for the axis in force."""
        self.axis.setChecked(axis != "token")
        self.axis.set_name(tr(AXES[next_axis(axis)][1]))

    def show_paused(self, paused: bool) -> None:
        """Set the button for pause or resume."""
        self.pause.setChecked(paused)
        self.pause.set_icon("play" if paused else "pause")
        self.pause.set_name(tr("Resume the plot") if paused else tr("Pause the plot; the answer goes on"))

    def show_zoomed(self, zoomed: bool) -> None:
        """Offer the way back while zoomed."""
        self.back.setVisible(zoomed)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the read-outs the room there is."""
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The canvas."""
        with QPainter(self) as p:
            p.fillRect(event.rect(), self._theme.color("canvas"))

    def _fit(self) -> None:
        self.over.setVisible(self.width() >= _ROOMY)  # its menu is in the plot's own menu, too
        self.bars.setVisible(self.width() >= _WIDE or self.bars.isChecked())
        self.split.setVisible(not self._many and (self.width() >= _WIDE or self.split.isChecked()))
        every = (self.back, self.over, self.split, self.bars, self.axis, self.pause)
        buttons = 24 * sum(not one.isHidden() for one in every)
        room = self.width() - _MARGIN - 6 - 3 * _GAP - buttons
        whole = self.title.fontMetrics().horizontalAdvance(tr(_TITLE)) + 2
        self.title.setText(tr(_TITLE) if room - whole >= self.legend.least() else tr(_SHORT_TITLE))
        room -= self.title.sizeHint().width()
        hovering = not self.hover.isHidden()
        used = 0 if hovering else self.legend.wanted()
        words_before = self._many and not hovering and room >= used + self.median.sizeHint().width() + 4
        self.median.setVisible(words_before)
        if words_before:
            room -= self.median.sizeHint().width() + 4
        self.legend.set_room(room)
        if hovering:
            self.hover.setText(self._hovered[0])
            if self.hover.sizeHint().width() > room:
                self.hover.setText(self._hovered[1])
            used = self.hover.sizeHint().width()
        metrics = self.subtitle.fontMetrics()
        fitting = next((w for w in self._words if metrics.horizontalAdvance(w) + 16 <= room - used), "")
        self.subtitle.setText(fitting)
        self.subtitle.setVisible(bool(fitting))
