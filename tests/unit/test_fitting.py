"""Whom to unload for a model, what to wait for, when to refuse: a table of cases."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from playground.fit.estimate import PROCESS, Needs
from playground.fit.weights import Weights
from playground.workspace.fitting import Other, Plan, decide

GB = 10**9


def needs(gb: float, mapped_gb: float = 0) -> Needs:
    """A model that takes so many GB for certain, and as many mapped ones to run at full speed."""
    return Needs(4096, Weights(int(mapped_gb * GB), 0), int(gb * GB) - PROCESS, 0, mapped=True)


def idle(number: int, gb: float, used: int) -> Other:
    return Other(number, "idle", int(gb * GB), used=used)


def hidden(number: int, gb: float, used: int) -> Other:
    return Other(number, "hidden", int(gb * GB), used=used)


def busy(number: int, gb: float) -> Other:
    return Other(number, "busy", int(gb * GB), used=0)


@dataclass(frozen=True)
class Case:
    says: str
    needs: Needs | None
    free_gb: float
    others: tuple[Other, ...]
    kind: str
    engines: tuple[int, ...] = ()
    most_gb: float = -1


CASES = (
    Case("nothing is known of it", None, 0.1, (idle(1, 9, 1),), "load"),
    Case("it fits", needs(2), 3, (idle(1, 1, 1),), "load"),
    Case("the one used longest ago goes", needs(2), 1, (idle(1, 1, 7), idle(2, 1, 3), idle(3, 1, 5)), "unload", (2,)),
    Case("two go", needs(3), 1, (idle(1, 1, 7), idle(2, 1, 3), idle(3, 1, 5)), "unload", (2, 3)),
    Case("one that no lane shows goes first", needs(2), 1, (idle(1, 1, 1), hidden(2, 1, 9)), "unload", (2,)),
    Case("a small one isn't sent away for nothing", needs(3), 1, (idle(1, 0.2, 1), idle(2, 2, 2)), "unload", (2,)),
    Case("an old large one is enough", needs(3), 1, (idle(1, 2, 1), idle(2, 2, 2)), "unload", (1,)),
    Case("who writes stays, the idle one goes", needs(2), 1, (busy(1, 5), idle(2, 1, 9)), "unload", (2,)),
    Case("what is missing comes when the writing ends", needs(4), 1, (busy(1, 3), idle(2, 0.5, 9)), "wait", (1,)),
    Case("nobody goes for what will not fit", needs(9), 1, (idle(1, 1, 1), busy(2, 2)), "refuse", (), 2),
    Case("alone and too large", needs(9), 1, (), "refuse", (), 1),
    Case("one on its way out is awaited", needs(2), 1, (Other(1, "leaving", GB), idle(2, 3, 1)), "wait", (1,)),
    Case("two loads at once don't count the same memory", needs(2), 3,
         (Other(1, "loading", 0, promised=2 * GB),), "wait", (1,)),
    Case("two loads at once fit", needs(2), 5, (Other(1, "loading", 0, promised=2 * GB),), "load"),
    Case("full speed is worth an idle one", needs(1, 3), 2, (idle(1, 2.5, 1),), "unload", (1,)),
    Case("full speed is out of reach: nobody goes", needs(1, 9), 2, (idle(1, 2, 1),), "load"),
    Case("full speed is out of reach and so is the least", needs(3, 9), 2, (idle(1, 2, 1),), "unload", (1,)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_decisions(case: Case) -> None:
    plan = decide(case.needs, int(case.free_gb * GB), case.others)
    assert (plan.kind, plan.engines) == (case.kind, case.engines)
    if case.most_gb >= 0:
        assert plan == Plan("refuse", (), int(case.most_gb * GB))
