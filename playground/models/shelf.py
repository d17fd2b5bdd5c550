"""The library in the order and choice that a list shows: searched, sorted, grouped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.models.model_file import ModelFile
from playground.models.notes import Note
from playground.translate import later

SORTS: Mapping[str, tuple[str, Callable[[ModelFile, Note], Any]]] = {
    "name": (later("Name"), lambda model, _: (model.name.casefold(), -model.size)),
    "size": (later("Largest first"), lambda model, _: -model.size),
    "params": (later("Most parameters first"), lambda model, _: -model.n_params),
    "context": (later("Longest context first"), lambda model, _: -model.n_ctx_train),
    "used": (later("Last used first"), lambda _, note: -note.last_used),
    "speed": (later("Fastest first"), lambda _, note: -note.tok_s),
    "new": (later("Newest first"), lambda model, _: -model.mtime_ns),
    "source": (later("Where from"), lambda model, _: (model.source.casefold(), model.name.casefold())),
}
"""A sort's name to how a menu calls it and its key."""


def arrange(
    models: Sequence[ModelFile], notes: Mapping[str, Note], text: str = "", sort: str = "name"
) -> list[ModelFile]:
    """The models that have all words of ``text``, sorted; broken ones last."""
    words = text.casefold().split()
    key = SORTS[sort][1]
    none = Note()
    hits = [m for m in models if not words or _has(m, notes.get(m.path, none), words)]
    return sorted(hits, key=lambda m: (bool(m.error), key(m, notes.get(m.path, none))))


def by_family(models: Sequence[ModelFile]) -> dict[str, list[ModelFile]]:
    """The models in groups, each in the order of its first one."""
    groups: dict[str, list[ModelFile]] = {}
    for model in models:
        groups.setdefault(model.family or model.name, []).append(model)
    return groups


def _has(model: ModelFile, note: Note, words: Sequence[str]) -> bool:
    hay = " ".join((model.label, Path(model.path).name, model.source, model.arch, note.label)).casefold()
    return all(word in hay for word in words)
