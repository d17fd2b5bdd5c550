"""How prompts are read: what is reused, who waits for whom, and in pieces of which size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.engine.job import Job
from playground.engine.slots import FRESH, Slots, common
from playground.engine.states import WORTH_LOADING, States

_WORTH_WAITING = 64
"""Tokens that another's prompt must save before a job waits for it."""
_PIECE = 128
_LEAST_PIECE = 32
_MARK_EVERY = 512
"""Tokens between two checkpoints of a long prompt, for models that need them."""
_MARK_APART = 64
"""A checkpoint nearer to another one, or to the prompt's beginning, isn't worth its copy."""
_PIECE_NS = 100_000_000
"""Between two tokens of those who write, a piece of prompt may take about this long."""


class Reading:
    """Decides; the loop does it."""

    def __init__(self, slots: Slots, n_batch: int, n_ubatch: int) -> None:
        self._slots = slots
        self._n_batch = n_batch
        self._n_ubatch = n_ubatch
        self._ns_per_token = 0.0
        self._start: dict[int, int] = {}
        """Where each job's own reading began; pieces are counted from there."""
        self._stops: dict[int, set[int]] = {}
        """Where each leader has to stop, because a sequence that can't be cut is copied there."""
        self.states: States | None = None
        """Where what was saved comes from."""
        self.restored = 0
        """How much of what `begin` found was a saved state's."""
        self.now_end = 0
        """Where the piece being read ends."""
        self.cut_for_others = False
        """It ends there because another job goes on from there."""

    def begin(self, job: Job, others: Iterable[Job]) -> int:
        """Set a placed job to reading or waiting; how many tokens of its prompt it needn't read."""
        prompt = job.prompt.tokens
        self.restored = 0
        here = self._slots.best(prompt)
        for other in others:
            if other is job or other.state != "reading":
                continue
            shared = self._shared(other, prompt)
            if shared == len(prompt) or shared >= here + _WORTH_WAITING:
                job.state, job.leader, job.shared = "waiting", other, shared
                self._stops.setdefault(other.id, set()).add(shared)
                return shared
        return self._read_from(job)

    def serve(self, leader: Job, jobs: Iterable[Job]) -> list[Job]:
        """The leader has read on: copy for those who waited for that. Returns those with the very same prompt."""
        done = len(leader.slot.tokens)
        same: list[Job] = []
        for job in jobs:
            if job.leader is not leader or done < job.shared:
                continue
            got = self._slots.copy(leader.slot, job.slot, job.shared)
            job.leader = None
            if got == job.n_prompt:
                same.append(job)
            else:
                self._go_on(job)
        return same

    def orphaned(self, leader: Job, jobs: Sequence[Job]) -> list[tuple[Job, int, int]]:
        """The leader ended before all was read: whoever waited takes what there is and reads on.

        Who that is, how many tokens each needn't read after all, and how many of these a saved state gave.
        """
        self._start.pop(leader.id, None)
        self._stops.pop(leader.id, None)
        found: list[tuple[Job, int, int]] = []
        for job in jobs:
            if job.leader is leader:
                job.leader = None
                others = [other for other in jobs if other is not leader]
                found.append((job, self.begin(job, others), self.restored))
        return found

    def piece_end(self, job: Job, *, alone: bool) -> int:
        """Where the next piece ends.

        Alone, the pieces are those that ``llama_decode`` on whole batches would make, so the bits are
        the same; beside writers they are short, so that these keep flowing.
        """
        at, n = len(job.slot.tokens), job.n_prompt
        if alone:
            window = at + self._n_batch - (at - self._start.get(job.id, 0)) % self._n_batch
            end = min(n, window, at + self._n_ubatch)
        else:
            wished = int(_PIECE_NS / self._ns_per_token) if self._ns_per_token else _PIECE
            end = min(n, at + min(self._n_ubatch, max(_LEAST_PIECE, min(_PIECE, wished))))
        self.now_end = end = min([end, *(stop for stop in self._places(job) if at < stop)])
        self.cut_for_others = end < n and end in self._stops.get(job.id, ())
        return end

    def mark(self, job: Job) -> None:
        """Before a piece: take a checkpoint, where the model needs them and one is due here."""
        slot = job.slot
        at = len(slot.tokens)
        if not self._slots.checkpointed or at == 0:
            return
        others = [one.n for one in self._slots.checkpoints.of(slot.seq)]
        near_end = at == job.n_prompt - FRESH
        if near_end or ((at == self._start.get(job.id) or at % _MARK_EVERY == 0) and _apart(at, [0, *others])):
            self._slots.mark(slot)

    def timed(self, tokens: int, ns: int) -> None:
        """A piece was read: how fast."""
        if tokens >= _LEAST_PIECE:
            self._ns_per_token = ns / tokens

    def _places(self, job: Job) -> list[int]:
        """Where a piece has to end, beside the usual."""
        if self._slots.plain:
            return []
        places = list(self._stops.get(job.id, ()))
        if self._slots.checkpointed:
            places.append((len(job.slot.tokens) // _MARK_EVERY + 1) * _MARK_EVERY)
            if job.n_prompt - FRESH - self._start.get(job.id, 0) >= _MARK_APART:
                places.append(job.n_prompt - FRESH)
        return places

    def _shared(self, leader: Job, prompt: list[int]) -> int:
        """How much of a prompt can be had from the job that is being read."""
        n = common(leader.prompt.tokens, prompt)
        if n == len(prompt) == leader.n_prompt:
            return n
        n = max(0, min(n, len(prompt) - FRESH))
        # What can't be cut is copied when the leader is just there.
        return n if self._slots.plain or n > len(leader.slot.tokens) else 0

    def _read_from(self, job: Job) -> int:
        prompt = job.prompt.tokens
        loaded = False
        if self.states is not None:
            least = self._slots.best(prompt) + WORTH_LOADING
            # One that can't be loaded isn't found again.
            while not loaded and (saved := self.states.find(job.lane, prompt, least, self._slots)):
                loaded = self.states.load(saved, self._slots, job.slot)
        reused = self._slots.reuse(job.slot, prompt)
        self.restored = reused if loaded else 0
        self._go_on(job)
        return reused

    def _go_on(self, job: Job) -> None:
        job.state, job.leader = "reading", None
        self._start[job.id] = len(job.slot.tokens)


def _apart(at: int, others: list[int]) -> bool:
    return all(abs(at - other) >= _MARK_APART for other in others)
