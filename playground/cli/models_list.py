"""``playground models list``: the models on this machine, wherever they lie."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from playground.cli.errors import OK, CliError
from playground.cli.models_here import as_json
from playground.cli.models_hub import age_text, params_text, table, tokens_text
from playground.cli.output import Status, clean
from playground.models import duplicates, following, library, notes, shelf, sources
from playground.models.catalog import Catalog
from playground.models.gguf import size_text
from playground.models.kinds import KIND_WORDS
from playground.models.library import ModelFile
from playground.models.notes import Note
from playground.paths import Paths, find_paths

EXAMPLES = """\
  playground models list                    all models, by name
  playground models list qwen --sort size
  playground models list --duplicates       files that lie here more than once
  playground models list --json | jq -r .path
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="Only models with these words in name, file or source.")
    parser.add_argument("--sort", choices=list(shelf.SORTS), default="name", help="(default: name)")
    parser.add_argument("--all", action="store_true", help="Image parts, importance matrices and adapters too.")
    parser.add_argument("--duplicates", action="store_true", help="Only files that lie here more than once.")
    parser.add_argument("--folder", metavar="FOLDER", action="append", default=[], help="Look into this folder too.")
    parser.add_argument("--json", action="store_true", help="One JSON line for each model.")


def run(given: argparse.Namespace) -> int:
    """List; the exit code."""
    paths = find_paths()
    extra = [Path(folder).expanduser() for folder in given.folder]
    for folder in extra:
        if not folder.exists():
            raise CliError(f"There is no folder “{folder}”.")
    status = Status()
    status.show("Looking for models…")
    models, states = library.scan_everything(paths, extra)
    known = _followed(paths, models)
    if given.duplicates:
        models = _twice(paths, models)
    status.clear()
    rows = [model for model in models if given.all or model.kind == "model"]
    rows = shelf.arrange(rows, known, " ".join(given.text), given.sort)
    if given.json:
        for model in rows:
            print(json.dumps(as_json(model, known.get(model.path, Note()))))
    else:
        _print(rows, known, states, paths)
    return OK


def _followed(paths: Paths, models: Sequence[ModelFile]) -> dict[str, Note]:
    """The notes, after those of files with another name now have gone with them."""
    known = notes.load(paths)
    if not known:
        return known
    catalog = Catalog(paths.cache)
    try:
        return notes.load(paths) if following.follow(paths, models, catalog) else known
    except OSError:
        return known
    finally:
        catalog.close()


def _twice(paths: Paths, models: Sequence[ModelFile]) -> list[ModelFile]:
    catalog = Catalog(paths.cache)
    groups = duplicates.find(models, catalog)
    catalog.close()
    return [model for group in groups for model in group]


def _print(rows: Sequence[ModelFile], known: dict[str, Note], states: dict[str, str], paths: Paths) -> None:
    good = [model for model in rows if not model.error]
    if good:
        head = ["name", "type", "size", "params", "context", "tok/s", "used", "from"]
        cells = [_cells(model, known.get(model.path, Note())) for model in good]
        print("\n".join(table([head, *cells], {2, 3, 4, 5})))
    elif not rows:
        print("No models were found. “playground models search” looks for some on the Hugging Face Hub.")
    for model in rows:
        if model.error:
            print(clean(f"! {model.path}\n  {model.error}"))
    for row in sources.all_sources(paths):
        if states.get(row.key) == "no_answer":
            print(f"! {row.place} doesn’t answer; what is in it isn’t known now.")
        elif states.get(row.key) == "not_there" and row.expected:
            print(f"! {row.place} isn’t there now.")


def _cells(model: ModelFile, note: Note) -> list[str]:
    used = datetime.fromtimestamp(note.last_used, UTC) if note.last_used else None
    name = f"{note.label} ({model.name})" if note.label else model.name
    return [
        clean(name),
        clean(model.quant) if model.kind == "model" else KIND_WORDS[model.kind],
        size_text(model.size),
        params_text(model.n_params),
        tokens_text(model.n_ctx_train),
        f"{note.tok_s:.1f}" if note.tok_s else "–",
        age_text(used),
        clean(f"{model.source} (away)" if model.away else model.source),
    ]
