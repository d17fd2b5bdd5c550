"""``playground models search``: the Hub's GGUF models, one line each."""

from __future__ import annotations

import argparse
import json
from itertools import islice

from playground.cli.errors import BAD_INPUT, OK, CliError
from playground.cli.models_hub import age_text, ask, count_text, params_of, params_text, table
from playground.cli.output import Status, clean
from playground.fit.machine import machine
from playground.hub.client import Hub, never
from playground.hub.search import PAGE, SORTS, Found, Query, search

EXAMPLES = """\
  playground models search qwen3.5
  playground models search --fits --sort downloads
  playground models search coder --max-params 8B --licence apache-2.0
  playground models search --author ggml-org -n 100 --json | jq -r .repo
"""
MOST = 10_000


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("text", nargs="*", metavar="TEXT", help="A part of the repository’s name.")
    parser.add_argument("--author", metavar="NAME", default="", help="Who published it.")
    parser.add_argument("--family", metavar="TAG", default="", help="As llama, qwen3; or a base model’s OWNER/NAME.")
    parser.add_argument("--task", metavar="TASK", default="", help="The Hub’s name of a task, as text-generation.")
    parser.add_argument(
        "--licence", "--license", metavar="NAME", default="", help="As the Hub names it: mit, apache-2.0."
    )
    parser.add_argument("--language", metavar="CODE", default="", help="As en or de.")
    parser.add_argument("--min-params", metavar="N", default="0", help="At least so many parameters: 500M, 1.5B.")
    parser.add_argument("--max-params", metavar="N", default="0", help="At most so many.")
    parser.add_argument("--fits", action="store_true", help="Only what fits into this machine’s free memory.")
    parser.add_argument("--open", action="store_true", help="Only what needs no terms to be accepted first.")
    orders = "; ".join(f"{name}: {about[:1].lower()}{about[1:]}" for name, (_, about) in SORTS.items())
    parser.add_argument("--sort", choices=SORTS, default="trending", help=f"{orders}. (default: trending)")
    parser.add_argument("-n", "--limit", metavar="N", type=int, default=20, help="Results. (default: 20)")
    parser.add_argument("--json", action="store_true", help="One JSON line for each result.")


def run(given: argparse.Namespace) -> int:
    """Search; the exit code."""
    if not 1 <= given.limit <= MOST:
        raise CliError(f"-n is a number from 1 to {MOST:,}, not {given.limit}.")
    query = Query(
        text=" ".join(given.text),
        author=given.author,
        family=given.family,
        task=given.task,
        licence=given.licence,
        language=given.language,
        sort=given.sort,
        min_params=params_of(given.min_params, "--min-params"),
        max_params=params_of(given.max_params, "--max-params"),
        fits_bytes=machine()[0] if given.fits else 0,
        gated=False if given.open else None,
    )
    pages = search(Hub(), query, never, min(PAGE, given.limit))
    shown = 0
    while shown < given.limit:
        found = ask("Asking the Hub…", lambda: next(pages, None))
        if found is None:
            break
        part = list(islice(found, given.limit - shown))
        if given.json:
            for one in part:
                print(json.dumps(as_json(one)), flush=True)
        elif part:
            lines = table([_HEADS, *(_row(one) for one in part)], right={1, 3, 4})
            print("\n".join(lines if not shown else lines[1:]), flush=True)
        shown += len(part)
    if not shown:
        Status().say("The Hub has no GGUF model like that. Leave out a word or a limit.")
        return BAD_INPUT
    return OK


def as_json(found: Found) -> dict[str, object]:
    """A result for programs."""
    return {
        "repo": found.repo,
        "author": found.author,
        "n_params": found.n_params,
        "arch": found.arch,
        "n_ctx_train": found.n_ctx_train,
        "licence": found.licence,
        "gated": found.gated,
        "downloads": found.downloads,
        "likes": found.likes,
        "task": found.task,
        "base": list(found.base),
        "modified": found.modified.isoformat() if found.modified else None,
    }


_HEADS = ["repository", "params", "licence", "downloads", "likes", "changed"]


def _row(found: Found) -> list[str]:
    return [
        clean(found.repo) + (" (gated)" if found.gated else ""),
        params_text(found.n_params),
        clean(found.licence) or "–",
        count_text(found.downloads),
        count_text(found.likes),
        age_text(found.modified),
    ]
