"""How many threads each engine gets: all it wants alone, a share of the cores beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playground.protocol.commands import SetThreads
from playground.protocol.events import ModelInfo


def thread_orders(
    running: Sequence[tuple[ModelInfo | None, Mapping[str, Any]]], governed: bool, cores: int
) -> list[SetThreads]:
    """What to send to the engines that compute now: each one's facts and load options.

    llama.cpp's threads spin: those of all engines together never exceed the cores, as long as there is one
    for each. ``cores``: how many to assume where no engine has told.
    """
    told = max((info.n_cores for info, _ in running if info is not None), default=0)
    left, orders = told or max(1, cores), []
    for index, (info, options) in enumerate(running):
        fixed = int(options.get("n_threads", 0))
        wanted = fixed or (info.auto_threads if info is not None else 0)
        follows = governed and not fixed
        if len(running) == 1:
            return [SetThreads(wanted, follows)]
        share = max(1, -(-left // (len(running) - index)))
        given = min(wanted or share, share)
        left -= given
        orders.append(SetThreads(given, follows, shared=True))
    return orders
