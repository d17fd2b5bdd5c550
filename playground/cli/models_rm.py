"""``playground models rm``: a model of our own folder, or one that we fetched, into the trash."""

from __future__ import annotations

import argparse
import json
import sys

from playground.cli.errors import ENGINE_FAILED, OK, CliError
from playground.cli.models_here import find_any
from playground.cli.output import clean, is_terminal
from playground.downloads import fetched
from playground.models import trash
from playground.models.gguf import size_text
from playground.paths import find_paths

EXAMPLES = """\
  playground models rm smollm2 q8_0
  playground models rm qwen3 --yes          asks nothing
  playground models rm qwen3 --forever      not into the trash, but gone
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("model", nargs="+", metavar="PATH|NAME", help="A file, or words that only its name has.")
    parser.add_argument("-y", "--yes", action="store_true", help="Don’t ask.")
    parser.add_argument("--forever", action="store_true", help="Delete it for good instead of using the trash.")
    parser.add_argument("--json", action="store_true", help="What was deleted as one JSON line.")


def run(given: argparse.Namespace) -> int:
    """Delete; the exit code."""
    paths = find_paths()
    model = find_any(paths, " ".join(given.model), broken=True)
    if not fetched.may_delete(paths, model):
        raise CliError(
            f"“{model.path}” isn’t ours: it comes from {model.source}. "
            f"Only models in {paths.models} and what this app has downloaded are deleted from here."
        )
    if not given.yes and not _agreed(
        f"{clean(model.label)}, {size_text(model.size)}, {clean(model.path)}", given.forever
    ):
        print("Nothing was deleted.", file=sys.stderr)
        return OK
    try:
        gone = fetched.delete(paths, model, forever=given.forever)
    except trash.NotDeleted as error:
        raise CliError(str(error), ENGINE_FAILED) from None
    if given.json:
        print(json.dumps({"deleted": [str(path) for path in gone], "size": model.size}))
    else:
        where = "deleted" if given.forever else "in the trash"
        print(f"{clean(model.label)} is {where}; {size_text(model.size)}.")
    return OK


def _agreed(what: str, forever: bool) -> bool:
    if not is_terminal(sys.stdin):
        raise CliError("Deleting asks first, and nobody is there to answer. Say --yes if you mean it.")
    sys.stderr.write(f"{'Delete for good' if forever else 'Put into the trash'}: {what}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")
