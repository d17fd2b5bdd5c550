"""The engine's one loop: commands in, tokens out. All answers that are being written share each batch."""

from __future__ import annotations

import time
import traceback

from playground.engine import memory, sentences
from playground.engine.asked import answer
from playground.engine.bench import Benchmark
from playground.engine.binding import gpu_memory
from playground.engine.context import Context
from playground.engine.decode import ABORTED, NO_ROOM, OK
from playground.engine.inbox import Inbox
from playground.engine.job import Job
from playground.engine.load import Model
from playground.engine.outbox import Outbox
from playground.engine.prompt import PromptError
from playground.engine.sampler import Sampler
from playground.engine.states import States
from playground.engine.threads import Threads
from playground.engine.tune import Tuning
from playground.engine.watchdog import Watchdog
from playground.engine.writing import Writing
from playground.protocol.commands import (
    Bench,
    CheckFormat,
    Command,
    CountTokens,
    Generate,
    Load,
    Quit,
    Render,
    SetThreads,
    Stop,
    Tokenize,
    Tweak,
)
from playground.protocol.events import (
    Finish,
    Finished,
    Refused,
    Rendered,
    Reused,
    SamplingChanged,
    Started,
    ThreadsChanged,
    TokenCount,
)
from playground.settings.field import SettingError
from playground.translate import tr

_WATCH_EVERY = 16
"""Nodes of a graph between two looks at the clock."""


class Loop:
    """Serves one loaded model until the app quits."""

    def __init__(
        self, model: Model, inbox: Inbox, outbox: Outbox, tune_s: float = 0.0, states: States | None = None
    ) -> None:
        """``tune_s``: seconds that a measurement of the machine may take before the first answer."""
        self._model = model
        self._inbox = inbox
        self._outbox = outbox
        self._shared = Context.ordinary(model, self._watch, inbox.halt)
        self._shared.keep_in(states)
        self._own: Context | None = None
        """The context of the repeatable answer that is being written; there is one at a time."""
        self._threads = Threads(model, self._use_threads, self._tell_threads)
        self._tuning = Tuning(model, tune_s, lambda: inbox.wanted or inbox.quitting)
        self._bench = Benchmark(model, self._shared, inbox, outbox, self._threads)
        self._jobs: dict[int, Job] = {}
        # A token that is given up takes a recurrent state with it.
        watchdog = None if model.info.recurrent else Watchdog(self._shared.decoder, self._threads.gives_way)
        self._writing = Writing(
            model, self._jobs, inbox, outbox, self._threads, self._finish, self._take_tweaks, watchdog
        )
        self._read_now: Job | None = None
        """Whose prompt llama.cpp is computing this moment."""
        self._sampled_ns = 0
        self._watched = 0

    def run(self) -> None:
        """Until Quit."""
        self._sample_memory(always=True)
        while True:
            while command := self._inbox.get(wait=not self._jobs, at_most_s=self._tuning.pause_s):
                if isinstance(command, Quit):
                    if command.save:
                        self._outbox.send(self._shared.save())
                    return
                self._obey(command)
            if tuned := None if self._jobs else self._tuning.idle():
                self._threads.measured(tuned.machine)
                self._outbox.send(tuned)
            self._step()
            if not self._jobs:
                self._sample_memory(always=True)

    def _obey(self, command: Command) -> None:
        match command:
            case Generate():
                self._generate(command)
            case Stop():
                if command.job not in self._jobs:
                    self._inbox.stopped.discard(command.job)
            case Tweak():
                self._take_tweaks()
            case CountTokens():
                n = len(self._model.vocab.tokenize(command.text, special=False))
                self._outbox.send(TokenCount(command.request, n))
            case Tokenize() | CheckFormat():
                self._outbox.send(answer(self._model.vocab, command))
            case Render():
                self._render(command)
            case SetThreads():
                self._threads.obey(command)
            case Bench():
                self._bench.run(command, busy=bool(self._jobs))
            case Load():
                self._outbox.send(Refused(tr("This engine has its model already; another model needs another engine.")))

    def _generate(self, command: Generate) -> None:
        prompt_length = 0
        try:
            if command.job in self._jobs:
                raise PromptError(tr("The app used the same number for two answers."))
            prompt = self._model.prompts.build(command.messages, command.use_template, command.thinking)
            prompt_length = len(prompt.tokens)
            if prompt_length >= self._model.info.n_ctx:
                message = tr(sentences.TOO_LONG, n=prompt_length, n_ctx=self._model.info.n_ctx)
                self._refuse(command.job, "context_full", prompt_length, message)
                return
            sampler = Sampler(self._model.vocab, self._model.info.n_ctx, command.sampling, prompt.tokens)
        except (PromptError, SettingError, ValueError) as error:
            self._refuse(command.job, "failed", prompt_length, str(error))
            return
        except Exception as error:
            traceback.print_exc()
            self._refuse(command.job, "failed", prompt_length, tr("The prompt could not be made: {error}", error=error))
            return
        self._jobs[command.job] = Job(command, prompt, sampler, self._model.vocab)

    def _refuse(self, job: int, reason: Finish, n_prompt: int, message: str) -> None:
        self._outbox.send(Finished(job, reason, time.perf_counter_ns(), n_prompt, 0, n_prompt, message))

    def _take_tweaks(self) -> None:
        """All changed settings that have come and were not taken between a decode and its draw."""
        while self._inbox.tweaks:
            self._tweak(self._inbox.tweaks.popleft())

    def _tweak(self, command: Tweak) -> None:
        job = self._jobs.get(command.job)
        if job is None:
            self._outbox.send(Refused(tr("That answer has ended; the new settings count for the next one.")))
            return
        try:
            job.sampler.change(command.sampling)
        except (SettingError, ValueError) as error:
            self._outbox.send(Refused(str(error)))
            return
        self._outbox.send_all(job.events())
        job.tweaked()
        self._outbox.send(SamplingChanged(job.id, job.n_drawn, time.perf_counter_ns()))

    def _render(self, command: Render) -> None:
        try:
            prompt = self._model.prompts.build(command.messages, command.use_template, command.thinking)
        except (PromptError, ValueError) as error:
            self._outbox.send(Rendered(command.request, "", 0, str(error)))
            return
        self._outbox.send(Rendered(command.request, prompt.text, len(prompt.tokens)))

    def _step(self) -> None:
        """One round: every writing answer gets a token, the first unread prompt of a context a piece."""
        self._inbox.halt.clear()  # before it is looked at why it was set: what comes from here on sets it again
        if self._inbox.stopped:
            for job in list(self._jobs.values()):
                if job.id in self._inbox.stopped:
                    self._finish(job, "stopped")
        for job in [job for job in self._jobs.values() if not job.placed]:
            self._place(job)
        only = next(iter(self._jobs.values())) if len(self._jobs) == 1 else None
        if only is not None and only.state == "writing":
            self._writing.alone(only)
            self._sample_memory()
            return
        for context in self._contexts():
            writers = [job for job in self._in(context) if job.state == "writing"]
            if writers:
                self._writing.together(context, writers)
            reader = next((job for job in self._in(context) if job.state == "reading"), None)
            if reader:
                self._writing.tell()
                self._read(context, reader)
        self._sample_memory()

    def _contexts(self) -> list[Context]:
        return [self._shared] if self._own is None else [self._shared, self._own]

    def _in(self, context: Context) -> list[Job]:
        """The jobs that are computed there."""
        return [job for job in self._jobs.values() if job.placed and job.context is context]

    def _place(self, job: Job) -> None:
        """Give it a slot and decide what of its prompt is there already. Stays queued when all slots are busy."""
        context = self._context_for(job)
        slot = context.slots.take(job.lane) if context else None
        if context is None or slot is None:
            return
        job.place(context, slot)
        reused = context.reading.begin(job, self._in(context))
        if reused:
            job.varies.add("prefix")
        if not context.canonical and context.slots.used > len(slot.tokens):
            job.varies.add("batch")
        if self._model.info.flash_attn and not context.canonical and self._threads.n != self._threads.usual:
            job.varies.add("threads")
        prompt = job.prompt
        if prompt.dated:
            job.varies.add("date")
        self._outbox.send(
            Started(
                job.id, time.perf_counter_ns(), job.n_prompt, reused, job.sampler.seed,
                prompt.thinking is not None, prompt.plain, self._note(job), context.reading.restored, context.canonical,
                self._threads.n,
            )
        )  # fmt: skip
        if job.state == "reading":
            self._tell_progress(job, reused, always=True)

    def _context_for(self, job: Job) -> Context | None:
        """Where a queued job can be computed now; None: it has to wait, or it has just failed."""
        if not job.repeatable:
            return self._shared
        if self._own is not None:
            return None
        try:
            self._own = Context.for_repeating(self._model, self._watch, self._inbox.halt, self._threads.n)
        except MemoryError as error:
            self._finish(job, "failed", str(error))
        return self._own

    def _note(self, job: Job) -> str:
        """What is worth saying, of its prompt and of what came about since the model was loaded."""
        return " ".join(filter(None, [job.prompt.note, self._model.take_notes()]))

    def _read(self, context: Context, job: Job) -> None:
        """The next piece of a prompt; with its last one, the answer's first token."""
        slot, prompt = job.slot, job.prompt.tokens
        start = len(slot.tokens)
        alone = context.canonical or not any(other.state == "writing" for other in self._jobs.values())
        context.reading.mark(job)
        end = context.reading.piece_end(job, alone=alone)
        if not alone or context.reading.cut_for_others:
            job.varies.add("pieces")
        self._read_now = job
        code = context.decoder.piece(slot.seq, prompt[start:end], start, last=end == len(prompt))
        self._read_now = None
        self._writing.worked([job], context.decoder.took_ns)
        if code == ABORTED:
            context.slots.settle(slot)
            job.varies.add("pieces")
        elif code == NO_ROOM:
            if not context.slots.make_room():
                self._finish(job, "context_full", tr(sentences.SHARED_FULL, n_ctx=self._model.info.n_ctx))
        elif code != OK:
            context.slots.cut(slot, 0)
            self._finish(job, "failed", tr("llama.cpp could not compute the prompt (code {code}).", code=code))
        else:
            context.reading.timed(end - start, context.decoder.took_ns)
            slot.tokens += prompt[start:end]
            self._tell_progress(job, end, always=end == len(prompt))
            followers = context.reading.serve(job, self._in(context))
            took = context.decoder.took_ns
            if end == len(prompt):
                self._begin_writing([job, *followers], end - start - 1)
            self._threads.read(end - start, took)

    def _begin_writing(self, jobs: list[Job], row: int) -> None:
        """Everyone's prompt is read: the answers begin."""
        for follower in jobs[1:]:
            follower.state = "writing"
            self._tell_progress(follower, follower.n_prompt, always=True)
        self._writing.begin(jobs, row)

    def _use_threads(self, n: int, n_batch: int) -> None:
        for context in self._contexts():
            context.use_threads(n, n_batch)
        for job in self._jobs.values():
            # Without flash attention the bits are the same with any number of threads.
            if job.state in ("reading", "writing") and self._model.info.flash_attn and not job.context.canonical:
                job.varies.add("threads")

    def _tell_threads(self, event: ThreadsChanged) -> None:
        self._writing.tell()
        self._outbox.send(event)

    def _finish(self, job: Job, reason: Finish, message: str = "") -> None:
        for event in job.finish(reason, message):
            self._outbox.send(event)
        del self._jobs[job.id]
        self._inbox.stopped.discard(job.id)
        job.sampler.free()
        if not job.placed:
            return
        context = job.context
        context.slots.release(job.slot)
        for follower, reused, restored in context.reading.orphaned(job, self._in(context)):
            if not reused:
                follower.varies.discard("prefix")
            self._outbox.send(Reused(follower.id, reused, restored))
        if context is self._own:
            self._own = None
            context.free()

    def _tell_progress(self, job: Job, done: int, *, always: bool = False) -> None:
        """The prompt's reading, to its own lane and to those that wait for it."""
        for reader in [job, *(other for other in self._jobs.values() if other.leader is job)]:
            part = min(done, reader.shared) if reader.leader else done
            event = reader.progress(part, always=always and not reader.leader)
            if event:
                self._outbox.send(event)

    def _watch(self, fraction: float) -> bool:
        """Called by llama.cpp at every node of a watched graph; True aborts it."""
        inbox, job = self._inbox, self._read_now
        if inbox.quitting or job is None or job.id in inbox.stopped:
            return True
        self._watched += 1
        if self._watched % _WATCH_EVERY:
            return False
        start = len(job.slot.tokens)
        end = job.context.reading.now_end
        self._tell_progress(job, start + int(fraction * (end - start)))
        self._sample_memory()
        return False

    def _sample_memory(self, *, always: bool = False) -> None:
        now = time.perf_counter_ns()
        if always or now - self._sampled_ns >= memory.INTERVAL_NS:
            self._sampled_ns = now
            gpu = gpu_memory() if self._model.info.gpu_bytes else (0, 0)
            self._outbox.send(memory.sample(self._shared.slots.used, gpu), urgent=False)
