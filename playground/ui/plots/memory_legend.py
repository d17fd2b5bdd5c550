"""The memory plot's legend: swatch, name and value; a click hides or shows the part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.translate import tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.ui.widgets import PaintedButton

ROW = 19
WIDTH = 150
_GAP = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the legend."""

    key: str
    """What a click hides: a part's name, or an engine's letters; empty: a click does nothing."""
    letters: str
    """Lanes whose badge stands in place of a swatch; empty: a swatch."""
    label: str
    value: str
    tip: str
    tint: str = ""
    """The part of memory whose tint the swatch has; empty: the dashed line of what is free."""
    lane: str = ""
    """Whose tint."""
    of: str = ""
    """What the value is a part of, where there is room: “of 0.19”."""
    line: str = "dashed"
    """How the plot draws what has no tint: ``dashed``, ``dotted``; empty: not at all."""


class MemoryLegend(QWidget):
    """Entries in a column, or in one line where the pane is narrow; what does not fit is left out."""

    toggled = Signal(str)
    """The key whose entry was clicked."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lying = False
        self.rows: list[LegendRow] = []
        self.set_lying(False)

    def set_lying(self, lying: bool) -> None:
        """In one line under the head, or in a column beside the plot."""
        self._lying = lying
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding if lying else policy.Fixed, policy.Fixed if lying else policy.Expanding)
        for row in self.rows:
            row.compact, row.bare = lying, False
        self.updateGeometry()
        self._place()

    def sizeHint(self) -> QSize:
        """A column beside the plot, or one line."""
        return QSize(200, ROW) if self._lying else QSize(WIDTH, ROW * 5)

    def minimumSizeHint(self) -> QSize:
        """Entries that don't fit are left out."""
        return QSize(0, ROW) if self._lying else QSize(WIDTH, 0)

    def show_parts(self, parts: Sequence[Part], hidden: frozenset[str]) -> None:
        """Show other entries or values."""
        while len(self.rows) < len(parts):
            row = LegendRow(self._theme, self)
            row.clicked.connect(lambda _=False, row=row: self._clicked(row))
            row.compact = self._lying
            self.rows.append(row)
        for row in self.rows[len(parts) :]:
            row.setParent(None)
            row.deleteLater()
        self.rows = self.rows[: len(parts)]
        changed = [row.show_part(part, part.key in hidden) for row, part in zip(self.rows, parts, strict=True)]
        if any(changed):
            self._place()

    def _clicked(self, row: LegendRow) -> None:
        if row.part.key:
            self.toggled.emit(row.part.key)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place what fits."""
        self._place()

    def _place(self) -> None:
        # Where the names don't fit, swatches and values alone still do; tooltips have the names.
        bare = sum(row.wanted(False) + _GAP for row in self.rows) - _GAP > self.width()
        tight = sum(row.wanted(True) + _GAP for row in self.rows if row.part.key) - _GAP > self.width()
        x = 0
        for index, row in enumerate(self.rows):
            if self._lying:
                row.bare = bare
                width = row.wanted(bare)
                row.setGeometry(x, 0, width, ROW)
                row.setVisible(x + width <= self.width())
                x += width + (0 if tight else _GAP)
            else:
                row.setGeometry(0, index * ROW, self.width(), ROW)
                row.setVisible((index + 1) * ROW <= self.height() + 4)


class LegendRow(PaintedButton):
    """One entry."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme)
        self.setParent(parent)
        self.compact = self.bare = False
        self.off = False
        self.part = Part("", "", "", "", "")
        self._quiet, self._strong = theme.font(11), theme.font(11, 600)

    def show_part(self, part: Part, off: bool) -> bool:
        """Show another entry; whether anything changed."""
        if (part, off) == (self.part, self.off):
            return False
        self.part, self.off = part, off
        self.setToolTip(part.tip)
        name = f"{' '.join(part.letters)} {part.label}".strip()
        value = f"{part.value} {part.of}".rstrip()
        self.setAccessibleName(f"{name}: {value} GB{tr(', hidden') if off else ''}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if part.key else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if part.key else Qt.CursorShape.ArrowCursor)
        self.update()
        return True

    def wanted(self, bare: bool) -> int:
        """Width in one line: mark, short name unless bare, value."""
        label = "" if bare or self.part.letters else self._short()
        words = f"{label} " if label else ""
        inset = 5 if bare else 8
        return self._mark_width() + inset + QFontMetrics(self._strong).horizontalAdvance(words + self.part.value) + 5

    def _short(self) -> str:
        short = {"kv": "KV", "rest": tr("Rest")}
        return short.get(self.part.key, self.part.label)

    def _label(self) -> str:
        if not self.compact:
            return self.part.label
        return "" if self.part.letters or self.bare else self._short()

    def _mark_width(self) -> int:
        return 15 * len(self.part.letters) or 11

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill, mark, words."""
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            hover = bool(self.part.key) and self.underMouse()
            if self._ring or hover:
                self.paint_box(p, self._theme.color("hover" if hover else "canvas"), 4)
            p.setOpacity(0.4 if self.off else 1)
            self._paint_mark(p)
            p.setOpacity(1)
            self._paint_words(p)

    def _paint_mark(self, p: QPainter) -> None:
        theme, part, middle = self._theme, self.part, self.height() / 2
        if part.letters:
            for index, letter in enumerate(part.letters):
                badge = icons.badge(letter, theme.lane(letter), theme.color("canvas"), 14)
                p.drawPixmap(2 + 15 * index, round(middle - 7), badge)
        elif part.tint:
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(theme.memory_part(part.lane, part.tint))
            p.drawRoundedRect(QRectF(2, middle - 4.5, 9, 9), 2, 2)
        elif part.line:
            pen = QPen(theme.color("text-2"), 1.5, Qt.PenStyle.CustomDashLine)
            pen.setDashPattern([2.5, 1.5] if part.line == "dashed" else [1, 1.5])
            p.setPen(pen)
            p.drawLine(QLineF(2, middle, 12, middle))

    def _paint_words(self, p: QPainter) -> None:
        left = self._mark_width() + (5 if self.bare else 8)
        box = QRectF(left, 0, self.width() - left - 3, self.height())
        middle = Qt.AlignmentFlag.AlignVCenter
        p.setFont(self._strong)
        p.setPen(self._theme.color("disabled" if self.off else "text-1"))
        width = p.fontMetrics().horizontalAdvance(self.part.value)
        of = "" if self.compact else self.part.of
        beside = QFontMetrics(self._quiet).horizontalAdvance(f" {of}") if of else 0
        p.drawText(box.adjusted(0, 0, -beside, 0), middle | Qt.AlignmentFlag.AlignRight, self.part.value)
        room = int(box.width() - width - beside - 4)
        p.setFont(self._quiet)
        p.setPen(self._theme.color("disabled" if self.off else "text-3"))
        p.drawText(box, middle | Qt.AlignmentFlag.AlignRight, of)
        p.setPen(self._theme.color("disabled" if self.off else "text-2"))
        shown = p.fontMetrics().elidedText(self._label(), Qt.TextElideMode.ElideRight, max(0, room))
        p.drawText(box, middle | Qt.AlignmentFlag.AlignLeft, shown)
