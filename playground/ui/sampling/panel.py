"""The right panel: sampling, model and prompt of the active lane."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from playground.settings.load import FIELDS as LOAD
from playground.settings.sampling import FIELDS as SAMPLING
from playground.translate import later, tr
from playground.ui.sampling.lane_head import LaneHead
from playground.ui.sampling.model_tab import ModelTab
from playground.ui.sampling.ports import PanelWorkspace
from playground.ui.sampling.prompt_tab import PromptTab
from playground.ui.sampling.sampling_tab import SamplingTab
from playground.ui.sampling.scroll import PADDING, rule, sentence
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, SegmentedControl

_HELP_LINES = 4
_REST = later("Point at a setting to read what it does and where its default comes from.")


class RightPanel(QFrame):
    """Segments, the lane's line, the tab, and a line of help."""

    def __init__(self, workspace: PanelWorkspace, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self._workspace, self._theme, self._clock = workspace, theme, clock
        mark(self, surface="chrome")
        self.setMinimumWidth(280)
        self.setMaximumWidth(420)
        self.segments = SegmentedControl(
            theme,
            [
                ("sampling", tr("Sampling"), tr("How tokens are drawn")),
                ("model", tr("Model"), tr("How the model is loaded, and facts about it")),
                ("prompt", tr("Prompt"), tr("The system prompt, and the prompt as the model sees it")),
            ],
            tr("Right panel"),
        )
        for part in (self.segments, *self.segments.findChildren(QPushButton)):
            part.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.head = LaneHead(workspace, theme)
        self.sampling = SamplingTab(workspace, theme, clock, lambda: self.head.letters)
        self._model: ModelTab | None = None
        self._prompt: PromptTab | None = None
        self._stack = QStackedWidget()
        self._help = sentence(tr(_REST))
        self._build()
        self.segments.chosen.connect(self.choose)
        self.sampling.status_changed.connect(self.head.set_status)
        self.sampling.hinted.connect(self._help.setText)
        self.sampling.refresh()
        self.choose("sampling")

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(0)
        top = QHBoxLayout()
        top.setContentsMargins(PADDING - 2, 0, PADDING - 2, 6)
        top.addWidget(self.segments)
        column.addLayout(top)
        column.addWidget(self.head)
        self._stack.addWidget(self.sampling)
        column.addWidget(self._stack, 1)
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(rule())
        self._help.setContentsMargins(PADDING, 4, PADDING, 6)
        self._help.setFixedHeight(_HELP_LINES * 14 + 12)
        self._help.setAlignment(self._help.alignment().AlignTop)
        foot.addWidget(self._help)
        column.addWidget(self._foot)

    @property
    def model(self) -> ModelTab:
        """The model tab, made when first wanted: the window opens sooner."""
        if self._model is None:
            self._model = ModelTab(self._workspace, self._theme, self._clock)
            self._model.hinted.connect(self._help.setText)
            self._stack.addWidget(self._model)
        return self._model

    @property
    def prompt(self) -> PromptTab:
        """The prompt tab, made when first wanted."""
        if self._prompt is None:
            self._prompt = PromptTab(self._workspace, self._theme, self._clock)
            self._stack.addWidget(self._prompt)
        return self._prompt

    @property
    def help_text(self) -> str:
        """The sentence at the bottom."""
        return self._help.text()

    def sizeHint(self) -> QSize:
        """As wide as designed."""
        return QSize(312, 640)

    def choose(self, key: str) -> None:
        """Show ``sampling``, ``model`` or ``prompt``."""
        self.segments.choose(key)
        tab = self.sampling if key == "sampling" else self.model if key == "model" else self.prompt
        self._stack.setCurrentWidget(tab)
        self._help.setText(tr(_REST))
        self._foot.setVisible(key != "prompt")
        self.head.show_sampling(key == "sampling")

    def show_setting(self, name: str) -> bool:
        """Bring a setting of either table into view, with the focus; False: there is none of that name."""
        if name in SAMPLING:
            self.choose("sampling")
            return self.sampling.show_setting(name)
        if name in LOAD:
            self.choose("model")
            return self.model.show_setting(name)
        return False
