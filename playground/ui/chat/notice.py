"""The inline card that says what happened, what is kept, and what to do."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout

from playground.translate import tr
from playground.ui.theme import Theme
from playground.ui.widgets import FlowLayout, IconLabel, Label, TextButton
from playground.workspace.lane import Notice

_LOOK = {"info": ("info", "text-3"), "warn": ("warning", "warn"), "danger": ("warning-circle", "danger")}
_DETAILS_HEIGHT = 150


class NoticeCard(QFrame):
    """One notice. ``acted`` is emitted with the key of the button that was pressed."""

    acted = Signal(str)

    def __init__(self, notice: Notice, theme: Theme) -> None:
        super().__init__()
        self.notice, self._theme = notice, theme
        self.details: QPlainTextEdit | None = None
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(f"{notice.title}. {notice.text}")
        column = QVBoxLayout(self)
        column.setContentsMargins(17, 14, 16, 14)
        column.setSpacing(4)
        icon, tone = _LOOK[notice.level]
        title = QHBoxLayout()
        title.setSpacing(8)
        title.addWidget(IconLabel(theme, icon, 16, tone), 0, Qt.AlignmentFlag.AlignTop)
        title.addWidget(Label(theme, notice.title, 13, weight=600, wrap=True), 1)
        column.addLayout(title)
        text = Label(theme, notice.text, 12, "text-2", wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setVisible(bool(notice.text))
        column.addWidget(text)
        if notice.actions or notice.details:
            column.addSpacing(8)
            column.addLayout(self._buttons())
        theme.changed.connect(self.update)

    def _buttons(self) -> FlowLayout:
        row = FlowLayout(6)
        for action in self.notice.actions:
            button = TextButton(self._theme, tr(action.label), "primary" if action.primary else "plain")
            button.clicked.connect(lambda _=False, key=action.key: self.acted.emit(key))
            row.addWidget(button)
        if self.notice.details:
            details = TextButton(self._theme, tr("Details"), "quiet")
            details.setCheckable(True)
            details.toggled.connect(self._show_details)
            row.addWidget(details)
        return row

    def _show_details(self, on: bool) -> None:
        if self.details is None:
            self.details = self._make_details()
        self.details.setVisible(on)
        self.updateGeometry()

    def _make_details(self) -> QPlainTextEdit:
        text = QPlainTextEdit(self.notice.details)
        text.setReadOnly(True)
        text.setProperty("mono", True)
        text.setProperty("field", True)
        text.setFont(self._theme.font(11, mono=True))
        text.setAccessibleName(tr("Details"))
        lines = self.notice.details.count("\n") + 2
        text.setFixedHeight(min(_DETAILS_HEIGHT, max(56, lines * text.fontMetrics().lineSpacing() + 16)))
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.addSpacing(4)
        layout.addWidget(text)
        return text

    def paintEvent(self, event: QPaintEvent) -> None:
        """The raised card with its coloured edge."""
        _icon, tone = _LOOK[self.notice.level]
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        shape = QPainterPath()
        shape.addRoundedRect(box, 8, 8)
        with QPainter(self) as p:
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            p.fillPath(shape, self._theme.color("raised"))
            p.setPen(self._theme.color("line-strong"))
            p.drawPath(shape)
            p.setClipPath(shape)
            p.fillRect(QRectF(0, 0, 3, self.height()), self._theme.color("line-strong" if tone == "text-3" else tone))
