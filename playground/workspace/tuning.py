"""A lane's sampling: every change checked by the table, passed on to a running answer at once, and undoable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from playground.settings import sampling as table
from playground.workspace.history import History, Setup
from playground.workspace.lane import Lane
from playground.workspace.state import State


class Tuning:
    """Changes of sampling values and of the chain's order."""

    def __init__(self, state: State, tweak: Callable[[Lane], None], keep: Callable[[], None]) -> None:
        self._state = state
        self._tweak = tweak
        self._keep = keep
        self._histories: WeakKeyDictionary[Lane, History] = WeakKeyDictionary()

    def set_sampling(self, letter: str, name: str, value: Any) -> None:
        """One value. Raises SettingError when the table refuses it; nothing changes then."""
        self.set_many(letter, {name: value})

    def set_many(self, letter: str, values: dict[str, Any]) -> None:
        """Several values at once: all or none. Raises SettingError."""
        self.set_setup(letter, values)

    def set_samplers(self, letter: str, order: list[str]) -> None:
        """The chain's order. Raises SettingError."""
        self.set_setup(letter, {}, order)

    def set_setup(self, letter: str, values: dict[str, Any], order: Sequence[str] | None = None) -> None:
        """Values and, if given, the order, as one change: all or none. Raises SettingError.

        The optional stages stand in the order exactly while they are on.
        """
        lane = self._state.lane(letter)
        wanted = lane.sampling | table.FIELDS.check(values)
        chain = table.with_optional(lane.samplers if order is None else order, wanted)
        self._adopt(lane, Setup(wanted, chain))

    def neutralise(self, letter: str) -> None:
        """Every sampler off: the model's own probabilities."""
        self.set_many(letter, table.neutral_values())

    def reset_sampling(self, letter: str) -> None:
        """llama.cpp's defaults for the chain, values and order; length, seed and stops stay."""
        defaults = table.FIELDS.defaults()
        values = {row.name: defaults[row.name] for stage in table.CHAIN for row in stage.fields}
        self.set_setup(letter, values, table.DEFAULT_ORDER)

    def undo_sampling(self, letter: str) -> bool:
        """Take back the lane's last change; False: there is none."""
        lane = self._state.lane(letter)
        return self._go_to(lane, self._history(lane).undo(setup_of(lane)))

    def redo_sampling(self, letter: str) -> bool:
        """Bring back what was undone last; False: there is nothing."""
        lane = self._state.lane(letter)
        return self._go_to(lane, self._history(lane).redo(setup_of(lane)))

    def can_undo_sampling(self, letter: str) -> bool:
        """Whether there is a change to take back."""
        lane = self._state.lane(letter)
        return self._history(lane).can_undo(setup_of(lane))

    def can_redo_sampling(self, letter: str) -> bool:
        """Whether there is a change to bring back."""
        lane = self._state.lane(letter)
        return self._history(lane).can_redo(setup_of(lane))

    def _history(self, lane: Lane) -> History:
        return self._histories.setdefault(lane, History())

    def _adopt(self, lane: Lane, wanted: Setup) -> None:
        before = setup_of(lane)
        if wanted != before:
            self._history(lane).note(before, wanted)
            self._go_to(lane, wanted)

    def _go_to(self, lane: Lane, setup: Setup | None) -> bool:
        if setup is None:
            return False
        lane.sampling, lane.samplers = dict(setup.values), list(setup.samplers)
        self._tweak(lane)  # before anything is painted or kept: the token after this wants it
        lane.sampling_changed.emit()
        self._keep()
        return True


def setup_of(lane: Lane) -> Setup:
    """A lane's sampling as it stands."""
    return Setup(dict(lane.sampling), list(lane.samplers))
