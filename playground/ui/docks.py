"""Where the panes of the chat page stand: columns beside the chat, the plots around it, sizes, overlays."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect, Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from playground.ui.layouts import Column, Layout, Layouts, PlotsAt
from playground.ui.side_pane import SidePane

OVERLAY_BELOW = 1100
"""Window width in pixels under which sidebar and panel lie over the centre."""
ROOMY = 1400
"""Window width from which panes are as wide as they like."""


class Docks(QObject):
    """Arranges three columns (sidebar, chat, panel) and the plots within the middle one."""

    def __init__(self, sidebar: QWidget, panel: QWidget, talk: QWidget, plots: QWidget, readout: QWidget) -> None:
        """``talk`` is the chat itself, ``readout`` what stands under it where there is no room for plots."""
        holder = QWidget()
        super().__init__(holder)
        self.layouts = Layouts()
        self.page = holder
        self.plots = plots
        self.centre = QSplitter(Qt.Orientation.Vertical)
        self.centre.setChildrenCollapsible(False)
        self.centre.addWidget(talk)
        self.centre.addWidget(plots)
        self.centre.setSizes([640, 218])
        self.middle = QWidget()
        rows = QVBoxLayout(self.middle)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.centre, 1)
        rows.addWidget(readout)
        self.middle.setMinimumWidth(480)
        self.body = QSplitter(Qt.Orientation.Horizontal)
        self.body.setChildrenCollapsible(False)
        self.body.addWidget(self.middle)
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.body)
        self.left = SidePane(sidebar, holder, self.body, "left")
        self.right = SidePane(panel, holder, self.body, "right")
        self.columns: dict[Column, QWidget] = {"sidebar": sidebar, "chat": self.middle, "panel": panel}
        self._dock: tuple[str, int] | None = None
        """Where the plots stand and how large, as last set."""
        self.body.splitterMoved.connect(lambda *_: self._sides_moved())
        self.centre.splitterMoved.connect(lambda *_: self._dock_moved())

    def forget_sizes(self) -> None:
        """The plots are others now: give them their room anew."""
        self._dock = None

    def arrange(self, lanes: int, width: int) -> None:
        """Dock the columns in the layout's order, or lay the outer ones over the chat where room is short."""
        layout = self.layouts.now
        small, roomy = width < OVERLAY_BELOW, width >= ROOMY
        chat = layout.columns.index("chat")
        for name, pane, wanted in (("sidebar", self.left, layout.sidebar), ("panel", self.right, layout.panel)):
            pane.stand("left" if layout.columns.index(name) < chat else "right", wanted)
        self.left.arrange(small or lanes >= 3, layout.sidebar_size or (240 if roomy else 200))
        self.right.arrange(small or (lanes >= 3 and not roomy), layout.panel_size or (312 if roomy else 280))
        self._order(layout)
        self._size_columns(width)

    def place_plots(self, layout: Layout, height: int, splitter: QSplitter | None) -> None:
        """Put the plots where the layout wants them; ``splitter`` parts them, ``height`` is the window's."""
        across = layout.plots_at in ("before", "beside")
        usual = 360 if across else 218 if height >= 860 else 180
        stands = (layout.plots_at, layout.plots_size or usual)
        if stands == self._dock:
            return
        self._dock = stands
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.centre.setOrientation(horizontal if across else vertical)
        if splitter is not None:
            splitter.setOrientation(vertical if across else horizontal)
        first = layout.plots_at in ("above", "before")
        self.centre.insertWidget(0 if first else 1, self.plots)
        whole = self.centre.width() if across else self.centre.height()
        sizes = [max(1, whole - stands[1]), stands[1]]
        self.centre.setSizes(sizes[::-1] if first else sizes)
        self.centre.setStretchFactor(0, 0 if first else 1)
        self.centre.setStretchFactor(1, 1 if first else 0)

    def is_overlay(self, pane: QWidget | None) -> bool:
        """Whether the pane lies over the chat, so that it stands nowhere."""
        sides = (self.left, self.right)
        return any(side.widget is pane and side.overlaid for side in sides)

    # Where a dragged pane would land; all in coordinates of `page`.

    def columns_at(self, name: Column, x: int) -> tuple[Column, ...]:
        """The order of columns if a pane were dropped here."""
        order = [column for column in self.layouts.now.columns if column != name]
        shown = [column for column in order if self._stands(self.columns[column])]
        mirrored = self.page.isRightToLeft()
        before = [c for c in shown if (self._box(c).center().x() < x) != mirrored]
        at = order.index(before[-1]) + 1 if before else 0
        order.insert(at, name)
        return tuple(order)

    def column_mark(self, name: Column, x: int) -> QRect:
        """The area that the pane would take."""
        order = self.columns_at(name, x)
        width = self.columns[name].width()
        following = [c for c in order[order.index(name) + 1 :] if self._stands(self.columns[c])]
        page, mirrored = self.page.rect(), self.page.isRightToLeft()
        if not following:
            edge = page.left() if mirrored else page.right() - width
        else:
            box = self._box(following[0])
            edge = box.right() - width if mirrored else box.left()
        return QRect(max(0, min(edge, page.width() - width)), 0, width, page.height())

    def plots_at(self, at: QPoint) -> PlotsAt:
        """The side of the chat that is nearest."""
        box = self._box("chat")
        x = (at.x() - box.left()) / max(1, box.width())
        y = (at.y() - box.top()) / max(1, box.height())
        if self.page.isRightToLeft():
            x = 1 - x
        sides: dict[PlotsAt, float] = {"before": x, "beside": 1 - x, "above": y, "below": 1 - y}
        return min(sides, key=lambda side: sides[side])

    def plots_mark(self, at: QPoint) -> QRect:
        """The area that the plots would take."""
        where, box = self.plots_at(at), self._box("chat")
        across = where in ("before", "beside")
        size = min(360 if across else 218, (box.width() if across else box.height()) // 2)
        first = (where in ("above", "before")) != (across and self.page.isRightToLeft())
        if across:
            return QRect(box.left() if first else box.right() - size + 1, box.top(), size, box.height())
        return QRect(box.left(), box.top() if first else box.bottom() - size + 1, box.width(), size)

    # Inside.

    def _stands(self, pane: QWidget) -> bool:
        return self.body.indexOf(pane) >= 0 and not pane.isHidden()

    def _box(self, column: Column) -> QRect:
        pane = self.columns[column]
        return QRect(pane.mapTo(self.page, QPoint(0, 0)), pane.size())

    def _order(self, layout: Layout) -> None:
        docked = [self.columns[name] for name in layout.columns if self.body.indexOf(self.columns[name]) >= 0]
        for index, pane in enumerate(docked):
            if self.body.indexOf(pane) != index:
                self.body.insertWidget(index, pane)

    def _size_columns(self, width: int) -> None:
        """Give the docked panes their width and the centre the rest."""
        docked = [self.body.widget(index) for index in range(self.body.count())]
        fixed: dict[QWidget | None, int] = {
            self.columns["sidebar"]: self.left.width,
            self.columns["panel"]: self.right.width,
        }
        taken = sum(wide for pane, wide in fixed.items() if pane in docked and pane is not None and not pane.isHidden())
        for index, pane in enumerate(docked):
            self.body.setStretchFactor(index, 0 if pane in fixed else 1)
        self.body.setSizes([fixed.get(pane, width - taken) for pane in docked])

    def _dock_moved(self) -> None:
        size = self.centre.sizes()[self.centre.indexOf(self.plots)]
        self.layouts.change(plots_size=size)
        self._dock = (self.layouts.now.plots_at, size)

    def _sides_moved(self) -> None:
        sizes = {self.body.widget(i): size for i, size in enumerate(self.body.sizes()) if size}
        was = self.layouts.now
        self.layouts.change(
            sidebar_size=sizes.get(self.columns["sidebar"], was.sidebar_size),
            panel_size=sizes.get(self.columns["panel"], was.panel_size),
        )
