"""What happened in the middle of an answer: in words, kept in its record, and back as marks of the plot. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from playground.protocol.events import ThreadsChanged
from playground.workspace.series import Mark

MOST_KEPT = 200
"""Changes of the thread count kept in a record; the plot has no room for more."""
_MOST_WORDS = 60
_FEWER = {
    "busy": "another program needs the cores",
    "quiet": "as many as there are free cores",
    "shared": "another model writes too",
    "asked": "as you set it",
    "trial": "a try, more were no faster",
}
_MORE = {
    "busy": "fewer were no faster",
    "quiet": "the cores are free again",
    "shared": "the cores are no longer shared",
    "asked": "as you set it",
    "trial": "a try whether more are faster",
}


class Times(Protocol):
    """When each token came, in ns: a list or a column."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


def threads_words(before: int, n_threads: int, reason: str, phase: str = "writing") -> str:
    """“2 → 1 threads: another program needs the cores”."""
    why = (_FEWER if n_threads < before else _MORE).get(reason, "")
    start = "Prompt: " if phase == "prompt" else ""
    return f"{start}{before} → {n_threads} threads{f': {why}' if why else ''}"


def sampling_words(values: Mapping[str, Any]) -> str:
    """“temp 0.5, top_k 20”; long texts in part."""
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    """A value on one line: a grammar may be as long as a book."""
    text = " ".join(str(value)[: 4 * _MOST_WORDS].split())
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}…"


def keep_threads(record: dict[str, Any], event: ThreadsChanged, index: int) -> Mark:
    """Put a change of the thread count into an answer's record; its mark."""
    kept = record.setdefault("threads", [])
    if len(kept) < MOST_KEPT:
        kept.append(
            {
                "at_index": index,
                "before": event.before,
                "n_threads": event.n_threads,
                "reason": event.reason,
                "phase": event.phase,
            }
        )
    return Mark(event.t_ns, index, threads_words(event.before, event.n_threads, event.reason, event.phase))


def kept_marks(record: Mapping[str, Any], times: Times) -> list[Mark]:
    """The marks of a kept answer; ``times`` are its tokens'.

    A record may be a stranger's: what it doesn't tell well is left out.
    """
    marks = []
    for kind, words in (("changes", _changes_of), ("threads", _threads_of)):
        entries = record.get(kind)
        for entry in entries[:MOST_KEPT] if isinstance(entries, list) else []:
            index = entry.get("at_index") if isinstance(entry, dict) else None
            if isinstance(index, int) and 0 <= index < len(times) and (text := words(entry)):
                marks.append(Mark(int(times[index]), index, text))
    return sorted(marks, key=lambda mark: mark.index)


def _changes_of(entry: Mapping[str, Any]) -> str:
    values = entry.get("values")
    return sampling_words(values) if isinstance(values, dict) else ""


def _threads_of(entry: Mapping[str, Any]) -> str:
    before, n = entry.get("before"), entry.get("n_threads")
    if not isinstance(before, int) or not isinstance(n, int):
        return ""
    return threads_words(before, n, str(entry.get("reason")), str(entry.get("phase")))
