"""The models on this machine as lanes name them. Touches the disk: never on the window's thread."""

from __future__ import annotations

from pathlib import Path

from playground.models import library, starter
from playground.paths import Paths
from playground.workspace.lane import ModelRef

PATIENCE_S = 2.0
"""A large library that was never read, or a disk that hangs, must not keep the first model waiting."""


def find_models(paths: Paths) -> tuple[list[ModelRef], ModelRef | None]:
    """The usable models, and which of them is the starter."""
    models = [to_ref(model) for model in library.scan(paths, at_most_s=PATIENCE_S) if not model.error]
    return models, next((model for model in models if starter.is_starter(Path(model.path))), None)


def read_model(paths: Paths, path: str) -> ModelRef | str:
    """A file's header as a model, remembered for the list; or a sentence on what is wrong with it."""
    found = library.describe(Path(path))
    if found.error:
        return found.error
    library.remember(paths, Path(path))
    return to_ref(found)


def verify_starter(paths: Paths, path: str) -> bool:
    """Whether the starter's file is the published one, byte for byte."""
    try:
        return starter.verify(Path(path), paths=paths)
    except OSError:
        return True  # unreadable now: loading it will say so better


def to_ref(model: library.ModelFile) -> ModelRef:
    """A model file as lanes name it."""
    return ModelRef(model.path, model.name, model.quant, model.size, model.licence, model.source)
