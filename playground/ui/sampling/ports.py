"""What the right panel needs of the workspace, and how its parts follow the lane they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QObject

from playground.ui.widgets import bind
from playground.workspace.keeping import Keeping
from playground.workspace.lane import Lane
from playground.workspace.presets import Presets
from playground.workspace.questions import Questions
from playground.workspace.signal import Signal
from playground.workspace.trying import Trying


class PanelWorkspace(Protocol):
    """The workspace as the right panel sees it."""

    lanes_changed: Signal[[]]
    active_changed: Signal[[]]
    told: Signal[[str]]
    keeping: Keeping
    presets: Presets
    trying: Trying
    questions: Questions

    @property
    def lanes(self) -> list[Lane]:
        """The lanes on screen."""

    @property
    def active(self) -> str:
        """Letter of the lane shown."""

    def set_active(self, letter: str) -> None:
        """Show another lane."""

    def set_sampling(self, letter: str, name: str, value: Any) -> None:
        """One value; raises SettingError."""

    def set_many(self, letter: str, values: dict[str, Any]) -> None:
        """Several values, all or none; raises SettingError."""

    def set_samplers(self, letter: str, order: list[str]) -> None:
        """The chain's order; raises SettingError."""

    def set_setup(self, letter: str, values: dict[str, Any], order: Sequence[str] | None = None) -> None:
        """Values and order as one change; raises SettingError."""

    def undo_sampling(self, letter: str) -> bool:
        """Take back the last change."""

    def redo_sampling(self, letter: str) -> bool:
        """Bring back what was undone."""

    def neutralise(self, letter: str) -> None:
        """Every sampler off."""

    def reset_sampling(self, letter: str) -> None:
        """llama.cpp's defaults."""

    def set_load(self, letter: str, values: dict[str, Any]) -> None:
        """Load options for the next load; raises SettingError."""

    def reload(self, letter: str) -> None:
        """Load the lane's model again."""

    def set_threads(self, letter: str, n_threads: int) -> None:
        """Threads of the lane's engine, at once; 0: automatic. Raises SettingError."""

    @property
    def governed(self) -> bool:
        """Engines give threads up while other programs need the cores."""

    def set_governed(self, governed: bool) -> None:
        """Let them, or not."""

    def set_system(self, letter: str, text: str) -> None:
        """A lane's system prompt."""

    def set_thinking(self, letter: str, on: bool | None) -> None:
        """Whether the model is to think; None: as its template says."""

    def render_prompt(self, letter: str, reply: Callable[[str, int, str], None]) -> None:
        """The prompt as the model sees it: text, tokens, error."""


def active_lane(workspace: PanelWorkspace) -> Lane:
    """The lane that the panel shows."""
    lanes = workspace.lanes
    return next((lane for lane in lanes if lane.letter == workspace.active), lanes[0])


class LaneFollower:
    """Calls back for signals of whichever lane is active, and when another one becomes active."""

    def __init__(
        self,
        widget: QObject,
        workspace: PanelWorkspace,
        switched: Callable[[], object],
        **slots: Callable[[], object],
    ) -> None:
        """``slots``: name of a lane's signal (``changed``, ``sampling_changed``…) and what to call."""
        self._workspace, self._switched, self._slots = workspace, switched, slots
        self._links: list[Callable[[], None]] = []
        bind(widget, workspace.active_changed, self._follow)
        bind(widget, workspace.lanes_changed, self._follow)
        widget.destroyed.connect(lambda *_: self._drop())
        self._connect()

    def _connect(self) -> None:
        lane = active_lane(self._workspace)
        self._links = [getattr(lane, name).connect(slot) for name, slot in self._slots.items()]

    def _drop(self) -> None:
        for disconnect in self._links:
            disconnect()
        self._links = []

    def _follow(self) -> None:
        self._drop()
        self._connect()
        self._switched()
