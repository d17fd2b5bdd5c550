"""One answer being written: what is asked, how far it is, and the events that tell it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from playground.engine.prompt import Prompt
from playground.engine.sampler import Sampler
from playground.engine.slots import Slot
from playground.engine.text import Writer
from playground.engine.thinking import ThinkingFilter
from playground.engine.tokens import Vocab
from playground.protocol.commands import Generate
from playground.protocol.events import Finish, Finished, PromptProgress, Token, Variation

if TYPE_CHECKING:
    from playground.engine.context import Context

_PROGRESS_NS = 100_000_000


class Job:
    """An answer. The loop decodes; here tokens become events.

    A token whose text is still open (half a character, a possible stop string) is sent when the next
    one is drawn, so that what is withheld when the answer ends can be put on the last token.
    """

    def __init__(self, command: Generate, prompt: Prompt, sampler: Sampler, vocab: Vocab) -> None:
        self.id = command.job
        self.lane = command.slot
        self._slot: Slot | None = None
        self._context: Context | None = None
        self.repeatable: bool = sampler.values["repeatable"]
        """To be written by the canonical plan, in a context of its own."""
        self.varies: set[Variation] = set()
        """What has come in between that may change the text next time."""
        self.prompt = prompt
        self.sampler = sampler
        self.state: Literal["queued", "waiting", "reading", "writing"] = "queued"
        self.leader: Job | None = None
        """The job whose prompt is read for this one too; then the state is “waiting”. A queued job has no slot yet."""
        self.shared = 0
        """How much of the leader's prompt this one begins with."""
        self.next = -1
        """The token that is drawn and not yet decoded."""
        self.past = object()
        """Jobs with the same token history since a shared prompt have the same object here."""
        self.n_drawn = 0
        self.own_ns = 0
        """What the engine computed for this job only, as counted while there are others."""
        self._others_ns = 0
        """What it had computed for others only when the last token was drawn."""
        self._vocab = vocab
        self._command = command
        self._fresh: list[tuple[int, int, int, int, int, int]] = []
        """Drawn and not told: token, time, decoding, sampling, slots in the batch, waiting."""
        self._held: Token | None = None
        self._progress_ns = 0
        self.writer = Writer(vocab, self._stops(), ThinkingFilter(prompt.families, prompt.thinking))

    @property
    def slot(self) -> Slot:
        """Its sequence; only once it has one."""
        if self._slot is None:
            raise RuntimeError("the job is still queued")
        return self._slot

    @property
    def context(self) -> Context:
        """Where it is computed; only once it has a place."""
        if self._context is None:
            raise RuntimeError("the job is still queued")
        return self._context

    def place(self, context: Context, slot: Slot) -> None:
        """Its sequence, and the context that is in."""
        self._context, self._slot = context, slot

    @property
    def placed(self) -> bool:
        """Whether it has a sequence."""
        return self._slot is not None

    @property
    def n_prompt(self) -> int:
        """Tokens of the prompt."""
        return len(self.prompt.tokens)

    @property
    def max_tokens(self) -> int:
        """Most tokens to draw; negative: no limit."""
        asked = self._command.max_tokens
        return asked if asked >= 0 else int(self.sampler.values["max_tokens"])

    def tweaked(self) -> None:
        """The sampler's values changed: stop strings follow."""
        self.varies.add("tweaked")
        self.writer.set_stops(self._stops())

    def progress(self, done: int, *, always: bool = False) -> PromptProgress | None:
        """How far the prompt is read; None when it was told a moment ago."""
        now = time.perf_counter_ns()
        if not always and now - self._progress_ns < _PROGRESS_NS:
            return None
        self._progress_ns = now
        return PromptProgress(self.id, min(done, self.n_prompt), self.n_prompt, now)

    def waited(self, spent_ns: int) -> int:
        """How long it waited for others since the last token.

        ``spent_ns``: what the engine computed so far for single jobs, this one included.
        """
        before, self._others_ns = self._others_ns, spent_ns - self.own_ns
        return max(0, self._others_ns - before)

    def drew(self, token: int, decode_ns: int, sample_ns: int, shared_by: int, t_ns: int, wait_ns: int = 0) -> None:
        """A token was drawn. Its text is made in `events`: several at a time cost less than one by one."""
        self.next = token
        self.n_drawn += 1
        self._fresh.append((token, t_ns, decode_ns, sample_ns, shared_by, wait_ns))

    def ends(self, n_ctx: int) -> Finish | None:
        """Why the answer ends with the token drawn last, if it does; a stop string is known after `events`."""
        if self.next in self._vocab.eog:
            return "end"
        if 0 <= self.max_tokens <= self.n_drawn:
            return "max_tokens"
        return "context_full" if self.n_prompt + self.n_drawn >= n_ctx else None

    def last_index(self, n_ctx: int) -> int:
        """How many tokens can be drawn at most: its own limit, or the context's."""
        room = n_ctx - self.n_prompt
        return min(room, self.max_tokens) if self.max_tokens >= 0 else room

    @property
    def urgent(self) -> bool:
        """Whether to tell at once: the first token, and where a stop string may end it."""
        return self.n_drawn == 1 or self.writer.has_stops

    def events(self, *, ending: bool = False) -> list[Token]:
        """The events of what was drawn since; ``ending``: the last one waits for `finish`."""
        out: list[Token] = []
        fresh, self._fresh = self._fresh, []
        index = self.n_drawn - len(fresh)
        for token, t_ns, decode_ns, sample_ns, shared_by, wait_ns in fresh:
            if self._held:
                out.append(self._held)
            text = self.writer.feed(token)
            n_past = self.n_prompt + index + 1
            phase = self.writer.phase
            event = Token(self.id, index, token, text, t_ns, decode_ns, sample_ns, n_past, phase, shared_by, wait_ns)
            index += 1
            complete = self.writer.complete and not (ending and index == self.n_drawn)
            self._held = None if complete else event
            if complete:
                out.append(event)
        return out

    def finish(self, reason: Finish, message: str = "") -> list[Token | Finished]:
        """The last events: the token that waited, with all text that was withheld, and the end."""
        now = time.perf_counter_ns()
        out: list[Token | Finished] = [*self.events(ending=True)]
        rest = self.writer.end(cut=reason != "end")
        if self._held:
            out.append(_with_text(self._held, self._held.text + rest))
        stop_string = self.writer.stop_string
        if stop_string and reason not in ("failed", "stopped"):
            reason = "stop_string"
        n_past = self.n_prompt + self.n_drawn
        shown = stop_string if reason == "stop_string" else ""
        varies = sorted(self.varies)
        out.append(Finished(self.id, reason, now, self.n_prompt, self.n_drawn, n_past, message, shown, varies))
        return out

    def _stops(self) -> list[str]:
        return [*self._command.stop, *self.sampler.values["stop"]]


def _with_text(token: Token, text: str) -> Token:
    return Token(
        token.job, token.index, token.id, text, token.t_ns, token.decode_ns, token.sample_ns, token.n_past, token.phase,
        token.n_batch, token.wait_ns,
    )  # fmt: skip
