"""The models on this machine: what is where, under a name, and whether it can be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from playground.models import gguf, sources
from playground.models.catalog import Catalog
from playground.models.model_file import Found, ModelFile, look_at, read
from playground.models.remembered import MAX_RECENT, forget, recent, remember
from playground.models.scanner import Report, Scanner, merge
from playground.paths import Paths
from playground.translate import tr

__all__ = [
    "MAX_RECENT",
    "ModelFile",
    "NoSuchModel",
    "Taken",
    "describe",
    "forget",
    "match",
    "recent",
    "remember",
    "scan",
    "scan_everything",
]


class NoSuchModel(LookupError):
    """No model or several go by that name; the message is a sentence for the user."""


class Taken:
    """The reports of a scan put together: each source's files as far as they are known."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.states: dict[str, str] = dict.fromkeys(keys, "looking")
        self._models: dict[str, dict[str, ModelFile]] = {key: {} for key in self.states}

    def take(self, report: Report) -> None:
        """Count one report in."""
        self.states[report.key] = report.state
        there = self._models.setdefault(report.key, {})
        if report.all:
            there.clear()
        there.update((model.path, model) for model in report.models)

    def keep(self, before: Taken) -> None:
        """Show what an earlier scan found until this one knows better."""
        for key, models in before._models.items():
            if key in self._models:
                self._models[key] = dict(models)

    def models(self) -> list[ModelFile]:
        """All files, in the order of the sources; one that several have counts once."""
        return merge([list(models.values()) for models in self._models.values()])


def scan_everything(
    paths: Paths, extra: Sequence[Path] = (), at_most_s: float | None = None
) -> tuple[list[ModelFile], dict[str, str]]:
    """All GGUF files that can be found, of whatever kind, and how each source was; not for the GUI thread.

    Waits for headers, but not for a folder that doesn't answer. A file that lies in several places (by links)
    is listed once. Headers are remembered, so a second scan only looks at dates. After ``at_most_s`` seconds it
    returns what is known by then, some of it by name only, and goes on reading for the next time.
    """
    rows = sources.all_sources(paths, extra)
    taken = Taken(row.key for row in rows)
    catalog = Catalog(paths.cache)
    scanner = Scanner(paths, rows, catalog, taken.take)
    scanner.start()
    if scanner.wait(at_most_s):
        scanner.stop()
        catalog.close()
    return taken.models(), dict(taken.states)


def scan(paths: Paths, extra: Sequence[Path] = (), at_most_s: float | None = None) -> list[ModelFile]:
    """The models, usable ones first in the order of the sources; image parts and the like left out."""
    models = [
        model for model in scan_everything(paths, extra, at_most_s)[0] if model.kind == "model" and not model.away
    ]
    return sorted(models, key=lambda model: bool(model.error))


def describe(path: Path, source: str = "opened") -> ModelFile:
    """One file, read anew; ``error`` says what is wrong with it, also that it is not there or no language model."""
    try:
        found = look_at(path)
    except (OSError, ValueError):  # the latter: a zero in the path
        found = Found(str(path), 0, 0, "")
    model = read(found, source, "")
    if model.kind == "model" or model.error:
        return model
    try:
        gguf.refuse_unloadable(gguf.read_header(path))
    except gguf.GgufError as error:
        return replace(model, error=str(error))
    return replace(model, error=tr("“{name}” is no language model.", name=path.name))


def match(models: Iterable[ModelFile], text: str, *, broken: bool = False) -> ModelFile:
    """The one usable model that a text means: its whole name, or words that only it has; ``broken``: any file.

    Raises NoSuchModel with a sentence that lists the candidates.
    """
    usable = [model for model in models if broken or model.usable]
    hits = hits_of(usable, text)
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise NoSuchModel(
            tr(
                "“{name}” could be {models}. Say more of the name, or give the file’s path.",
                name=text,
                models=_listed(hits),
            )
        )
    if not usable:
        raise NoSuchModel(
            tr("There is no model called “{name}”; none was found at all. Give a GGUF file’s path.", name=text)
        )
    raise NoSuchModel(
        tr(
            "There is no model called “{name}”. There is {known}; or give a GGUF file’s path.",
            name=text,
            known=_listed(usable),
        )
    )


def hits_of(models: Sequence[ModelFile], text: str) -> list[ModelFile]:
    """Those that a text may mean: the ones with exactly that name, else all that have its words."""
    wanted = text.casefold().strip()
    exact = [model for model in models if wanted in _names(model)]
    words = wanted.replace("-", " ").replace("_", " ").split()
    return exact or [model for model in models if words and all(word in _haystack(model) for word in words)]


def _names(model: ModelFile) -> set[str]:
    path = Path(model.path)
    return {text.casefold() for text in (model.name, model.label, path.name, path.stem, model.path)}


def _haystack(model: ModelFile) -> str:
    text = f"{model.label} {Path(model.path).name} {model.source}".casefold()
    return f"{text} {text.replace('-', ' ')} {text.replace('_', ' ')}"


def _listed(models: Sequence[ModelFile], most: int = 6) -> str:
    same = {label for label in (m.label for m in models) if sum(m.label == label for m in models) > 1}
    names = [f"“{m.label}” ({m.path})" if m.label in same else f"“{m.label}”" for m in models[:most]]
    rest = len(models) - most
    if rest > 0:
        return tr("{names} or {rest} more", names=", ".join(names), rest=rest)
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
