"""Growth of a live end that changes nothing of what is shown, so that words can be put behind it."""

from __future__ import annotations

import re

from playground.ui.chat.clean import close_open_marks

_PLAIN = re.compile(r"(?:[^\W_]|[,.;:?!'’‘“”()…–—-]| (?! ))*")
"""Letters, digits, single spaces, and punctuation that means nothing to Markdown inside a line."""
_IN_PROSE = re.compile(r" {0,3}(?:(?:[-*+]|\d{1,9}[.)]) {1,3})?[^\W\d_]")
"""A line whose kind is settled: running text or a list's item that has begun."""
_FAR = "[\\$&"
"""Marks that give a meaning to what comes long after them."""
_FENCES = ("```", "~~~")
_TABLE = re.compile(r"^[ |:-]*-[ |:-]*$", re.MULTILINE)
"""The line under a table's head."""
_LINK = re.compile(r"(?:www\.|//|@)\S*$")


def plain_growth(before: str, after: str) -> str | None:
    """The words to put behind what ``before`` shows, so that it shows ``after``.

    None where reading ``after`` anew might give anything else; when in doubt.
    """
    if not after.startswith(before) or not before:
        return None
    known, shown = before.rstrip(" "), after.rstrip(" ")
    line = before[before.rfind("\n") + 1 :]
    if not _PLAIN.fullmatch(after[len(before) - 1 :]) or not _IN_PROSE.match(line) or before.endswith("  "):
        return None
    last = after[after.rfind("\n\n") + 1 :]
    if any(mark in last for mark in _FAR) or any(fence in after for fence in _FENCES):
        return None
    if "|" in last and _TABLE.search(last):
        return None
    if _LINK.search(known) or _LINK.search(shown) or close_open_marks(after) != after:
        return None
    return shown[len(known) :]
