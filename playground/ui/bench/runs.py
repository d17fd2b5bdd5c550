"""Earlier runs, the newest on top: a click shows one, the button at its right sets it beside the one shown."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QListView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from playground.bench.result import Result
from playground.translate import tr
from playground.ui import icons
from playground.ui.bench.plot import ink
from playground.ui.theme import Theme
from playground.workspace import bench_words as words

_RUN = Qt.ItemDataRole.UserRole
ROW = 46
_BADGE, _BUTTON = 18, 24


class RunRow(QStyledItemDelegate):
    """Two lines: the model and when, its speeds."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.results: Mapping[str, list[Result]] = {}
        self.shown = self.beside = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Two lines high."""
        return QSize(160, ROW)

    def paint(self, p: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Badge, words, button."""
        run, box, theme = str(index.data(_RUN)), option.rect, self._theme
        results = self.results.get(run, [])
        under = bool(option.state & QStyle.StateFlag.State_MouseOver)
        current = bool(option.state & QStyle.StateFlag.State_Selected) and bool(
            option.state & QStyle.StateFlag.State_HasFocus
        )
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        if under or current or run == self.shown:
            p.setPen(theme.color("accent") if current else Qt.PenStyle.NoPen)
            p.setBrush(theme.color("hover"))
            p.drawRoundedRect(QRectF(box).adjusted(0.5, 0.5, -0.5, -1.5), 6, 6)
        number = 0 if run == self.shown else 1 if run == self.beside else None
        if number is not None:
            badge = icons.badge(str(number + 1), ink(theme, number), theme.color("canvas"), _BADGE)
            p.drawPixmap(box.left() + 8, box.top() + 6, badge)
        elif under or current:
            p.drawPixmap(button_box(box).center() - QPoint(7, 7), icons.pixmap("columns", theme.hex("text-2"), 14))
        if number == 1:
            p.drawPixmap(button_box(box).center() - QPoint(7, 7), icons.pixmap("x", theme.hex("text-2"), 14))
        if results:
            self._words(p, box, results, number != 0 and (under or current or number == 1))

    def _words(self, p: QPainter, box: QRect, results: list[Result], button: bool) -> None:
        theme = self._theme
        room = box.adjusted(34, 4, -34 if button else -8, -5)
        top = QRect(room.left(), room.top(), room.width(), 19)
        p.setFont(theme.font(11))
        p.setPen(theme.color("text-3"))
        when = words.short_moment(results[0], time.time())
        width = p.fontMetrics().horizontalAdvance(when)
        p.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when)
        under = QRect(room.left(), room.top() + 19, room.width(), 17)
        shown = " · ".join(part for part in (words.run_tag(results).split(" · ")[0], words.headline(results)) if part)
        p.drawText(under, Qt.AlignmentFlag.AlignVCenter, _fit(p, shown, under.width()))
        p.setFont(theme.font(12))
        p.setPen(theme.color("text-1"))
        name = top.adjusted(0, 0, -width - 8, 0)
        p.drawText(name, Qt.AlignmentFlag.AlignVCenter, _fit(p, words.run_title(results), name.width()))


def button_box(row: QRect) -> QRect:
    """Where the compare button of a row is."""
    return QRect(row.right() - _BUTTON - 4, row.top() + (row.height() - _BUTTON) // 2, _BUTTON, _BUTTON)


def _fit(p: QPainter, text: str, width: int) -> str:
    return p.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, width)


class RunList(QListView):
    """Enter shows a run, Space sets it beside the one shown, Delete forgets it."""

    show_wanted = Signal(str)
    beside_wanted = Signal(str)
    """Empty: nothing is to stand beside."""
    forget_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._row = RunRow(theme)
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.setItemDelegate(self._row)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.viewport().setAutoFillBackground(False)
        self.setStyleSheet("QListView { background: transparent; }")
        self.setAccessibleName(tr("Earlier runs"))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        theme.changed.connect(self.viewport().update)

    def show_runs(self, runs: Mapping[str, list[Result]], shown: str, beside: str) -> None:
        """List these runs; ``shown`` has the badge 1, ``beside`` the badge 2."""
        self._row.results, self._row.shown, self._row.beside = runs, shown, beside
        have = [str(self._items.item(row).data(_RUN)) for row in range(self._items.rowCount())]
        if have != list(runs):
            here = self.currentIndex().data(_RUN)
            self._items.clear()
            for run in runs:
                item = QStandardItem()
                item.setData(run, _RUN)
                self._items.appendRow(item)
            if here in runs:
                self.setCurrentIndex(self._items.index(list(runs).index(str(here)), 0))
        for row, results in enumerate(runs.values()):
            text = f"{words.run_title(results)}, {words.moment(results[0])}, {words.headline(results)}"
            if self._items.item(row).text() != text:
                self._items.item(row).setText(text)
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click shows a run; on its button, or with Ctrl, it is set beside the one shown."""
        super().mouseReleaseEvent(event)
        where = event.position().toPoint()
        index = self.indexAt(where)
        if not index.isValid() or event.button() != Qt.MouseButton.LeftButton:
            return
        run = str(index.data(_RUN))
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if run != self._row.shown and (ctrl or button_box(self.visualRect(index)).contains(where)):
            self._toggle_beside(run)
        else:
            self.show_wanted.emit(run)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, Space, Delete; arrows move."""
        index = self.currentIndex()
        run = str(index.data(_RUN)) if index.isValid() else ""
        if run and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.show_wanted.emit(run)
        elif run and event.key() == Qt.Key.Key_Space and run != self._row.shown:
            self._toggle_beside(run)
        elif run and event.key() == Qt.Key.Key_Delete:
            self.forget_wanted.emit(run)
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """The button under the mouse says what it does."""
        if event.type() == QEvent.Type.ToolTip:
            where = self.viewport().mapFromGlobal(self.cursor().pos())
            index = self.indexAt(where)
            over = index.isValid() and button_box(self.visualRect(index)).contains(where)
            beside = index.data(_RUN) == self._row.beside
            tip = (
                (tr("Compare no longer") if beside else tr("Compare with the run shown (Ctrl+click, Space)"))
                if over
                else ""
            )
            self.setToolTip(tip or (str(index.data(Qt.ItemDataRole.DisplayRole)) if index.isValid() else ""))
        return super().viewportEvent(event)

    def _toggle_beside(self, run: str) -> None:
        self.beside_wanted.emit("" if run == self._row.beside else run)

    def _menu(self, where: QPoint) -> None:
        index = self.indexAt(where)
        if not index.isValid():
            return
        run = str(index.data(_RUN))
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("Show"), lambda: self.show_wanted.emit(run))
        if run != self._row.shown:
            beside = run == self._row.beside
            menu.addAction(tr("Compare no longer") if beside else tr("Compare"), lambda: self._toggle_beside(run))
        menu.addSeparator()
        menu.addAction(tr("Forget this run"), lambda: self.forget_wanted.emit(run))
        menu.popup(self.viewport().mapToGlobal(where))
