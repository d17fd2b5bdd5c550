"""What happens instead of the window where there is none: a chat in the terminal, or one answer."""

from __future__ import annotations

import sys

from playground.cli import chat
from playground.cli.display import HOW_TO
from playground.cli.output import is_terminal

BUILT_IN_PROMPT = "Write a Python function that reverses a string."
_BUILT_IN = ("--temp", "0", "-n", "160")


def run(reason: str, path: str | None) -> int:
    """Say why and how to get the window, then chat; the exit code."""
    model = ["-m", path] if path is not None else []
    if is_terminal(sys.stdin) and is_terminal(sys.stderr):
        print(f"{reason} Chatting in the terminal instead. {HOW_TO}", file=sys.stderr)
        return chat.main(model)
    print(f"{reason} No terminal either, so here is one answer. {HOW_TO}", file=sys.stderr)
    print(f"> {BUILT_IN_PROMPT}", flush=True)
    return chat.main([*model, *_BUILT_IN, BUILT_IN_PROMPT])
