"""Figures of a part of the answers: the range that the user chose, else what is in sight while zoomed."""

from __future__ import annotations

from playground.translate import tr
from playground.ui.plots.figures import Axis, Shown, Stats
from playground.ui.plots.frame import Frame
from playground.ui.plots.histogram import Histogram, histogram
from playground.ui.plots.selection import Selection
from playground.workspace.series import Answer


class Ranges:
    """Taken anew when another part is meant, and in between as often as the percentiles are."""

    def __init__(self) -> None:
        self.stats: dict[str, Stats] = {}
        """By lane; empty while all of the answers is meant."""
        self.rates: dict[str, float] = {}
        self.words = ""
        """What is meant: “selected” or “in sight”; empty: all."""
        self._keys: dict[str, tuple[Answer, int, int]] = {}
        self._bars: list[Histogram] | None = None
        self._bars_of: tuple[object, ...] = ()

    def take(self, shown: list[Shown], chosen: Selection | None, sight: tuple[Axis, float, float] | None) -> bool:
        """Take the figures of the part that is meant; whether any are new."""
        self.words = tr("selected") if chosen is not None else tr("in sight") if sight is not None else ""
        meant = chosen if chosen is not None else Selection(*sight) if sight is not None else None
        parts = {s.letter: meant.part(s) for s in shown} if meant is not None else {}
        keys = {s.letter: (s.answer, int(parts[s.letter].start), int(parts[s.letter].stop)) for s in shown if parts}
        if keys == self._keys:
            return False
        self._keys = keys
        self.stats = {s.letter: s.stats(parts[s.letter]) for s in shown if s.letter in parts}
        self.rates = {s.letter: s.tok_s(parts[s.letter]) for s in shown if s.letter in parts}
        return True

    def part(self, shown: Shown) -> slice:
        """The tokens of an answer that are meant."""
        key = self._keys.get(shown.letter)
        return slice(key[1], key[2]) if key is not None else slice(0, shown.n)

    def bars(self, shown: list[Shown], frame: Frame, stats: dict[str, Stats]) -> list[Histogram]:
        """The histogram of what is meant; the same list as before where nothing changed. ``stats``: of all."""
        known = {s.letter: self.stats.get(s.letter) or stats.get(s.letter) or Stats() for s in shown}
        place = (frame.y1, frame.rect.height())
        of = (place, *((s.letter, s.answer, known[s.letter], self._keys.get(s.letter)) for s in shown))
        if self._bars is None or of != self._bars_of:
            self._bars_of = of
            self._bars = [histogram(s, self.part(s), frame, known[s.letter]) for s in shown]
        return self._bars
