"""Whose settings the panel shows: badge, model, what is changed; with several lanes, switches and a link."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QWidget

from playground.translate import later, tr, tr_n
from playground.ui import icons
from playground.ui.labels import ElidedLabel
from playground.ui.sampling.ports import LaneFollower, PanelWorkspace, active_lane
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.workspace.words import join_letters


class LaneSwitch(QAbstractButton):
    """A lane's badge as a button: full when its settings are shown, else an outline."""

    def __init__(self, theme: Theme, letter: str) -> None:
        super().__init__()
        self._theme, self.letter = theme, letter
        self.setCheckable(True)
        self.setFixedSize(24, 24)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setAccessibleName(tr("Settings of lane {letter}", letter=letter))
        self.setToolTip(tr("Settings of lane {letter}", letter=letter))
        theme.changed.connect(self.update)

    def nextCheckState(self) -> None:
        """The workspace decides which lane is active."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Badge or outline, focus ring."""
        theme, box = self._theme, QRectF(3, 3, 18, 18)
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.isChecked():
                image = icons.badge(self.letter, theme.lane(self.letter), theme.color("canvas"))
                p.drawPixmap(box.topLeft(), image)
            else:
                p.setPen(QPen(theme.lane(self.letter), 1))
                p.setBrush(theme.color("hover") if self.underMouse() else Qt.BrushStyle.NoBrush)
                p.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
                p.setFont(theme.font(11, 600))
                p.setPen(theme.color("text-1") if self.underMouse() else theme.lane(self.letter))
                p.drawText(box, Qt.AlignmentFlag.AlignCenter, self.letter)
            if self.hasFocus():
                p.setPen(QPen(theme.color("accent"), 2))
                p.setBrush(Qt.BrushStyle.NoBrush)
                p.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)


class LinkToggle(QAbstractButton):
    """“same in B C”: while it is on, a change goes to those lanes as well."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.letters: list[str] = []
        self.setCheckable(True)
        self.setFont(theme.font(11))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.toggled.connect(lambda _on: self._tell())
        theme.changed.connect(self.update)

    def set_letters(self, letters: list[str]) -> None:
        """The other lanes."""
        self.letters = letters
        if not letters:
            self.setChecked(False)
        self._tell()
        self.updateGeometry()
        self.update()

    def _tell(self) -> None:
        n, letters = len(self.letters), join_letters(self.letters)
        self.setAccessibleName(tr_n(n, "Same in lane {letters}", "Same in lanes {letters}", letters=letters))
        if self.isChecked():
            one, many = later("Changes also go to lane {letters}."), later("Changes also go to lanes {letters}.")
        else:
            one, many = (
                later("Click to change lane {letters} as well."),
                later("Click to change lanes {letters} as well."),
            )
        self.setToolTip(tr_n(n, one, many, letters=letters))

    def _words(self) -> str:
        return tr("same in") if len(self.letters) < 3 else ""

    def sizeHint(self) -> QSize:
        """Icon, words, badges."""
        words = self.fontMetrics().horizontalAdvance(self._words()) + 5 if self._words() else 0
        return QSize(18 + words + 17 * len(self.letters) + 4, 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bright when on."""
        theme, on = self._theme, self.isChecked()
        token = "text-1" if on or self.underMouse() else "text-3"
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            if on or self.hasFocus():
                p.setPen(QPen(theme.color("accent"), 2) if self.hasFocus() else Qt.PenStyle.NoPen)
                p.setBrush(theme.color("hover") if on else Qt.BrushStyle.NoBrush)
                p.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
            p.drawPixmap(3, 5, icons.pixmap("link", theme.hex(token), 14))
            x = 20
            if self._words():
                p.setPen(theme.color(token))
                p.drawText(QRectF(x, 0, 80, 24), Qt.AlignmentFlag.AlignVCenter, self._words())
                x += self.fontMetrics().horizontalAdvance(self._words()) + 5
            p.setOpacity(1.0 if on else 0.55)
            for letter in self.letters:
                p.drawPixmap(x, 5, icons.badge(letter, theme.lane(letter), theme.color("canvas"), 14))
                x += 17


class LaneHead(QWidget):
    """The line under the segments."""

    linked_changed = Signal()

    def __init__(self, workspace: PanelWorkspace, theme: Theme) -> None:
        super().__init__()
        self._workspace, self._theme = workspace, theme
        self._switches: list[LaneSwitch] = []
        self._sampling = True
        self.setFixedHeight(28)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(9, 0, 12, 0)
        self._row.setSpacing(0)
        self.model = ElidedLabel(theme, "", 12, "text-2")
        self.status = QLabel()
        mark(self.status, tone="3", size="meta")
        self.link = LinkToggle(theme)
        self.link.toggled.connect(lambda _on: self.linked_changed.emit())
        self._row.addSpacing(5)
        self._row.addWidget(self.model)
        self._row.addStretch(1)
        self._row.addWidget(self.status)
        self._row.addWidget(self.link)
        self._follower = LaneFollower(self, workspace, self.refresh, changed=self.refresh)
        self.refresh()

    @property
    def letters(self) -> list[str]:
        """The lanes a change goes to, the active one first."""
        return [active_lane(self._workspace).letter, *(self.link.letters if self.link.isChecked() else [])]

    def set_status(self, text: str) -> None:
        """“as shipped”, “3 changed”."""
        self.status.setText(text)

    def show_sampling(self, on: bool) -> None:
        """State and link belong to sampling; the other tabs don't show them."""
        self._sampling = on
        self._show_right()

    def _show_right(self) -> None:
        several = len(self._workspace.lanes) > 1
        self.status.setVisible(self._sampling and not several)
        self.link.setVisible(self._sampling and several)

    def refresh(self) -> None:
        """Show lanes and the active lane's model."""
        lane = active_lane(self._workspace)
        letters = [other.letter for other in self._workspace.lanes]
        if letters != [switch.letter for switch in self._switches]:
            self._rebuild(letters)
        for switch in self._switches:
            switch.setChecked(switch.letter == lane.letter)
        self.link.set_letters([letter for letter in letters if letter != lane.letter])
        self._show_right()
        if lane.model is None:
            self.model.setText(tr("no model"))
        else:
            self.model.setText(" · ".join(filter(None, (lane.model.name, lane.model.quant))))

    def _rebuild(self, letters: list[str]) -> None:
        for switch in self._switches:
            self._row.removeWidget(switch)
            switch.deleteLater()
        self._switches = [LaneSwitch(self._theme, letter) for letter in letters]
        for place, switch in enumerate(self._switches):
            switch.clicked.connect(lambda _=False, letter=switch.letter: self._workspace.set_active(letter))
            self._row.insertWidget(place, switch)
