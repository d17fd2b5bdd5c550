"""The model that is chosen in the library: what is known of it, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from playground.models.model_file import ModelFile
from playground.models.notes import MAX_LABEL
from playground.models.verify import Verified
from playground.translate import tr
from playground.ui.models.facts import Facts
from playground.ui.models.notice import NoticeCard
from playground.ui.models.rooms import Rooms
from playground.ui.reveal import reveal
from playground.ui.widgets import Divider, ElidedLabel, FlowLayout, Label, Meter, TextButton
from playground.workspace import model_words as words
from playground.workspace.known_models import to_ref
from playground.workspace.words import format_bytes, format_percent


class Details(QScrollArea):
    """Shows one model; everything it does is the library's or the workspace's."""

    inspect_wanted = Signal(str)
    quant_wanted = Signal(str)
    opened = Signal()
    """A lane has the model: the chat should be shown."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms, self._theme = rooms, rooms.theme
        self._path = ""
        self._stop_check: Callable[[], None] = _nothing
        theme = rooms.theme
        self.setWidgetResizable(True)
        self.setAccessibleName(tr("The chosen model"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.none = Label(theme, tr("Choose a model to see what is known of it."), 12, "text-3", wrap=True)
        self.name = Label(theme, "", 16, "text-1", 600, wrap=True)
        self.tag = Label(theme, "", 12, "text-2", wrap=True)
        self.problem, self.twins, self.asked = NoticeCard(theme), NoticeCard(theme), NoticeCard(theme)
        self.checked = NoticeCard(theme)
        self.open = TextButton(theme, tr("Open"), "primary", "chat-circle")
        self.beside = TextButton(theme, tr("New lane"), "plain", "columns")
        self.facts = Facts(theme)
        self.where = ElidedLabel(theme, "", 11, "text-3")
        self.label = QLineEdit()
        self.label.setMaxLength(MAX_LABEL)
        self.label.setPlaceholderText(tr("A word of your own"))
        self.label.setAccessibleName(tr("Label"))
        self.label.editingFinished.connect(self._label)
        self.bar = Meter(theme, 0)
        self.bar.hide()
        self.doings: dict[str, TextButton] = {}
        self._compose()
        self.open.clicked.connect(self.open_in_lane)
        self.beside.clicked.connect(self.open_beside)

    @property
    def model(self) -> ModelFile | None:
        """The one that is shown."""
        return self._rooms.library.find(self._path)

    def show_model(self, path: str) -> None:
        """Show another one; empty: none."""
        if path != self._path:
            self._stop_check()
            self._path = path
            self.asked.hide()
            self.checked.hide()
            self.bar.hide()
            self.label.setText(self._rooms.library.note(path).label)
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now."""
        model, library = self.model, self._rooms.library
        self._all.setVisible(model is not None)
        self.none.setVisible(model is None)
        if model is None:
            return
        note = library.note(model.path)
        self.name.setText(model.name)
        self.tag.setText(words.tag_words(model))
        self.facts.show_facts(words.facts(model, note, time.time()))
        self.where.setText(model.path)
        self.where.setToolTip(model.path)
        if not self.label.hasFocus():
            self.label.setText(note.label)
        self._complain(model)
        letter = self._rooms.workspace.active
        self.open.setText(
            tr("Open in lane {letter}", letter=letter) if len(self._rooms.workspace.lanes) > 1 else tr("Open")
        )
        for button in (self.open, self.beside):
            button.setEnabled(model.usable)
            button.setToolTip("" if model.usable else tr("It can’t be loaded."))
        self.beside.setVisible(len(self._rooms.workspace.lanes) < 4)
        self.doings["quant"].setEnabled(model.usable)
        self.doings["inspect"].setEnabled(not model.away)
        self.doings["verify"].setEnabled(not model.away)
        self.doings["delete"].setVisible(library.may_delete(model))

    def open_in_lane(self) -> None:
        """Load it into the active lane and go to the chat."""
        model, workspace = self.model, self._rooms.workspace
        if model is None or not model.usable:
            return
        if workspace.lane(workspace.active).busy:
            workspace.told.emit(
                tr("Lane {active} is writing; stop it first, or use a new lane.", active=workspace.active)
            )
            return
        workspace.choose_model(workspace.active, to_ref(model))
        self.opened.emit()

    def open_beside(self) -> None:
        """Load it into a lane of its own."""
        if self.model is not None and self.model.usable and self._rooms.workspace.add_lane(to_ref(self.model)):
            self.opened.emit()

    def ask_delete(self) -> None:
        """Ask in place; nothing is deleted without an answer."""
        model, library = self.model, self._rooms.library
        if model is None:
            return
        if not library.may_delete(model):
            self.asked.say(
                "info",
                tr("This file isn’t ours."),
                tr("It belongs to {model}. Delete it there, if you want it gone.", model=words.source_words(model)),
                ((tr("All right"), "plain", self.asked.hide),),
            )
            return
        users = [lane.letter for lane in self._rooms.workspace.lanes if lane.model and lane.model.path == model.path]
        used = (
            tr(" Lane {users} uses it: unload it first, or the memory stays taken.", users=", ".join(users))
            if users
            else ""
        )
        self.asked.say(
            "warn",
            tr("Put {label} into the trash?", label=model.label),
            tr(
                "{size}. It can be taken out of the system’s trash again.{shared}{used}",
                size=format_bytes(model.size),
                shared=tr(" Other programs that use the Hub’s cache lose it, too.") if library.is_shared(model) else "",
                used=used,
            ),
            ((tr("Put into the trash"), "primary", self._delete), (tr("Keep it"), "plain", self.asked.hide)),
        )
        self.ensureWidgetVisible(self.asked)

    def _delete(self) -> None:
        model = self.model
        self.asked.hide()
        if model is None:
            return

        def done(problem: str) -> None:
            if problem:
                self.asked.say(
                    "danger", tr("It is still there."), problem, ((tr("All right"), "plain", self.asked.hide),)
                )
            else:
                self._rooms.downloads.drop(model.path)
                self._rooms.workspace.told.emit(tr("{label} is in the trash.", label=model.label))

        self._rooms.library.delete(model.path, done)

    def _complain(self, model: ModelFile) -> None:
        if model.error:
            self.problem.say("danger", tr("This file can’t be used."), model.error)
        elif model.away:
            self.problem.say("warn", tr("Its folder isn’t there now."), tr("It is listed as it was seen last."))
        else:
            self.problem.hide()
        said = words.twin_words(model, self._rooms.library.twins.get(model.path, ()))
        self.twins.say("info", "", said) if said else self.twins.hide()

    def _label(self) -> None:
        if self._path and self.label.text().strip() != self._rooms.library.note(self._path).label:
            self._rooms.library.label(self._path, self.label.text())

    def _reveal(self) -> None:
        if self._path and not reveal(self._path):
            self._rooms.workspace.told.emit(
                tr("The folder {parent} could not be opened.", parent=Path(self._path).parent)
            )

    def verify(self) -> None:
        """Read the file whole and compare its digest; again: stop that."""
        if not self.bar.isHidden():
            self._end_check()
            return
        path = self._path
        self.bar.show()
        self.bar.set_fraction(0.0, "accent")
        self.checked.hide()
        self.doings["verify"].setText(tr("Stop checking"))

        def step(fraction: float) -> None:
            if path == self._path:
                self.bar.set_fraction(fraction, "accent")
                self.doings["verify"].setText(tr("Stop checking · {fraction}", fraction=format_percent(fraction)))

        def done(found: Verified | str) -> None:
            if path == self._path:
                self._end_check()
                self._tell_check(found)

        self._stop_check = self._rooms.library.verify(path, step, done)

    def _end_check(self) -> None:
        self._stop_check()
        self._stop_check = _nothing
        self.bar.hide()
        self.doings["verify"].setText(tr("Check the file"))

    def _tell_check(self, found: Verified | str) -> None:
        if isinstance(found, str):
            self.checked.say("danger", tr("It could not be checked."), found)
            return
        self.checked.say(*words.verified_words(found))

    def _compose(self) -> None:
        theme = self._theme
        self._all = QWidget()
        column = QVBoxLayout(self._all)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        head = QVBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.name)
        head.addWidget(self.tag)
        column.addLayout(head)
        column.addWidget(self.problem)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.open)
        row.addWidget(self.beside)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.asked)
        column.addWidget(self.facts)
        column.addWidget(self.where)
        column.addWidget(self.twins)
        column.addWidget(Divider(theme))
        column.addWidget(Label(theme, tr("Label"), 12, "text-2"))
        column.addWidget(self.label)
        column.addWidget(Divider(theme))
        column.addWidget(self._make_actions())
        column.addWidget(self.bar)
        column.addWidget(self.checked)
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.setContentsMargins(16, 14, 16, 14)
        box.addWidget(self.none)
        box.addWidget(self._all)
        box.addStretch(1)
        self.setWidget(inner)

    def _make_actions(self) -> QWidget:
        place = QWidget()
        flow = FlowLayout()
        place.setLayout(flow)
        for key, text, icon, run in (
            ("inspect", tr("Inspect"), "magnifying-glass", lambda: self.inspect_wanted.emit(self._path)),
            ("quant", tr("Make another quant…"), "cube", lambda: self.quant_wanted.emit(self._path)),
            ("reveal", tr("Show in its folder"), "folder-open", self._reveal),
            ("verify", tr("Check the file"), "shield-check", self.verify),
            ("delete", tr("Delete…"), "trash", self.ask_delete),
        ):
            button = TextButton(self._theme, text, "plain", icon, small=True)
            button.clicked.connect(run)
            flow.addWidget(button)
            self.doings[key] = button
        return place


def _nothing() -> None:
    """Stands for stopping a check where none goes on."""
