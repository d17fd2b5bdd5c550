"""The page: what to measure and earlier runs at the left, the run that is shown at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from playground.translate import tr
from playground.ui.bench.results import ResultsPane
from playground.ui.bench.runs import RunList
from playground.ui.bench.setup import SetupPane
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, Divider, Label, TextButton, bind
from playground.workspace.bench import Bench
from playground.workspace.workspace import Workspace

_WIDE = 1200
"""Window width in pixels from which the left column has its full width."""


class BenchPage(QWidget):
    """Shows the run under way as it grows, or whichever was chosen."""

    def __init__(
        self,
        workspace: Workspace,
        bench: Bench,
        theme: Theme,
        clock: Clock,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        super().__init__()
        self._workspace, self._bench, self._clock = workspace, bench, clock
        self._shown = self._beside = ""
        self._last_run = bench.run
        self.setup = SetupPane(workspace, bench, theme, clock)
        self.runs = RunList(theme)
        self.undo = TextButton(theme, tr("Undo"), "quiet", small=True)
        self.undo.setToolTip(tr("Bring back the run that was forgotten"))
        self.undo.clicked.connect(bench.kept.undo_forget)
        self.none = Label(theme, tr("Runs are kept and listed here."), 12, "text-3", wrap=True)
        self.results = ResultsPane(bench.kept, theme, background)
        self.results.said.connect(workspace.told.emit)
        self.runs.show_wanted.connect(self.show_run)
        self.runs.beside_wanted.connect(self.compare)
        self.runs.forget_wanted.connect(self._forget)
        self._compose(theme)
        bind(self, bench.changed, self._changed)
        bind(self, bench.kept.changed, self._mark)
        bench.kept.open()
        self.refresh()

    @property
    def shown(self) -> str:
        """The run that is shown."""
        return self._shown

    @property
    def beside(self) -> str:
        """The run beside it; empty: none."""
        return self._beside

    def panes(self) -> list[QWidget]:
        """Where F6 goes."""
        return [self.setup, self.runs, self.results]

    def focus_first(self) -> None:
        """The button that starts or stops, so that Space and Tab go on from there."""
        button = self.setup.stop if self._bench.busy else self.setup.start
        button.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_run(self, run: str) -> None:
        """Show a run; the one beside it stays, unless it is this one."""
        if run == self._beside:
            self._beside = self._shown
        self._shown = run
        self.refresh()

    def compare(self, run: str) -> None:
        """Set a run beside the one shown; empty: none."""
        self._beside = run
        self.refresh()

    def refresh(self) -> None:
        """Show what is kept now."""
        runs = self._bench.kept.runs
        if self._shown not in runs:
            self._shown = next(iter(runs), "")
        if self._beside not in runs or self._beside == self._shown:
            self._beside = ""
        self.runs.show_runs(runs, self._shown, self._beside)
        self.runs.setVisible(bool(runs))
        self.none.setVisible(not runs)
        self.undo.setVisible(self._bench.kept.can_undo)
        self.results.show_run(runs.get(self._shown, []), runs.get(self._beside, []))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrower left column where room is short."""
        self._left.setFixedWidth(312 if self.width() >= _WIDE else 264)

    def _compose(self, theme: Theme) -> None:
        self._left = QWidget()
        self._left.setProperty("surface", "chrome")
        column = QVBoxLayout(self._left)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addWidget(self.setup)
        column.addWidget(Divider(theme))
        column.addWidget(self._listed(theme), 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._left)
        row.addWidget(Divider(theme, standing=True))
        row.addWidget(self.results, 1)

    def _listed(self, theme: Theme) -> QWidget:
        """Earlier runs under their head."""
        pane = QWidget()
        column = QVBoxLayout(pane)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 8, 4)
        head.addWidget(Label(theme, tr("Earlier runs"), 12, "text-2"))
        head.addStretch(1)
        head.addWidget(self.undo)
        column.addLayout(head)
        listed = QVBoxLayout()
        listed.setContentsMargins(8, 0, 4, 0)
        listed.addWidget(self.runs, 1)
        column.addLayout(listed, 1)
        self.none.setContentsMargins(12, 0, 12, 0)
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.none, 1)
        return pane

    def _changed(self) -> None:
        # A run that begins is shown as soon as it has a row; what was chosen since then stays.
        run = self._bench.run
        if run != self._last_run and run in self._bench.kept.runs:
            self._last_run = run
            self._shown = run
            self._mark()

    def _mark(self) -> None:
        self._clock.mark((self, "bench"), self.refresh)

    def _forget(self, run: str) -> None:
        self._bench.kept.forget(run)
        self._workspace.told.emit(tr("The run is forgotten. Undo stands over the list."))
