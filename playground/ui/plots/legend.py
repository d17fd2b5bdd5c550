"""Read-outs that are also the switches of their series; they say less where there is less room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from playground.translate import later, tr
from playground.ui import icons
from playground.ui.theme import Theme, mix
from playground.ui.widgets import PaintedButton

Runs = list[tuple[str, bool]]
"""Pieces of text, the strong ones marked."""
_HEIGHT = 24
_PAD, _SPACE = 5, 5
_KNOWN = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One read-out: ``swatch`` is “dot”, “line”, “over” an answer, “part” of a token's time, or a lane's letter."""

    key: str
    """What is hidden: “dots”, “rate” or a lane's letter."""
    swatch: str
    name: str
    """For the tooltip and for screen readers, with all figures."""
    texts: list[Runs] = field(default_factory=list)
    """From the longest to the shortest."""
    letter: str = "A"
    strength: float = 1.0
    """How much of the lane’s colour it has."""


class LegendButton(PaintedButton):
    """A read-out; a click hides its series or shows it again."""

    def __init__(self, theme: Theme, entry: Entry) -> None:
        super().__init__(theme)
        self._quiet, self._strong = theme.font(11), theme.font(11, 600)
        self._known: dict[tuple[str, bool], int] = {}
        """Widths of runs: they are asked for often and come again."""
        self.measure()
        self.entry = entry
        self.level = 0
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_entry(entry)

    def measure(self) -> None:
        """Take the widths of the fonts in force, which are the theme's own and grow with its text."""
        self._metrics = QFontMetrics(self._quiet), QFontMetrics(self._strong)
        self._known.clear()

    def set_entry(self, entry: Entry) -> None:
        """Show other figures."""
        alike = replace(entry, name=self.entry.name) == self.entry
        self.entry = entry
        if self.isChecked():
            said, tip = later("{name}. Hide it"), later("{name}. Click to hide it.")
        else:
            said, tip = later("{name}. Show it"), later("{name}. Click to show it.")
        self.setAccessibleName(tr(said, name=entry.name))
        self.setToolTip(tr(tip, name=entry.name))
        if not alike:
            self.update()

    @property
    def runs(self) -> Runs:
        """The text at the level in force."""
        return self.entry.texts[min(self.level, len(self.entry.texts) - 1)]

    def width_at(self, level: int) -> int:
        """Pixels needed at that level."""
        runs = self.entry.texts[min(level, len(self.entry.texts) - 1)]
        text = sum(self._advance(run) + _SPACE for run in runs)
        return 2 * _PAD + self._swatch_width() + text

    def _advance(self, run: tuple[str, bool]) -> int:
        if run not in self._known:
            if len(self._known) > _KNOWN:
                self._known.clear()
            self._known[run] = self._metrics[run[1]].horizontalAdvance(run[0])
        return self._known[run]

    def _swatch_width(self) -> int:
        return {"dot": 6, "line": 12, "over": 12, "part": 8}.get(self.entry.swatch, 14)

    def sizeHint(self) -> QSize:
        """Room for the text at the level in force."""
        return QSize(self.width_at(self.level), _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Swatch and text; a hidden series is greyed, its swatch hollow."""
        with QPainter(self) as p:
            p.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # places are counted from the left
            if self.underMouse() or self._ring:
                self.paint_box(p, self.fill("canvas", "hover"), 4)
            self._paint_swatch(p)
            x = _PAD + self._swatch_width() + _SPACE
            for run in self.runs:
                p.setFont(self._strong if run[1] else self._quiet)
                tone = "text-1" if run[1] else "text-2"
                p.setPen(self._theme.color(tone if self.isChecked() else "text-3"))
                p.drawText(QRectF(x, 0, self.width(), self.height()), Qt.AlignmentFlag.AlignVCenter, run[0])
                x += self._advance(run) + _SPACE
            if not self.isChecked():
                p.setPen(self._theme.color("text-3"))
                y = self.height() / 2 + 0.5
                p.drawLine(QPointF(_PAD + self._swatch_width() + _SPACE - 1, y), QPointF(x - _SPACE + 1, y))

    def _paint_swatch(self, p: QPainter) -> None:
        y, on = self.height() / 2, self.isChecked()
        color = self._theme.lane(self.entry.letter)
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.entry.swatch == "dot":
            p.setPen(QPen(color, 1) if not on else Qt.PenStyle.NoPen)
            p.setBrush(color if on else Qt.BrushStyle.NoBrush)
            p.drawEllipse(QPointF(_PAD + 3, y), 2.5, 2.5)
        elif self.entry.swatch == "line":
            p.setPen(QPen(self._theme.color("text-1" if on else "text-3"), 2 if on else 1))
            p.drawLine(QPointF(_PAD, y), QPointF(_PAD + 11, y))
        elif self.entry.swatch == "part":
            box = QRectF(_PAD, y - 4, 8, 8)
            p.fillRect(box, mix(color, self._theme.color("canvas"), self.entry.strength if on else 0.1))
        elif self.entry.swatch == "over":
            p.setPen(QPen(mix(color, self._theme.color("canvas"), self.entry.strength if on else 0.3), 1))
            p.drawLine(QPointF(_PAD, y + 0.5), QPointF(_PAD + 11, y + 0.5))
        elif on:
            ink = self._theme.color("canvas")
            p.drawPixmap(QPointF(_PAD, y - 7), icons.badge(self.entry.swatch, color, ink, 14))
        else:
            ground = self._theme.color("pressed")
            p.drawPixmap(QPointF(_PAD, y - 7), icons.badge(self.entry.swatch, ground, color, 14))


class Legend(QWidget):
    """The read-outs in a row."""

    toggled = Signal(str, bool)
    """Key, and whether its series is shown now."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.buttons: dict[str, LegendButton] = {}
        self._room = 10_000
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)

    def _measure(self) -> None:
        for button in self.buttons.values():
            button.measure()
        self._fit()

    def set_entries(self, entries: Sequence[Entry], hidden: frozenset[str]) -> None:
        """Show these read-outs."""
        if list(self.buttons) != [entry.key for entry in entries]:
            self._rebuild(entries)
        for entry in entries:
            button = self.buttons[entry.key]
            button.setChecked(entry.key not in hidden)
            if entry != button.entry:
                button.set_entry(entry)
        self._fit()

    def set_room(self, room: int) -> None:
        """Pixels there are; the texts get shorter until they fit, and go where even the shortest don't."""
        self._room = room
        self._fit()

    def wanted(self) -> int:
        """Pixels for the longest texts."""
        return self._width(0)

    def least(self) -> int:
        """Pixels for the shortest texts."""
        return self._width(self._levels() - 1)

    def _levels(self) -> int:
        return max((len(button.entry.texts) for button in self.buttons.values()), default=1)

    def _width(self, level: int) -> int:
        spacing = self._row.spacing() * max(0, len(self.buttons) - 1)
        return sum(button.width_at(level) for button in self.buttons.values()) + spacing

    def _fit(self) -> None:
        level = next((n for n in range(self._levels()) if self._width(n) <= self._room), None)
        for button in self.buttons.values():
            button.setVisible(level is not None)
            if level is not None:
                button.level = level
                button.setFixedSize(button.sizeHint())

    def _rebuild(self, entries: Sequence[Entry]) -> None:
        for button in self.buttons.values():
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self.buttons = {}
        for entry in entries:
            button = LegendButton(self._theme, entry)
            button.clicked.connect(lambda on=False, key=entry.key: self._toggled(key, on))
            self._row.addWidget(button)
            self.buttons[entry.key] = button

    def _toggled(self, key: str, on: bool) -> None:
        self.buttons[key].set_entry(self.buttons[key].entry)
        self.toggled.emit(key, on)
