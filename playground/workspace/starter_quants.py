"""Three quants of the starter side by side: made where they aren't here yet, each in a lane of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playground.models.model_file import ModelFile
from playground.models.starter import STARTER
from playground.translate import tr
from playground.workspace.known_models import to_ref
from playground.workspace.library import Library
from playground.workspace.quantizing import Making, Quantizing
from playground.workspace.words import join_letters
from playground.workspace.workspace import Workspace

if TYPE_CHECKING:
    from playground.quantize.plan import Plan

TYPES = ("Q4_0", "Q8_0")
"""Beside the starter itself, which is a Q4_1."""


class StarterQuants:
    """About a second of work for both; what is under way is told, and so is what can't be done."""

    def __init__(self, workspace: Workspace, library: Library, quantizing: Quantizing) -> None:
        self._workspace, self._library, self._quantizing = workspace, library, quantizing
        self._links: list[Callable[[], None]] = []
        self._makings: list[Making] = []
        self._left = 0

    def start(self) -> None:
        """Make what is missing, then open the lanes."""
        starter = next((model for model in self._library.models if model.source_key == "starter"), None)
        if starter is None:
            self._workspace.told.emit(
                tr("The starter model isn’t in the library; make another quant on the Models page.")
            )
            return
        if self._links:
            return
        self._links = [self._quantizing.changed.connect(self._look), self._library.changed.connect(self._look)]
        missing = [kind for kind in TYPES if self._find(kind) is None]
        self._left = len(missing)
        if missing:
            self._workspace.told.emit(tr("Making {missing} of the starter…", missing=join_letters(missing)))
            for kind in missing:
                self._plan(starter, kind)
        self._look()

    def _plan(self, starter: ModelFile, kind: str) -> None:
        from playground.quantize.plan import Wish
        from playground.quantize.table import BY_NAME

        self._quantizing.plan(starter, Wish(BY_NAME[kind]), self._planned)

    def _planned(self, plan: Plan | str) -> None:
        if isinstance(plan, str):
            self._end(plan)
        elif self._links:
            self._left -= 1
            self._makings += self._quantizing.start([plan])

    def _find(self, kind: str) -> ModelFile | None:
        """The starter's quant of that type, once its header was read."""
        return next(
            (m for m in self._library.models if m.usable and not m.pending and m.quant == kind and _is_sister(m)), None
        )

    def _look(self) -> None:
        failed = next((one for one in self._makings if one.state in ("failed", "cancelled")), None)
        if failed is not None:
            self._end(failed.message or tr("Given up: the quants that were made stay in the library."))
            return
        found = [self._find(kind) for kind in TYPES]
        if self._left or not self._links or any(model is None for model in found):
            return
        self._end("")
        opened = [self._workspace.add_lane(to_ref(model)) for model in found if model is not None]
        if all(opened):
            for making in self._makings:
                self._quantizing.dismiss(making)
            self._workspace.told.emit(
                tr("Three quants of one model: write something, and compare speed, size and words.")
            )
        self._makings = []

    def _end(self, said: str) -> None:
        for disconnect in self._links:
            disconnect()
        self._links = []
        if said:
            self._makings = []
            self._workspace.told.emit(said)


def _is_sister(model: ModelFile) -> bool:
    return model.source_key in ("ours", "starter") and model.name.casefold() == STARTER.name.casefold()
