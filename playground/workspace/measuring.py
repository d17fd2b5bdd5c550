"""What answers and loaded models teach about this machine: kept, so that the next estimate is nearer.

An answer counts where it was written alone and undisturbed; figures of a shared engine or of a busy machine
say nothing about the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.protocol.events import ModelInfo, Started
from playground.workspace.advice import options_of
from playground.workspace.engines import Engine, Engines
from playground.workspace.jobs import Job, Jobs
from playground.workspace.ports import Background
from playground.workspace.signal import Signal

if TYPE_CHECKING:
    from playground.fit.weights import Tensor
    from playground.models.estimates import Estimates

LEAST_TOKENS = 32
"""Tokens below which an answer's speed is chance."""


@dataclass(frozen=True, slots=True)
class Observed:
    """One answer, and what it was written with."""

    info: ModelInfo
    options: dict[str, Any]
    tok_s: float
    depth: int
    """Tokens in the context at the middle of the answer."""


class Measuring:
    """Listens to answers; writes what they teach. Everything slow runs in the background."""

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
        depth = job.n_past - n // 2
        seen = Observed(info, dict(job.engine.options), job.answer.tok_s(), depth)
        self._working = True
        idle = not self._jobs.all
        self._background(lambda: learn(seen, self._config, measure=idle), self._learnt)

    def _learnt(self, estimates: Estimates | None) -> None:
        self._working = False
        if estimates is not None:
            self.kept.emit(estimates)


def learn(seen: Observed, config: Path, *, measure: bool) -> Estimates | None:
    """Add an observation to what is kept; None where nothing came of it. Reads and writes the disk.

    ``measure``: nobody computes, so the memory's bandwidth may be measured where it never was.
    """
    from playground.fit.estimate import Model
    from playground.fit.speed import bytes_per_token
    from playground.hub.this_machine import read_machine
    from playground.models import estimates as store

    found = _header(Path(seen.info.path))
    if found is None:
        return None
    meta, tensors = found
    options, model = options_of(seen.options).with_(n_ctx=seen.info.n_ctx), Model(meta, tensors)
    known = before = read_machine(config, measure=measure).estimates
    name = Path(seen.info.path).name
    n_bytes = bytes_per_token(model, meta, tensors, options, seen.depth)
    if n_bytes and seen.tok_s > 0:
        known = known.with_speed(store.Speed(name, n_bytes, seen.tok_s))
    needs = model.needs(options)
    if needs is not None:
        known = known.with_working(store.Working(name, model.arch, needs.compute, seen.info.compute_bytes))
    if known == before:
        return None
    try:
        store.save(config, known)
    except OSError:
        return None  # measured again with the next answer
    return known


def _header(path: Path) -> tuple[dict[str, Any], list[Tensor]] | None:
    """Metadata and the tensors of all parts; None where they can't be read any more."""
    from playground.models.gguf import ArrayInfo, GgufError, read_header
    from playground.models.kinds import part_names

    try:
        headers = [read_header(path.with_name(name)) for name in part_names(path.name)]
    except (GgufError, OSError):
        return None
    first = headers[0]
    meta = {key: value.values if isinstance(value, ArrayInfo) else value for key, value in first.metadata.items()}
    return meta | {"tokenizer.n_vocab": first.n_vocab}, [tensor for header in headers for tensor in header.tensors]
