"""One lane on screen: header, transcript, first page, notices."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from playground.ui.chat.first_run import FirstRun
from playground.ui.chat.lane_header import LaneHeader
from playground.ui.chat.notice import NoticeCard
from playground.ui.chat.transcript import Transcript
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.lane import Lane, Notice
from playground.workspace.workspace import Workspace


class LaneView(QWidget):
    """Composes the pieces of one lane."""

    def __init__(self, lane: Lane, workspace: Workspace, theme: Theme, clock: FrameClock) -> None:
        super().__init__()
        self.lane = lane
        self._workspace = workspace
        self._theme = theme
        self._notice: Notice | None = None
        self.setProperty("surface", "canvas")
        self.setMinimumWidth(300)
        self.header = LaneHeader(lane, workspace, theme, clock)
        self.header.copied.connect(workspace.told.emit)
        self.transcript = Transcript(lane, workspace, theme, clock)
        self.transcript.link_clicked.connect(lambda address: QDesktopServices.openUrl(QUrl(address)))
        self.first_run = FirstRun(lane, workspace, theme)
        self.transcript.set_empty(self.first_run)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.transcript, 1)
        bind(self, lane.changed, self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        notice = self.lane.notice
        if notice == self._notice:
            return
        self._notice = notice
        if notice is None:
            self.transcript.set_footer(None)
            return
        card = NoticeCard(notice, self._theme)
        card.acted.connect(lambda key: self._workspace.act(self.lane.letter, key))
        self.transcript.set_footer(card)
