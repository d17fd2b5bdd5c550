"""Turns and answers: send, stop, regenerate, edit, continue, and what the engine tells of them.

A job writes into its node whether or not its chat is on screen; a lane mirrors the job
of the turn it shows.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from playground.conversation.tree import Chat, Node, NodeState, new_id
from playground.protocol.commands import Generate, Message, Sampling, Stop, Tweak
from playground.protocol.events import Finish, Finished, PromptProgress, Refused, SamplingChanged, Started, Token
from playground.workspace import notices
from playground.workspace.engines import Engine, Engines
from playground.workspace.lane import Lane, LaneState, Notice
from playground.workspace.series import Answer, Mark
from playground.workspace.state import State, record_of

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


class Keeper(Protocol):
    """What keeps the conversation, see `conversation.store`."""

    def save_chat(self, chat: Chat) -> None: ...
    def save_node(self, node: Node, chat_id: str) -> None: ...
    def grow_node(self, chat_id: str, node_id: str, text: str, thinking: str) -> None: ...


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
    detail: str = ""
    n_past: int = 0
    note: str = ""
    tweaks: list[Sampling] = field(default_factory=list)
    """Changes sent and not confirmed yet."""
    wanted: Sampling | None = None
    """A newer change, sent when those are confirmed."""
    stop_asked_ns: int = 0


class Answers:
    """Everything that makes turns and answers."""

    def __init__(
        self,
        state: State,
        engines: Engines,
        keeper: Keeper,
        engine_for: Callable[[Lane], Engine | None],
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
    ) -> None:
        self._state = state
        self._engines = engines
        self._keeper = keeper
        self._engine_for = engine_for
        self._background = background
        self._numbers = itertools.count(1)
        self.jobs: dict[int, Job] = {}
        engines.job_event.connect(self._on_event)

    # What the user does.

    def send(self, text: str) -> bool:
        """A new user turn for every lane that is on; False when none can take it."""
        lanes = [lane for lane in self._state.lanes if lane.on and lane.model is not None]
        if not text.strip() or not lanes or any(lane.busy for lane in lanes):
            return False
        chat, send_id = self._state.chat, new_id()
        made: dict[str | None, Node] = {}
        for lane in lanes:
            node = made.get(lane.leaf)
            if node is None:
                node = made[lane.leaf] = chat.add(Node(new_id(), lane.leaf, "user", text, send=send_id))
        if not chat.title:
            chat.title = title_of(text)
            self._state.chat_changed.emit()
        for lane in lanes:
            lane.path = [*lane.path, made[lane.leaf]]
        self._keep(chat, *made.values())
        for lane in lanes:
            self._begin(lane)
        return True

    def stop(self, letter: str | None = None) -> None:
        """Stop one lane's answer, or all."""
        for job in list(self.jobs.values()):
            if job.chat is self._state.chat and letter in (None, job.letter):
                self._stop(job)

    def regenerate(self, letter: str, node_id: str | None = None) -> None:
        """Another version of an answer (the last one by default); the old one stays."""
        lane = self._state.lane(letter)
        index = _find(lane.path, node_id) if node_id else _last(lane.path, "assistant")
        if lane.busy or lane.model is None or index is None:
            return
        if lane.path[index].role == "user":
            index += 1
        lane.path = lane.path[:index]
        self._begin(lane)

    def retry(self, letter: str) -> None:
        """Once more after a failure: the empty or partial answer stays as a version."""
        lane = self._state.lane(letter)
        if lane.path and lane.path[-1].role == "user" and not lane.busy:
            self._begin(lane)
        else:
            self.regenerate(letter)

    def edit(self, letter: str, node_id: str, text: str) -> None:
        """Another version of a turn. A user turn is answered anew in every lane that shares the send."""
        lane = self._state.lane(letter)
        index = _find(lane.path, node_id)
        if index is None or lane.busy:
            return
        node = lane.path[index]
        if node.role == "assistant":
            changed = Node(new_id(), node.parent, "assistant", text, lane=letter, model=node.model, record={"edited": True})
            self._state.chat.add(changed)
            lane.path = [*lane.path[:index], changed]
            lane.path_changed.emit()
            self._keep(self._state.chat, changed)
            return
        self._edit_user(lane, node, text)

    def continue_answer(self, letter: str) -> None:
        """A longer version of the last answer, beginning with its text."""
        lane = self._state.lane(letter)
        if lane.busy or lane.model is None or not lane.path or lane.path[-1].role != "assistant":
            return
        before = lane.path[-1]
        lane.path = lane.path[:-1]
        self._begin(lane, before)

    def walk(self, letter: str, node_id: str, step: int) -> None:
        """Show the next or previous version of a turn, with what followed it."""
        lane = self._state.lane(letter)
        index = _find(lane.path, node_id)
        if index is None or lane.busy:
            return
        versions = self._state.chat.siblings(lane.path[index])
        at = versions.index(lane.path[index]) + step
        if 0 <= at < len(versions):
            self.show_leaf(lane, self._state.chat.newest_leaf(versions[at].id, letter))
            self._keeper_chat()

    def versions(self, letter: str, node_id: str) -> tuple[int, int]:
        """Which version of a turn is shown, and of how many; from 1."""
        node = self._state.chat.nodes.get(node_id)
        if node is None:
            return (1, 1)
        versions = self._state.chat.siblings(node)
        return (versions.index(node) + 1, len(versions))

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

    # What others ask.

    def show_leaf(self, lane: Lane, leaf: str | None) -> None:
        """Point a lane at a turn; mirrors the job that writes there, if any."""
        lane.path = self._state.chat.path(leaf)
        lane.writing = None
        lane.answer = kept_answer(lane.path)
        lane.n_past = 0
        job = self.job_of(lane)
        if job is not None:
            self._mirror(job, lane)
            lane.writing, lane.answer = job.node, job.answer
        lane.path_changed.emit()
        lane.changed.emit()

    def job_of(self, lane: Lane) -> Job | None:
        """The job that writes the lane's last turn."""
        leaf = lane.leaf
        return next((job for job in self.jobs.values() if job.node.id == leaf), None)

    def fail_jobs(self, engine: Engine, notice: Callable[[Job], Notice]) -> None:
        """End every job of an engine that is gone."""
        for job in [job for job in self.jobs.values() if job.engine is engine]:
            self._end(job, "failed", notice(job))

    def silent_jobs(self, seconds: float) -> list[Job]:
        """Jobs that were asked to stop that long ago and did not react."""
        now = time.perf_counter_ns()
        return [job for job in self.jobs.values() if job.stop_asked_ns and now - job.stop_asked_ns > seconds * 1e9]

    # Inside.

    def _edit_user(self, lane: Lane, node: Node, text: str) -> None:
        chat, send_id = self._state.chat, new_id()
        made: dict[str | None, Node] = {}
        lanes = [
            other
            for other in self._state.lanes
            if other.model is not None and not other.busy and (other is lane or other.on) and _find_send(other.path, node) is not None
        ]
        for other in lanes:
            at = _find_send(other.path, node) or 0
            old = other.path[at]
            new = made.get(old.parent)
            if new is None:
                new = made[old.parent] = chat.add(Node(new_id(), old.parent, "user", text, send=send_id))
            other.path = [*other.path[:at], new]
        self._keep(chat, *made.values())
        for other in lanes:
            self._begin(other)

    def _begin(self, lane: Lane, before: Node | None = None) -> None:
        engine = self._engine_for(lane)
        if engine is None or lane.model is None:
            lane.path_changed.emit()
            return
        chat, sampling = self._state.chat, sampling_of(lane)
        node = Node(
            new_id(),
            lane.leaf,
            "assistant",
            text=before.text if before else "",
            thinking=before.thinking if before else "",
            state="writing",
            lane=lane.letter,
            model=" · ".join(part for part in (lane.model.name, lane.model.quant) if part),
            record={"sampling": dict(lane.sampling), "samplers": list(lane.samplers), "load": dict(lane.load), "model": lane.model.path},
        )
        messages = messages_of(lane.system, [*lane.path, *([node] if before else [])])
        chat.add(node)
        lane.path = [*lane.path, node]
        job = Job(next(self._numbers), engine, chat, lane.letter, node, sampling)
        job.answer.asked_ns = time.perf_counter_ns()
        self.jobs[job.id] = job
        lane.writing, lane.answer = node, job.answer
        lane.notice = None
        lane.note = ""
        self._keep(chat, node)
        command = Generate(
            job.id,
            f"{chat.id}:{lane.letter}",
            messages,
            sampling,
            int(lane.sampling["max_tokens"]),
            list(lane.sampling["stop"]),
            True,
            lane.thinking,
        )
        self._engines.submit(engine, command)
        self._mirror(job, lane)
        lane.path_changed.emit()
        lane.changed.emit()

    def _stop(self, job: Job) -> None:
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
            for job in self.jobs.values():
                if job.engine is engine:
                    job.tweaks.clear()
            return
        job = self.jobs.get(event.job)
        if job is None:
            return
        if isinstance(event, Token):
            self._on_token(job, event)
        elif isinstance(event, PromptProgress):
            job.fraction = event.done / max(1, event.total)
            job.answer.prompt_done, job.answer.prompt_ns = event.done, event.t_ns
            self._show(job)
        elif isinstance(event, Started):
            self._on_started(job, event)
        elif isinstance(event, SamplingChanged):
            self._on_sampling(job, event)
        elif isinstance(event, Finished):
            self._on_finished(job, event)

    def _on_started(self, job: Job, event: Started) -> None:
        job.answer.started_ns = event.t_ns
        job.answer.n_prompt, job.answer.n_reused = event.n_prompt, event.n_reused
        job.answer.prompt_done = event.n_reused
        job.node.record |= {"seed": event.seed, "n_prompt": event.n_prompt, "n_reused": event.n_reused, "plain": event.plain}
        job.note = event.note
        if job.state != "stopping":
            job.state = "prompt"
        job.fraction = event.n_reused / max(1, event.n_prompt)
        self._show(job)

    def _on_token(self, job: Job, event: Token) -> None:
        first = len(job.answer.tokens) == 0
        job.answer.add(event)
        if event.phase == "thinking":
            job.node.thinking += event.text
        else:
            job.node.text += event.text
        job.n_past = event.n_past
        state: LaneState = "thinking" if event.phase == "thinking" else "writing"
        changed = first or (job.state != state and job.state != "stopping")
        if changed and job.state != "stopping":
            job.state = state
        self._keeper.grow_node(job.chat.id, job.node.id, job.node.text, job.node.thinking)
        lane = self._lane_of(job)
        if lane is not None:
            lane.last_sign_ns = time.perf_counter_ns()
            lane.n_past = job.n_past
            if changed:
                self._mirror(job, lane)
                lane.changed.emit()
            lane.grew.emit()

    def _on_sampling(self, job: Job, event: SamplingChanged) -> None:
        if job.tweaks:
            applied = job.tweaks.pop(0)
            changes = {k: v for k, v in applied.values.items() if job.sampling.values.get(k) != v}
            if applied.samplers != job.sampling.samplers:
                changes["samplers"] = applied.samplers
            if changes:
                words = ", ".join(f"{name} {value}" for name, value in changes.items())
                job.answer.marks.append(Mark(event.t_ns, event.at_index, words))
                job.node.record.setdefault("changes", []).append({"at_index": event.at_index, "values": changes})
            job.sampling = applied
        if job.wanted is not None and not job.tweaks:
            wanted, job.wanted = job.wanted, None
            job.tweaks.append(wanted)
            job.engine.process.send(Tweak(job.id, wanted))

    def _on_finished(self, job: Job, event: Finished) -> None:
        job.n_past = event.n_past
        job.node.record |= {"reason": event.reason, "n_drawn": event.n_drawn, "n_past": event.n_past}
        notice = None
        if event.reason == "context_full":
            notice = notices.context_full(event.message, job.engine.facts.info)
        elif event.reason == "failed":
            notice = notices.answer_failed(event.message)
        self._engines.job_done(job.engine, job.id)
        self._end(job, event.reason, notice, event.t_ns)

    def _end(self, job: Job, reason: Finish, notice: Notice | None, t_ns: int = 0) -> None:
        self.jobs.pop(job.id, None)
        answer = job.answer
        answer.finished_ns = t_ns or time.perf_counter_ns()
        job.node.state = NODE_STATES[reason]
        job.node.record |= {
            "reason": reason,
            "ttft_s": answer.ttft_ns / 1e9,
            "tok_s": answer.tok_s(),
            "prompt_tok_s": answer.prompt_tok_s,
        }
        job.state = LANE_STATES[reason]
        job.detail = ""
        lane = self._lane_of(job)
        if lane is not None:
            self._mirror(job, lane)
            lane.writing = None
            lane.notice = notice
            lane.grew.emit()
            lane.changed.emit()
        job.chat.updated = time.time()
        self._keep(job.chat, job.node)
        self._keep_series(job)

    def _keep_series(self, job: Job) -> None:
        def keep(data: bytes) -> None:
            job.node.series = data
            self._keeper.save_node(job.node, job.chat.id)

        if len(job.answer.tokens):
            self._background(job.answer.tokens.to_bytes, keep)

    def _keep(self, chat: Chat, *nodes: Node) -> None:
        if chat is self._state.chat:
            chat.lanes = [record_of(lane) for lane in self._state.lanes]
        self._keeper.save_chat(chat)
        for node in nodes:
            self._keeper.save_node(node, chat.id)

    def _keeper_chat(self) -> None:
        self._keep(self._state.chat)

    def _lane_of(self, job: Job) -> Lane | None:
        if job.chat is not self._state.chat:
            return None
        lane = self._state.find_lane(job.letter)
        return lane if lane is not None and lane.leaf == job.node.id else None

    def _show(self, job: Job) -> None:
        lane = self._lane_of(job)
        if lane is not None:
            self._mirror(job, lane)
            lane.last_sign_ns = time.perf_counter_ns()
            lane.changed.emit()

    def _mirror(self, job: Job, lane: Lane) -> None:
        lane.state, lane.fraction, lane.detail, lane.note = job.state, job.fraction, job.detail, job.note
        if job.n_past:
            lane.n_past = job.n_past


def sampling_of(lane: Lane) -> Sampling:
    """A lane's sampling as the engine gets it."""
    return Sampling(dict(lane.sampling), list(lane.samplers))


def messages_of(system: str, path: list[Node]) -> list[Message]:
    """The turns as a template sees them: empty answers left out, user turns that then meet joined."""
    messages = [Message("system", system)] if system.strip() else []
    for index, node in enumerate(path):
        last = index == len(path) - 1
        if node.role == "assistant" and not node.text and not node.thinking and not last:
            continue
        if node.role == "user" and messages and messages[-1].role == "user":
            messages[-1] = Message("user", f"{messages[-1].content}\n\n{node.text}")
        else:
            messages.append(Message(node.role, node.text, node.thinking))
    return messages


def title_of(text: str) -> str:
    """A chat's first title: the first line of its first turn, cut at a word."""
    line = " ".join(text.strip().splitlines()[0].split())
    if len(line) <= 48:
        return line
    return line[:48].rsplit(" ", 1)[0] + "…"


def kept_answer(path: list[Node]) -> Answer:
    """The figures of the last kept answer of a path."""
    answer = Answer()
    node = next((node for node in reversed(path) if node.role == "assistant"), None)
    if node is not None and node.series:
        try:
            answer.tokens.load(node.series)
        except ValueError:
            return answer
        times = answer.tokens.view["t_ns"]
        if len(times):
            ttft = int(float(node.record.get("ttft_s", 0)) * 1e9)
            answer.asked_ns = answer.started_ns = int(times[0]) - ttft
            answer.finished_ns = int(times[-1])
            answer.n_prompt = int(node.record.get("n_prompt", 0))
            answer.n_reused = int(node.record.get("n_reused", 0))
    return answer


def _find(path: list[Node], node_id: str) -> int | None:
    return next((index for index, node in enumerate(path) if node.id == node_id), None)


def _last(path: list[Node], role: str) -> int | None:
    return next((index for index in range(len(path) - 1, -1, -1) if path[index].role == role), None)


def _find_send(path: list[Node], node: Node) -> int | None:
    return next(
        (i for i, other in enumerate(path) if other.id == node.id or (node.send and other.send == node.send)), None
    )
