"""What the verbs that ask the Hub have in common: the question with its words, errors with exit codes, figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from playground.cli.errors import ENGINE_FAILED, CliError
from playground.cli.output import Status
from playground.hub.errors import HubError

T = TypeVar("T")
_OURS = ("missing", "file", "gated", "endpoint")
"""Faults that lie with what was asked for; the others may be gone at the next try."""
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def ask(words: str, work: Callable[[], T]) -> T:
    """The answer to a question to the Hub, with words on the terminal meanwhile. Raises CliError."""
    status = Status()
    status.show(words)
    try:
        return work()
    except HubError as error:
        raise CliError(str(error), 2 if error.kind in _OURS else ENGINE_FAILED) from None
    finally:
        status.clear()


def params_of(text: str, flag: str) -> int:
    """“1.5B” or “500M” as a number of parameters. Raises CliError."""
    given = text.strip().upper()
    unit = _UNITS.get(given[-1:], 0)
    try:
        value = float(given[:-1] if unit else given) * (unit or 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15:
        raise CliError(f"{flag} is a number of parameters such as 1.5B or 500M, not “{text}”.")
    return int(value)


def params_text(n_params: int) -> str:
    """“1.2B”, “360M”; a dash where it isn’t known."""
    if not n_params:
        return "–"
    unit, size = ("B", 1e9) if n_params >= 999.5e6 else ("M", 1e6)
    value = n_params / size
    return f"{value:.1f}{unit}" if value < 99.95 and unit == "B" else f"{value:.0f}{unit}"


def count_text(count: int) -> str:
    """“1,234”, “56k”, “1.2M”."""
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1e6:.1f}M"


def tokens_text(n_tokens: int) -> str:
    """“128k”, as contexts are called; a dash where it isn’t known."""
    if not n_tokens:
        return "–"
    return f"{n_tokens // 1024}k" if n_tokens % 1024 == 0 and n_tokens >= 8192 else f"{n_tokens:,}"


def age_text(moment: datetime | None, now: datetime | None = None) -> str:
    """“today”, “5 days”, “3 months”, “2 years”; a dash where it isn’t known."""
    if moment is None:
        return "–"
    days = max(0, ((now or datetime.now(UTC)) - moment).days)
    for size, word in ((365, "year"), (30, "month"), (1, "day")):
        if days >= size:
            n = days // size
            return f"{n} {word}{'' if n == 1 else 's'}"
    return "today"


def table(rows: list[list[str]], right: set[int]) -> list[str]:
    """Rows of one width each, the first of them heads; columns in ``right`` end at the same place."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
