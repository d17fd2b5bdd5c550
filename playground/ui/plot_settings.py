"""What the settings say of the latency plot, and what is switched there, which is kept as settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playground.ui.plots.latency import LatencyPane
    from playground.ui.preferences import Preferences


def follow(preferences: Preferences, latency: LatencyPane) -> None:
    """Tie the plot's switches to the settings of the same meaning."""
    rows = (
        ("plot_x", latency.set_axis, latency.axis_changed),
        ("plot_bars", latency.show_histogram, latency.head.bars.clicked),
        ("plot_split", latency.show_split, latency.head.split.clicked),
    )
    for name, change, changed in rows:
        preferences.effect(name, change)
        changed.connect(lambda value, name=name: preferences.set(name, value))
