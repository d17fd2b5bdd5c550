"""What answers teach about this machine, so that the next estimate is nearer.

An answer counts where it was written alone and undisturbed: figures of a shared engine or of a busy machine
say nothing about the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground.protocol.events import Started
from playground.workspace.advice import options_of
from playground.workspace.engines import Engine, Engines
from playground.workspace.jobs import Job, Jobs
from playground.workspace.ports import Background
from playground.workspace.signal import Signal

LEAST_TOKENS = 32
"""Tokens below which an answer's speed is chance."""


class Measuring:
    """Listens to answers; `hub.learn` keeps what they teach. Everything slow runs in the background."""

    def __init__(self, jobs: Jobs, engines: Engines, background: Background, config: Path) -> None:
        """``config``: the folder of the estimates' file."""
        self._jobs, self._background, self._config = jobs, background, config
        self._disturbed: set[int] = set()
        self._working = False
        self.kept: Signal[[Any]] = Signal()
        """The estimates have changed: `models.estimates.Estimates`."""
        engines.job_event.connect(self._on_event)
        jobs.ended.connect(self._on_ended)

    def _on_event(self, _engine: Engine, event: Any) -> None:
        if isinstance(event, Started) and len(self._jobs.all) > 1:
            self._disturbed |= set(self._jobs.all)

    def _on_ended(self, job: Job) -> None:
        disturbed = job.id in self._disturbed
        self._disturbed.discard(job.id)
        info = job.engine.facts.info
        n = len(job.answer.tokens)
        if disturbed or self._working or info is None or info.gpu_bytes or n < LEAST_TOKENS or job.answer.marks:
            return
        self._working = True
        options = options_of(job.engine.options).with_(n_ctx=info.n_ctx, n_batch=info.n_batch, n_ubatch=info.n_ubatch)
        path, compute, tok_s = Path(info.path), info.compute_bytes, job.answer.tok_s()
        depth, idle = job.n_past - n // 2, not self._jobs.all

        def work() -> Any:
            from playground.hub.learn import Observed, learn  # not before the window's first picture

            return learn(Observed(path, options, compute, tok_s, depth), self._config, measure=idle)

        self._background(work, self._learnt)

    def _learnt(self, estimates: Any) -> None:
        self._working = False
        if estimates is not None:
            self.kept.emit(estimates)
