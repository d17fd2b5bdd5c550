"""Opens the sources that the table of readings names; each imports what it needs when it is wanted first."""

from __future__ import annotations

from playground.gauges.probe import Missing, Probe


def cpu_load() -> Probe:
    """All processors, all programs."""
    from playground.gauges.processor import Load

    return Load()


def engine_load() -> Probe:
    """All processors, each engine."""
    from playground.gauges.processor import EngineLoad

    return EngineLoad()


def frequency() -> Probe | Missing:
    """Of the processors."""
    from playground.gauges.processor import open_frequency

    return open_frequency()


def power() -> Probe | Missing:
    """Processors and GPUs."""
    from playground.gauges.energy import open_power

    return open_power()
