"""How the panes stand, remembered for each number of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias, cast, get_args

PlotsAt: TypeAlias = Literal["below", "above", "before", "beside"]
"""Where the plots stand, seen from the chat; ``before`` is left of it, ``beside`` right, as one reads."""
Column: TypeAlias = Literal["sidebar", "chat", "panel"]
COLUMNS: tuple[Column, ...] = get_args(Column)
_LEAST, _MOST = 0, 20_000
"""Pixels that a kept size may have; the file may have been edited."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One arrangement. Sizes are pixels; 0: as the window sees fit."""

    sidebar: bool = True
    panel: bool = True
    plots: bool = True
    plots_at: PlotsAt = "below"
    columns: tuple[Column, ...] = COLUMNS
    """From the left, as one reads."""
    plots_size: int = 0
    """Height below or above, width beside."""
    sidebar_size: int = 0
    panel_size: int = 0


class Layouts:
    """One layout per number of lanes; a number not seen yet begins as the one before it stood."""

    def __init__(self) -> None:
        self._lanes = 1
        self._kept: dict[int, Layout] = {1: Layout()}

    @property
    def now(self) -> Layout:
        """The layout in force."""
        return self._kept[self._lanes]

    def go_to(self, lanes: int) -> None:
        """So many lanes are there now."""
        if lanes not in self._kept:
            # Sizes don't go along: they suit another number of lanes.
            self._kept[lanes] = replace(self.now, plots_size=0, sidebar_size=0, panel_size=0)
        self._lanes = lanes

    def change(self, **what: Any) -> None:
        """Change the layout in force."""
        self._kept[self._lanes] = replace(self.now, **what)

    def swap_sides(self) -> None:
        """Sidebar and panel change places."""
        other = {"sidebar": "panel", "panel": "sidebar", "chat": "chat"}
        self.change(columns=tuple(other[column] for column in self.now.columns))

    def reset(self) -> None:
        """The layout in force as it was at first."""
        self._kept[self._lanes] = Layout()

    def as_kept(self) -> dict[str, Any]:
        """For the store."""
        return {str(lanes): asdict(layout) for lanes, layout in self._kept.items()}

    def restore(self, kept: Any) -> None:
        """Take what `as_kept` gave; what can't be read has its default."""
        if not isinstance(kept, Mapping):
            return
        for lanes in (1, 2, 3, 4):
            if isinstance(found := kept.get(str(lanes)), Mapping):
                self._kept[lanes] = _read(found)
        self._kept.setdefault(self._lanes, Layout())


def _read(kept: Mapping[str, Any]) -> Layout:
    default = Layout()
    good: dict[str, Any] = {}
    for name in ("sidebar", "panel", "plots"):
        good[name] = bool(kept.get(name, getattr(default, name)))
    for name in ("plots_size", "sidebar_size", "panel_size"):
        value = kept.get(name, 0)
        good[name] = value if isinstance(value, int) and _LEAST <= value <= _MOST else 0
    columns = kept.get("columns")
    if isinstance(columns, list | tuple) and sorted(map(str, columns)) == sorted(COLUMNS):
        good["columns"] = tuple(columns)
    elif kept.get("swapped"):  # as earlier versions kept it
        good["columns"] = COLUMNS[::-1]
    where = kept.get("plots_at")
    good["plots_at"] = cast(PlotsAt, where) if where in get_args(PlotsAt) else default.plots_at
    return Layout(**good)
