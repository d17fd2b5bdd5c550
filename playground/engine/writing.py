"""One more token for every answer that is being written: decoded together, drawn one by one, told in small groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from playground.engine import memory, sentences
from playground.engine.context import Context
from playground.engine.decode import ABORTED, NO_ROOM, OK
from playground.engine.inbox import Inbox
from playground.engine.job import Job
from playground.engine.load import Model
from playground.engine.outbox import Outbox
from playground.engine.sampler import GrammarStuck
from playground.engine.threads import Threads
from playground.engine.watchdog import Watchdog
from playground.protocol.events import Finish
from playground.translate import tr


class Writing:
    """The part of the loop that runs for every token, so the part where microseconds count."""

    def __init__(
        self,
        model: Model,
        jobs: dict[int, Job],
        inbox: Inbox,
        outbox: Outbox,
        threads: Threads,
        finish: Callable[[Job, Finish, str], None],
        take_tweaks: Callable[[], None],
        watchdog: Watchdog | None,
    ) -> None:
        """``take_tweaks``: apply what ``inbox.tweaks`` holds; called right before tokens are drawn.

        ``watchdog``: over the shared context's tokens.
        """
        self._model = model
        self._jobs = jobs
        self._inbox = inbox
        self._outbox = outbox
        self._threads = threads
        self._finish = finish
        self._take_tweaks = take_tweaks
        self._watchdog = watchdog
        self._spent_ns = 0
        """What was computed for single jobs only, while there were others."""
        self._told_ns = 0
        self._tell_every_ns = int(outbox.interval_s * 1e9)
        """The texts of several tokens in one go cost less than one by one between two decodes."""

    def begin(self, jobs: Sequence[Job], row: int) -> None:
        """The first token of a prompt's answer, and of all that asked the same: from the same logits."""
        past = object()
        took = jobs[0].context.decoder.took_ns
        for job in jobs:
            job.state, job.past = "writing", past
            job.waited(self._spent_ns)
        for job in jobs:
            if job.max_tokens == 0:
                self._finish(job, "max_tokens", "")
            else:
                self._draw(job, row, took, len(jobs))

    def worked(self, jobs: Sequence[Job], ns: int) -> None:
        """This was computed for these jobs, and others had to wait."""
        self._spent_ns += ns
        for job in jobs:
            job.own_ns += ns

    def alone(self, job: Job) -> None:
        """Token after token of the only answer there is, until something else is due or wanted.

        Between two decodes the caches are cold: what isn't needed for every token is done once at the end.
        """
        context, slot, sampler = job.context, job.slot, job.sampler
        decoder, tokens, stopped, now = context.decoder, slot.tokens, self._inbox.stopped, time.perf_counter_ns
        tweaks, hear, waiting = self._inbox.tweaks, self._inbox.hear, self._inbox.waiting
        last, ends_with = job.last_index(self._model.info.n_ctx), self._model.vocab.eog
        took: list[int] = []
        waited, lost = job.waited(self._spent_ns), decoder.take_lost_ns()
        until = now() + self._tell_every_ns
        leave = until + memory.INTERVAL_NS
        self._attend(job)
        while True:
            code = decoder.row(job.next, len(tokens), slot.seq)
            if code != OK:
                self._not_written(context, [job], code)
                if decoder.gave_up:
                    took.append(decoder.took_ns)
                break
            tokens.append(job.next)
            took.append(decoder.took_ns)
            if job.id in stopped:
                break
            hear()
            if tweaks:
                self._take_tweaks()
                last = job.last_index(self._model.info.n_ctx)
            start = now()
            try:
                token = sampler.draw(context.ctx, 0)
            except GrammarStuck:
                self._finish(job, "failed", tr(sentences.STUCK))
                break
            end = now()
            job.drew(token, took[-1] + lost, end - start, 1, end, waited)
            waited = lost = 0
            if job.n_drawn >= last or token in ends_with or job.urgent:
                if not self._goes_on(job):
                    break
            elif end >= until or waiting():
                self.tell()
                self._threads.wrote(1, took)
                took.clear()
                if end >= leave or waiting():
                    break
                until = now() + self._tell_every_ns
        self._threads.wrote(1, took, given_up=decoder.gave_up)

    def together(self, context: Context, writers: Sequence[Job]) -> None:
        """One more token for each of a context's writing answers."""
        batch = context.decoder.writers
        batch.clear()
        rows: dict[tuple[int, int, int], int] = {}
        row_of: list[int] = []
        for job in writers:
            slot = job.slot
            # A recurrent state can't be written for two sequences at once, and a window's cells are each one's own.
            key = (id(job.past), job.next, -1 if context.slots.plain else slot.seq)
            row = rows.get(key, -1)
            if row < 0:
                rows[key] = row = batch.add(job.next, len(slot.tokens), slot.seq)
            else:
                batch.join(row, slot.seq)
            row_of.append(row)
        alone = len(writers) == 1
        self._attend(writers[0] if alone else None)
        code = context.decoder.row_each(may_abort=alone or not self._model.info.recurrent)
        if code != OK:
            self._not_written(context, writers, code)
            if context.decoder.gave_up:
                self._threads.wrote(len(rows), [context.decoder.took_ns], given_up=True)
            return
        took = context.decoder.took_ns + context.decoder.take_lost_ns()
        if len(writers) < len(self._jobs):
            self.worked(writers, took)
        pasts = [] if alone else [object() for _ in rows]
        for job, row in zip(writers, row_of, strict=True):
            job.slot.tokens.append(job.next)
            if not alone:
                job.past = pasts[row]
                job.varies.add("batch")
        self._inbox.hear()
        if self._inbox.tweaks:
            self._take_tweaks()
        for job, row in zip(writers, row_of, strict=True):
            if job.id not in self._inbox.stopped:
                self._draw(job, row, took, len(writers))
        if not context.canonical or len(writers) == len(self._jobs):
            self._threads.wrote(len(rows), [context.decoder.took_ns])
        if time.perf_counter_ns() - self._told_ns >= self._tell_every_ns:
            self.tell()

    def tell(self) -> None:
        """What was drawn and not told yet."""
        self._told_ns = time.perf_counter_ns()
        self._outbox.send_all([event for job in self._jobs.values() for event in job.events()])

    def _attend(self, job: Job | None) -> None:
        """Watch over the tokens to come; ``job``: they are all its own.

        A recurrent state is lost with the token that is being computed: only its own answer's Stop may end that.
        """
        if self._watchdog is not None:
            self._watchdog.attend()
        elif job is not None and self._model.info.recurrent:
            self._inbox.halt.guard(job.id)
            if job.id in self._inbox.stopped or self._inbox.quitting:
                self._inbox.halt.set()

    def _not_written(self, context: Context, writers: Sequence[Job], code: int) -> None:
        """Nothing of the batch is in the cache; the tokens wait, unless an answer has to end."""
        if code == ABORTED:
            for job in writers:
                context.slots.settle(job.slot)
        elif code == NO_ROOM:
            if not context.slots.make_room():
                longest = max(writers, key=lambda job: len(job.slot.tokens))
                self._finish(longest, "context_full", tr(sentences.SHARED_FULL, n_ctx=self._model.info.n_ctx))
        else:
            for job in writers:
                context.slots.cut(job.slot, 0)
                self._finish(job, "failed", tr("llama.cpp could not compute the next token (code {code}).", code=code))

    def _draw(self, job: Job, row: int, decode_ns: int, shared_by: int) -> None:
        start = time.perf_counter_ns()
        try:
            token = job.sampler.draw(job.context.ctx, row)
        except GrammarStuck:
            self._finish(job, "failed", tr(sentences.STUCK))
            return
        now = time.perf_counter_ns()
        waited = job.waited(self._spent_ns)
        self.worked([job], now - start)
        job.drew(token, decode_ns, now - start, shared_by, now, waited)
        self._goes_on(job)

    def _goes_on(self, job: Job) -> bool:
        """Tell what can't wait; False when the answer ends with the token drawn last."""
        ends = job.ends(self._model.info.n_ctx)
        if ends is None and job.urgent:
            self._outbox.send_all(job.events())
            if job.writer.stop_string:
                ends = "stop_string"
        if ends is None:
            return True
        self._finish(job, ends, tr(sentences.FULL, n_ctx=self._model.info.n_ctx) if ends == "context_full" else "")
        return False
