"""Heights of rows that mostly were never laid out: estimated from their text, corrected when seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from playground.conversation.tree import Node

LINE = 22.0
CHAR = 7.0
"""Mean width of a character of running text, px."""
_EXTRA = {"user": 52.0, "assistant": 66.0, "system": 52.0}


class Heights:
    """Tops and heights of rows at one width."""

    def __init__(self) -> None:
        self._width, self._scale = 0, 1.0
        self._ids: list[str] = []
        self._chars = np.zeros(0)
        self._lines = np.zeros(0)
        self._extra = np.zeros(0)
        self._heights = np.zeros(0)
        self._measured: dict[str, float] = {}
        self._tops: NDArray[np.float64] | None = None
        self._total = 0.0
        """Bottom of the last row, once the tops are known."""
        self._late = 0.0
        """What the last row grew by that isn't in the arrays yet."""

    def set_rows(self, nodes: list[Node], extras: int) -> None:
        """Other turns, followed by ``extras`` rows of unknown height; what was measured stays."""
        self._ids = [node.id for node in nodes] + [f"extra {n}" for n in range(extras)]
        self._chars = np.array([len(node.text) for node in nodes] + [0] * extras, float)
        self._lines = np.array([node.text.count("\n") for node in nodes] + [0] * extras, float)
        self._extra = np.array([_EXTRA[node.role] for node in nodes] + [0.0] * extras)
        self._estimate()

    def set_scale(self, scale: float) -> None:
        """Another size of the text, as a factor: everything has to be measured anew."""
        if scale != self._scale:
            self._scale = scale
            self._measured.clear()
            self._estimate()

    def set_width(self, width: int) -> None:
        """Another width: likewise."""
        if width != self._width:
            self._width = width
            self._measured.clear()
            self._estimate()

    def _estimate(self) -> None:
        per_line = max(10.0, self._width / CHAR / self._scale)
        self._heights = self._extra + LINE * self._scale * (1 + self._lines + np.floor(self._chars / per_line))
        for row, key in enumerate(self._ids):
            if (known := self._measured.get(key)) is not None:
                self._heights[row] = known
        self._tops = None
        self._late = 0.0

    def set(self, row: int, height: float) -> None:
        """A row was measured."""
        self._measured[self._ids[row]] = height
        self._catch_up()
        more = height - float(self._heights[row])
        if more:
            self._heights[row] = height
            self._tops = None

    def lengthen(self, height: float, more: float) -> None:
        """The last row, which was measured, got higher; with every line of an answer, so that arrays have to wait."""
        self._measured[self._ids[-1]] = height
        self._late += more

    def _catch_up(self) -> None:
        if self._late:
            self._heights[-1] += self._late
            self._late, self._tops = 0.0, None

    def grow(self, row: int, node: Node) -> None:
        """A row that isn't laid out got longer."""
        per_line = max(10.0, self._width / CHAR / self._scale)
        lines = 1 + node.text.count("\n") + len(node.text) // per_line
        self._measured.pop(self._ids[row], None)
        self._catch_up()
        self._heights[row] = self._extra[row] + LINE * self._scale * lines
        self._tops = None

    @property
    def tops(self) -> NDArray[np.float64]:
        """Top of each row, and the bottom of the last."""
        self._catch_up()
        if self._tops is None:
            self._tops = np.concatenate([[0.0], np.cumsum(self._heights)])
            self._total = float(self._tops[-1])
        return self._tops

    @property
    def total(self) -> float:
        """Height of all rows."""
        if self._tops is None:
            return float(self.tops[-1])
        return self._total + self._late

    def at(self, y: float) -> int:
        """The row at a height; the nearest beyond the ends."""
        row = int(np.searchsorted(self.tops, y, side="right")) - 1
        return max(0, min(row, len(self._ids) - 1))
