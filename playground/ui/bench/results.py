"""One run: what was measured on what, its plots and its table; copied and exported from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from playground.bench import history, report
from playground.bench.curves import curves
from playground.bench.result import Result
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.bench.plot import Drawn, PlotPane, ink
from playground.ui.bench.table import ResultTable, Row
from playground.ui.exported import write_and_say
from playground.ui.theme import Theme
from playground.ui.widgets import ElidedLabel, Label, Paragraph, TextButton
from playground.workspace import bench_words as words
from playground.workspace.bench_kept import BenchKept

EMPTY = later("Nothing is measured yet. Choose a model and press Measure: its speed appears here, test by test.")
_COPIES = (("table", later("As a table")), ("md", later("As Markdown")))
_EXPORTS = (("json", "JSON…"), ("csv", "CSV…"))


class RunLine(QWidget):
    """A numbered badge and the run's name, model and moment."""

    def __init__(self, theme: Theme, number: int) -> None:
        super().__init__()
        self._theme, self._number = theme, number
        self.badge = Label(theme)
        self.badge.setFixedSize(18, 18)
        big = number == 0
        self.title = ElidedLabel(theme, "", 20 if big else 13, "text-1", 600 if big else 500)
        self.tag = ElidedLabel(theme, "", 12, "text-3")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.badge)
        row.addWidget(self.title)
        row.addWidget(self.tag, 0, Qt.AlignmentFlag.AlignBottom if big else Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_run(self, results: Sequence[Result], numbered: bool) -> None:
        """Show its name; ``numbered``: with the badge that its colour goes with."""
        self.setVisible(bool(results))
        self.badge.setVisible(numbered)
        self.title.setText(words.run_title(results))
        parts = (words.run_tag(results), words.moment(results[0]) if results else "")
        self.tag.setText(" · ".join(part for part in parts if part))

    def _restyle(self) -> None:
        ground = self._theme.color("canvas")
        self.badge.setPixmap(icons.badge(str(self._number + 1), ink(self._theme, self._number), ground, 18))


class ResultsPane(QWidget):
    """Shows a run, alone or beside another."""

    said = Signal(str)
    """A short confirmation."""

    def __init__(
        self,
        kept: BenchKept,
        theme: Theme,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        super().__init__()
        self._kept, self._theme, self._background = kept, theme, background
        self.results: list[Result] = []
        self.other: list[Result] = []
        self.setProperty("surface", "canvas")
        self.first, self.second = RunLine(theme, 0), RunLine(theme, 1)
        self.meta = Label(theme, "", 11, "text-3", wrap=True)
        self.copy = self._menu_button(tr("Copy"), "copy", _COPIES, self.copy_as)
        self.export = self._menu_button(tr("Export"), "export", _EXPORTS, self._export)
        self.empty = Paragraph(theme, tr(EMPTY), 13, 20, "text-3")
        self.plots = [PlotPane(theme, "prompt"), PlotPane(theme, "writing")]
        self.table = ResultTable(theme)
        self.table.copy_wanted.connect(lambda: self.copy_as("table"))
        self._compose()
        self.show_run([], [])

    def show_run(self, results: Sequence[Result], other: Sequence[Result]) -> None:
        """Show a run, and another beside it or none."""
        self.results, self.other = list(results), list(other)
        self.first.show_run(self.results, bool(other))
        self.second.show_run(self.other, True)
        self.empty.setVisible(not results)
        self.copy.setEnabled(bool(results))
        self.export.setEnabled(bool(results))
        drawn = [Drawn(curve, 0) for curve in curves(self.results)] + [Drawn(curve, 1) for curve in curves(self.other)]
        for pane in self.plots:
            pane.show_curves(drawn)
        self.meta.setVisible(bool(results))
        self.meta.setText(self._meta())
        self.table.show_rows(self.rows(), tr("t/s of 2") if other else tr("t/s before"))

    def rows(self) -> list[Row]:
        """Each result with what it is held against: the other run's, or the one measured before it."""
        if self.other:
            return [Row(result, history.matching(result, self.other)) for result in self.results]
        return [Row(result, self._kept.before(result)) for result in self.results]

    def copy_as(self, form: str) -> None:
        """Put the results on the clipboard, with the comparison that is shown."""
        rows = self.rows()
        compare = any(row.other is not None for row in rows)
        table = report.Table.of(self.results, markdown=form == "md", compare=compare)
        lines = [table.head(), *(table.row(row.result, row.against) for row in rows)]
        lines += ["", report.made_on(self.results)] if self.results else []
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")
        self.said.emit(tr("Copied as a table.") if form == "table" else tr("Copied as Markdown."))

    def _meta(self) -> str:
        if not self.results:
            return ""
        first = words.made_with(self.results[0], self.results)
        built = words.build_words(self.results[0])
        if not self.other:
            return f"{first} · {built}"
        second = words.made_with(self.other[0], self.other)
        return f"{first} · {built}" if second == first else f"1: {first}\n2: {second}"

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        names = QVBoxLayout()
        names.setSpacing(4)
        names.addWidget(self.first)
        names.addWidget(self.second)
        names.addWidget(self.empty)
        head.addLayout(names, 1)
        for button in (self.copy, self.export):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        plots = QWidget()
        across = QHBoxLayout(plots)
        across.setContentsMargins(0, 4, 0, 8)
        across.setSpacing(20)
        for pane in self.plots:
            across.addWidget(pane, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.setChildrenCollapsible(False)
        split.addWidget(plots)
        split.addWidget(self.table)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([520, 480])
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 14, 16, 8)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.meta)
        column.addWidget(split, 1)

    def _menu_button(
        self, text: str, icon: str, rows: Sequence[tuple[str, str]], run: Callable[[str], None]
    ) -> TextButton:
        button = TextButton(self._theme, text, "plain", icon)
        menu = QMenu(button)
        for key, label in rows:
            menu.addAction(label).triggered.connect(lambda _=False, key=key: run(key))
        button.setMenu(menu)
        return button

    def _export(self, form: str) -> None:
        results = list(self.results)
        name = f"bench-{results[0].run.partition('.')[0].partition('-')[0]}.{form}"
        dialog = QFileDialog(self, tr("Export the results"), name)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(form)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(Path(path), form, results))
        dialog.open()

    def write(self, path: Path, form: str, results: Sequence[Result]) -> None:
        """Write results to a file, on another thread; the end is said."""
        self._background(lambda: write_and_say(path, report.WRITERS[form](results)), self.said.emit)
