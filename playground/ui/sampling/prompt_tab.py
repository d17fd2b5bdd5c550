"""The system prompt, thinking, and the prompt exactly as the model sees it."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from playground.translate import later, tr
from playground.ui.sampling.ports import LaneFollower, PanelWorkspace, active_lane
from playground.ui.sampling.scroll import PADDING, heading, rule, sentence
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, IconButton, SegmentedControl
from playground.workspace.lane import Lane

_WRITE_AFTER_MS = 400
_LONGEST = 60_000
"""Characters of the rendered prompt that are shown; the middle of a longer one is left out."""
NO_TEMPLATE = later("This model has no chat template: the turns are joined as they are and completed as plain text.")


class SystemEditor(QPlainTextEdit):
    """Tells when the focus leaves, so that nothing typed is lost."""

    left = Signal()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell."""
        super().focusOutEvent(event)
        self.left.emit()


class PromptTab(QWidget):
    """Asks for the rendered prompt only while it can be seen."""

    def __init__(self, workspace: PanelWorkspace, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock = workspace, theme, clock
        self._letter = ""
        self._asked = 0
        self.system = SystemEditor()
        self.rendered = QPlainTextEdit()
        self.tokens = QLabel()
        self.note = sentence(size="small", tone="2")
        self.think = SegmentedControl(
            theme,
            [
                ("auto", tr("Auto"), tr("As the model’s template says")),
                ("on", tr("On"), tr("Think before answering")),
                ("off", tr("Off"), tr("Answer at once")),
            ],
            tr("Thinking"),
        )
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_WRITE_AFTER_MS)
        self._delay.timeout.connect(self.write_system)
        self._build()
        self._follower = LaneFollower(self, workspace, self._switched, changed=self._mark, path_changed=self._mark)
        self.refresh()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(PADDING, 0, PADDING, PADDING)
        column.setSpacing(4)
        column.addWidget(heading(self._theme, tr("System prompt"), tr("from the next turn on")))
        self.system.setFont(self._theme.font(12))
        self.system.setPlaceholderText(tr("None. What the model should always keep in mind, e.g. “Answer briefly.”"))
        self.system.setAccessibleName(tr("System prompt"))
        self.system.setTabChangesFocus(True)
        self.system.setMinimumHeight(64)
        mark(self.system, field="true")
        self.system.textChanged.connect(self._delay.start)
        self.system.left.connect(self.write_system)
        column.addWidget(self.system, 2)
        column.addWidget(self._think_row())
        column.addSpacing(4)
        column.addWidget(rule())
        column.addWidget(self._seen_head())
        column.addWidget(self.note)
        self.rendered.setReadOnly(True)
        self.rendered.setFont(self._theme.font(12, mono=True))
        self.rendered.setAccessibleName(tr("The prompt as the model sees it"))
        self.rendered.setTabChangesFocus(True)
        mark(self.rendered, field="true", sunken="true")
        column.addWidget(self.rendered, 5)

    def _think_row(self) -> QWidget:
        self._thinking = QWidget()
        row = QHBoxLayout(self._thinking)
        row.setContentsMargins(0, 4, 0, 0)
        label = QLabel(tr("Thinking"))
        mark(label, size="small")
        row.addWidget(label)
        row.addStretch()
        row.addWidget(self.think)
        self.think.chosen.connect(self._think)
        return self._thinking

    def _seen_head(self) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 4, 0, 0)
        title = QLabel(tr("As the model sees it"))
        mark(title, size="meta", tone="2")
        mark(self.tokens, size="meta", tone="3")
        copy = IconButton(self._theme, "copy", tr("Copy the prompt"), size=24)
        copy.clicked.connect(self._copy)
        row.addWidget(title)
        row.addStretch()
        row.addWidget(self.tokens)
        row.addWidget(copy)
        return made

    @property
    def _lane(self) -> Lane:
        return active_lane(self._workspace)

    # From the user

    def write_system(self) -> None:
        """Hand the system prompt to the workspace now."""
        self._delay.stop()
        lane = next((lane for lane in self._workspace.lanes if lane.letter == self._letter), None)
        text = self.system.toPlainText()
        if lane is not None and text != lane.system:
            self._workspace.set_system(lane.letter, text)
            self._mark()

    def _think(self, key: str) -> None:
        self._workspace.set_thinking(self._letter, {"auto": None, "on": True, "off": False}[key])
        self._mark()

    def _copy(self) -> None:
        self.rendered.selectAll()
        self.rendered.copy()

    # From the workspace

    def _switched(self) -> None:
        self.write_system()
        self.refresh()

    def _mark(self) -> None:
        if self.isVisible():
            self._clock.mark(self, self.refresh)

    def showEvent(self, event: Any) -> None:
        """Catch up."""
        self.refresh()
        super().showEvent(event)

    def hideEvent(self, event: Any) -> None:
        """Lose nothing."""
        self.write_system()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Show the active lane's system prompt; ask for the rendered one if it can be seen."""
        lane = self._lane
        if lane.letter != self._letter or (not self.system.hasFocus() and not self._delay.isActive()):
            self._letter = lane.letter
            if self.system.toPlainText() != lane.system:
                self.system.blockSignals(True)
                self.system.setPlainText(lane.system)
                self.system.blockSignals(False)
        info = lane.engine.info
        self._thinking.setVisible(info is not None and info.can_think)
        self.think.choose({None: "auto", True: "on", False: "off"}[lane.thinking])
        if self.isVisible() and not lane.busy:
            self._asked += 1
            self._workspace.render_prompt(lane.letter, partial(self._show, self._asked))

    def _show(self, asked: int, text: str, n_tokens: int, error: str) -> None:
        if asked != self._asked:
            return  # a newer question is under way
        info = self._lane.engine.info
        plain = info is not None and not info.has_template
        note = error or (tr(NO_TEMPLATE) if plain else "")
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.tokens.setText("" if error else tr("{n_tokens:,} tokens", n_tokens=n_tokens))
        if len(text) > _LONGEST:
            left_out = len(text) - _LONGEST
            gap = tr("[… {left_out:,} characters …]", left_out=left_out)
            text = f"{text[: _LONGEST // 2]}\n\n{gap}\n\n{text[-_LONGEST // 2 :]}"
        if text != self.rendered.toPlainText():
            place = self.rendered.verticalScrollBar().value()
            self.rendered.setPlainText(text)
            self.rendered.verticalScrollBar().setValue(place)
