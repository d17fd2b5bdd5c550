"""A benchmark from the window: which engine measures, whose turn it is, how far it is, what came out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from playground.bench import plan
from playground.bench.result import Result, make_result, new_run
from playground.protocol.commands import Bench as BenchCommand
from playground.protocol.commands import BenchTest, StopBench
from playground.protocol.events import BenchDone, BenchProgress, BenchRow, LoadFailed
from playground.settings import load as load_table
from playground.supervisor.outcome import Outcome
from playground.translate import tr
from playground.workspace.bench_kept import BenchKept
from playground.workspace.engines import Engine, Engines
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.loading import Loading
from playground.workspace.signal import Signal
from playground.workspace.state import State

BenchState: TypeAlias = Literal["idle", "loading", "waiting", "measuring", "stopping", "done", "stopped", "failed"]
BUSY: frozenset[BenchState] = frozenset({"loading", "waiting", "measuring", "stopping"})
_SIZES = ("n_ctx", "n_seq_max")
"""Options that set no speed: a benchmark takes the context it needs."""


class Bench:
    """At most one run at a time. Views read it; ``changed`` tells of every step."""

    def __init__(self, state: State, engines: Engines, loading: Loading, kept: BenchKept) -> None:
        self._state, self._engines, self._loading = state, engines, loading
        self.kept = kept
        self._requests = itertools.count(1)
        self._request = 0
        self._engine: Engine | None = None
        self._asked = False
        """It has its turn or waits for it."""
        self.texts: dict[str, str] = {wish.name: wish.default for wish in plan.WISHES}
        """What is to be measured, as it was typed."""
        self._chosen: ModelRef | None = None
        self.state: BenchState = "idle"
        self.model: ModelRef | None = None
        """What is measured, or was last."""
        self.run = ""
        self.tests: list[BenchTest] = []
        self.left_out: list[BenchTest] = []
        """Tests that the model's context doesn't hold."""
        self.repeats = 0
        self.at: BenchProgress | None = None
        self.began_s = 0.0
        """`time.monotonic` when the engine began to measure; 0 before."""
        self.message = ""
        """Why it failed."""
        self.changed: Signal[[]] = Signal()
        engines.changed.connect(self._on_engine)
        engines.load_failed.connect(self._on_load_failed)
        engines.ended.connect(self._on_ended)
        engines.bench_event.connect(self._on_event)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self.state in BUSY

    @property
    def fraction(self) -> float:
        """Of the file while it is read, else of the measurement."""
        if self.state == "loading":
            return self._engine.fraction if self._engine is not None else 0.0
        return self.at.fraction if self.at is not None else 0.0

    @property
    def results(self) -> list[Result]:
        """What this run has brought so far."""
        return [result for result in self.kept.results if result.run == self.run] if self.run else []

    @property
    def waits_for(self) -> list[str]:
        """Letters of the lanes whose answers it waits for."""
        return [lane.letter for lane in self._state.lanes if lane.busy and lane.state != "queued"]

    @property
    def room_words(self) -> str:
        """What the engine waits for before it may load; empty: for nothing."""
        return self._engine.waits if self._engine is not None and self.state == "loading" else ""

    def seconds_left(self) -> float | None:
        """How long it will take, by what is done; None while that tells nothing."""
        passed = time.monotonic() - self.began_s
        if self.state != "measuring" or passed < 2 or self.fraction < 0.02:
            return None
        return passed / self.fraction - passed

    def lane_of(self, model: ModelRef) -> Lane | None:
        """The lane whose load options the model is measured with: the active one, or the first that has the model."""
        lanes = [lane for lane in self._state.lanes if lane.model is not None and lane.model.path == model.path]
        return next((lane for lane in lanes if lane.letter == self._state.active), lanes[0] if lanes else None)

    def options_of(self, model: ModelRef) -> dict[str, Any]:
        """The load options that differ from the defaults, without the sizes of the context."""
        lane = self.lane_of(model)
        return _without_sizes(lane.load) if lane is not None else {}

    @property
    def choice(self) -> ModelRef | None:
        """The model that would be measured: the chosen one, else the active lane's."""
        if self._chosen is not None:
            return self._chosen
        lane = self._state.find_lane(self._state.active)
        return (lane.model if lane is not None else None) or self._state.starter

    def choose(self, model: ModelRef) -> None:
        """Measure this model next."""
        self._chosen = model
        self.changed.emit()

    def set_text(self, name: str, text: str) -> None:
        """One of `plan.WISHES`; a bad one is told by `wished`."""
        self.texts[name] = text
        self.changed.emit()

    def wished(self) -> tuple[list[BenchTest], int]:
        """The tests and repeats that are asked for. Raises PlanError."""
        return plan.wished(self.texts)

    @property
    def can_start(self) -> bool:
        """Whether there is something to measure and nothing under way."""
        try:
            self.wished()
        except plan.PlanError:
            return False
        return not self.busy and self.choice is not None

    def start(self) -> None:
        """Measure what is asked for, in the engine that has the model already or in one of its own."""
        model = self.choice
        if model is None or not self.can_start:
            return
        tests, repeats = self.wished()
        self.model, self.tests, self.left_out, self.repeats = model, tests, [], repeats
        self.run, self.at, self.message, self.began_s = new_run(), None, "", 0.0
        self._request = next(self._requests)
        self.state = "loading"
        options = self.options_of(model)
        engine = self._ready_engine(model, options) or self._engines.get(
            model.path, options | {"n_ctx": min(plan.context_for(tests), plan.LARGEST), "n_seq_max": 1}
        )
        engine.held = True
        self._engine = engine
        if engine.state == "ready":
            self._ask(engine)
        self.changed.emit()

    def stop(self) -> None:
        """End the run; the rows that are complete stand. Asked again, the engine is ended."""
        engine = self._engine
        if engine is None or not self.busy:
            return
        if self.state == "stopping":
            self._end_engine(engine)
        elif self.state == "measuring":
            self.state = "stopping"
            engine.process.send(StopBench(self._request))
            self.changed.emit()
        else:
            if self.state == "loading" and not self._shown(engine):
                self._engines.cancel_load(engine)
            self._finish("stopped")

    def _ready_engine(self, model: ModelRef, options: Mapping[str, Any]) -> Engine | None:
        """A loaded engine of that model and those options whose context holds every test."""
        longest = max(map(plan.length, self.tests))
        for engine in self._engines.all.values():
            info = engine.facts.info
            if engine.state != "ready" or engine.path != model.path or info is None:
                continue
            if _without_sizes(engine.options) == options and info.n_ctx >= longest:
                return engine
        return None

    def _ask(self, engine: Engine) -> None:
        """Wait for the turn, with the tests that the context holds."""
        assert engine.facts.info is not None
        n_ctx = engine.facts.info.n_ctx
        wanted = self.tests
        self.tests = plan.fitting(wanted, n_ctx)
        self.left_out = [test for test in wanted if test not in self.tests]
        if not self.tests:
            self.left_out = []
            self._finish("failed", tr("No test fits: this model’s context ends at {n_ctx:,} tokens.", n_ctx=n_ctx))
            return
        self.state, self._asked = "waiting", True
        command = BenchCommand(self._request, self.tests, self.repeats, *_threads(engine))
        self._engines.measure(engine, command, self._begun)

    def _begun(self) -> None:
        self.state, self.began_s = "measuring", time.monotonic()
        self.changed.emit()

    def _on_engine(self, engine: Engine) -> None:
        if engine is not self._engine:
            return
        if engine.state in ("closing", "gone"):
            self._finish("failed", tr("The model was unloaded before all was measured."))
        elif engine.state == "ready" and self.state == "loading":
            self._ask(engine)
            self.changed.emit()
        elif engine.state == "loading":
            self.changed.emit()

    def _on_load_failed(self, engine: Engine, event: LoadFailed) -> None:
        if engine is self._engine:
            self._finish("stopped" if event.kind == "cancelled" else "failed", event.message)

    def _on_ended(self, engine: Engine, outcome: Outcome) -> None:
        if engine is self._engine:
            self._finish("stopped" if self.state == "stopping" else "failed", f"{outcome.title}. {outcome.text}")

    def _on_event(self, engine: Engine, event: BenchProgress | BenchRow | BenchDone) -> None:
        if engine is not self._engine or event.request != self._request:
            return
        if isinstance(event, BenchProgress):
            if 0 <= event.index < len(self.tests):
                self.at = event
                self.changed.emit()
        elif isinstance(event, BenchRow):
            self._keep(engine, event)
        elif event.reason in ("done", "stopped"):
            self._finish(event.reason)
        else:
            self._finish("failed", event.message)

    def _keep(self, engine: Engine, row: BenchRow) -> None:
        info, facts, run = engine.facts.info, engine.facts, self.run
        name = self.model.name if self.model is not None else ""
        options = load_table.FIELDS.complete(engine.options)
        assert info is not None
        self.kept.add(
            lambda machine: make_result(
                row, info, options, machine, run=run, name=name, build=facts.build, gpu=facts.gpu
            ),
            lambda _result: self.changed.emit(),
        )

    def _end_engine(self, engine: Engine) -> None:
        """An engine that doesn't react. Lanes that show it hear of its end; one of our own goes quietly."""
        if not self._shown(engine):
            engine.state = "closing"
        self._engines.kill(engine)
        self._finish("stopped")

    def _finish(self, state: BenchState, message: str = "") -> None:
        engine, self._engine = self._engine, None
        self.state, self.message = state, message if state == "failed" else ""
        if engine is not None:
            engine.held = False
        if self._asked:
            self._asked = False
            self._engines.measured(self._request)
        self._loading.drop_unused()
        self.changed.emit()

    def _shown(self, engine: Engine) -> bool:
        return any(lane.engine is engine.facts for lane in self._state.lanes)


def _threads(engine: Engine) -> tuple[int, int]:
    """Counts for writing and reading that were set since it was loaded; 0: as it was loaded."""
    info, fixed = engine.facts.info, int(engine.options.get("n_threads", 0))
    let_go = info.auto_threads if info is not None and info.auto_threads != info.n_threads else 0
    return fixed or let_go, int(engine.options.get("n_threads_batch", 0))


def _without_sizes(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _SIZES}
