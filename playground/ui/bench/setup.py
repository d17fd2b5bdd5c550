"""What to measure: the model, lengths, depths, repeats; Start, Stop, and how far it is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from playground.bench import plan
from playground.translate import tr
from playground.ui.commands import key_of
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import Clock, IconLabel, Label, Meter, Paragraph, TextButton, bind
from playground.workspace import bench_words as words
from playground.workspace.bench import Bench
from playground.workspace.lane import ModelRef
from playground.workspace.words import model_tag
from playground.workspace.workspace import Workspace


def _measure_tip() -> str:
    return tr("Measure speed ({key})", key=key_of("bench.start"))


class WishRow(QWidget):
    """A label, a field for a list of numbers, and the sentence that refuses it."""

    def __init__(self, theme: Theme, wish: plan.Wish, text: str) -> None:
        super().__init__()
        self.name = wish.name
        self.label = Label(theme, tr(wish.label), 12, "text-2")
        self.label.setFixedWidth(88)
        self.field = QLineEdit(text)
        self.field.setProperty("small", True)
        self.field.setCursorPosition(0)
        self.field.setAccessibleName(tr(wish.label))
        self.field.setAccessibleDescription(tr(wish.help))
        self.field.setMaxLength(200)
        self.label.setBuddy(self.field)
        self.setToolTip(tr(wish.help))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 2, 0, 2)
        row.setSpacing(8)
        row.addWidget(self.label)
        row.addWidget(self.field, 1)


class SetupPane(QWidget):
    """Starts and stops the benchmark."""

    changed = Signal(dict)
    """What is wished for, to be remembered."""

    def __init__(self, workspace: Workspace, bench: Bench, theme: Theme, clock: Clock) -> None:
        super().__init__()
        self._workspace, self._bench, self._theme, self._clock = workspace, bench, theme, clock
        self._refs: list[ModelRef] = []
        self.model = QComboBox()
        self.model.setAccessibleName(tr("Model"))
        self.model.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.model.activated.connect(self._choose)
        self.rows = [WishRow(theme, wish, bench.texts[wish.name]) for wish in plan.WISHES]
        for row in self.rows:
            row.field.textEdited.connect(lambda text, name=row.name: self._edited(name, text))
            row.field.returnPressed.connect(self._start)
        self.engine = Paragraph(theme, "", 11, 16, "text-3")
        self.summary = Paragraph(theme, "", 11, 16, "text-3")
        self.start = TextButton(theme, tr("Measure"), "primary", "play")
        self.start.setToolTip(_measure_tip())
        self.start.clicked.connect(self._start)
        self.stop = TextButton(theme, tr("Stop"), "plain", "stop-fill")
        self.stop.clicked.connect(bench.stop)
        self.state = Paragraph(theme, "", 12, 18, "text-1")
        self.failed = IconLabel(theme, "warning-circle", 16, "danger")
        self.left = Label(theme, "", 11, "text-2")
        self.meter = Meter(theme, 0)
        self._compose()
        bind(self, bench.changed, self._mark)
        bind(self, workspace.models_changed, self._fill)
        bind(self, workspace.active_changed, self._fill)
        bind(self, workspace.lanes_changed, self._fill)
        self._fill()

    def _compose(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 14, 12, 12)
        column.setSpacing(4)
        column.addWidget(Label(self._theme, tr("Model"), 12, "text-2"))
        column.addWidget(self.model)
        column.addWidget(self.engine)
        column.addSpacing(6)
        for row in self.rows:
            column.addWidget(row)
        column.addWidget(self.summary)
        column.addSpacing(6)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.start)
        buttons.addWidget(self.stop)
        buttons.addStretch(1)
        buttons.addWidget(self.left)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(self.meter)
        said = QHBoxLayout()
        said.setSpacing(6)
        said.addWidget(self.failed, 0, Qt.AlignmentFlag.AlignTop)
        said.addWidget(self.state, 1)
        column.addLayout(said)

    def restore(self, kept: dict[str, Any]) -> None:
        """Bring back what was wished for last time."""
        for row in self.rows:
            text = kept.get(row.name)
            if isinstance(text, str) and len(text) <= row.field.maxLength():
                row.field.setText(text)
                row.field.setCursorPosition(0)
                self._bench.set_text(row.name, text)

    def refresh(self) -> None:
        """Show the state of the run and whether what is wished for can be measured."""
        bench = self._bench
        self.start.setVisible(not bench.busy)
        self.stop.setVisible(bench.busy)
        self.stop.setText(tr("End the engine") if bench.state == "stopping" else tr("Stop"))
        self.stop.setToolTip(
            tr("The engine ends at once, and is loaded again when it is wanted")
            if bench.state == "stopping"
            else tr("What is complete is kept ({key})", key=key_of("bench.stop"))
        )
        self.model.setEnabled(not bench.busy)
        for row in self.rows:
            row.field.setReadOnly(bench.busy)
        complaint = self._complaint()
        self.start.setEnabled(bench.can_start)
        self.start.setToolTip(complaint or _measure_tip())
        self.state.setText(" ".join(part for part in (words.state_words(bench), words.left_out_words(bench)) if part))
        self.state.setVisible(bool(self.state.text()))
        self.failed.setVisible(bench.state == "failed")
        self.state.set_tone("danger" if bench.state == "failed" else "text-1" if bench.busy else "text-2")
        self.left.setText(words.left_words(bench))
        self.meter.setVisible(bench.busy)
        self.meter.set_fraction(bench.fraction)
        self._show_engine()

    def _complaint(self) -> str:
        """Show which field is wrong, and why; else what will be done."""
        try:
            tests, repeats = self._bench.wished()
        except plan.PlanError as error:
            self._mark_wrong()
            self.summary.set_tone("danger")
            self.summary.setText(str(error))
            return str(error)
        for row in self.rows:
            mark(row.field, invalid="")
        self.summary.set_tone("text-3")
        self.summary.setText(words.plan_words(len(tests), repeats, plan.context_for(tests)) + ".")
        return "" if self._bench.choice is not None else tr("There is no model to measure.")

    def _mark_wrong(self) -> None:
        for row in self.rows:
            try:
                plan.numbers(row.field.text(), "")
            except plan.PlanError:
                mark(row.field, invalid="true")
            else:
                mark(row.field, invalid="")

    def _show_engine(self) -> None:
        model = self._bench.choice
        lane = self._bench.lane_of(model) if model is not None else None
        options = self._bench.options_of(model) if model is not None else {}
        if options and lane is not None:
            shown = ", ".join(f"{name} {value}" for name, value in options.items())
            self.engine.setText(tr("As lane {letter} loads it: {shown}.", letter=lane.letter, shown=shown))
        else:
            self.engine.setText(tr("With the default load options.") if model is not None else "")

    def _mark(self) -> None:
        self._clock.mark((self, "bench"), self.refresh)

    def _fill(self) -> None:
        """The models there are, the chosen one on."""
        choice, models = self._bench.choice, list(self._workspace.models)
        if choice is not None and choice.path not in {ref.path for ref in models}:
            models.insert(0, choice)
        if models != self._refs:
            self._refs = models
            self.model.clear()
            for ref in models:
                self.model.addItem(f"{ref.name} · {ref.quant}" if ref.quant else ref.name)
                self.model.setItemData(
                    self.model.count() - 1, f"{ref.path}\n{model_tag(ref)}", Qt.ItemDataRole.ToolTipRole
                )
        paths = [ref.path for ref in models]
        self.model.setCurrentIndex(paths.index(choice.path) if choice is not None else -1)
        self.refresh()

    def _choose(self, index: int) -> None:
        self._bench.choose(self._refs[index])

    def _edited(self, name: str, text: str) -> None:
        self._bench.set_text(name, text)
        self.changed.emit(dict(self._bench.texts))

    def _start(self) -> None:
        self._bench.start()
