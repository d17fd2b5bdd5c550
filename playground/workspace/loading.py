"""Which model a lane has: choosing, loading, unloading, and what becomes of lanes when an engine ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from playground.models.starter import STARTER
from playground.protocol.events import LoadFailed
from playground.settings import load as load_table
from playground.translate import tr
from playground.workspace import notices
from playground.workspace.advice import Advice
from playground.workspace.engines import Engine, Engines
from playground.workspace.jobs import Jobs
from playground.workspace.lane import EngineFacts, Lane, ModelRef, Notice, NoticeAction
from playground.workspace.making_room import MakingRoom
from playground.workspace.ports import Background, ReadModel
from playground.workspace.state import State

if TYPE_CHECKING:
    from playground.supervisor.outcome import Outcome


class Loading:
    """Connects lanes and engines."""

    def __init__(
        self,
        state: State,
        engines: Engines,
        jobs: Jobs,
        background: Background,
        read_model: ReadModel,
        room: MakingRoom,
    ) -> None:
        self._state = state
        self._room = room
        self._engines = engines
        self._jobs = jobs
        self._background = background
        self._read_model = read_model
        engines.changed.connect(self._on_engine)
        engines.sampled.connect(self._on_sample)
        engines.load_failed.connect(self._on_load_failed)
        engines.ended.connect(self._on_ended)

    def engine_of(self, lane: Lane) -> Engine | None:
        """The lane's living engine."""
        return self._engines.find(lane.model.path, lane.load) if lane.model else None

    def engine_for(self, lane: Lane, *, evicts: bool = True) -> Engine | None:
        """The lane's engine, started when there is none; None without a model.

        ``evicts``: others may be unloaded for it before somebody waits for its answer.
        """
        if lane.model is None:
            return None
        engine = self._engines.get(lane.model.path, lane.load, evicts=evicts)
        self._attach(lane, engine)
        return engine

    def choose_model(self, letter: str, ref: ModelRef) -> None:
        """Give a lane another model and load it. The conversation stays."""
        lane = self._state.lane(letter)
        if lane.busy:
            return
        if ref.path not in {model.path for model in self._state.models}:
            self._state.models.append(ref)
            self._state.models_changed.emit()
        lane.model = ref
        lane.notice, lane.note = None, ""
        self.engine_for(lane)
        self.drop_unused()
        self._jobs.keep_if_begun()
        self._state.models_changed.emit()

    def use_model(self, letter: str, path: str) -> None:
        """Choose a known model by its file."""
        ref = self._state.model_at(path)
        if ref is not None:
            self.choose_model(letter, ref)

    def open_path(self, path: str, letter: str | None = None) -> None:
        """Load a GGUF from disk into a lane (the active one by default); a bad file becomes a notice there."""
        where = letter or self._state.active

        def done(found: ModelRef | str) -> None:
            lane = self._state.find_lane(where)
            if lane is None:
                return
            if isinstance(found, str):
                lane.notice = notices.bad_file(found, os.path.basename(path.rstrip("/\\")) or path)
                lane.changed.emit()
            else:
                self.choose_model(where, found)

        self._background(lambda: self._read_model(path), done)

    def set_load(self, letter: str, values: dict[str, Any]) -> None:
        """Load options for the next (re)load. Raises SettingError."""
        lane = self._state.lane(letter)
        checked = load_table.FIELDS.complete(lane.load | values)
        lane.load = {name: v for name, v in checked.items() if v != load_table.FIELDS[name].default}
        lane.changed.emit()

    def set_threads(self, letter: str, n_threads: int) -> None:
        """Threads of the lane's engine and of all lanes on it, at once and without a reload; 0: automatic.

        Raises SettingError.
        """
        lane = self._state.lane(letter)
        engine = self.engine_of(lane)
        self.set_load(letter, {"n_threads": n_threads})
        if engine is not None:
            self._engines.set_threads(engine, n_threads)
            for other in self._state.lanes:
                if other is not lane and other.engine is engine.facts:
                    self.set_load(other.letter, {"n_threads": n_threads})
        self._jobs.keep_if_begun()

    def reload(self, letter: str) -> None:
        """Load the lane's model with its options, also when it is loaded already. The conversation stays."""
        lane = self._state.lane(letter)
        if lane.model is None or lane.busy:
            return
        lane.notice = None
        for engine in [e for e in self._engines.all.values() if e.facts is lane.engine and e.state != "gone"]:
            if not any(job.engine is engine for job in self._jobs.all.values()):
                self._engines.close(engine)
        self.engine_for(lane)
        for other in self._state.lanes:
            if (
                other is not lane
                and other.model is not None
                and self.engine_of(other) is None
                and other.state == "unloaded"
            ):
                self.engine_for(other)
        self.drop_unused()

    def reload_with(self, letter: str, values: dict[str, Any]) -> None:
        """Reload with some options changed."""
        self.set_load(letter, values)
        self.reload(letter)

    def unload(self, letter: str) -> None:
        """End the lane's engine; memory comes back. Other lanes on it are unloaded as well."""
        engine = self.engine_of(self._state.lane(letter))
        if engine is None:
            return
        self._jobs.fail_jobs(engine, lambda _job: None, "stopped")
        self._engines.close(engine)

    def cancel_load(self, letter: str) -> None:
        """Give up loading the lane's model."""
        engine = self.engine_of(self._state.lane(letter))
        if engine is not None and engine.state == "loading":
            self._engines.cancel_load(engine)

    def kill(self, letter: str) -> None:
        """End a lane's engine that does not react, and load it again."""
        lane = self._state.lane(letter)
        engine = self.engine_of(lane)
        if engine is not None:
            self._jobs.fail_jobs(engine, lambda _job: None, "stopped")
            engine.state = "closing"
            self._engines.kill(engine)
            self.engine_for(lane)

    def attach_loaded(self, lane: Lane) -> None:
        """Show a lane's engine if it is loaded; do not start one."""
        engine = self.engine_of(lane)
        if engine is not None:
            self._attach(lane, engine)
        else:
            lane.engine = EngineFacts()
            lane.state = "unloaded" if lane.model else "empty"

    def drop_unused(self) -> None:
        """End engines that no lane shows and no job uses."""
        used = {id(lane.engine) for lane in self._state.lanes}
        for engine in list(self._engines.all.values()):
            busy = engine.held or any(job.engine is engine for job in self._jobs.all.values())
            if engine.state in ("loading", "ready") and not busy and id(engine.facts) not in used:
                self._engines.close(engine)

    def _attach(self, lane: Lane, engine: Engine) -> None:
        lane.engine = engine.facts
        if not lane.busy:
            lane.state = "ready" if engine.state == "ready" else "loading"
            lane.fraction, lane.detail = engine.fraction, engine.waits
            lane.note = engine.facts.note or lane.note
        lane.changed.emit()

    def _on_engine(self, engine: Engine) -> None:
        for lane in self._state.lanes:
            if lane.engine is not engine.facts:
                continue
            if engine.state == "loading":
                lane.fraction, lane.detail = engine.fraction, engine.waits
                lane.state = "loading" if not lane.busy or lane.state == "queued" else lane.state
            elif engine.state == "ready":
                if lane.state == "loading":
                    lane.state = "queued" if self._jobs.job_of(lane) else "ready"
                    lane.fraction, lane.detail, lane.note = 0.0, "", engine.facts.note
            elif not lane.busy and lane.state != "failed":
                lane.state = "unloaded"
                lane.engine, lane.detail = EngineFacts(), ""
            lane.seen()
            lane.changed.emit()

    def _on_sample(self, engine: Engine) -> None:
        for lane in self._state.lanes:
            if lane.engine is engine.facts:
                lane.grew.emit()

    def _on_load_failed(self, engine: Engine, event: LoadFailed) -> None:
        n_ctx = int(engine.options.get("n_ctx", load_table.FIELDS["n_ctx"].default))
        self._fail(engine, lambda _tokens, _writing: notices.load_failed(event, n_ctx, engine.advice))
        if event.kind in ("memory", "context") and engine.advice is None:
            self._add_advice(engine, lambda _notice, advice: notices.no_fit(advice, event.detail))
        for lane in self._state.lanes:
            if lane.engine is engine.facts and event.kind == "cancelled":
                lane.state = "unloaded"

    def _on_ended(self, engine: Engine, outcome: Outcome) -> None:
        lanes = [lane for lane in self._state.lanes if lane.engine is engine.facts]
        shared = len(lanes) > 1
        self._fail(engine, lambda tokens, writing: notices.engine_ended(outcome, tokens, writing, shared))
        if outcome.kind == "memory":
            self._add_advice(engine, notices.out_of_memory)

    def _add_advice(self, engine: Engine, put: Callable[[Notice, Advice], Notice]) -> None:
        """Put the numbers and what would fit into the cards of a failure, once they are known."""
        shown = {lane.letter: lane.notice for lane in self._state.lanes if lane.engine is engine.facts and lane.notice}

        def known(advice: Advice) -> None:
            for lane in self._state.lanes:
                notice = shown.get(lane.letter)
                if notice is not None and lane.notice is notice:
                    lane.notice = put(notice, advice)
                    lane.changed.emit()

        self._room.advise(engine, known)

    def _fail(self, engine: Engine, notice: Callable[[int, bool], Notice]) -> None:
        self._jobs.fail_jobs(engine, lambda job: notice(len(job.answer.tokens), bool(job.answer.started_ns)), "failed")
        for lane in self._state.lanes:
            if lane.engine is engine.facts:
                lane.state = "failed"
                lane.notice = lane.notice or notice(0, False)
                lane.changed.emit()


def starter_missing() -> Notice:
    """The first page's card when the starter's package isn't installed."""
    size_mb = STARTER.size / 1e6
    return Notice(
        "info",
        tr("The starter model isn’t here"),
        tr(
            "{name} ({size_mb:.0f} MB) can be fetched from the Hugging Face Hub, checked by its digest. Or open a "
            "GGUF file that you already have.",
            name=STARTER.name,
            size_mb=size_mb,
        ),
        (
            NoticeAction("download_starter", tr("Download {size_mb:.0f} MB", size_mb=size_mb), primary=True),
            NoticeAction("open_file", tr("Open a GGUF file…")),
        ),
    )
