"""An engine's log: where its standard error goes, and the few lines of it that explain an end."""

from __future__ import annotations

import re
from pathlib import Path

TAIL_BYTES = 16 * 1024
"""How much of a log's end is ever read; an engine that writes without end costs no memory here."""

_TELLING = re.compile(
    r"GGML_ASSERT|GGML_ABORT|terminate called|what\(\):|Fatal Python error|MemoryError|out of memory"
    r"|failed to allocate|unable to allocate|ModuleNotFoundError|No module named|ImportError|OSError|RuntimeError"
    r"|\berror\b|\bfailed\b",
    re.IGNORECASE,
)
_FOLDERS = re.compile(r"(?:[A-Za-z]:)?[^\s:“]*[/\\](?=[^/\\\s:]+:\d+:)")
"""What stands before a source file's name and line: a path of the machine that built it."""
_LONGEST = 300


def tail(path: Path, limit: int = TAIL_BYTES) -> str:
    """The last ``limit`` bytes of a log as text, from a line's start; empty where there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            data = file.read(limit)
    except OSError:
        return ""
    text = data.decode("utf-8", "replace")
    if size > limit and "\n" in text:
        text = text.split("\n", 1)[1]
    return text.strip()


def last_words(text: str) -> str:
    """The line of a log that most likely says why the process ended; empty if none does."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    asserts = [line for line in telling if "GGML_ASSERT" in line or "GGML_ABORT" in line]
    chosen = _FOLDERS.sub("", (asserts or telling or [""])[-1])
    return chosen if len(chosen) <= _LONGEST else chosen[: _LONGEST - 1] + "…"
