"""What a plot shows, taken out of the window: as CSV, JSON, PNG or SVG, or as an image in the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from playground.conversation.export import file_name
from playground.conversation.tree import Node
from playground.translate import tr
from playground.ui.exported import write_and_say
from playground.ui.plots import export_data, export_memory
from playground.ui.plots.export_data import Line, Sheet
from playground.ui.plots.export_memory import MemorySheet
from playground.ui.plots.figures import Shown
from playground.ui.plots.latency_head import format_value
from playground.ui.plots.plot_view import PlotView
from playground.workspace.lane import Lane
from playground.workspace.marks import sampling_words
from playground.workspace.words import format_rate
from playground.workspace.workspace import Workspace

_TOLD_VALUES = ("temp", "top_k", "top_p", "min_p")
"""Sampler values that a picture tells; the tables tell all."""
Make = Callable[[], str | bytes]
"""Makes a file's content; runs on a thread."""


class PlotExports:
    """Takes the plots out; the disk is touched in the background, and one sentence says what came of it."""

    def __init__(
        self,
        window: Any,
        workspace: Workspace,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
        told: Callable[[str], None],
    ) -> None:
        self._window, self._workspace, self._background, self._told = window, workspace, background, told

    def export(self, plot: str, kind: str) -> None:
        """Ask where to, and write what the plot shows now. ``kind``: “csv”, “json”, “png”, “svg”, or “copy”."""
        if self._view(plot) is None:
            self._told(tr("The plots are not shown. Show them first."))
        elif kind == "copy":
            self.copy(plot)
        else:
            self._ask(plot, kind, self.content(plot, kind))

    def copy(self, plot: str) -> None:
        """Put the plot into the clipboard as an image."""
        from playground.ui.plots import export_image

        view, title, notes = self._figure(plot)
        QGuiApplication.clipboard().setImage(export_image.png(view, title, notes))
        self._told(tr("The plot is in the clipboard."))

    def content(self, plot: str, kind: str) -> Make:
        """What will be written: of this moment, whatever comes while the user chooses a name."""
        from playground.ui.plots import export_image

        if kind in ("png", "svg"):
            view, title, notes = self._figure(plot)
            if kind == "svg":
                drawn = export_image.svg(view, title, notes)
                return lambda: drawn
            image = export_image.png(view, title, notes)
            return lambda: export_image.png_bytes(image)
        if plot == "memory":
            memory = self.memory_sheet()
            return lambda: export_memory.as_csv(memory) if kind == "csv" else export_memory.as_json(memory)
        sheet = self.sheet()
        return lambda: export_data.as_csv(sheet) if kind == "csv" else export_data.as_json(sheet)

    def write(self, path: Path, make: Make) -> None:
        """Make it and write it on a thread."""
        self._background(lambda: write_and_say(path, make()), self._told)

    def _ask(self, plot: str, kind: str, make: Make) -> None:
        name = file_name(self._workspace.chat, kind).removesuffix(f".{kind}")
        dialog = QFileDialog(self._window, tr("Export the plot"), f"{name} {plot}.{kind}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(kind)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.write(Path(path), make))
        dialog.open()

    # What is shown.

    def sheet(self) -> Sheet:
        """The latency plot's data."""
        view = self._window.plots.latency.canvas
        picture = view.picture
        lanes = {lane.letter: lane for lane in self._workspace.lanes}
        lines = []
        for shown in picture.visible:
            node = _answer_of(lanes.get(shown.letter))
            lines.append(Line(shown, "", node.model if node else "", dict(node.record) if node else {}))
        earlier = {one.id: one for one in self._workspace.overlays.shown()}
        for over in picture.overs:
            one = earlier.get(over.key)
            lines.append(Line(over, over.name, one.model if one else "", dict(one.record) if one else {}))
        frame = picture.frame
        return Sheet(lines, frame.axis, frame.x0, frame.x1, self._workspace.chat.title)

    def memory_sheet(self) -> MemorySheet:
        """The memory plot's data."""
        view = self._window.plots.memory.plot
        models = [
            f"{lane.letter} {lane.model.name} {lane.model.quant}".strip()
            for lane in self._workspace.lanes
            if lane.model
        ]
        return MemorySheet(view.picture, view.frame.x0, view.frame.x1, self._workspace.chat.title, tuple(models))

    def _view(self, plot: str) -> PlotView | None:
        plots = self._window.plots
        view: PlotView | None = (
            None if plots is None else plots.latency.canvas if plot == "latency" else plots.memory.plot
        )
        return view

    def _figure(self, plot: str) -> tuple[PlotView, str, list[Any]]:
        from playground.ui.plots import overlay
        from playground.ui.plots.export_image import Note

        view = self._view(plot)
        assert view is not None
        chat = self._workspace.chat.title
        title = tr("Token latency") if plot == "latency" else tr("Memory")
        notes = []
        for line in self.sheet().lines if plot == "latency" else []:
            shown, theme = line.shown, view.theme
            color = overlay.color_of(shown, theme) if isinstance(shown, overlay.Over) else theme.lane(shown.letter)
            notes.append(Note(line_words(line), color))
        return view, f"{title} · {chat}" if chat else title, notes


def line_words(line: Line) -> str:
    """“A · SmolLM2 135M Q4_1 · median 14.6 ms, p95 16.0 ms · 66.0 tok/s · temp 0.8, top_k 40”."""
    shown: Shown = line.shown
    stats, rate = shown.stats(), shown.answer.tok_s()
    parts = [f"{shown.letter} {line.name}".strip(), line.model]
    if stats.n:
        parts.append(
            tr("median {median} ms, p95 {p95} ms", median=format_value(stats.median), p95=format_value(stats.p95))
        )
    parts.append(format_rate(rate) if rate else "")
    sampling = line.record.get("sampling")
    if isinstance(sampling, dict):
        parts.append(sampling_words({name: sampling[name] for name in _TOLD_VALUES if name in sampling}))
    return " · ".join(part for part in parts if part)


def _answer_of(lane: Lane | None) -> Node | None:
    """The turn whose figures a lane's plot shows."""
    return lane.newest if lane is not None else None
