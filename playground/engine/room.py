"""Whether a model fits, decided before its file is opened.

The cache is filled with zeros when it is made, so one that doesn't fit ends in SIGKILL, not in an error.
Where layers go to a GPU, or the architecture is unknown, llama.cpp decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.engine import memory
from playground.engine.header import LoadError
from playground.fit.advice import judge, largest_n_ctx
from playground.fit.estimate import Model, Options
from playground.translate import tr

_OWN_CTX_FLOOR = 4096
"""“The model's own” context is cut to what memory holds, but not below this."""


def settle(model: Model, wanted: Mapping[str, Any], notes: list[str], *, gpu: bool) -> int:
    """The context to load with, 0 where nothing is known. What was decided goes to ``notes``. Raises LoadError."""
    options = Options.of(wanted)
    if gpu or model.layers is None:
        return options.n_ctx
    free = memory.machine()[0]
    n_ctx = model.n_ctx(options)
    if not options.n_ctx:
        n_ctx = _own(model, options, free, notes)
    verdict = judge(model, options.with_(n_ctx=n_ctx), free)
    if verdict.kind == "refused":
        raise _refusal(model, options.with_(n_ctx=n_ctx), free)
    if verdict.kind == "tight" and verdict.needs is not None:
        notes.append(
            tr(
                "Memory is tight: {whole:.2f} GB are needed and {free:.2f} GB are free, so parts of the file are "
                "read again and again. A smaller quant would be faster.",
                whole=verdict.needs.whole / 1e9,
                free=free / 1e9,
            )
        )
    return n_ctx


def _own(model: Model, options: Options, free: int, notes: list[str]) -> int:
    """The model's own context, or as much of it as half of the free memory holds."""
    own = model.n_ctx(options)
    needs = model.needs(options)
    if needs is None or (needs.cache <= free / 2 and needs.private <= free):
        return own
    held = model.weights.copied if options.use_mmap else model.weights.total
    fits = min(own, largest_n_ctx(model, options, (free - held) // 2 + held))
    if fits >= _OWN_CTX_FLOOR:
        notes.append(
            tr("The context is {fits:,} tokens; the model’s own {own:,} would not fit in memory.", fits=fits, own=own)
        )
        return fits
    return min(own, _OWN_CTX_FLOOR)


def _refusal(model: Model, options: Options, free: int) -> LoadError:
    needs = model.needs(options)
    assert needs is not None
    figures = tr("{private:.2f} GB of memory and {free:.2f} GB are free", private=needs.private / 1e9, free=free / 1e9)
    largest = largest_n_ctx(model, options, free)
    if largest:
        return LoadError(
            "context",
            tr(
                "A context of {n_ctx:,} tokens needs {figures}. Up to {largest:,} tokens fit; or choose a smaller KV "
                "cache type.",
                n_ctx=options.n_ctx,
                figures=figures,
                largest=largest,
            ),
        )
    advice = tr("Choose a smaller quant or a smaller model.")
    if not options.use_mmap:
        advice = tr("Map the file instead of copying it, or choose a smaller quant.")
    return LoadError("memory", tr("The model needs {figures}. {advice}", figures=figures, advice=advice))
