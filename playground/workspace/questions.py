"""What the panel asks a lane's engine: tokens of a text, and whether a grammar or a schema can be followed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from playground.protocol.commands import CheckFormat, Tokenize
from playground.protocol.events import FormatChecked, Tokenized
from playground.workspace.engine import Engine
from playground.workspace.engines import Engines
from playground.workspace.lane import Lane
from playground.workspace.state import State


class Questions:
    """Sends questions and hands the answers on."""

    def __init__(self, state: State, engines: Engines, engine_of: Callable[[Lane], Engine | None]) -> None:
        self._state = state
        self._engine_of = engine_of
        self._numbers = itertools.count(1)
        self._replies: dict[int, Callable[[Any], None]] = {}
        engines.answered.connect(self._answered)

    def tokenize(self, letter: str, text: str, ids: list[int], reply: Callable[[Tokenized], None]) -> bool:
        """The tokens of a text, and those with these ids; False: the lane's model isn't loaded."""
        engine = self._ready(letter)
        if engine is not None:
            engine.process.send(Tokenize(self._number(reply), text, ids))
        return engine is not None

    def check_format(self, letter: str, grammar: str, schema: str, reply: Callable[[FormatChecked], None]) -> bool:
        """Whether they can be followed, and where the error is; False: the lane's model isn't loaded."""
        engine = self._ready(letter)
        if engine is not None:
            engine.process.send(CheckFormat(self._number(reply), grammar, schema))
        return engine is not None

    def _ready(self, letter: str) -> Engine | None:
        lane = self._state.find_lane(letter)
        engine = self._engine_of(lane) if lane is not None else None
        return engine if engine is not None and engine.state == "ready" else None

    def _number(self, reply: Callable[[Any], None]) -> int:
        number = next(self._numbers)
        self._replies[number] = reply
        return number

    def _answered(self, event: Any) -> None:
        reply = self._replies.pop(event.request, None)
        if reply is not None:
            reply(event)
