"""An engine with saved states: one that answers and keeps its state, one that goes on from what lies there."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf_factory
import gguf_memories

from faults.case import Case, Fault, kill, sentence
from faults.engine_run import Run
from faults.talk import long_text
from playground.protocol.commands import Generate, Load, Message, Quit, Sampling
from playground.protocol.events import Finished, Loaded, LoadFailed, Started, Token

OPTIONS: dict[str, Any] = {"n_threads": 1, "n_ctx": 2048, "n_seq_max": 1, "n_ubatch": 64}
"""One sequence: another chat drives the first one out, and what it had is saved then."""
BUDGET = 1 << 30
MODELS: dict[str, Callable[[Path], Any]] = {
    "plain": lambda path: gguf_factory.random_model(path, n_ctx=2048, width=256, layers=8),
    "window": gguf_memories.window_model,
    "recurrent": gguf_factory.mamba_model,
    "hybrid": gguf_memories.hybrid_model,
}
TALK = [Message("user", long_text(random.Random(5), 60))]
"""Each word is several tokens of the small vocabularies; long enough to be worth saving."""
MORE = [*TALK, Message("assistant", "Well."), Message("user", "And then?")]
OTHER = [Message("user", long_text(random.Random(6), 60))]
_CALM = Sampling({"temp": 0.0, "ignore_eos": True})


@dataclass
class Told:
    """What came of a run."""

    ids: list[int]
    """The first answer's tokens."""
    restored: int = 0
    log: str = ""


class Answers:
    """Engines of one case after the other; every wait ends, and each engine is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(
        self,
        case: Case,
        model: Path,
        states: Path | str,
        talk: list[Message],
        then: Callable[[Run], None] | None = None,
    ) -> Told:
        """One answer of a fresh engine. ``then`` gets the engine that has answered. Raises Fault."""
        log = self._folder / f"{case.kind}-{case.index}.log"
        run = Run(log, case)
        try:
            run.process.send(Load(str(model), OPTIONS, str(states), BUDGET))
            event = run.first(Loaded, LoadFailed)
            if not isinstance(event, Loaded):
                raise Fault(f"no load with saved states: {event or _words(run)}")
            run.process.send(Generate(1, "c:A", talk, _CALM, 6))
            finished = run.first(Finished)
            if finished is None or finished.reason == "failed":
                raise Fault(f"no answer with saved states: {finished or _words(run)}")
            if then is not None:
                then(run)
            started = run.first(Started)
            ids = [event.id for event in run.events if isinstance(event, Token) and event.job == 1]
            return Told(ids, started.n_restored if started else 0, log.read_text("utf-8", "replace"))
        finally:
            run.close()


def save(run: Run) -> None:
    """Keep the state and end."""
    run.process.send(Quit(save=True))
    outcome = run.end(40)
    if outcome.kind != "closed":
        raise Fault(f"the engine ended otherwise: {outcome}")


def save_and_kill(case: Case, leaving: bool) -> Callable[[Run], None]:
    """Begin to keep the state, at Quit or because another chat drives it out, and be killed after a moment."""

    def then(run: Run) -> None:
        if leaving:
            run.process.send(Generate(2, "d:A", OTHER, _CALM, 60))
        else:
            run.process.send(Quit(save=True))
        time.sleep(case.random.choice((0, case.random.uniform(0, 0.02), case.random.uniform(0, 0.15))))
        kill(case, run.process.pid)
        sentence(run.end().text, "the outcome")

    return then


def _words(run: Run) -> str:
    """An engine's end, for a report."""
    outcome = run.end()
    return f"{outcome.kind}: {outcome.text} {outcome.details[-600:]}"
