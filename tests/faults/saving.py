"""Engines killed while they keep their state: the next finds the old state, the new one or none, never half of one."""

from __future__ import annotations

import shutil
from pathlib import Path

from faults.case import Case, Fault
from faults.state_runs import MODELS, MORE, TALK, Answers, save_and_kill


class Savers:
    """Models whose states are kept, and the answers that they give without."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "saving"
        self._folder.mkdir()
        self._answers = Answers(self._folder)
        self._known: dict[str, list[int]] = {}

    def run(self, case: Case) -> None:
        """One kill, and what the next engine makes of the folder. Raises Fault."""
        kind = case.random.choice(list(MODELS))
        model, states = self._folder / f"{kind}.gguf", self._folder / f"{kind}-states"
        if kind not in self._known:
            MODELS[kind](model)
            self._known[kind] = self._answers.ask(case, model, "", MORE).ids
        leaving = case.random.random() < 0.5
        case.what += f": {kind}, {'another chat comes' if leaving else 'at the end'}"
        if case.random.random() < 0.4:
            shutil.rmtree(states, ignore_errors=True)
        self._answers.ask(case, model, states, TALK, save_and_kill(case, leaving))
        told = self._answers.ask(case, model, states, MORE)
        # Read in other pieces the last bits may differ, but not at once.
        equal = told.ids == self._known[kind]
        if (told.ids[:1] != self._known[kind][:1]) or (not told.restored and not equal):
            raise Fault(f"another answer after a broken save: {told} instead of {self._known[kind]}")
        if "was deleted" in told.log:
            raise Fault(f"half a state was left: {told.log[-600:]}")
        left = [path.name for path in states.glob("*.part")]
        if left:
            raise Fault(f"half-written files stay: {left}")
        case.outcome = f"{'old or new state' if told.restored else 'none'}, answer {'equal' if equal else 'alike'}"
