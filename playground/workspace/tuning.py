"""A lane's sampling: every change checked by the table, passed on to a running answer at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.settings import sampling as table
from playground.workspace.lane import Lane
from playground.workspace.state import State


class Tuning:
    """Changes of sampling values and of the chain's order."""

    def __init__(self, state: State, tweak: Callable[[Lane], None], keep: Callable[[], None]) -> None:
        self._state = state
        self._tweak = tweak
        self._keep = keep

    def set_sampling(self, letter: str, name: str, value: Any) -> None:
        """One value. Raises SettingError when the table refuses it; nothing changes then."""
        self.set_many(letter, {name: value})

    def set_many(self, letter: str, values: dict[str, Any]) -> None:
        """Several values at once: all or none. Raises SettingError."""
        lane = self._state.lane(letter)
        checked = table.FIELDS.check(values)
        if all(lane.sampling.get(name) == value for name, value in checked.items()):
            return
        lane.sampling |= checked
        self._changed(lane)

    def set_samplers(self, letter: str, order: list[str]) -> None:
        """The chain's order. Raises SettingError."""
        lane = self._state.lane(letter)
        checked = table.check_order(order)
        if checked != lane.samplers:
            lane.samplers = checked
            self._changed(lane)

    def neutralise(self, letter: str) -> None:
        """Every sampler off: the model's own probabilities."""
        self.set_many(letter, table.neutral_values())

    def reset_sampling(self, letter: str) -> None:
        """llama.cpp's defaults for the chain, values and order; length, seed and stops stay."""
        lane = self._state.lane(letter)
        lane.sampling |= {row.name: table.FIELDS.defaults()[row.name] for stage in table.CHAIN for row in stage.fields}
        lane.samplers = list(table.DEFAULT_ORDER)
        self._changed(lane)

    def _changed(self, lane: Lane) -> None:
        lane.sampling_changed.emit()
        self._tweak(lane)
        self._keep()
