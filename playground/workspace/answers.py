"""Turns and answers: send, regenerate, edit, continue, walk the versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playground.conversation.tree import Node, new_id
from playground.protocol.commands import Message
from playground.workspace.engines import Engine
from playground.workspace.jobs import Jobs
from playground.workspace.lane import Lane
from playground.workspace.marks import kept_marks
from playground.workspace.ports import Background, Post
from playground.workspace.series import Answer
from playground.workspace.state import State

UNPACKED_AT_ONCE = 64 * 1024
"""Bytes of a kept series, some 2,500 tokens: unpacked in two or three milliseconds."""


class Answers:
    """Everything that makes turns and answers."""

    def __init__(
        self,
        state: State,
        jobs: Jobs,
        engine_for: Callable[[Lane], Engine | None],
        post: Post,
        background: Background,
    ) -> None:
        self._state = state
        self._jobs = jobs
        self._engine_for = engine_for
        self._post = post
        self._background = background

    def send(self, text: str) -> bool:
        """A new user turn for every lane that is on; False when none can take it."""
        lanes = [lane for lane in self._state.lanes if lane.on and lane.model is not None]
        if not text.strip() or not lanes or any(lane.busy for lane in lanes):
            return False
        text = storable(text)
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
        self._jobs.keep(chat, *made.values())
        for lane in lanes:
            self._begin(lane)
        return True

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
        node, text = lane.path[index], storable(text)
        if node.role == "assistant":
            changed = Node(
                new_id(),
                node.parent,
                "assistant",
                text,
                lane=letter,
                model=node.model,
                record={"edited": True},
            )
            self._state.chat.add(changed)
            lane.path = [*lane.path[:index], changed]
            lane.path_changed.emit()
            self._jobs.keep(self._state.chat, changed)
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

    def begin_from(self, lane: Lane, parent: str | None, before: Node | None, record: dict[str, Any]) -> None:
        """A new answer after a turn, beginning with what ``before`` says; ``record`` is kept with it."""
        lane.path = self._state.chat.path(parent)
        self._begin(lane, before, record)

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
            self._jobs.keep(self._state.chat)

    def versions(self, letter: str, node_id: str) -> tuple[int, int]:
        """Which version of a turn is shown, and of how many; from 1."""
        node = self._state.chat.nodes.get(node_id)
        if node is None:
            return (1, 1)
        versions = self._state.chat.siblings(node)
        return (versions.index(node) + 1, len(versions))

    def show_leaf(self, lane: Lane, leaf: str | None) -> None:
        """Point a lane at a turn; mirrors the job that writes there, if any."""
        lane.path = self._state.chat.path(leaf)
        lane.writing = None
        last = lane.newest
        finished = self._jobs.finished.get(last.id) if last is not None else None
        lane.answer = finished.answer if finished is not None else self._kept(lane, last)
        lane.n_past = next((n for node in reversed(lane.path) if (n := _held(node))), 0)
        job = self._jobs.job_of(lane)
        if job is not None:
            self._jobs.mirror(job, lane)
            lane.writing, lane.answer = job.node, job.answer
        lane.path_changed.emit()
        lane.changed.emit()

    def _kept(self, lane: Lane, node: Node | None) -> Answer:
        """The figures of a kept answer; those of a very long one come a moment later."""
        if node is None or len(node.series) <= UNPACKED_AT_ONCE:
            return kept_answer(node)
        waiting = Answer()

        def came(answer: Answer) -> None:
            if lane.answer is waiting:
                lane.answer = answer
                lane.changed.emit()

        self._background(lambda: kept_answer(node), came)
        return waiting

    def _edit_user(self, lane: Lane, node: Node, text: str) -> None:
        chat, send_id = self._state.chat, new_id()
        made: dict[str | None, Node] = {}
        lanes = [
            other
            for other in self._state.lanes
            if other.model is not None
            and not other.busy
            and (other is lane or other.on)
            and _find_send(other.path, node) is not None
        ]
        for other in lanes:
            at = _find_send(other.path, node) or 0
            old = other.path[at]
            new = made.get(old.parent)
            if new is None:
                new = made[old.parent] = chat.add(Node(new_id(), old.parent, "user", text, send=send_id))
            other.path = [*other.path[:at], new]
        self._jobs.keep(chat, *made.values())
        for other in lanes:
            self._begin(other)

    def _begin(self, lane: Lane, before: Node | None = None, record: dict[str, Any] | None = None) -> None:
        engine = self._engine_for(lane)
        if engine is None or lane.model is None:
            lane.path_changed.emit()
            return
        node = Node(
            new_id(),
            lane.leaf,
            "assistant",
            text=before.text if before else "",
            thinking=before.thinking if before else "",
            state="writing",
            lane=lane.letter,
            model=" · ".join(part for part in (lane.model.name, lane.model.quant) if part),
            record={
                "sampling": dict(lane.sampling),
                "samplers": list(lane.samplers),
                "load": dict(lane.load),
                "model": lane.model.path,
            }
            | (record or {}),
        )
        messages = messages_of(lane.system, [*lane.path, *([node] if before else [])])
        self._state.chat.add(node)
        lane.path = [*lane.path, node]
        self._jobs.keep(self._state.chat, node)
        self._jobs.begin(lane, engine, node, messages)
        lane.changed.emit()
        # Laying out a lane's turns takes a while; with several lanes, each has a moment of its own.
        self._post(lane.path_changed.emit)


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


def storable(text: str) -> str:
    """The text without lone surrogates, which a paste can bring and no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def title_of(text: str) -> str:
    """A chat's first title: the first line of its first turn, cut at a word."""
    line = " ".join(text.strip().splitlines()[0].split())
    if len(line) <= 48:
        return line
    return line[:48].rsplit(" ", 1)[0] + "…"


def kept_answer(node: Node | None) -> Answer:
    """The figures of a kept answer; empty without one."""
    answer = Answer()
    if node is not None and node.series:
        answer.node = node.id
        try:
            answer.load(node.series)
        except ValueError:
            return answer
        times = answer.tokens.view["t_ns"]
        if len(times):
            ttft = _nanoseconds(node.record.get("ttft_s"))
            answer.asked_ns = int(times[0]) - ttft
            answer.started_ns = answer.asked_ns + min(ttft, _nanoseconds(node.record.get("queued_s")))
            answer.finished_ns = int(times[-1])
            counts = (node.record.get(name) for name in ("n_prompt", "n_reused", "n_restored"))
            answer.n_prompt, answer.n_reused, answer.n_restored = (n if isinstance(n, int) else 0 for n in counts)
            answer.marks = kept_marks(node.record, times, answer.asked_ns)
    return answer


def _nanoseconds(seconds: object) -> int:
    """Of a figure in a record, which may be a stranger's."""
    return int(seconds * 1e9) if isinstance(seconds, int | float) and 0 <= seconds < 1e7 else 0


def _held(node: Node) -> int:
    """Tokens in the context at an answer's end, as its record says; 0: it doesn't."""
    held = node.record.get("n_past")
    return held if isinstance(held, int) and held > 0 else 0


def _find(path: list[Node], node_id: str) -> int | None:
    return next((index for index, node in enumerate(path) if node.id == node_id), None)


def _last(path: list[Node], role: str) -> int | None:
    return next((index for index in range(len(path) - 1, -1, -1) if path[index].role == role), None)


def _find_send(path: list[Node], node: Node) -> int | None:
    return next(
        (i for i, other in enumerate(path) if other.id == node.id or (node.send and other.send == node.send)),
        None,
    )
