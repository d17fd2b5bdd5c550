"""The box that says in which order the chain really runs, and copies it as llama.cpp flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from playground.settings.sampling import stages_in_force
from playground.translate import tr
from playground.ui import icons
from playground.ui.sampling.chain_flags import command_line
from playground.ui.style import mark
from playground.ui.theme import Theme

_COPIED_MS = 1500


class ChainOrder(QFrame):
    """Stages in force bright, the others dim."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._values: Mapping[str, Any] = {}
        self._order: list[str] = []
        self._shown: tuple[str, str] = ("", "")
        mark(self, card="box")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 8, 8)
        column.setSpacing(2)
        head = QHBoxLayout()
        title = QLabel(tr("Chain order"))
        mark(title, size="meta", tone="2")
        self.copy = QPushButton(tr("llama.cpp flags"))
        mark(self.copy, kind="quiet", small="true", tiny="true")
        self.copy.setIconSize(QSize(14, 14))
        self.copy.setToolTip(tr("Copy these settings as flags of llama.cpp’s tools"))
        self.copy.clicked.connect(self._copy)
        head.addWidget(title)
        head.addStretch()
        head.addWidget(self.copy)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        mark(self.text, size="meta", tone="3")
        column.addLayout(head)
        column.addWidget(self.text)
        self._back = QTimer(self)
        self._back.setSingleShot(True)
        self._back.setInterval(_COPIED_MS)
        self._back.timeout.connect(lambda: self.copy.setText(tr("llama.cpp flags")))
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_chain(self, values: Mapping[str, Any], order: Sequence[str]) -> None:
        """Values and order of the lane's chain."""
        self._values, self._order = dict(values), list(order)
        self._write()

    @property
    def command_line(self) -> str:
        """What the button copies."""
        return command_line(self._values, self._order)

    def _write(self) -> None:
        force = stages_in_force(self._values, self._order)
        mirostat = "mirostat" in force
        names = force if mirostat else self._order
        bright, dim = self._theme.hex("text-1"), self._theme.hex("text-3")
        spans = [f'<span style="color:{bright if name in force else dim}">{escape(name)}</span>' for name in names]
        text = f' <span style="color:{dim}">›</span> '.join(spans) or tr("no sampler at all")
        if mirostat:
            text += f'<br><span style="color:{dim}">{tr("Mirostat takes the place of the others.")}</span>'
        wanted = (text, " › ".join(names))
        if wanted != self._shown:
            self._shown = wanted
            self.text.setText(text)
            self.text.setAccessibleName(tr("In force: {force}", force=", ".join(force) or tr("none")))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command_line)
        self.copy.setText(tr("Copied"))
        self._back.start()

    def _restyle(self) -> None:
        self.copy.setIcon(icons.icon(self._theme, "copy", 14))
        self._shown = ("", "")
        if self._order:
            self._write()
