"""The models on this machine: what is where, under a name, and whether it can be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from playground import __version__
from playground.files import read_json, write_json
from playground.models import starter
from playground.models.folders import Place, places
from playground.models.gguf import GgufError, read_header, refuse_unloadable
from playground.models.names import display_name
from playground.models.walk import find_ggufs
from playground.paths import Paths

MAX_RECENT = 30
"""Opened files that are remembered."""


class NoSuchModel(LookupError):
    """No model or several go by that name; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model as a list shows it."""

    path: str
    """Of its first part, where it has several."""
    name: str
    """“SmolLM2 135M Instruct”."""
    source: str
    """Where it was found: “starter”, “models folder”, “recent”, “Hub: owner/name”, “LM Studio”…"""
    size: int
    """Bytes of all parts."""
    quant: str = ""
    arch: str = ""
    n_params: int = 0
    n_ctx_train: int = 0
    """Context in tokens that it was made for; 0 if unsaid."""
    has_template: bool = True
    licence: str = ""
    n_parts: int = 1
    error: str = ""
    """Why it can't be used, as a sentence; empty: it looks sound."""

    @property
    def label(self) -> str:
        """Name and quant: “SmolLM2 135M Instruct Q4_1”."""
        return f"{self.name} {self.quant}".strip()


def scan(paths: Paths, extra: Sequence[Path] = ()) -> list[ModelFile]:
    """All models that can be found, usable ones first in the order of the places; not for the GUI thread.

    ``extra`` are files or folders to look at besides. A file that lies in several places
    (by links) is listed once. Headers are remembered, so a second scan only looks at dates.
    """
    headers = _Headers(paths.cache / "headers.json")
    models: list[ModelFile] = []
    seen: set[tuple[int, int]] = set()
    for path, source in _candidates(paths, extra):
        try:
            info = path.stat()
        except OSError:
            continue
        if (info.st_dev, info.st_ino) in seen:
            continue
        seen.add((info.st_dev, info.st_ino))
        model = headers.describe(path, source, info)
        if model is not None:
            models.append(model)
    headers.save()
    return sorted(models, key=lambda model: bool(model.error))


def describe(path: Path, source: str = "") -> ModelFile:
    """What is known of one file; a broken one has ``error``. Never raises."""
    try:
        header = read_header(path)
        refuse_unloadable(header)
    except GgufError as error:
        return ModelFile(str(path), display_name(None, path), source, _size(path), error=str(error))
    parts, size, missing = _parts(path, header.split[1])
    is_starter = starter.is_starter(path)
    return ModelFile(
        str(path),
        starter.STARTER.name if is_starter else display_name(header, path),
        source,
        size,
        header.quant,
        header.arch,
        header.n_params,
        header.n_ctx_train,
        header.has_template,
        starter.STARTER.licence if is_starter else header.licence,
        parts,
        missing,
    )


def match(models: Iterable[ModelFile], text: str) -> ModelFile:
    """The one usable model that a text means: its whole name, or words that only it has.

    Raises NoSuchModel with a sentence that lists the candidates.
    """
    usable = [model for model in models if not model.error]
    wanted = text.casefold().strip()
    exact = [model for model in usable if wanted in _names(model)]
    words = wanted.replace("-", " ").replace("_", " ").split()
    hits = exact or [model for model in usable if words and all(word in _haystack(model) for word in words)]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise NoSuchModel(f"“{text}” could be {_listed(hits)}. Say more of the name, or give the file’s path.")
    if not usable:
        raise NoSuchModel(f"There is no model called “{text}”; none was found at all. Give a GGUF file’s path.")
    raise NoSuchModel(f"There is no model called “{text}”. There is {_listed(usable)}; or give a GGUF file’s path.")


def remember(paths: Paths, path: Path) -> None:
    """Keep a file that the user opened, so that the next scan lists it. Raises OSError."""
    kept = str(path.absolute())
    write_json(_recent_file(paths), [kept, *(other for other in recent(paths) if other != kept)][:MAX_RECENT])


def forget(paths: Paths, path: Path) -> None:
    """Take a file off the remembered ones; the file itself stays. Raises OSError."""
    gone = str(path.absolute())
    write_json(_recent_file(paths), [other for other in recent(paths) if other != gone])


def recent(paths: Paths) -> list[str]:
    """The files that the user opened, newest first, also such as are away at the moment."""
    try:
        kept = read_json(_recent_file(paths))
    except (OSError, ValueError):
        return []
    return [entry for entry in kept if isinstance(entry, str)] if isinstance(kept, list) else []


def _recent_file(paths: Paths) -> Path:
    return paths.data / "recent.json"


def _candidates(paths: Paths, extra: Sequence[Path]) -> Iterable[tuple[Path, str]]:
    """Files to look at, with their source; the first mention of a file counts."""
    first = starter.find(paths)
    if first is not None:
        yield first, "starter"
    for path in extra:
        if path.is_dir():
            yield from ((file, path.name) for file in find_ggufs(Place(path.name, path)))
        else:
            yield path, "opened"
    own, *others = places(paths)
    yield from ((file, own.source) for file in find_ggufs(own))
    yield from ((Path(file), "recent") for file in recent(paths))
    for place in others:
        for file in find_ggufs(place):
            yield file, _hub_source(file) if place.source == "Hub cache" else place.source


def _hub_source(path: Path) -> str:
    folder = next((part for part in reversed(path.parts) if part.startswith("models--")), "")
    return f"Hub: {folder.removeprefix('models--').replace('--', '/')}" if folder else "Hub cache"


def _parts(path: Path, count: int) -> tuple[int, int, str]:
    """Number of parts, bytes of those that are there, and a sentence when one is missing."""
    if count < 2:
        return 1, _size(path), ""
    base = path.name.rpartition("-00001-of-")[0]
    names = [f"{base}-{number:05}-of-{count:05}{path.suffix}" for number in range(1, count + 1)] if base else []
    missing = [name for name in names if not path.with_name(name).is_file()]
    size = sum(_size(path.with_name(name)) for name in names) or _size(path)
    if not missing:
        return count, size, ""
    which = f"“{missing[0]}” is" if len(missing) == 1 else f"{len(missing)} of its {count} parts are"
    return count, size, f"{which} missing beside “{path.name}”. Download the model again."


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _names(model: ModelFile) -> set[str]:
    path = Path(model.path)
    return {text.casefold() for text in (model.name, model.label, path.name, path.stem, model.path)}


def _haystack(model: ModelFile) -> str:
    text = f"{model.label} {Path(model.path).name} {model.source}".casefold()
    return f"{text} {text.replace('-', ' ')}"


def _listed(models: Sequence[ModelFile], most: int = 6) -> str:
    same = {label for label in (m.label for m in models) if sum(m.label == label for m in models) > 1}
    names = [f"“{m.label}” ({m.path})" if m.label in same else f"“{m.label}”" for m in models[:most]]
    rest = len(models) - most
    if rest > 0:
        return f"{', '.join(names)} or {rest} more"
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


class _Headers:
    """What was read of files before, by place, size and time of change."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._old = self._load()
        self._new: dict[str, Any] = {}

    def describe(self, path: Path, source: str, info: os.stat_result) -> ModelFile | None:
        """The file as listed; None for parts of a model that has its own line."""
        if _is_side_file(path):
            return None
        key = str(path)
        # Another version of the app may read more, or accept more.
        stamp = [__version__, info.st_size, info.st_mtime_ns]
        kept = self._old.get(key)
        model: ModelFile | None = None
        if isinstance(kept, dict) and kept.get("stamp") == stamp:
            try:
                model = msgspec.convert({**kept["model"], "source": source}, ModelFile)
            except (msgspec.ValidationError, KeyError, TypeError):
                model = None
        if model is None or model.n_parts > 1:
            model = describe(path, source)
        self._new[key] = {"stamp": stamp, "model": msgspec.to_builtins(model)}
        return model

    def save(self) -> None:
        """Keep it for the next scan; a cache, so a failure only costs time."""
        if self._new == self._old:
            return
        try:
            write_json(self._file, self._new)
        except OSError:
            pass

    def _load(self) -> dict[str, Any]:
        try:
            kept = read_json(self._file)
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def _is_side_file(path: Path) -> bool:
    """Later parts of a split model, and the image part of one."""
    name = path.name.casefold()
    stem = name.removesuffix(".gguf")
    later = stem[-15:-8] == "-00001-"
    is_part = len(stem) > 15 and stem[-9:-5] == "-of-" and stem[-5:].isdigit() and stem[-14:-9].isdigit()
    return name.startswith("mmproj") or (is_part and not later)
