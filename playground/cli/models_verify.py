"""``playground models verify``: a model's file read whole, and its SHA-256 compared with what is known of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from playground.cli.errors import ENGINE_FAILED, OK, CliError
from playground.cli.models_here import find_any
from playground.cli.output import Status, clean
from playground.models import library, verify
from playground.models.catalog import Catalog
from playground.models.library import ModelFile
from playground.paths import find_paths

EXAMPLES = """\
  playground models verify starter
  playground models verify qwen3
  playground models verify ~/models/some.gguf --json
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("model", metavar="PATH|NAME", help="A GGUF file, or a part of a model’s name.")
    parser.add_argument("--json", action="store_true", help="The result as one JSON line.")


def run(given: argparse.Namespace) -> int:
    """Verify; 0 if nothing speaks against the file, 1 if it is not what was published, or damaged."""
    paths = find_paths()
    model = find_any(paths, given.model, broken=True)
    if model.error:
        _say(given, model, None)
        return ENGINE_FAILED
    status, catalog = Status(), Catalog(paths.cache)
    try:
        found = verify.verify(
            library.describe(Path(model.path)),
            catalog,
            lambda done, total: status.show(f"Reading… {done / max(1, total):.0%}"),
        )
    except OSError as error:
        raise CliError(f"“{model.path}” can’t be read: {error.strerror}.", ENGINE_FAILED) from None
    finally:
        status.clear()
        catalog.close()
    _say(given, model, found)
    return OK if found.good else ENGINE_FAILED


def _say(given: argparse.Namespace, model: ModelFile, found: verify.Verified | None) -> None:
    if given.json:
        facts = {"path": model.path, "good": found is not None and found.good, "error": model.error}
        if found is not None:
            facts |= {"sha256": found.sha256, "expected": found.expected, "by": found.by}
        print(json.dumps(facts))
    elif found is None:
        print(clean(model.error))
    elif not found.expected:
        print(
            f"{clean(model.label)}: its header is sound. Nobody said which digest it should have.\n"
            f"sha256 {found.sha256}"
        )
    elif found.good:
        print(f"{clean(model.label)}: as {found.by} published it, byte for byte.\nsha256 {found.sha256}")
    else:
        print(
            f"{clean(model.label)}: NOT what {found.by} published. Delete it and fetch it again.\n"
            f"sha256 {found.sha256}\nshould be {found.expected}"
        )
