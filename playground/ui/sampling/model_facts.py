"""What is known of the loaded model, as a table of words and numbers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QWidget

from playground.translate import tr
from playground.ui.labels import ElidedLabel
from playground.ui.sampling.scroll import sentence
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import IconButton
from playground.workspace.lane import Lane
from playground.workspace.words import format_bytes


def count_words(n: int) -> str:
    """A large count with three figures: “135 M”, “1.24 B”."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if n >= size * 0.9995:
            scaled = n / size
            return (
                f"{scaled:.2f} {unit}"
                if scaled < 9.995
                else f"{scaled:.1f} {unit}"
                if scaled < 99.95
                else f"{scaled:.0f} {unit}"
            )
    return str(n)


def facts_of(lane: Lane) -> list[tuple[str, str]]:
    """Name and value of each fact of the lane's loaded model."""
    info = lane.engine.info
    if info is None:
        return []
    return [
        (tr("Architecture"), info.arch),
        (tr("Parameters"), count_words(info.n_params)),
        (tr("Quantisation"), info.quant),
        (tr("Size of tensors"), format_bytes(info.size)),
        (tr("Context, trained"), tr("{n_ctx_train:,} tokens", n_ctx_train=info.n_ctx_train)),
        (tr("Context, in force"), tr("{n_ctx:,} tokens", n_ctx=info.n_ctx)),
        (tr("Vocabulary"), tr("{n_vocab:,} tokens", n_vocab=info.n_vocab)),
        (tr("Layers"), f"{info.n_layer:,}"),
        (tr("Chat template"), tr("yes") if info.has_template else tr("none: plain completion")),
        (tr("Thinking"), tr("can be switched") if info.can_think else tr("no switch in the template")),
        (tr("Licence"), info.licence or (lane.model.licence if lane.model else "") or tr("not stated in the file")),
    ]


def buffers_of(lane: Lane) -> list[tuple[str, str]]:
    """What llama.cpp allocated for the lane's model."""
    info = lane.engine.info
    if info is None:
        return []
    rows = [(tr("Weights"), format_bytes(info.weights_bytes) + (tr(", mapped") if info.mmap else ""))]
    if info.repack_bytes:
        rows.append((tr("of them repacked"), format_bytes(info.repack_bytes)))
    rows += [(tr("KV cache"), format_bytes(info.kv_bytes)), (tr("Compute"), format_bytes(info.compute_bytes))]
    if info.gpu_bytes:
        rows.append((tr("of all on the GPU"), format_bytes(info.gpu_bytes)))
    rows.append((tr("Threads"), f"{info.n_threads}"))
    if lane.engine.load_seconds:
        rows.append((tr("Loaded in"), f"{lane.engine.load_seconds:.1f} s"))
    return rows


class FactTable(QWidget):
    """Two columns of facts; rows are reused."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 4)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._cells: list[tuple[QLabel, QLabel]] = []
        self.facts: list[tuple[str, str]] = []

    def show_facts(self, facts: list[tuple[str, str]]) -> None:
        """Show these."""
        if facts == self.facts:
            return
        self.facts = facts
        while len(self._cells) < len(facts):
            self._add()
        for place, (name, value) in enumerate(self._cells):
            shown = place < len(facts)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                name.setText(facts[place][0])
                value.setText(facts[place][1])

    def _add(self) -> None:
        name, value = QLabel(), sentence(tone="1", size="small")
        mark(name, tone="2", size="small")
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = len(self._cells)
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, row, 1)
        self._cells.append((name, value))


class PathLine(QWidget):
    """Where the file lies, elided, with a button that copies it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.path = ""
        self._label = ElidedLabel(theme, "", 12, "text-2")
        copy = IconButton(theme, "copy", tr("Copy the file’s path"), size=24)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.path))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._label)
        row.addStretch()
        row.addWidget(copy)

    def show_path(self, path: str) -> None:
        """Show another path."""
        self.path = path
        self._label.setText(path)
        self._label.setToolTip(path)
        self.setVisible(bool(path))
