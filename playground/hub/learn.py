"""What an answer or a benchmark teaches about this machine: kept, so that the next estimate is nearer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.fit.estimate import Model, Options
from playground.fit.speed import bytes_per_token
from playground.fit.weights import Tensor
from playground.hub.this_machine import read_machine
from playground.models import estimates
from playground.models.estimates import Estimates, Speed, Working
from playground.models.gguf import ArrayInfo, GgufError
from playground.models.split import read_whole_header


@dataclass(frozen=True, slots=True)
class Observed:
    """A model that wrote alone and undisturbed, on the processor."""

    path: Path
    options: Options
    """It was loaded with, the context in force among them."""
    compute_bytes: int
    """Working memory that llama.cpp reserved; 0: not known."""
    tok_s: float
    depth: int
    """Tokens in the context at the middle of what it wrote."""


def learn(seen: Observed, config: Path, *, measure: bool) -> Estimates | None:
    """Add an observation to what is kept; None where nothing came of it. Reads and writes the disk.

    ``config``: the folder of the estimates' file; ``measure``: nobody computes, so the memory's bandwidth may be
    measured where it never was.
    """
    found = _header(seen.path)
    if found is None:
        return None
    meta, tensors = found
    model = Model(meta, tensors)
    known = before = read_machine(config, measure=measure).estimates
    n_bytes = bytes_per_token(model, meta, tensors, seen.options, seen.depth)
    if n_bytes and seen.tok_s > 0:
        known = known.with_speed(Speed(seen.path.name, n_bytes, seen.tok_s))
    needs = model.needs(seen.options)
    if needs is not None:
        known = known.with_working(Working(seen.path.name, model.arch, needs.compute, seen.compute_bytes))
    if known == before:
        return None
    try:
        estimates.save(config, known)
    except OSError:
        return None  # measured again with the next answer
    return known


def _header(path: Path) -> tuple[dict[str, Any], list[Tensor]] | None:
    """Metadata and the tensors of all parts; None where they can't be read any more."""
    try:
        header = read_whole_header(path)
    except (GgufError, OSError):
        return None
    meta = {key: value.values if isinstance(value, ArrayInfo) else value for key, value in header.metadata.items()}
    return meta | {"tokenizer.n_vocab": header.n_vocab}, header.tensors
