"""``playground models shelf``: good open-weight models by size, and whether this machine has the memory for them."""

from __future__ import annotations

import argparse
import json
from typing import Any

from playground.cli.errors import OK, CliError
from playground.cli.models_hub import ask, table
from playground.cli.output import clean
from playground.fit.machine import machine
from playground.hub.client import Hub, never
from playground.hub.shelf import Entry, look_up, read_shelf

EXAMPLES = """\
  playground models shelf                 all of it
  playground models shelf small medium    two of its sizes
  playground models shelf tiny --check    whether the Hub still has them
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("size", nargs="*", metavar="SIZE", help="Only these: tiny, small, medium, large, larger, huge.")
    parser.add_argument("--check", action="store_true", help="Ask the Hub whether it still has each of them.")
    parser.add_argument("--json", action="store_true", help="One JSON line for each model.")


def run(given: argparse.Namespace) -> int:
    """Print; the exit code."""
    shelf, wanted = read_shelf(), [size.lower() for size in given.size]
    names = [size.name.lower() for size in shelf.sizes]
    for size in wanted:
        if size not in names:
            raise CliError(f"The shelf has no size “{size}”; it has {', '.join(names)}.")
    free = machine()[0]
    for size_class in shelf.sizes:
        if wanted and size_class.name.lower() not in wanted:
            continue
        entries = shelf.of(size_class)
        problems = [_problem(entry) if given.check else "" for entry in entries]
        if given.json:
            for entry, problem in zip(entries, problems, strict=True):
                print(json.dumps(_as_json(entry, free, problem)), flush=True)
            continue
        print(f"{size_class.name}: {size_class.about[:1].lower()}{size_class.about[1:]}")
        rows = [_row(entry, free) for entry in entries]
        for line, entry, problem in zip(table(rows, right={1}), entries, problems, strict=True):
            print(f"  {line}\n      {problem or entry.why}")
        print(flush=True)
    return OK


def _problem(entry: Entry) -> str:
    found = ask(f"Asking the Hub for {entry.repo}…", lambda: look_up(Hub(), entry, never))
    return clean(found) if isinstance(found, str) else ""


def _row(entry: Entry, free: int) -> list[str]:
    params = f"{entry.n_params:g}B" + (f" ({entry.active:g}B at a time)" if entry.active != entry.n_params else "")
    return [entry.repo, params, entry.licence, "" if entry.least_bytes < free else "more memory than is free"]


def _as_json(entry: Entry, free: int, problem: str) -> dict[str, Any]:
    return {
        "repo": entry.repo,
        "family": entry.family,
        "size": entry.size,
        "n_params": int(entry.n_params * 1e9),
        "licence": entry.licence,
        "why": entry.why,
        "fits": entry.least_bytes < free,
        "problem": problem,
    }
