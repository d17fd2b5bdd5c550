"""Undo and redo of a lane's sampling: what it was before and after each change. Pure, no Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST = 200
"""Changes kept for each lane."""
TOGETHER_S = 1.0
"""Changes of the same setting that follow within this are one: a slider's drag."""


@dataclass(frozen=True, slots=True)
class Setup:
    """A lane's sampling at one moment."""

    values: dict[str, Any]
    samplers: list[str]


@dataclass(slots=True)
class Step:
    """One change."""

    before: Setup
    after: Setup
    names: frozenset[str]
    """Which settings it changed."""
    at: float


class History:
    """What can be undone and redone in one lane.

    A lane may get another setup without a change of the user's, when another chat is opened; steps that
    don't lead from what stands there are forgotten.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock``: seconds."""
        self._clock = clock
        self._done: list[Step] = []
        self._undone: list[Step] = []

    def note(self, before: Setup, after: Setup) -> None:
        """The user changed something."""
        now = self._clock()
        names = changed_between(before, after)
        last = self._done[-1] if self._done else None
        if last and last.names == names and last.after == before and now - last.at < TOGETHER_S:
            last.after, last.at = after, now
            if last.after == last.before:
                self._done.pop()
        else:
            self._done.append(Step(before, after, names, now))
            del self._done[:-MOST]
        self._undone.clear()

    def undo(self, now: Setup) -> Setup | None:
        """The setup before the last change; None: there is nothing to undo."""
        if not self._done or self._done[-1].after != now:
            self._done.clear()
            return None
        step = self._done.pop()
        self._undone.append(step)
        return step.before

    def redo(self, now: Setup) -> Setup | None:
        """The setup that was undone last; None: there is none."""
        if not self._undone or self._undone[-1].before != now:
            self._undone.clear()
            return None
        step = self._undone.pop()
        step.at = 0.0
        self._done.append(step)
        return step.after

    def can_undo(self, now: Setup) -> bool:
        """Whether `undo` leads anywhere."""
        return bool(self._done) and self._done[-1].after == now

    def can_redo(self, now: Setup) -> bool:
        """Whether `redo` leads anywhere."""
        return bool(self._undone) and self._undone[-1].before == now


def changed_between(before: Setup, after: Setup) -> frozenset[str]:
    """Names of the settings that differ, and ``samplers`` for the order."""
    names = {name for name in before.values | after.values if before.values.get(name) != after.values.get(name)}
    return frozenset(names | ({"samplers"} if before.samplers != after.samplers else set()))
