"""The table under three or more lanes: their figures beside each other, the best of each marked."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from playground.translate import tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, LaneWatch
from playground.workspace.compare import COLUMNS, Column, best, ended
from playground.workspace.lane import Lane
from playground.workspace.workspace import Workspace

ROW = 28
HEAD = 28
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class CompareTable(QWidget):
    """Painted rows, one per lane; repainted at the frame clock."""

    def __init__(self, workspace: Workspace, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self._workspace = workspace
        self._theme = theme
        self._clock = clock
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._watch = LaneWatch(self, workspace, self._changed, self._mark)
        theme.changed.connect(self.update)
        self._changed()

    def sizeHint(self) -> QSize:
        """A head and a row per lane."""
        return QSize(480, HEAD + ROW * len(self._workspace.lanes))

    def minimumSizeHint(self) -> QSize:
        """Its full height, whatever the width."""
        return QSize(320, self.sizeHint().height())

    def _changed(self) -> None:
        self.updateGeometry()
        self.setAccessibleName(self._words())
        self._mark()

    def _mark(self) -> None:
        if self.isVisible():
            self._clock.mark(self, self.update)

    def _words(self) -> str:
        return "; ".join(
            ", ".join(
                [
                    tr("Lane {letter}", letter=lane.letter),
                    *(f"{tr(c.title)} {text}" for c in COLUMNS if (text := _text(c, lane))),
                ]
            )
            for lane in self._workspace.lanes
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Head, lines, rows."""
        lanes = self._workspace.lanes
        theme = self._theme
        marks = {column.title: best(column, lanes) for column in COLUMNS}
        right = self.width() - 12
        ended_x = right - 96
        model_x = 44
        step = (ended_x - 24 - max(220, self.width() * 0.22) - model_x) / len(COLUMNS)
        first = ended_x - 24 - step * len(COLUMNS)
        with QPainter(self) as p:
            p.fillRect(self.rect(), theme.color("canvas"))
            p.fillRect(0, 0, self.width(), 1, theme.color("line"))
            p.setFont(theme.font(11))
            p.setPen(theme.color("text-3"))
            p.drawText(QRectF(12, 0, 40, HEAD), _LEFT, tr("Lane"))
            p.drawText(QRectF(model_x + 8, 0, 200, HEAD), _LEFT, tr("Model"))
            for index, column in enumerate(COLUMNS):
                p.drawText(QRectF(first + index * step, 0, step, HEAD), _RIGHT, tr(column.title))
            p.drawText(QRectF(ended_x, 0, right - ended_x, HEAD), _RIGHT, tr("Ended"))
            for row, lane in enumerate(lanes):
                top = HEAD + row * ROW
                p.fillRect(0, top, self.width(), 1, theme.color("line"))
                badge = icons.badge(lane.letter, theme.lane(lane.letter), theme.color("canvas"))
                p.drawPixmap(QPointF(12, top + 5), badge)
                p.setFont(theme.font(12))
                p.setPen(theme.color("text-1"))
                name = (
                    " · ".join(part for part in (lane.model.name, lane.model.quant) if part)
                    if lane.model
                    else tr("no model")
                )
                room = QRectF(model_x + 8, top, first - model_x, ROW)
                p.drawText(
                    room,
                    _LEFT,
                    p.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room.width())),
                )
                for index, column in enumerate(COLUMNS):
                    self._cell(
                        p,
                        QRectF(first + index * step, top, step, ROW),
                        _text(column, lane),
                        marks[column.title] is lane,
                    )
                p.setFont(theme.font(12))
                p.setPen(theme.color("text-3"))
                p.drawText(QRectF(ended_x, top, right - ended_x, ROW), _RIGHT, ended(lane))

    def _cell(self, p: QPainter, box: QRectF, text: str, is_best: bool) -> None:
        p.setFont(self._theme.font(12, 600 if is_best else 400))
        p.setPen(self._theme.color("text-1"))
        p.drawText(box, _RIGHT, text)
        if is_best:
            x = box.right() - p.fontMetrics().horizontalAdvance(text) - 9
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.setPen(Qt.PenStyle.NoPen)
            p.setBrush(self._theme.color("text-2"))
            p.drawEllipse(QPointF(x, box.center().y()), 2.5, 2.5)


def _text(column: Column, lane: Lane) -> str:
    value = column.read(lane)
    return column.show(value) if value is not None else "–"
