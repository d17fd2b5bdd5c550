"""Answers under way, and what the engine tells of them.

A job writes into its node whether or not its chat is on screen; a lane mirrors the job
of the turn it shows.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.conversation.tree import Chat, Node, NodeState
from playground.protocol.commands import Generate, Message, Sampling, Stop, Tweak
from playground.protocol.events import (
    Finish,
    Finished,
    PromptProgress,
    Refused,
    Reused,
    SamplingChanged,
    Started,
    ThreadsChanged,
    Token,
)
from playground.workspace import notices
from playground.workspace.engines import Engine, Engines
from playground.workspace.lane import Lane, LaneState, Notice
from playground.workspace.marks import keep_lane, keep_sampling, keep_threads
from playground.workspace.ports import Background, Keeper
from playground.workspace.series import Answer
from playground.workspace.signal import Signal
from playground.workspace.state import State, record_of
from playground.workspace.waiting import waited_for

NODE_STATES: dict[Finish, NodeState] = {
    "end": "done",
    "stop_string": "done",
    "max_tokens": "done",
    "stopped": "stopped",
    "context_full": "context_full",
    "failed": "failed",
}
LANE_STATES: dict[Finish, LaneState] = {
    "end": "ready",
    "stop_string": "ready",
    "max_tokens": "ready",
    "stopped": "stopped",
    "context_full": "full",
    "failed": "failed",
}


MAX_FINISHED = 32


@dataclass(slots=True)
class Job:
    """An answer under way."""

    id: int
    engine: Engine
    chat: Chat
    letter: str
    node: Node
    sampling: Sampling
    answer: Answer = field(default_factory=Answer)
    state: LaneState = "queued"
    fraction: float = 0.0
    n_past: int = 0
    note: str = ""
    tweaks: list[Sampling] = field(default_factory=list)
    """Changes sent and not confirmed yet."""
    wanted: Sampling | None = None
    """A newer change, sent when those are confirmed."""
    stop_asked_ns: int = 0


class Jobs:
    """The running answers of all chats; the one place where tokens become text and figures."""

    def __init__(
        self,
        state: State,
        engines: Engines,
        keeper: Keeper,
        background: Background,
    ) -> None:
        self._state = state
        self._engines = engines
        self._keeper = keeper
        self._background = background
        self._numbers = itertools.count(1)
        self.all: dict[int, Job] = {}
        self.finished: dict[str, Job] = {}
        """The last finished answers, by node: their figures may not be in the kept series yet."""
        self.touched: Signal[[Chat]] = Signal()
        """A chat was kept: it has another turn, title or lane."""
        self.ended: Signal[[Job]] = Signal()
        """An answer ended, whole or not; its figures are complete."""
        self._grown: dict[int, Job] = {}
        engines.job_event.connect(self._on_event)
        engines.tokens.connect(self._on_tokens)
        engines.batch_done.connect(self._pass_on)
        engines.turned.connect(self._say_waits)

    def begin(self, lane: Lane, engine: Engine, node: Node, messages: list[Message]) -> None:
        """Let the engine write ``node``, the lane's last turn."""
        job = Job(next(self._numbers), engine, self._state.chat, lane.letter, node, sampling_of(lane))
        job.answer.node, job.answer.asked_ns = node.id, time.perf_counter_ns()
        self.all[job.id] = job
        lane.writing, lane.answer = node, job.answer
        lane.notice = None
        command = Generate(
            job.id,
            f"{job.chat.id}:{lane.letter}",
            messages,
            job.sampling,
            int(lane.sampling["max_tokens"]),
            list(lane.sampling["stop"]),
            True,
            lane.thinking,
        )
        self._engines.submit(engine, command)
        self.mirror(job, lane)

    def stop(self, letter: str | None = None) -> None:
        """Stop one lane's answer in the open chat, or all of them."""
        for job in list(self.all.values()):
            if job.chat is self._state.chat and letter in (None, job.letter):
                self.stop_job(job)

    def tweak(self, lane: Lane) -> None:
        """Pass a lane's changed sampling to its running answer."""
        job = self.job_of(lane)
        if job is None or job.id not in job.engine.sent:
            return
        sampling = sampling_of(lane)
        if job.tweaks:
            job.wanted = sampling
        else:
            job.tweaks.append(sampling)
            job.engine.process.send(Tweak(job.id, sampling))

    def job_of(self, lane: Lane) -> Job | None:
        """The job that writes the lane's last turn."""
        leaf = lane.leaf
        return next((job for job in self.all.values() if job.node.id == leaf), None)

    def fail_jobs(self, engine: Engine, notice: Callable[[Job], Notice | None], reason: Finish) -> None:
        """End every job of an engine that is gone."""
        for job in [job for job in self.all.values() if job.engine is engine]:
            self._end(job, reason, notice(job))

    def silent_jobs(self, seconds: float) -> list[Job]:
        """Jobs that were asked to stop that long ago and did not react."""
        now = time.perf_counter_ns()
        return [job for job in self.all.values() if job.stop_asked_ns and now - job.stop_asked_ns > seconds * 1e9]

    def keep(self, chat: Chat, *nodes: Node) -> None:
        """Hand a chat's head and some turns to the keeper."""
        if chat is self._state.chat:
            chat.lanes = [record_of(lane) for lane in self._state.lanes]
        self._keeper.save_chat(chat)
        self.touched.emit(chat)
        for node in nodes:
            self._keeper.save_node(node, chat.id)

    def keep_if_begun(self) -> None:
        """Keep the open chat's lanes, unless nothing was said yet."""
        if self._state.chat.nodes:
            self.keep(self._state.chat)

    def keep_series_now(self) -> None:
        """Put the figures of finished answers into their nodes at once: the app is closing."""
        for job in self.finished.values():
            if not job.node.series:
                job.node.series = job.answer.to_bytes()
                self._keeper.save_node(job.node, job.chat.id)
        self.finished.clear()

    def mirror(self, job: Job, lane: Lane) -> None:
        """Show a job's state in its lane."""
        lane.state, lane.fraction = job.state, job.fraction
        lane.note = job.note or job.engine.facts.note
        lane.detail = self._waited_for(job) if job.state == "queued" else ""
        if job.n_past:
            lane.n_past = job.n_past

    def stop_job(self, job: Job) -> None:
        """Stop an answer, wherever it is: waiting, reading the prompt, writing."""
        if self._engines.withdraw(job.engine, job.id):
            self._end(job, "stopped", None)
            return
        job.engine.process.send(Stop(job.id))
        job.stop_asked_ns = time.perf_counter_ns()
        job.state = "stopping"
        self._show(job)

    def _on_event(self, engine: Engine, event: Any) -> None:
        if isinstance(event, Refused):
            self._state.told.emit(event.message)
            for running in self.all.values():
                if running.engine is engine:
                    running.tweaks.clear()
            return
        if isinstance(event, ThreadsChanged):
            self._on_threads(engine, event)
            return
        job = self.all.get(event.job)
        if job is None:
            return
        if isinstance(event, PromptProgress):
            job.fraction = event.done / max(1, event.total)
            job.answer.prompt_done, job.answer.prompt_ns = event.done, event.t_ns
            self._show(job)
        elif isinstance(event, Started):
            self._on_started(job, event)
        elif isinstance(event, Reused):
            self._on_reused(job, event)
        elif isinstance(event, SamplingChanged):
            self._on_sampling(job, event)
        elif isinstance(event, Finished):
            self._on_finished(job, event)

    def _on_started(self, job: Job, event: Started) -> None:
        job.answer.started_ns = event.t_ns
        self._mark_lanes(job, "joined", event.t_ns)
        job.answer.n_prompt = event.n_prompt
        job.node.record |= {
            "seed": event.seed,
            "n_prompt": event.n_prompt,
            "plain": event.plain,
            "repeatable": event.repeatable,
            "made_with": job.engine.made_with(event.n_threads),
        }
        facts = job.engine.facts
        job.note, facts.note = " ".join(filter(None, [event.note, facts.note])), ""
        if job.state != "stopping":
            job.state = "prompt"
        self._on_reused(job, event)

    def _on_reused(self, job: Job, event: Started | Reused) -> None:
        answer = job.answer
        answer.n_reused = answer.prompt_done = event.n_reused
        answer.n_restored = event.n_restored
        job.node.record |= {"n_reused": event.n_reused, "n_restored": event.n_restored}
        job.fraction = event.n_reused / max(1, answer.n_prompt)
        self._show(job)

    def _on_tokens(self, _engine: Engine, tokens: list[Token]) -> None:
        """Tokens in a row, of one answer and one phase."""
        last = tokens[-1]
        job = self.all.get(last.job)
        if job is None:
            return
        first = len(job.answer.tokens) == 0
        job.answer.add(*tokens)
        text = "".join([token.text for token in tokens])
        if last.phase == "thinking":
            job.node.thinking += text
        else:
            job.node.text += text
        job.n_past = last.n_past
        state: LaneState = "thinking" if last.phase == "thinking" else "writing"
        changed = first or (job.state != state and job.state != "stopping")
        if changed and job.state != "stopping":
            job.state = state
        self._grown[job.id] = job
        if changed:
            self._show(job)

    def _pass_on(self, _engine: Engine) -> None:
        """Tell store and lane once a batch, not once a token."""
        for job in self._grown.values():
            self._keeper.grow_node(job.chat.id, job.node.id, job.node.text, job.node.thinking)
            lane = self._lane_of(job)
            if lane is not None:
                lane.seen()
                lane.n_past = job.n_past
                lane.grew.emit()
        self._grown.clear()

    def _on_sampling(self, job: Job, event: SamplingChanged) -> None:
        if job.tweaks:
            applied = job.tweaks.pop(0)
            changes = {k: v for k, v in applied.values.items() if job.sampling.values.get(k) != v}
            if applied.samplers != job.sampling.samplers:
                changes["samplers"] = applied.samplers
            if changes:
                asked_ns = job.answer.asked_ns
                mark = keep_sampling(job.node.record, changes, event.at_index, event.t_ns, asked_ns)
                job.answer.marks.append(mark)
            job.sampling = applied
        if job.wanted is not None and not job.tweaks:
            wanted, job.wanted = job.wanted, None
            job.tweaks.append(wanted)
            job.engine.process.send(Tweak(job.id, wanted))

    def _on_threads(self, engine: Engine, event: ThreadsChanged) -> None:
        """Marked in every answer that the engine is computing."""
        for job in self.all.values():
            if job.engine is engine and job.answer.started_ns:
                index = len(job.answer.tokens)
                if event.phase == "writing" or not index:
                    mark = keep_threads(job.node.record, event, index, job.answer.asked_ns)
                    job.answer.marks.append(mark)

    def _mark_lanes(self, job: Job, what: str, t_ns: int) -> None:
        """Mark in the other answers of its engine that this one joined or left."""
        for other in self.all.values():
            index = len(other.answer.tokens)
            if other.engine is job.engine and other is not job and index:
                letter = job.letter if other.chat is job.chat else ""
                mark = keep_lane(other.node.record, what, letter, index, t_ns, other.answer.asked_ns)
                other.answer.marks.append(mark)

    def _on_finished(self, job: Job, event: Finished) -> None:
        job.n_past = event.n_past
        job.node.record |= {"reason": event.reason, "n_drawn": event.n_drawn, "n_past": event.n_past}
        job.node.record["varies"] = list(event.varies)
        notice = None
        if event.reason == "context_full":
            notice = notices.context_full(event.message, job.engine.facts.info)
        elif event.reason == "failed":
            notice = notices.answer_failed(event.message)
        self._engines.job_done(job.engine, job.id)
        self._end(job, event.reason, notice, event.t_ns)

    def _end(self, job: Job, reason: Finish, notice: Notice | None, t_ns: int = 0) -> None:
        self.all.pop(job.id, None)
        self._grown.pop(job.id, None)
        answer = job.answer
        answer.finished_ns = t_ns or time.perf_counter_ns()
        if answer.started_ns:
            self._mark_lanes(job, "left", answer.finished_ns)
            answer.take_memory(job.engine.facts.memory.rows)
        job.node.state = NODE_STATES[reason]
        job.node.record |= {
            "reason": reason,
            "ttft_s": answer.ttft_ns / 1e9,
            "queued_s": max(0, answer.started_ns - answer.asked_ns) / 1e9,
            "tok_s": answer.tok_s(),
            "prompt_tok_s": answer.prompt_tok_s,
        }
        job.state = LANE_STATES[reason]
        lane = self._lane_of(job)
        if lane is not None:
            self.mirror(job, lane)
            lane.writing = None
            lane.notice = notice
            lane.grew.emit()
            lane.changed.emit()
        job.chat.updated = time.time()
        self.keep(job.chat, job.node)
        self._keep_series(job)
        self.ended.emit(job)

    def _keep_series(self, job: Job) -> None:
        def keep(data: bytes) -> None:
            job.node.series = data
            self._keeper.save_node(job.node, job.chat.id)

        if len(job.answer.tokens):
            self.finished[job.node.id] = job
            while len(self.finished) > MAX_FINISHED:
                self.finished.pop(next(iter(self.finished)))
            self._background(job.answer.to_bytes, keep)

    def _waited_for(self, job: Job) -> str:
        return waited_for(job, self.all.values(), self._state.chat, measuring=self._engines.turns.alone)

    def _say_waits(self) -> None:
        """Somebody else has the turn now: those that wait say whose it is."""
        for job in self.all.values():
            lane = self._lane_of(job) if job.state == "queued" and job.engine.state == "ready" else None
            if lane is not None and lane.detail != self._waited_for(job):
                self._show(job)

    def _lane_of(self, job: Job) -> Lane | None:
        if job.chat is not self._state.chat:
            return None
        lane = self._state.find_lane(job.letter)
        return lane if lane is not None and lane.leaf == job.node.id else None

    def _show(self, job: Job) -> None:
        lane = self._lane_of(job)
        if lane is not None:
            self.mirror(job, lane)
            lane.seen()
            lane.changed.emit()


def sampling_of(lane: Lane) -> Sampling:
    """A lane's sampling as the engine gets it."""
    return Sampling(dict(lane.sampling), list(lane.samplers))
