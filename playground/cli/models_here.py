"""What the verbs about models on this machine have in common: one by its name, and its facts as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playground.cli.errors import CliError
from playground.models import library, starter
from playground.models.library import ModelFile
from playground.models.notes import Note
from playground.paths import Paths


def find_any(paths: Paths, text: str, *, broken: bool = False) -> ModelFile:
    """The model that a path or a part of a name means; with ``broken`` also one that can't be used.

    Raises CliError with exit code 2.
    """
    everything, _ = library.scan_everything(paths)
    wanted = Path(text).expanduser()
    for model in everything:
        if wanted.exists() and _same(wanted, Path(model.path)):
            return model
    if wanted.is_file():
        model = library.describe(wanted)
        if model.error and not broken:
            raise CliError(model.error)
        return model
    try:
        if text.casefold() == "starter":
            return next(model for model in everything if starter.is_starter(Path(model.path)))
        return library.match([model for model in everything if not model.away], text, broken=broken)
    except StopIteration:
        raise CliError("The starter model isn’t installed.") from None
    except library.NoSuchModel as error:
        raise CliError(str(error)) from None


def as_json(model: ModelFile, note: Note | None = None) -> dict[str, Any]:
    """A model's facts, under the names of the Python fields."""
    facts: dict[str, Any] = {
        "name": model.name,
        "quant": model.quant,
        "kind": model.kind,
        "path": model.path,
        "size": model.size,
        "source": model.source,
        "family": model.family,
        "arch": model.arch,
        "n_params": model.n_params,
        "n_ctx_train": model.n_ctx_train,
        "licence": model.licence,
        "n_parts": model.n_parts,
        "error": model.error,
        "away": model.away,
    }
    if note is not None:
        facts |= {"label": note.label, "last_used": note.last_used, "tok_s": note.tok_s}
    return facts


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
