"""The engines behind the lanes: one process per model and load options, shared by its lanes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from playground.protocol.commands import Bench, CancelLoad, CountTokens, Generate, Load, Message, Render
from playground.protocol.events import (
    BenchDone,
    BenchProgress,
    BenchRow,
    Event,
    FormatChecked,
    Hello,
    Loaded,
    LoadFailed,
    LoadProgress,
    Memory,
    Refused,
    Rendered,
    StatesSaved,
    Token,
    TokenCount,
    Tokenized,
    Tuned,
)
from playground.protocol.measured import Measured
from playground.supervisor.turns import Turns
from playground.translate import tr
from playground.workspace.engine import Engine, EngineState
from playground.workspace.intake import Intake, runs
from playground.workspace.ports import Post, Spawn
from playground.workspace.signal import Signal
from playground.workspace.starting import start_process
from playground.workspace.threads import thread_orders

__all__ = ["Engine", "EngineState", "Engines"]

if TYPE_CHECKING:
    from playground.supervisor.incoming import Watch
    from playground.supervisor.outcome import Outcome


class Engines:
    """Loads, shares and ends engines; passes their events on."""

    def __init__(self, logs: Path, post: Post, spawn: Spawn | None = None, post_soon: Post | None = None) -> None:
        """``post_soon``: as ``post``, for what may wait until the views draw anyway."""
        self._logs = logs
        self._post, self._post_soon = post, post_soon or post
        self._spawn = spawn or start_process
        self._numbers = itertools.count(1)
        self._requests = itertools.count(1)
        self._uses = itertools.count(1)
        self.answered: Signal[[Any]] = Signal()
        """What `questions` asked for."""
        self._counts: dict[int, Callable[[int], None]] = {}
        self._renders: dict[int, Callable[[str, int, str], None]] = {}
        self.all: dict[int, Engine] = {}
        self.turns = Turns()
        self.governed = True
        """Engines give threads up while other programs need the cores."""
        self.machine: Measured | None = None
        """What was measured on this machine."""
        self.tune_s = 0.0
        """Seconds that a measurement may take, where there is none yet; 0: none is made."""
        self.states, self.states_budget = "", 0
        """Folder of saved states, and the bytes they may take there; empty: none is kept."""
        self.prepare: Callable[[Engine], None] = self.load
        """What comes between the start of a process and its Load, see `making_room`."""
        self.watch: Watch | None = None
        """Has the pipes of loaded engines read on the workspace's own thread, see `supervisor.incoming`."""
        self.gpu: str | None = None
        """Name of the GPU that llama.cpp can use, empty without one; None: no engine has said yet."""
        self.gpu_memory = (0, 0)
        """Bytes of it: those that were free when the newest engine was started, and all."""
        self.tuned: Signal[[Tuned]] = Signal()
        """An engine measured the machine, or says why it could not."""

        self.changed: Signal[[Engine]] = Signal()
        """State, progress, facts or memory of an engine changed."""
        self.load_failed: Signal[[Engine, LoadFailed]] = Signal()
        self.ended: Signal[[Engine, Outcome]] = Signal()
        """The process is gone though nobody closed it."""
        self.job_event: Signal[[Engine, Any]] = Signal()
        """An event that carries a job, and is no token."""
        self.tokens: Signal[[Engine, list[Token]]] = Signal()
        """Tokens in a row, of one answer and one phase."""
        self.batch_done: Signal[[Engine]] = Signal()
        """All events that came together are told: the moment to pass on what grew."""
        self.bench_event: Signal[[Engine, Any]] = Signal()
        """An event of a benchmark."""
        self.sampled: Signal[[Engine]] = Signal()
        """Another memory sample."""
        self.kept: Signal[[StatesSaved]] = Signal()
        """An engine that ends has put its chats' memory on disk."""
        self.turned: Signal[[]] = Signal()
        """Somebody got the turn, or gave it up."""
        self.rested: Signal[[Engine]] = Signal()
        """Its last job ended."""

    def get(self, path: str, options: dict[str, Any], *, evicts: bool = True) -> Engine:
        """The engine for that file and those options, started when there is none."""
        found = self.find(path, options)
        if found is not None:
            found.used = next(self._uses)
            return found
        number = next(self._numbers)

        intake = Intake(self._post, self._post_soon, lambda batch: self._apply(number, batch))

        def gone(outcome: Outcome) -> None:
            self._post(lambda: self._gone(number, outcome))

        process = self._spawn(self._logs / f"engine-{os.getpid()}-{number}.log", intake.put, gone)
        engine = Engine(number, path, dict(options), process, evicts=evicts, used=next(self._uses))
        self.all[number] = engine
        self.prepare(engine)
        return engine

    def start(self, engine: Engine) -> None:
        """Start its process."""
        engine.started = True
        engine.process.start(self.watch)

    def load(self, engine: Engine) -> None:
        """Let it read its file."""
        if not engine.started:
            self.start(engine)
        engine.told, engine.waits = True, ""
        states, budget = (self.states, self.states_budget) if self.states_budget else ("", 0)
        options = dict(engine.options)
        engine.process.send(Load(engine.path, options, states, budget, machine=self.machine, tune_s=self.tune_s))

    def refuse(self, engine: Engine, event: LoadFailed) -> None:
        """End one that can't be loaded, as if it had said so itself."""
        self._on_load_failed(engine, event)

    def find(self, path: str, options: dict[str, Any]) -> Engine | None:
        """The living engine for that file and those options."""
        for engine in self.all.values():
            if engine.path == path and engine.options == options and engine.state in ("loading", "ready"):
                return engine
        return None

    def submit(self, engine: Engine, command: Generate) -> None:
        """Run a job as soon as the engine is loaded and may generate."""
        engine.jobs[command.job] = command
        engine.used, engine.worked = next(self._uses), True
        if engine.state == "ready":
            self._ask(engine, command)

    def measure(self, engine: Engine, command: Bench, begun: Callable[[], None]) -> None:
        """Run a benchmark as soon as no engine writes; nobody writes before `measured` is called."""

        def go() -> None:
            engine.process.send(command)
            begun()
            self.turned.emit()

        self.turns.ask(-command.request, engine.id, go, alone=True)

    def measured(self, request: int) -> None:
        """A benchmark ended, or no longer wants its turn."""
        self.turns.done(-request)
        self._turn()

    def withdraw(self, engine: Engine, job: int) -> bool:
        """Take back a job that the engine does not have yet; False when it has it."""
        if job in engine.sent or job not in engine.jobs:
            return False
        self.job_done(engine, job)
        return True

    def job_done(self, engine: Engine, job: int) -> None:
        """A job ended; the next one may run."""
        engine.jobs.pop(job, None)
        engine.sent.discard(job)
        self.turns.done(job)
        self._turn()
        engine.used = next(self._uses)
        if not engine.jobs:
            self.rested.emit(engine)

    def close(self, engine: Engine) -> None:
        """End an engine; its memory comes back. What its chats left in its cache is kept, where that is wanted."""
        keeps = engine.keeps and bool(self.states_budget)
        engine.state = "closing"
        for job in list(engine.jobs):
            self.job_done(engine, job)
        self._end(engine, keeps)
        self.changed.emit(engine)

    def _end(self, engine: Engine, keeps: bool = False) -> None:
        """End its process; one that waited for room has none."""
        if engine.started:
            engine.process.close_soon(keeps)
        else:
            self.all.pop(engine.id, None)

    def kill(self, engine: Engine) -> None:
        """End an engine that does not react. Its end is told through ``ended``."""
        if engine.started:
            engine.process.kill()
        else:
            self._end(engine)

    def leave(self) -> bool:
        """End the engines that have something to keep; whether there are any."""
        keeping = [engine for engine in self.all.values() if engine.keeps] if self.states_budget else []
        for engine in keeping:
            self.close(engine)
        return bool(keeping)

    def close_all(self) -> None:
        """End every engine; used when the window goes."""
        for engine in list(self.all.values()):
            engine.state = "closing"
            engine.process.close_soon()
        for engine in list(self.all.values()):
            engine.process.close()

    def cancel_load(self, engine: Engine) -> None:
        """Give up loading."""
        if engine.told:
            engine.process.send(CancelLoad())
        else:
            self.refuse(engine, LoadFailed("cancelled", tr("Loading was cancelled.")))

    def set_together(self, together: bool) -> None:
        """Let engines run at the same time with the cores split, or in turn."""
        self.turns.set_together(together)
        self._turn()

    def set_governed(self, governed: bool) -> None:
        """Let engines give threads up while other programs need the cores, or keep their counts."""
        self.governed = governed
        self._split_threads()

    def set_threads(self, engine: Engine, n_threads: int) -> None:
        """Fix an engine's thread count, also in the middle of an answer; 0: automatic again."""
        engine.options = {name: value for name, value in engine.options.items() if name != "n_threads"}
        if n_threads:
            engine.options["n_threads"] = n_threads
        self._split_threads()

    def count_tokens(self, engine: Engine, text: str, reply: Callable[[int], None]) -> None:
        """How many tokens the text has with this engine's vocabulary."""
        request = next(self._requests)
        self._counts[request] = reply
        engine.process.send(CountTokens(request, text))

    def render(
        self,
        engine: Engine,
        messages: list[Message],
        thinking: bool | None,
        reply: Callable[[str, int, str], None],
    ) -> None:
        """The prompt as this engine's model sees it: text, tokens, error."""
        request = next(self._requests)
        self._renders[request] = reply
        engine.process.send(Render(request, messages, True, thinking))

    def _ask(self, engine: Engine, command: Generate) -> None:
        def go() -> None:
            engine.sent.add(command.job)
            self._turn()
            engine.process.send(command)

        self.turns.ask(command.job, engine.id, go)
        self.changed.emit(engine)

    def _turn(self) -> None:
        """Others compute now."""
        self._split_threads()
        self.turned.emit()

    def _split_threads(self) -> None:
        """Tell the engines that compute how many threads they have."""
        running = [self.all[number] for number in sorted(self.turns.running) if number in self.all]
        facts = [(engine.facts.info, engine.options) for engine in running]
        for engine, order in zip(running, thread_orders(facts, self.governed, os.cpu_count() or 1), strict=True):
            engine.process.send(order)

    def _apply(self, number: int, batch: list[Event]) -> None:
        engine = self.all.get(number)
        if engine is None or engine.state == "gone":
            return
        for each in runs(batch):
            if isinstance(each, list):
                self.tokens.emit(engine, each)
            elif (handler := _HANDLERS.get(type(each))) is not None:
                handler(self, engine, each)
            else:
                self.job_event.emit(engine, each)
        self.batch_done.emit(engine)

    def _on_hello(self, engine: Engine, event: Hello) -> None:
        engine.facts.gpu, engine.facts.gpu_reason = event.gpu, event.gpu_reason
        engine.facts.base_rss, engine.facts.build, engine.facts.pid = event.rss, event.build, event.pid
        self.gpu, self.gpu_memory = event.gpu, (event.gpu_free, event.gpu_total)
        if not engine.told:
            self.changed.emit(engine)

    def _on_progress(self, engine: Engine, event: LoadProgress) -> None:
        engine.fraction = event.fraction
        self.changed.emit(engine)

    def _on_loaded(self, engine: Engine, event: Loaded) -> None:
        if engine.state == "closing":
            return
        engine.state, engine.fraction = "ready", 1.0
        engine.facts.info, engine.facts.load_seconds, engine.facts.note = event.info, event.seconds, event.note
        self.turns.most = max(1, event.info.n_cores or self.turns.most)
        self.changed.emit(engine)
        for command in list(engine.jobs.values()):
            self._ask(engine, command)

    def _on_load_failed(self, engine: Engine, event: LoadFailed) -> None:
        if engine.state == "closing":
            return
        engine.state = "closing"
        self.load_failed.emit(engine, event)
        for job in list(engine.jobs):
            self.job_done(engine, job)
        self._end(engine)

    def _on_tuned(self, engine: Engine, event: Tuned) -> None:
        if event.machine is not None:
            self.machine = event.machine
            n = event.machine.n_threads
            if engine.facts.info is not None:
                engine.facts.info = msgspec.structs.replace(engine.facts.info, n_threads=n, auto_threads=n)
                self.changed.emit(engine)
        self.tuned.emit(event)

    def _on_memory(self, engine: Engine, event: Memory) -> None:
        first = len(engine.facts.memory.rows) == 0
        engine.facts.memory.add(event)
        (self.changed if first else self.sampled).emit(engine)

    def _on_count(self, engine: Engine, event: TokenCount) -> None:
        reply = self._counts.pop(event.request, None)
        if reply is not None:
            reply(event.n)

    def _on_answered(self, engine: Engine, event: Tokenized | FormatChecked) -> None:
        self.answered.emit(event)

    def _on_rendered(self, engine: Engine, event: Rendered) -> None:
        reply = self._renders.pop(event.request, None)
        if reply is not None:
            reply(event.text, event.n_tokens, event.error)

    def _on_bench(self, engine: Engine, event: BenchProgress | BenchRow | BenchDone) -> None:
        self.bench_event.emit(engine, event)

    def _on_saved(self, engine: Engine, event: StatesSaved) -> None:
        self.kept.emit(event)

    def _on_refused(self, engine: Engine, event: Refused) -> None:
        self.job_event.emit(engine, event)

    def _gone(self, number: int, outcome: Outcome) -> None:
        engine = self.all.pop(number, None)
        if engine is None:
            return
        expected = engine.state == "closing"
        engine.state = "gone"
        if not expected:
            self.ended.emit(engine, outcome)
        for job in list(engine.jobs):
            self.job_done(engine, job)
        self.changed.emit(engine)


_HANDLERS: dict[type[msgspec.Struct], Callable[[Engines, Engine, Any], None]] = {
    Hello: Engines._on_hello,
    LoadProgress: Engines._on_progress,
    Loaded: Engines._on_loaded,
    LoadFailed: Engines._on_load_failed,
    Tuned: Engines._on_tuned,
    StatesSaved: Engines._on_saved,
    Memory: Engines._on_memory,
    TokenCount: Engines._on_count,
    Tokenized: Engines._on_answered,
    FormatChecked: Engines._on_answered,
    Rendered: Engines._on_rendered,
    BenchProgress: Engines._on_bench,
    BenchRow: Engines._on_bench,
    BenchDone: Engines._on_bench,
    Refused: Engines._on_refused,
}
