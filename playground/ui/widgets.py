"""Small shared widgets under one roof, and the ties that let views follow lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from playground.translate import tr
from playground.ui.buttons import (
    IconButton,
    PaintedButton,
    PillButton,
    SearchField,
    SegmentedControl,
    TextButton,
)
from playground.ui.flow import FlowLayout
from playground.ui.labels import (
    Divider,
    ElidedLabel,
    FiguresLabel,
    IconLabel,
    Label,
    LaneBadge,
    Meter,
    Paragraph,
)
from playground.workspace.lane import Lane
from playground.workspace.signal import Signal as PlainSignal

__all__ = [
    "Clock",
    "Divider",
    "ElidedLabel",
    "FiguresLabel",
    "FlowLayout",
    "IconButton",
    "IconLabel",
    "Label",
    "LaneBadge",
    "LaneWatch",
    "Meter",
    "PaintedButton",
    "Paragraph",
    "PillButton",
    "SearchField",
    "SegmentedControl",
    "TextButton",
    "ask_for_gguf",
    "bind",
]


class Clock(Protocol):
    """What views need of the frame clock."""

    def mark(self, key: object, paint: Callable[[], None], least_ms: int = 0) -> None:
        """Run ``paint`` once at the next frame, but not sooner than ``least_ms`` after it ran last."""


def bind(widget: QObject, signal: PlainSignal[[]], slot: Callable[[], object]) -> Callable[[], None]:
    """Connect a workspace signal for as long as the widget lives; returns the disconnecting function."""
    disconnect = signal.connect(slot)
    widget.destroyed.connect(lambda *_: disconnect())
    return disconnect


class HasLanes(Protocol):
    """A workspace as `LaneWatch` sees it."""

    @property
    def lanes(self) -> list[Lane]:
        """The lanes on screen."""

    lanes_changed: PlainSignal[[]]


class LaneWatch:
    """Follows the signals of all lanes, also of those that come later, until the widget is gone."""

    def __init__(
        self,
        widget: QObject,
        workspace: HasLanes,
        changed: Callable[[], object],
        grew: Callable[[], object] | None = None,
    ) -> None:
        self._workspace, self._changed, self._grew = workspace, changed, grew
        self._links: list[Callable[[], None]] = []
        self._connect()
        bind(widget, workspace.lanes_changed, self._lanes_changed)
        widget.destroyed.connect(lambda *_: self._drop())

    def _connect(self) -> None:
        for lane in self._workspace.lanes:
            self._links += [lane.changed.connect(self._changed), lane.path_changed.connect(self._changed)]
            if self._grew is not None:
                self._links.append(lane.grew.connect(self._grew))

    def _drop(self) -> None:
        for disconnect in self._links:
            disconnect()
        self._links.clear()

    def _lanes_changed(self) -> None:
        self._drop()
        self._connect()
        self._changed()


def ask_for_gguf(parent: QWidget, reply: Callable[[str], object]) -> QFileDialog:
    """Ask for a model file without holding up the event loop; ``reply`` gets the path, if one was chosen."""
    dialog = QFileDialog(parent, tr("Open a model file"), "", tr("GGUF models (*.gguf);;All files (*)"))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(reply)
    dialog.open()
    return dialog
