"""A chat template: as it stands in the file, and what it makes of a short chat."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from playground.protocol.commands import Message
from playground.translate import tr
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Label, TextButton

SAMPLE = (
    ("system", "You are a helpful assistant."),
    ("user", "What is the capital of France?"),
    ("assistant", "Paris."),
    ("user", "And of Italy?"),
)


MOST_SHOWN = 100_000
"""Characters of a text; the longest templates have some ten thousand, and Qt takes a second for each million."""


class TemplateView(QWidget):
    """Renders by the engine that has the model: its sandbox is the only place where a stranger's template runs."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms
        self._path, self._templates = "", dict[str, str]()
        theme = rooms.theme
        self.which = QComboBox()
        self.which.setAccessibleName(tr("Template"))
        self.source, self.rendered = QPlainTextEdit(), QPlainTextEdit()
        for box, name in ((self.source, tr("Template")), (self.rendered, tr("Rendered prompt"))):
            box.setReadOnly(True)
            box.setFont(theme.font(12, mono=True))
            box.setAccessibleName(name)
        self.render_button = TextButton(theme, tr("Render a test chat"), "plain", "play", small=True)
        self.render_button.clicked.connect(self.render_test)
        self.said = Label(theme, "", 12, "text-2", wrap=True)
        self.which.currentTextChanged.connect(
            lambda name: self.source.setPlainText(_shown(self._templates.get(name, "")))
        )
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.which)
        left.addWidget(self.source, 1)
        right.addWidget(self.render_button)
        right.addWidget(self.said)
        right.addWidget(self.rendered, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(left, 1)
        row.addLayout(right, 1)

    def show_file(self, path: str, templates: dict[str, str]) -> None:
        """Show another file's."""
        self._path, self._templates = path, templates
        self.which.clear()
        self.which.addItems(list(templates))  # the first one is shown with that
        self.which.setVisible(len(templates) > 1)
        if not templates:
            self.source.setPlainText(tr("This file has no chat template: the model completes text."))
        self.rendered.setPlainText("")
        self.said.setText(tr("A system prompt, a question, its answer and one more question."))
        self.render_button.setEnabled(bool(templates))

    def render_test(self) -> None:
        """Render the sample by the engine of the lane that has this model."""
        workspace, path = self._rooms.workspace, self._path
        for lane in workspace.lanes:
            engine = workspace.loading.engine_of(lane)
            if lane.model is not None and lane.model.path == path and engine is not None and engine.state == "ready":
                messages = [Message(role, text) for role, text in SAMPLE]
                workspace.engines.render(engine, messages, None, partial(self._came, path))
                return
        self.said.setText(tr("Open this model in a lane first: templates are rendered only in its engine’s sandbox."))

    def _came(self, path: str, text: str, n_tokens: int, error: str) -> None:
        if path == self._path:
            self.rendered.setPlainText(_shown(text))
            self.said.setText(
                error or tr("{n_tokens:,} tokens, by the engine of the lane that has it.", n_tokens=n_tokens)
            )


def _shown(text: str) -> str:
    """A text, or its beginning and how many characters more it has."""
    more = len(text) - MOST_SHOWN
    return text if more <= 0 else text[:MOST_SHOWN] + "\n" + tr("… and {more:,} more", more=more)
