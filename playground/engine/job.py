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
        self._vocab = vocab
        self._command = command
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

    def take(
        self, token: int, decode_ns: int, sample_ns: int, shared_by: int, n_ctx: int
    ) -> tuple[list[Token], Finish | None]:
        """A drawn token: the events that can go now, and why the answer ends with it, if it does."""
        out = [self._held] if self._held else []
        self.next = token
        index, self.n_drawn = self.n_drawn, self.n_drawn + 1
        text = self.writer.feed(token)
        n_past = self.n_prompt + self.n_drawn
        event = Token(
            self.id,
            index,
            token,
            text,
            time.perf_counter_ns(),
            decode_ns,
            sample_ns,
            n_past,
            self.writer.phase,
            shared_by,
        )
        ends = self._ends(token, n_past, n_ctx)
        if ends is None and self.writer.complete:
            self._held = None
            out.append(event)
        else:
            self._held = event
        return out, ends

    def finish(self, reason: Finish, message: str = "") -> list[Token | Finished]:
        """The last events: the token that waited, with all text that was withheld, and the end."""
        out: list[Token | Finished] = []
        rest = self.writer.end(cut=reason != "end")
        if self._held:
            out.append(_with_text(self._held, self._held.text + rest))
        now, stop_string = time.perf_counter_ns(), self.writer.stop_string
        if stop_string and reason not in ("failed", "stopped"):
            reason = "stop_string"
        n_past = self.n_prompt + self.n_drawn
        shown = stop_string if reason == "stop_string" else ""
        varies = sorted(self.varies)
        out.append(Finished(self.id, reason, now, self.n_prompt, self.n_drawn, n_past, message, shown, varies))
        return out

    def _ends(self, token: int, n_past: int, n_ctx: int) -> Finish | None:
        if token in self._vocab.eog:
            return "end"
        if self.writer.stop_string:
            return "stop_string"
        if 0 <= self.max_tokens <= self.n_drawn:
            return "max_tokens"
        if n_past >= n_ctx:
            return "context_full"
        return None

    def _stops(self) -> list[str]:
        return [*self._command.stop, *self.sampler.values["stop"]]


def _with_text(token: Token, text: str) -> Token:
    return Token(
        token.job, token.index, token.id, text, token.t_ns, token.decode_ns, token.sample_ns, token.n_past, token.phase,
        token.n_batch,
    )  # fmt: skip
