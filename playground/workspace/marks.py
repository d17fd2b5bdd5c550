"""What happened in the middle of an answer: in words, kept in its record, and back as marks of the plot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from playground.protocol.events import ThreadsChanged
from playground.translate import later, tr
from playground.workspace.series import Mark
from playground.workspace.spill import Spill, short_words

MOST_KEPT = 200
"""Marks of a kind kept in a record; the plot has no room for more."""
MOST_CHANGES = 2000
"""Changes of the sampling kept: they say what the answer was made with."""
_MOST_WORDS = 60
_AFTER_NS = 60 * 10**9
"""A mark stands no later after the last token; a record may be a stranger's."""
_FEWER = {
    "busy": later("another program needs the cores"),
    "quiet": later("as many as there are free cores"),
    "shared": later("another model writes too"),
    "asked": later("as you set it"),
    "trial": later("a try, more were no faster"),
}
_MORE = {
    "busy": later("fewer were no faster"),
    "quiet": later("the cores are free again"),
    "shared": later("the cores are no longer shared"),
    "asked": later("as you set it"),
    "trial": later("a try whether more are faster"),
}

_LANES = {
    "joined": later("joined: both answers are computed together"),
    "left": later("is done writing"),
}


class Times(Protocol):
    """When each token came, in ns: a list or a column."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


def threads_words(before: int, n_threads: int, reason: str, phase: str = "writing") -> str:
    """“2 → 1 threads: another program needs the cores”."""
    why = (_FEWER if n_threads < before else _MORE).get(reason, "")
    words = tr("{before} → {after} threads", before=before, after=n_threads)
    words = tr("Prompt: {words}", words=words) if phase == "prompt" else words
    return f"{words}: {tr(why)}" if why else words


def sampling_words(values: Mapping[str, Any]) -> str:
    """“temp 0.5, top_k 20”; long texts in part."""
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    """A value on one line: a grammar may be as long as a book."""
    text = " ".join(str(value)[: 4 * _MOST_WORDS].split())
    return text if len(text) <= _MOST_WORDS else f"{text[:_MOST_WORDS]}…"


def lane_words(what: str, letter: str) -> str:
    """“lane B joined: both are computed together”."""
    who = tr("lane {letter}", letter=letter) if letter else tr("another chat")
    return f"{who} {tr(_LANES[what])}" if what in _LANES else ""


def keep_sampling(record: dict[str, Any], values: Mapping[str, Any], index: int, t_ns: int, asked_ns: int) -> Mark:
    """Put changed sampler values into an answer's record; their mark."""
    _keep(record, "changes", {"at_index": index, "t_s": _seconds(t_ns, asked_ns), "values": dict(values)})
    return Mark(t_ns, index, sampling_words(values))


def keep_lane(record: dict[str, Any], what: str, letter: str, index: int, t_ns: int, asked_ns: int) -> Mark:
    """Put into an answer's record that another one joined its engine or left it; its mark."""
    _keep(record, "lanes", {"at_index": index, "t_s": _seconds(t_ns, asked_ns), "what": what, "letter": letter})
    return Mark(t_ns, index, lane_words(what, letter))


def keep_threads(record: dict[str, Any], event: ThreadsChanged, index: int, asked_ns: int = 0) -> Mark:
    """Put a change of the thread count into an answer's record; its mark."""
    entry = {
        "at_index": index,
        "before": event.before,
        "n_threads": event.n_threads,
        "reason": event.reason,
        "phase": event.phase,
    }
    _keep(record, "threads", entry | ({"t_s": _seconds(event.t_ns, asked_ns)} if asked_ns else {}))
    return Mark(event.t_ns, index, threads_words(event.before, event.n_threads, event.reason, event.phase))


def keep_spill(record: dict[str, Any], spill: Spill, index: int, t_ns: int, asked_ns: int) -> Mark:
    """Put into an answer's record that memory made its tokens slow; its mark."""
    words = short_words(spill)
    _keep(record, "spills", {"at_index": index, "t_s": _seconds(t_ns, asked_ns), "kind": spill.kind, "words": words})
    return Mark(t_ns, index, words)


def kept_marks(record: Mapping[str, Any], times: Times, asked_ns: int = 0) -> list[Mark]:
    """The marks of a kept answer; ``times`` are its tokens'.

    A mark stands at the second that was kept with it, or, in older records, at its token.
    A record may be a stranger's: what it doesn't tell well is left out.
    """
    marks = []
    for kind, words in _KINDS.items():
        entries = record.get(kind) if len(times) else None
        for entry in entries[:MOST_CHANGES] if isinstance(entries, list) else []:
            index = entry.get("at_index") if isinstance(entry, dict) else None
            if isinstance(index, int) and 0 <= index <= len(times) and (text := words(entry)):
                marks.append(Mark(_moment(entry, index, times, asked_ns), index, text))
    return sorted(marks, key=lambda mark: (mark.index, mark.t_ns))


def _keep(record: dict[str, Any], kind: str, entry: dict[str, Any]) -> None:
    kept = record.setdefault(kind, [])
    if len(kept) < (MOST_CHANGES if kind == "changes" else MOST_KEPT):
        kept.append(entry)


def _seconds(t_ns: int, asked_ns: int) -> float:
    return (t_ns - asked_ns) / 1e9


def _moment(entry: Mapping[str, Any], index: int, times: Times, asked_ns: int) -> int:
    seconds, last = entry.get("t_s"), int(times[len(times) - 1])
    if not asked_ns or not isinstance(seconds, int | float):
        return int(times[min(index, len(times) - 1)])
    return min(asked_ns + int(max(0.0, min(seconds, 1e6)) * 1e9), last + _AFTER_NS)


def _changes_of(entry: Mapping[str, Any]) -> str:
    values = entry.get("values")
    return sampling_words(values) if isinstance(values, dict) else ""


def _threads_of(entry: Mapping[str, Any]) -> str:
    before, n = entry.get("before"), entry.get("n_threads")
    if not isinstance(before, int) or not isinstance(n, int):
        return ""
    return threads_words(before, n, str(entry.get("reason")), str(entry.get("phase")))


def _lanes_of(entry: Mapping[str, Any]) -> str:
    letter = entry.get("letter")
    return lane_words(str(entry.get("what")), letter if isinstance(letter, str) and len(letter) <= 1 else "")


def _spills_of(entry: Mapping[str, Any]) -> str:
    words = entry.get("words")
    return _short(words) if isinstance(words, str) else ""


_KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "changes": _changes_of,
    "threads": _threads_of,
    "lanes": _lanes_of,
    "spills": _spills_of,
}
"""Lists of marks in a record, and how an entry is put into words."""
