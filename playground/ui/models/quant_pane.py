"""Making another quant of a model: the type, what would come of it, what speaks against it, and the order."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from playground.models.model_file import ModelFile
from playground.quantize.messages import Planned
from playground.quantize.plan import Plan, Wish
from playground.quantize.table import BY_NAME, FILE_TYPES
from playground.translate import tr
from playground.ui.models.notice import NoticeCard
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Divider, ElidedLabel, IconButton, Label, TextButton
from playground.workspace import model_words as words

USUAL = "Q4_K_M"
_TYPING_MS = 300


class QuantPane(QScrollArea):
    """Plans in the background with each change; only the newest plan counts."""

    closed = Signal()

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms, self._theme = rooms, rooms.theme
        self._model: ModelFile | None = None
        self._asked = 0
        self.plan: Plan | None = None
        """What would be made now; None while it is worked out, or where it can't be."""
        self._imatrix: Path | None = None
        theme = rooms.theme
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = Label(theme, "", 16, "text-1", 600, wrap=True)
        self.close_button = IconButton(theme, "x", tr("Back to the model"))
        self.close_button.clicked.connect(self.closed)
        self.type = QComboBox()
        self.type.setAccessibleName(tr("Type"))
        for row in FILE_TYPES:
            self.type.addItem(row.name, row.name)
            self.type.setItemData(self.type.count() - 1, row.help, Qt.ItemDataRole.ToolTipRole)
        self.help = Label(theme, "", 12, "text-2", wrap=True)
        self.size_text = Label(theme, "", 13, "text-1", 500, wrap=True)
        self.target = ElidedLabel(theme, "", 11, "text-3")
        self.exact = TextButton(theme, tr("To the byte"), "quiet", small=True)
        self.exact.setToolTip(tr("Ask llama.cpp’s quantizer itself; it reads the model for that"))
        self.warning, self.problem = NoticeCard(theme), NoticeCard(theme)
        self.make = TextButton(theme, tr("Make it"), "primary", "cube")
        self.imatrix = TextButton(theme, tr("Choose an importance matrix…"), "plain", "folder-open", small=True)
        self.types = QLineEdit()
        self.types.setPlaceholderText("ffn_.*_exps=Q3_K, attn_v=Q6_K")
        self.types.setAccessibleName(tr("Types of single tensors"))
        self.keep = QCheckBox(tr("Leave the output tensor as it is"))
        self.pure = QCheckBox(tr("All tensors of one type"))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._compose()
        self._connect()

    def show_model(self, path: str) -> None:
        """Plan for another model."""
        self._model = self._rooms.library.find(path)
        self.title.setText(tr("Another quant of {name}", name=self._model.name) if self._model else "")
        self._take_imatrix("")
        if self._model is not None and self._model.quant == USUAL:
            self.type.setCurrentText("Q4_0")
        else:
            self.type.setCurrentText(USUAL)
        self.replan()

    def replan(self) -> None:
        """Work out what would come of what is chosen now."""
        self._typing.stop()
        self._asked += 1
        asked, model = self._asked, self._model
        self.plan = None
        self.make.setEnabled(False)
        self.exact.setEnabled(False)
        row = BY_NAME[str(self.type.currentData())]
        self.help.setText(f"{row.help}.")
        if model is None:
            return
        pairs, wrong = _pairs(self.types.text())
        if wrong:
            self._refuse(tr("“{wrong}” is no pair of a pattern and a type, such as “attn_v=Q6_K”.", wrong=wrong))
            return
        wish = Wish(row, self._imatrix, pairs, keep_output=self.keep.isChecked(), pure=self.pure.isChecked())

        def came(plan: Plan | str) -> None:
            if asked == self._asked:
                self._refuse(plan) if isinstance(plan, str) else self._accept(plan)

        self._rooms.quantizing.plan(model, wish, came)

    def start(self) -> None:
        """Make it; the strip shows how far it is."""
        if self.plan is not None:
            self._rooms.quantizing.start([self.plan])
            self.closed.emit()

    def _accept(self, plan: Plan) -> None:
        self.plan = plan
        self.problem.hide()
        self.make.setEnabled(True)
        self.exact.setEnabled(True)
        self.size_text.setText(words.estimate_words(plan.size.size, plan.size.low, plan.size.high, plan.source.size))
        self.target.setText(f"→ {plan.target}")
        self.target.setToolTip(str(plan.target))
        self.warning.say("warn", "", " ".join(plan.warnings)) if plan.warnings else self.warning.hide()

    def _refuse(self, sentence: str) -> None:
        self.size_text.setText("")
        self.target.setText("")
        self.warning.hide()
        self.problem.say("warn", tr("This can’t be made."), sentence)

    def _ask_exactly(self) -> None:
        plan, asked = self.plan, self._asked
        if plan is None:
            return
        self.exact.setEnabled(False)

        def came(found: Planned | str) -> None:
            if asked != self._asked:
                return
            if isinstance(found, str):
                self.problem.say("warn", tr("llama.cpp would refuse it."), found)
            else:
                self.size_text.setText(words.exact_words(found, plan.source.size))

        self._rooms.quantizing.foretell(plan, came)

    def _ask_imatrix(self) -> None:
        if self._imatrix is not None:
            self._take_imatrix("")
            self.replan()
            return
        dialog = QFileDialog(
            self, tr("Choose an importance matrix"), "", tr("Importance matrices (*.dat *.gguf *.imatrix)")
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_imatrix)
        dialog.fileSelected.connect(lambda _path: self.replan())
        dialog.open()

    def _take_imatrix(self, path: str) -> None:
        self._imatrix = Path(path) if path else None
        name = self._imatrix.name if self._imatrix is not None else ""
        self.imatrix.setText(tr("Without {name}", name=name) if name else tr("Choose an importance matrix…"))

    def _connect(self) -> None:
        self.type.currentIndexChanged.connect(lambda _index: self.replan())
        self.types.textChanged.connect(lambda _text: self._typing.start())
        self._typing.timeout.connect(self.replan)
        self.keep.toggled.connect(lambda _on: self.replan())
        self.pure.toggled.connect(lambda _on: self.replan())
        self.imatrix.clicked.connect(self._ask_imatrix)
        self.exact.clicked.connect(self._ask_exactly)
        self.make.clicked.connect(self.start)

    def _compose(self) -> None:
        theme = self._theme
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(10)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        column.addWidget(self.type)
        column.addWidget(self.help)
        size = QHBoxLayout()
        size.addWidget(self.size_text, 1)
        size.addWidget(self.exact)
        column.addLayout(size)
        column.addWidget(self.target)
        column.addWidget(self.warning)
        column.addWidget(self.problem)
        column.addWidget(self.make)
        column.addWidget(Divider(theme))
        column.addWidget(Label(theme, tr("Importance matrix: what a quantizer weighs by"), 12, "text-2", wrap=True))
        column.addWidget(self.imatrix)
        column.addWidget(
            Label(theme, tr("Types of single tensors, by patterns on their names"), 12, "text-2", wrap=True)
        )
        column.addWidget(self.types)
        column.addWidget(self.keep)
        column.addWidget(self.pure)
        column.addStretch(1)
        self.setWidget(inner)


def _pairs(text: str) -> tuple[list[tuple[str, str]], str]:
    """Patterns and types of “pattern=type, …”; and the first part that is none."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        pattern, _, kind = part.rpartition("=")
        if not pattern.strip() or not kind.strip():
            return [], part
        pairs.append((pattern.strip(), kind.strip()))
    return pairs, ""
