"""``playground models get``: a model of the Hub downloaded, resumed and checked."""

from __future__ import annotations

import argparse

from playground.cli.errors import OK, CliError
from playground.cli.get_model import JsonLines, Lines, agree, choose, discard, fetch

EXAMPLES = """\
  playground models get Qwen/Qwen3-0.6B-GGUF
  playground models get ggml-org/gemma-3-1b-it-GGUF:Q4_K_M --limit 5
  playground models get owner/name:Q8_0 --json --yes | jq -r 'select(.event == "done").path'
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("repo", metavar="REPO[:QUANT]", help="A repository, or the address of its page.")
    parser.add_argument("-y", "--yes", action="store_true", help="Don’t ask before more than 100 MB.")
    parser.add_argument("--revision", metavar="REV", default="", help="A branch, tag or commit. (default: main)")
    parser.add_argument("--limit", metavar="MB/S", type=_speed, default=0.0, help="Megabytes a second at most.")
    parser.add_argument(
        "--discard", action="store_true", help="Download nothing; delete what an unfinished download of it left."
    )
    parser.add_argument("--json", action="store_true", help="One JSON line a second, and one at the end.")
    parser.add_argument("-q", "--quiet", action="store_true", help="Only the file’s path.")


def run(given: argparse.Namespace) -> int:
    """Download; the exit code."""
    if given.discard:
        n = discard(given.repo)
        if not n:
            raise CliError(f"There is no unfinished download of {given.repo}.")
        print(f"{n} unfinished download{'' if n == 1 else 's'} deleted.")
        return OK
    wanted, _ = choose(given.repo, given.revision)
    agree(wanted, given.yes)
    paths = fetch(wanted, JsonLines() if given.json else Lines(given.quiet), given.limit)
    if not given.json:
        print(paths[0])
    return OK


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"--limit is a number of megabytes a second above 0, not “{text}”")
    return value
