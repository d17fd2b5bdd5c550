"""Numbers and states in words, the same everywhere: window, exports, command line. Pure, no Qt.

GB is 10⁹ bytes, MB 10⁶, kB 10³.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass

from playground.translate import later, tr
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.series import Answer

SILENCE_S = 3.0
"""A silence of the engine longer than this is said."""
RATE_WINDOW = 32
"""Tokens over which the live tok/s of a header is taken."""


def format_bytes(n: int) -> str:
    """Bytes with two or three figures: “98 MB”, “0.64 GB”, “12.2 GB”."""
    if n < 999_500:
        return f"{n / 1e3:.0f} kB"
    if n < 399_500_000:
        return f"{n / 1e6:.0f} MB"
    return f"{format_gb(n)} GB"


def format_gb(n: int) -> str:
    """Bytes as a bare number of GB: “0.36”, “12.2”, “128”."""
    gb = n / 1e9
    return f"{gb:.2f}" if gb < 9.995 else f"{gb:.1f}" if gb < 99.95 else f"{gb:.0f}"


def format_gb_short(n: int) -> str:
    """Bytes as a bare number of GB with one decimal: “4.7”."""
    return f"{n / 1e9:.1f}" if n < 99.95e9 else f"{n / 1e9:.0f}"


def format_number(n: int) -> str:
    """A count with thousands separated: “8,192”."""
    return f"{n:,}"


def format_rate_value(rate: float) -> str:
    """Tokens a second, three figures at most: “66.6”, “106”, “1,204”."""
    return f"{rate:.1f}" if rate < 99.95 else f"{rate:,.0f}"


def format_rate(rate: float) -> str:
    """Tokens a second with the unit: “66.6 tok/s”."""
    return f"{format_rate_value(rate)} tok/s"


def format_ms(ns: int) -> str:
    """Nanoseconds as milliseconds: “14.6 ms”, “240 ms”."""
    ms = ns / 1e6
    return f"{ms:.1f} ms" if ms < 99.95 else f"{ms:,.0f} ms"


def format_seconds(seconds: float) -> str:
    """A duration: “0.62 s”, “12.4 s”, “75 s”, “3 min 05 s”."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if seconds >= 99.5 else f"{seconds:.0f} s"


def format_percent(fraction: float) -> str:
    """A fraction as whole percent, never 100 before the end: “42 %”."""
    percent = int(fraction * 100) if fraction < 1 else 100
    return f"{max(0, percent)} %"


def join_letters(letters: Sequence[str]) -> str:
    """“A”, “A and B”, “A, B and C”."""
    if len(letters) < 2:
        return "".join(letters)
    return tr("{several} and {last}", several=", ".join(letters[:-1]), last=letters[-1])


def short_name(name: str) -> str:
    """A model's name without the words that every chat model carries: “SmolLM2 135M”."""
    kept = [word for word in name.split() if word.lower() not in ("instruct", "it", "chat")]
    return " ".join(kept) or name


def model_tag(ref: ModelRef) -> str:
    """Quant and file size as far as they are known: “Q4_1 · 98 MB”."""
    return " · ".join(part for part in (ref.quant, format_bytes(ref.size) if ref.size else "") if part)


def day_group(then: float, now: float) -> str:
    """The heading a chat stands under, by local calendar days; both are seconds since the epoch."""
    day, today = datetime.date.fromtimestamp(then), datetime.date.fromtimestamp(now)
    age = (today - day).days
    if age <= 0:
        return tr("Today")
    if age == 1:
        return tr("Yesterday")
    if age <= 7:
        return tr("Last week")
    return f"{tr(MONTHS[day.month - 1])} {day.year}"


MONTHS = (
    later("January"), later("February"), later("March"), later("April"), later("May"), later("June"),
    later("July"), later("August"), later("September"), later("October"), later("November"), later("December"),
)  # fmt: skip


def short_month(month: int) -> str:
    """“Nov” for 11, in the app's language: the system's own would be in the language of its locale."""
    return tr(MONTHS[month - 1])[:3]


def state_words(lane: Lane, now_ns: int | None = None) -> str:
    """A lane's state as its header says it. Changes while time passes, so that it never looks stuck."""
    now = time.perf_counter_ns() if now_ns is None else now_ns
    words = tr(_STATE_WORDS.get(lane.state, "")) or _moving_words(lane, now)
    silence = (now - lane.last_sign_ns) / 1e9
    # A queued lane's engine rests; the lane that it waits for shows the signs.
    waits = lane.state == "queued" or (lane.state == "loading" and bool(lane.detail))
    if silence > SILENCE_S and not waits and (lane.state == "loading" or lane.busy):
        return tr("{words} · no sign for {silence:.0f} s", words=words, silence=silence)
    return words


_STATE_WORDS = {
    "empty": later("No model"),
    "ready": later("Ready"),
    "writing": later("Writing"),
    "stopping": later("Stopping"),
    "stopped": later("Stopped"),
    "full": later("Context full"),
    "failed": later("Failed"),
    "unloaded": later("Not loaded"),
}


def _moving_words(lane: Lane, now: int) -> str:
    if lane.state == "loading":
        if lane.detail:
            return lane.detail
        return tr("Reading the file {fraction}", fraction=format_percent(lane.fraction))
    if lane.state == "prompt":
        rate = lane.answer.prompt_tok_s
        speed = f" · {format_rate(rate)}" if rate else ""
        return tr("Reading the prompt {fraction}{speed}", fraction=format_percent(lane.fraction), speed=speed)
    if lane.state == "thinking":
        times = lane.answer.tokens.view["t_ns"]
        if not len(times):
            return tr("Thinking")
        return tr("Thinking {seconds} s", seconds=max(0, now - int(times[0])) // 10**9)
    return _queued_words(lane, now)


def _queued_words(lane: Lane, now: int) -> str:
    # `detail` is a bare letter (or several) or already a phrase.
    detail = tr("waiting for {detail}", detail=lane.detail) if lane.detail.replace(", ", "").isupper() else lane.detail
    since = (now - lane.answer.asked_ns) // 10**9 if lane.answer.asked_ns else 0
    waited = f" · {since} s" if since >= 1 else ""
    return (
        tr("Queued — {detail}{waited}", detail=detail, waited=waited) if detail else tr("Queued{waited}", waited=waited)
    )


@dataclass(frozen=True, slots=True)
class Figure:
    """One read-out: words before it, the number, its unit."""

    value: str
    unit: str = ""
    before: str = ""

    @property
    def text(self) -> str:
        """The read-out as plain text."""
        return " ".join(part for part in (self.before, self.value, self.unit) if part)


def lane_figures(lane: Lane) -> list[Figure]:
    """What a lane's header shows at the right: speed, first token, memory; measured values of its model only."""
    if lane.state in ("empty", "loading"):
        return []
    figures: list[Figure] = []
    gone = lane.state in ("failed", "unloaded")
    own = lane.own_figures
    if own and len(lane.answer.tokens):
        rate = lane.answer.tok_s(RATE_WINDOW if lane.busy else 0)
        if rate:
            figures.append(Figure(format_rate_value(rate), "tok/s", tr("was") if gone else ""))
        if lane.answer.asked_ns and lane.answer.ttft_ns > 0:
            value, unit = format_seconds(lane.answer.ttft_ns / 1e9).rsplit(" ", 1)
            figures.append(Figure(value, unit, "TTFT"))
    elif lane.state == "ready" and lane.engine.load_seconds:
        figures.append(Figure(f"{lane.engine.load_seconds:.1f}", "s", tr("loaded in")))
    memory = lane.engine.memory.rows.view
    if len(memory) and not gone:
        figures.append(Figure(format_gb(int(memory["rss"][-1])), "GB"))
    elif gone and len(memory):
        figures.append(Figure("", "", tr("memory given back")))
    if own and lane.answer.n_reused:
        figures.append(_reused(lane.answer))
    return figures


def _reused(answer: Answer) -> Figure:
    """How much of the prompt needn't be read: “2,007 of 2,019 tokens reused”, or where it came from disk, that."""
    how = tr("reused")
    if answer.n_restored:
        how = tr("restored from disk") if answer.n_restored == answer.n_reused else tr("reused, in part from disk")
    return Figure(f"{answer.n_reused:,}", tr("of {n_prompt:,} tokens {how}", n_prompt=answer.n_prompt, how=how))
