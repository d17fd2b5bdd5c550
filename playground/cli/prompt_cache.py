"""``--prompt-cache``: what was read is kept in a folder, so that a prompt that begins the same needn't be read again.

As with llama.cpp's own flag of that name nothing is kept without it. A folder instead of a file, because a
state is of use to one model and its options only: each gets its own file there, and a wrong one is never loaded.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from playground.cli.errors import CliError
from playground.settings.app import FIELDS as APP

_SIZE = APP["states_gb"]


@dataclass(frozen=True, slots=True)
class PromptCache:
    """Where, and how many bytes may lie there."""

    folder: Path
    budget: int


def add_flags(group: argparse._ArgumentGroup) -> None:
    """The two flags."""
    group.add_argument(
        "--prompt-cache",
        metavar="FOLDER",
        help="Keep there what was read and written, and go on from it next time with a prompt that begins the same. "
        "(default: nothing is kept)",
    )
    group.add_argument(
        "--prompt-cache-gb",
        metavar="GB",
        default=f"{_SIZE.default:g}",
        help="How much may lie there; what was used longest ago goes first. (default: %(default)s)",
    )


def of(given: argparse.Namespace) -> PromptCache | None:
    """The cache that was asked for. Raises CliError, SettingError."""
    if given.prompt_cache is None:
        return None
    folder = Path(given.prompt_cache).expanduser().absolute()
    if folder.exists() and not folder.is_dir():
        raise CliError(f"“{given.prompt_cache}” is a file; --prompt-cache takes a folder, with a file for each model.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CliError(f"“{given.prompt_cache}” can’t be used as a prompt cache: {error.strerror}.") from None
    return PromptCache(folder, int(_SIZE.parse(given.prompt_cache_gb) * 1e9))
