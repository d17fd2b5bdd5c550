"""What can happen to one answer of the stand-in Hub instead of a good one."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

KINDS = ("cut", "busy", "server", "short", "shifted", "garbage", "hang_up", "stall")


@dataclass(frozen=True)
class Fault:
    kind: Literal["cut", "busy", "server", "short", "shifted", "garbage", "hang_up", "stall"]
    """``cut``: the body ends before what was announced; ``busy``: 429; ``server``: 503; ``short``: a shorter body, and
    announced so; ``shifted``: another part of the file, and announced so; ``garbage``: a web page of some proxy;
    ``hang_up``: no answer at all; ``stall``: silence."""
    after: int = 0
    """Bytes of the body that still arrive."""
    retry_after: str = ""


def seeded(seed: int, count: int, kinds: tuple[str, ...] = KINDS) -> list[Fault | None]:
    """Faults and good answers mixed, the same for the same seed."""
    dice = random.Random(seed)
    return [
        Fault(dice.choice(kinds), dice.randrange(4000), dice.choice(("", "0")))  # type: ignore[arg-type]
        if dice.random() < 0.6
        else None
        for _ in range(count)
    ]
