"""Before a model is loaded: whether it fits, whom to unload for it, what to wait for, when to refuse.

The figures come from the file's header and are read on a thread; what is decided, is decided on the
workspace's own. Nobody who writes, waits or is measured is unloaded, and an engine's memory counts as
free only once its process has gone.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from playground.protocol.events import LoadFailed
from playground.translate import tr
from playground.workspace import notices
from playground.workspace.advice import Advice, advise, options_of, other_quants, read_model
from playground.workspace.engines import Engine, Engines
from playground.workspace.fitting import Other, Plan, Standing, decide
from playground.workspace.lane import Lane
from playground.workspace.ports import Post
from playground.workspace.state import State
from playground.workspace.words import join_letters

if TYPE_CHECKING:
    from playground.fit.estimate import Model, Needs

Free: TypeAlias = Callable[[], int]
"""Bytes that the machine could give now. Called on a thread."""


_PLENTY = 1 << 60


@dataclass(slots=True, eq=False)
class _Waiting:
    engine: Engine
    model: Model | None = None
    looked: bool = False
    """Its header was read, or can't be."""
    asking: bool = False
    shape: tuple[Any, ...] = ()
    """The engines when the machine was asked: figures from before a change count for nothing."""
    needs: Needs | None = None


def free_memory() -> int:
    """What the machine, or our container, could give without swapping."""
    from playground.fit.machine import machine  # not before the window's first picture

    return machine()[0]


class MakingRoom:
    """Stands between an engine's start and its Load."""

    def __init__(self, state: State, engines: Engines, post: Post, free: Free = free_memory) -> None:
        self._state, self._engines, self._post = state, engines, post
        self._free = free
        self._waiting: dict[int, _Waiting] = {}
        self._loading: dict[int, int] = {}
        """Engines that were let go, and the bytes they were promised until they are loaded."""
        engines.prepare = self.prepare
        engines.changed.connect(lambda _engine: self.look())
        engines.rested.connect(lambda _engine: self.look())

    def prepare(self, engine: Engine) -> None:
        """Load it as soon as there is room, or refuse it."""
        self._waiting[engine.id] = _Waiting(engine)
        self._ask(self._waiting[engine.id])

    def look(self, *, again: bool = False) -> None:
        """Something has changed, maybe in favour of those that wait; ``again``: outside the app, too."""
        for engine_id in list(self._loading):
            engine = self._engines.all.get(engine_id)
            if engine is None or engine.state != "loading":
                del self._loading[engine_id]
        for one in list(self._waiting.values()):
            if self._gone(one):
                del self._waiting[one.engine.id]
            elif not one.asking and (again or one.shape != self._shape()):
                self._ask(one)

    def advise(self, engine: Engine, then: Callable[[Advice], None], *, whole: bool = False) -> None:
        """Why an engine had too little memory, and what would fit; not called where its header can't be read."""
        quants = other_quants(self._state.models, engine.path)
        idle = sum(other.gives for other in self._others(engine) if other.standing in ("idle", "hidden"))
        own = _gives(engine) if whole else 0

        def work() -> None:
            model = read_model(engine.path)
            if model is not None:
                free = self._measure() + idle + own
                advice = advise(model, options_of(engine.options), free, quants, whole=whole)
                self._post(lambda: then(advice))

        _on_a_thread(work)

    def _measure(self) -> int:
        """Bytes free; where the system doesn't say, as if there were enough: the engine and llama.cpp judge then."""
        try:
            return self._free()
        except Exception:
            traceback.print_exc()
            return _PLENTY

    def _ask(self, one: _Waiting) -> None:
        one.asking, one.shape = True, self._shape()

        def work() -> None:
            if not one.looked:
                one.model, one.looked = read_model(one.engine.path), True
            free = self._measure()
            self._post(lambda: self._answer(one, free))

        _on_a_thread(work)

    def _answer(self, one: _Waiting, free: int) -> None:
        from playground.fit.advice import judge  # not before the window's first picture

        engine = one.engine
        one.asking = False
        if self._gone(one):
            self._waiting.pop(engine.id, None)
            return
        earlier = any(other.asking for other in self._waiting.values() if other.engine.id < engine.id)
        if earlier or one.shape != self._shape():
            self._ask(one)
            return
        one.needs = judge(one.model, options_of(engine.options), free).needs if one.model else None
        plan = decide(one.needs, free, self._others(engine))
        if plan.kind != "load" and engine.options.get("n_gpu_layers", -1) and self._engines.gpu != "":
            if self._engines.gpu is None:
                if not engine.started:
                    self._engines.start(engine)
                return  # the greeting says whether there is one; that is a change
            plan = Plan("load", free=free)
        self._follow(one, plan)

    def _follow(self, one: _Waiting, plan: Plan) -> None:
        engine = one.engine
        if plan.kind == "load":
            del self._waiting[engine.id]
            self._loading[engine.id] = one.needs.private if one.needs else 0
            self._engines.load(engine)
        elif plan.kind == "refuse":
            self._refuse(one, plan)
        elif not engine.evicts and not engine.busy and plan.kind == "unload":
            self._leave(one)
        elif plan.kind == "unload":
            self._say(engine, tr("Making room"))
            for victim in plan.engines:
                self._unload(self._engines.all[victim], engine)
        else:
            self._say(engine, self._wait_words(plan))

    def _refuse(self, one: _Waiting, plan: Plan) -> None:
        engine, model = one.engine, one.model
        assert model is not None
        quants = other_quants(self._state.models, engine.path)
        one.asking = True

        def work() -> None:
            advice = advise(model, options_of(engine.options), plan.free, quants)
            self._post(lambda: refuse(advice))

        def refuse(advice: Advice) -> None:
            self._waiting.pop(engine.id, None)
            if not self._gone(one):
                engine.advice = advice
                kind = "context" if any("n_ctx" in offer.changes for offer in advice.offers) else "memory"
                self._engines.refuse(engine, LoadFailed(kind, notices.needs_words(advice)))  # type: ignore[arg-type]

        _on_a_thread(work)

    def _leave(self, one: _Waiting) -> None:
        """Nobody waits for it, so nobody is sent away for it."""
        del self._waiting[one.engine.id]
        lanes = self._lanes_of(one.engine)
        self._engines.close(one.engine)
        for lane in lanes:
            lane.note = tr("Not loaded: there is no room beside the others. Its next message makes room.")
            lane.changed.emit()

    def _unload(self, victim: Engine, engine: Engine) -> None:
        lanes, name = self._lanes_of(victim), self._name(engine)
        self._engines.close(victim)
        for lane in lanes:
            lane.note = tr("Unloaded to make room for {name}. The next message loads it again.", name=name)
            lane.changed.emit()
        self._state.told.emit(
            tr("{victim} was unloaded to make room for {name}.", victim=self._name(victim), name=name)
        )

    def _say(self, engine: Engine, words: str) -> None:
        if engine.waits != words:
            engine.waits = words
            self._engines.changed.emit(engine)

    def _wait_words(self, plan: Plan) -> str:
        awaited = [self._engines.all[number] for number in plan.engines if number in self._engines.all]
        if any(engine.state == "closing" for engine in awaited):
            return tr("Waiting for memory to come back")
        if any(engine.held for engine in awaited):
            return tr("Waiting for memory that the benchmark uses")
        letters = join_letters([lane.letter for engine in awaited for lane in self._lanes_of(engine)])
        loading = all(engine.state == "loading" for engine in awaited)
        if not letters:
            return (
                tr("Waiting for another model to load") if loading else tr("Waiting for memory that another chat uses")
            )
        return (
            tr("Waiting for {letters} to load", letters=letters)
            if loading
            else tr("Waiting for memory that {letters} uses", letters=letters)
        )

    def _others(self, engine: Engine) -> list[Other]:
        return [
            Other(
                other.id,
                self._standing(other),
                _gives(other),
                self._loading.get(other.id, 0) if other.state == "loading" else 0,
                other.used,
            )
            for other in self._engines.all.values()
            # One that waits itself has nothing yet.
            if other is not engine and other.id not in self._waiting
        ]

    def _standing(self, engine: Engine) -> Standing:
        if engine.state == "loading" or (engine.state == "ready" and not len(engine.facts.memory.rows)):
            return "loading"  # it hasn't said yet what it occupies
        if engine.state != "ready":
            return "leaving"
        if engine.busy:
            return "busy"
        return "idle" if self._lanes_of(engine) else "hidden"

    def _lanes_of(self, engine: Engine) -> list[Lane]:
        return [lane for lane in self._state.lanes if lane.engine is engine.facts]

    def _name(self, engine: Engine) -> str:
        shown = (lane.model for lane in self._lanes_of(engine) if lane.model is not None)
        ref = self._state.model_at(engine.path) or next(shown, None)
        return ref.name if ref is not None else os.path.basename(engine.path)

    def _gone(self, one: _Waiting) -> bool:
        return one.engine.state != "loading" or one.engine.told

    def _shape(self) -> tuple[Any, ...]:
        engines = self._engines.all.values()
        of_each = ((e.id, e.state, e.told, e.busy, bool(len(e.facts.memory.rows))) for e in engines)
        return (self._engines.gpu, *of_each)


def _gives(engine: Engine) -> int:
    """Bytes that nobody else can use while the engine runs: its private memory, as last measured."""
    rows = engine.facts.memory.rows
    return int(rows.view["anon"][-1]) if len(rows) else 0


def _on_a_thread(work: Callable[[], None]) -> None:
    """Not on the pool that hashes and scans: a load must not wait behind these."""
    threading.Thread(target=work, name="room", daemon=True).start()
