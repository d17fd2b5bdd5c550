"""A file's tensors as a picture: a bar of its types, and a column for each layer, as high as its bytes."""

from __future__ import annotations

from collections import defaultdict

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from playground.fit.layers import MAX_LAYERS
from playground.models.inspect import Inspected, TensorRow
from playground.translate import later, tr
from playground.ui.theme import Theme, mix
from playground.workspace.words import format_bytes

_SHADES = (1.0, 0.66, 0.42, 0.26, 0.16, 0.1)
"""How much of the grey for data each type gets, the largest first; the rest share the last."""
_BAR, _LEGEND, _LAYERS, _AXIS = 14, 22, 130, 18
_OUTER = (later("embedding"), later("output"))
"""Columns that are no layer."""
_LAYER = "layer "


class TensorPicture(QWidget):
    """Painted; the pointer tells what is under it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._found: Inspected | None = None
        self._columns: list[tuple[str, dict[str, int]]] = []
        """Name of a column (“embedding”, “layer 0”…) and its bytes by type."""
        self._spots: list[tuple[QRectF, str]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    @property
    def columns(self) -> list[tuple[str, dict[str, int]]]:
        """What the picture shows."""
        return self._columns

    def show_file(self, found: Inspected) -> None:
        """Show another file."""
        self._found = found
        columns: dict[str, dict[str, int]] = {}
        for row in sorted(found.tensors, key=_place):
            columns.setdefault(_column(row), defaultdict(int))[row.type] += row.size
        self._columns = [(name, dict(sizes)) for name, sizes in columns.items()]
        types = ", ".join(f"{share.type} {format_bytes(share.size)}" for share in found.types)
        self.setAccessibleName(tr("Tensors by type: {types}", types=types))
        self.update()

    def sizeHint(self) -> QSize:
        """Bar, legend, columns and their axis."""
        return QSize(400, _BAR + _LEGEND + _LAYERS + _AXIS + 12)

    def shade(self, kind: str) -> QColor:
        """A type's shade."""
        types = [share.type for share in self._found.types] if self._found is not None else []
        at = min(types.index(kind) if kind in types else len(_SHADES), len(_SHADES) - 1)
        return mix(self._theme.color("no-lane"), self._theme.color("canvas"), _SHADES[at])

    def event(self, event: QEvent) -> bool:
        """What is under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.text_at(event.pos())
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().event(event)

    def text_at(self, where: QPoint) -> str:
        """What a place of the picture stands for."""
        return next((text for box, text in self._spots if box.contains(where)), "")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bar, legend, columns."""
        self._spots = []
        if self._found is None or not self._found.tensors:
            return
        with QPainter(self) as p:
            p.setFont(self._theme.font(11))
            self._bar(p)
            self._layers(p)

    def _bar(self, p: QPainter) -> None:
        assert self._found is not None
        whole = sum(share.size for share in self._found.types) or 1
        metrics, x, legend = QFontMetrics(self._theme.font(11)), 0.0, 0.0
        for share in self._found.types:
            wide = max(1.0, share.size / whole * self.width())
            box = QRectF(x, 0, max(1.0, wide - 1), _BAR)
            p.fillRect(box, self.shade(share.type))
            said = tr(
                "{type} · {size} · {count:,} × {bits:.3g} bits",
                type=share.type,
                size=format_bytes(share.size),
                count=share.count,
                bits=share.bits,
            )
            self._spots.append((box, said))
            x += wide
            room = metrics.horizontalAdvance(said) + 32
            if legend + room <= self.width():
                p.fillRect(QRectF(legend, _BAR + 9, 9, 9), self.shade(share.type))
                p.setPen(self._theme.color("text-2"))
                p.drawText(QRectF(legend + 14, _BAR + 4, room, 18), Qt.AlignmentFlag.AlignVCenter, said)
                legend += room

    def _layers(self, p: QPainter) -> None:
        most = max(sum(sizes.values()) for _, sizes in self._columns) or 1
        # One large table must not make all layers flat: it is drawn up to twice the largest layer.
        layers = [sum(sizes.values()) for name, sizes in self._columns if name not in _OUTER]
        top = min(most, 2 * max(layers, default=most))
        wide = min(28.0, self.width() / max(1, len(self._columns)))
        base = _BAR + _LEGEND + 8 + _LAYERS
        for number, (name, sizes) in enumerate(self._columns):
            whole = sum(sizes.values())
            scale = min(1.0, top / whole) if whole else 1.0
            y = float(base)
            for kind, size in sorted(sizes.items(), key=lambda item: -item[1]):
                high = size / top * _LAYERS * scale
                p.fillRect(QRectF(number * wide, y - high, max(1.0, wide - 1), high), self.shade(kind))
                y -= high
            parts = ", ".join(f"{kind} {format_bytes(size)}" for kind, size in sizes.items())
            cut = " " + tr("(cut off)") if scale < 1 else ""
            box = QRectF(number * wide, base - _LAYERS, wide, _LAYERS)
            self._spots.append((box, f"{_said(name)}: {format_bytes(whole)}{cut} — {parts}"))
        p.setPen(self._theme.color("text-3"))
        said = tr(
            "{n} columns: {first} … {last}; the highest is {size}",
            n=len(self._columns),
            first=_said(self._columns[0][0]),
            last=_said(self._columns[-1][0]),
            size=format_bytes(most),
        )
        p.drawText(QRectF(0, base + 2, self.width(), _AXIS), Qt.AlignmentFlag.AlignVCenter, said)


def _place(row: TensorRow) -> tuple[int, int]:
    if 0 <= row.layer < MAX_LAYERS:
        return 1, row.layer
    return (0, 0) if row.group == "token_embd" else (2, 0)


def _column(row: TensorRow) -> str:
    if 0 <= row.layer < MAX_LAYERS:
        return f"{_LAYER}{row.layer}"
    return _OUTER[0] if row.group == "token_embd" else _OUTER[1]


def _said(column: str) -> str:
    return tr(column) if column in _OUTER else tr("layer {number}", number=column.removeprefix(_LAYER))
