"""Small things that show: labels, read-outs, badges, bars. They paint themselves from the tokens."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QTextLayout
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from playground.translate import tr
from playground.ui import icons
from playground.ui.direction import as_written, leading
from playground.ui.theme import Theme
from playground.workspace.words import Figure

LONGEST_LINE, LONGEST_TEXT = 1000, 5000
"""Characters; a file's or an engine's text may be of any length, and laying out a megabyte takes seconds."""


def bounded(text: str, most: int) -> str:
    """The text, or its beginning and “…”."""
    return text if len(text) <= most else text[: most - 1] + "…"


class Label(QLabel):
    """Plain text in a token's colour; never interprets markup."""

    def __init__(
        self,
        theme: Theme,
        text: str = "",
        px: float = 12,
        tone: str = "text-1",
        weight: int = 400,
        wrap: bool = False,
    ) -> None:
        super().__init__()
        self._theme, self._tone = theme, tone
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(px, weight))
        self.setText(text)
        if wrap:
            self.setWordWrap(True)
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
        theme.changed.connect(self._restyle)
        self._restyle()

    def setText(self, text: str) -> None:
        """Show another text."""
        super().setText(bounded(text, LONGEST_TEXT))

    def set_tone(self, tone: str) -> None:
        """Colour it by another token."""
        if tone != self._tone:
            self._tone = tone
            self._restyle()

    def _restyle(self) -> None:
        self.setStyleSheet(f"color: {self._theme.hex(self._tone)}; background: transparent;")


class ElidedLabel(QLabel):
    """One line that ends in “…” where room is short; the tooltip has it all."""

    def __init__(self, theme: Theme, text: str = "", px: float = 12, tone: str = "text-1", weight: int = 400) -> None:
        super().__init__()
        self._theme, self._tone = theme, tone
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(px, weight))
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setText(text)
        theme.changed.connect(self.update)

    def setText(self, text: str) -> None:
        """Show another text."""
        text = bounded(text, LONGEST_LINE)
        if text != self.text():
            super().setText(text)
            self._tip()

    def set_tone(self, tone: str) -> None:
        """Colour it by another token."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def sizeHint(self) -> QSize:
        """Room for the whole text."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self.text()) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(min(24, self.sizeHint().width()), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the tooltip true."""
        super().resizeEvent(event)
        self._tip()

    def _tip(self) -> None:
        self.setToolTip(self.text() if self.width() < self.sizeHint().width() - 1 else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what fits."""
        with QPainter(self) as p:
            p.setFont(self.font())
            p.setPen(self._theme.color(self._tone if self.isEnabled() else "disabled"))
            shown = p.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            as_written(p)
            p.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | leading(self), shown)


class Paragraph(QLabel):
    """Plain text that wraps, with a line height of its own (QLabel has none)."""

    def __init__(self, theme: Theme, text: str = "", px: float = 14, line: int = 22, tone: str = "text-2") -> None:
        super().__init__()
        self._theme, self._tone, self._line = theme, tone, line
        self.setTextFormat(Qt.TextFormat.PlainText)
        # QLabel takes height-for-width out of its policy again unless it wraps.
        self.setWordWrap(True)
        self.setFont(theme.font(px))
        self.setText(text)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.update)
        theme.changed.connect(self.updateGeometry)

    def setText(self, text: str) -> None:
        """Show another text."""
        text = bounded(text, LONGEST_TEXT)
        if text != self.text():
            super().setText(text)
            self.updateGeometry()

    def set_tone(self, tone: str) -> None:
        """Colour it by another token."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def _lines(self, width: int) -> QTextLayout:
        layout = QTextLayout(self.text(), self.font())
        layout.beginLayout()
        y, step = 0, self._theme.px(self._line)
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(20, width))
            line.setPosition(QPointF(0, y + (step - line.height()) / 2))
            y += step
        layout.endLayout()
        return layout

    def heightForWidth(self, width: int) -> int:
        """All lines."""
        # A layout asks for the width of its column, also where the label may be only so wide.
        return self._lines(min(width, self.maximumWidth())).lineCount() * self._theme.px(self._line)

    def sizeHint(self) -> QSize:
        """As a column of text."""
        return QSize(360, self.heightForWidth(360))

    def minimumSizeHint(self) -> QSize:
        """As narrow as a lane."""
        return QSize(80, self._theme.px(self._line))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        with QPainter(self) as p:
            p.setPen(self._theme.color(self._tone))
            self._lines(self.width()).draw(p, QPointF(0, 0))


class FiguresLabel(QWidget):
    """Read-outs in a row, the number strong, words and unit quiet; where room is short the last go first."""

    GAP = 14

    def __init__(self, theme: Theme, px: float = 11, right: bool = True) -> None:
        super().__init__()
        self._theme, self._right = theme, right
        self._figures: list[Figure] = []
        self._quiet, self._strong = theme.font(px), theme.font(px, 600)
        self._widths: list[int] = []
        """Of the figures, px; they are asked for several times a picture."""
        self._measure()
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._measure)

    def _measure(self) -> None:
        """The fonts are the theme's own and grow with its text."""
        self._metrics = {False: QFontMetrics(self._quiet), True: QFontMetrics(self._strong)}
        self._space = self._metrics[False].horizontalAdvance(" ")
        self._widths = [self._width(figure) for figure in self._figures]
        self.updateGeometry()
        self.update()

    @property
    def text(self) -> str:
        """All read-outs as plain text."""
        return "   ".join(figure.text for figure in self._figures)

    def align_right(self, right: bool) -> None:
        """Stand at the right or the left end of the room."""
        self._right = right

    def set_figures(self, figures: Sequence[Figure]) -> None:
        """Show other read-outs."""
        if list(figures) == self._figures:
            return
        before = self.sizeHint().width()
        known = dict(zip(self._figures, self._widths, strict=True))
        self._figures = list(figures)
        self._widths = [known.get(figure) or self._width(figure) for figure in self._figures]
        self.setAccessibleName(self.text)
        self.setToolTip(self.text)
        if self.sizeHint().width() != before:
            self.updateGeometry()
        self.update()

    def _runs(self, figure: Figure) -> list[tuple[str, bool]]:
        runs = [(figure.before, False), (figure.value, True), (figure.unit, False)]
        return [(text, strong) for text, strong in runs if text]

    def _width(self, figure: Figure) -> int:
        runs = self._runs(figure)
        texts = sum(self._metrics[strong].horizontalAdvance(text) for text, strong in runs)
        return texts + self._space * (len(runs) - 1)

    def sizeHint(self) -> QSize:
        """Room for all of them."""
        width = sum(self._widths) + self.GAP * max(0, len(self._figures) - 1)
        return QSize(width, self._metrics[False].height() + 2)

    def minimumSizeHint(self) -> QSize:
        """May shrink to nothing."""
        return QSize(0, self.sizeHint().height())

    def _fitting(self) -> tuple[list[Figure], int]:
        """The figures that have room, and the width they take."""
        widths = list(self._widths)
        while widths and sum(widths) + self.GAP * (len(widths) - 1) > self.width():
            widths.pop()
        return self._figures[: len(widths)], sum(widths) + self.GAP * max(0, len(widths) - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ones that fit."""
        shown, total = self._fitting()
        x = self.width() - total if self._right != self.isRightToLeft() else 0
        with QPainter(self) as p:
            metrics = self._metrics[False]
            base = (self.height() + metrics.ascent() - metrics.descent()) // 2
            for figure in shown:
                for text, strong in self._runs(figure):
                    p.setFont(self._strong if strong else self._quiet)
                    p.setPen(self._theme.color("text-1" if strong else "text-2"))
                    p.drawText(x, base, text)
                    x += self._metrics[strong].horizontalAdvance(text) + self._space
                x += self.GAP - self._space


class LaneBadge(QLabel):
    """A lane's letter on its colour."""

    def __init__(self, theme: Theme, letter: str, size: int = 18) -> None:
        super().__init__()
        self._theme, self._letter, self._size = theme, letter, size
        self.setFixedSize(size, size)
        self.setAccessibleName(tr("Lane {letter}", letter=letter))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        ink = self._theme.color("canvas")
        self.setPixmap(icons.badge(self._letter, self._theme.lane(self._letter), ink, self._size))


class IconLabel(QLabel):
    """An icon that only shows something."""

    def __init__(self, theme: Theme, name: str, size: int = 16, tone: str = "text-2") -> None:
        super().__init__()
        self._theme, self._name, self._size, self._tone = theme, name, size, tone
        self.setFixedSize(size, size)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_icon(self, name: str, tone: str) -> None:
        """Show another icon in another token's colour."""
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            self._restyle()

    def _restyle(self) -> None:
        self.setPixmap(icons.pixmap(self._name, self._theme.hex(self._tone), self._size))


class Divider(QFrame):
    """A line of one pixel, lying or standing."""

    def __init__(self, theme: Theme, standing: bool = False) -> None:
        super().__init__()
        self._theme = theme
        self.setFixedWidth(1) if standing else self.setFixedHeight(1)
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill with the line colour."""
        with QPainter(self) as p:
            p.fillRect(self.rect(), self._theme.color("line"))


class Meter(QWidget):
    """A thin bar of parts: ``(share of the whole, token)`` from the left, the rest is groove."""

    def __init__(self, theme: Theme, width: int = 72, thick: int = 4) -> None:
        super().__init__()
        self._theme, self._thick = theme, thick
        self._parts: list[tuple[float, str]] = []
        self.setFixedHeight(thick)
        if width:
            self.setFixedWidth(width)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Its fixed width, where it has one."""
        return QSize(self.maximumWidth() if self.minimumWidth() == self.maximumWidth() else 72, self._thick)

    @property
    def fraction(self) -> float:
        """The share that is filled, all parts together."""
        return min(1.0, sum(share for share, _ in self._parts))

    def set_fraction(self, fraction: float, token: str = "text-2") -> None:
        """One part from the left."""
        self.set_parts([(fraction, token)])

    def set_parts(self, parts: Sequence[tuple[float, str]]) -> None:
        """Several parts from the left, each with its token."""
        if list(parts) != self._parts:
            self._parts = list(parts)
            self.setAccessibleName(tr("{fraction:.0%} filled", fraction=self.fraction))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Groove and parts."""
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(Qt.PenStyle.NoPen)
            radius = self._thick / 2
            p.setBrush(self._theme.color("pressed"))
            p.drawRoundedRect(QRectF(self.rect()), radius, radius)
            # Painted from the longest to the shortest, so that every end is round and none shows a gap.
            ends: list[tuple[float, str]] = []
            total = 0.0
            for share, token in self._parts:
                total = min(1.0, total + max(0.0, share))
                ends.append((total, token))
            for end, token in reversed(ends):
                if end > 0:
                    p.setBrush(self._theme.color(token))
                    width = max(float(self._thick) / 2, end * self.width())
                    p.drawRoundedRect(QRectF(0, 0, width, self.height()), radius, radius)
