"""The grips of the chat page's panes: what each pane can be dragged to, and its menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

from playground.translate import later, tr
from playground.ui.docks import Docks
from playground.ui.layouts import Column, PlotsAt
from playground.ui.pane_grip import PaneGrip, Ways
from playground.ui.theme import Theme

if TYPE_CHECKING:
    from playground.ui.main_window import MainWindow

_PLOTS: tuple[tuple[str, PlotsAt], ...] = (
    (later("Plots below the chat"), "below"),
    (later("Plots above the chat"), "above"),
    (later("Plots right of the chat"), "beside"),
    (later("Plots left of the chat"), "before"),
)
_NAMES: dict[Column, str] = {"sidebar": later("Move the sidebar"), "panel": later("Move the settings panel")}


def add_grips(docks: Docks, window: MainWindow, theme: Theme) -> list[PaneGrip]:
    """Give sidebar, panel and plots their grips."""
    hide: dict[Column, Callable[[], None]] = {"sidebar": window.toggle_sidebar, "panel": window.toggle_panel}
    grips = [
        PaneGrip(docks.columns[column], docks.page, theme, _column_ways(docks, window, column, hide[column]))
        for column in ("sidebar", "panel")
    ]
    grips.append(PaneGrip(docks.plots, docks.page, theme, _plots_ways(docks, window)))
    for grip in grips:
        grip.show()
    return grips


def _column_ways(docks: Docks, window: MainWindow, column: Column, hide: Callable[[], None]) -> Ways:
    def go(side: str) -> None:
        others = tuple(name for name in docks.layouts.now.columns if name != column)
        window.place_column((column, *others) if side == "left" else (*others, column))

    return Ways(
        tr(_NAMES[column]),
        lambda at: docks.column_mark(column, at.x()),
        lambda at: window.place_column(docks.columns_at(column, at.x())),
        (
            (tr("To the left"), lambda: go("left")),
            (tr("To the right"), lambda: go("right")),
            (tr("Hide"), hide),
            (tr("Layout as it was at first"), window.reset_layout),
        ),
    )


def _plots_ways(docks: Docks, window: MainWindow) -> Ways:
    def drop(at: QPoint) -> None:
        window.place_plots(docks.plots_at(at))

    def place(where: str) -> Callable[[], None]:
        return lambda: window.place_plots(where)

    places = tuple((tr(words), place(where)) for words, where in _PLOTS)
    rest = ((tr("Hide"), window.toggle_plots), (tr("Layout as it was at first"), window.reset_layout))
    return Ways(tr("Move the plots"), docks.plots_mark, drop, places + rest)
