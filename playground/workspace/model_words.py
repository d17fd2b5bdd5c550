"""The library's and the Hub's models in words: what tables, details and the strip of downloads say. Pure, no Qt."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playground.translate import later, tr, tr_n
from playground.workspace.words import (
    format_bytes,
    format_number,
    format_percent,
    format_rate,
    format_rate_value,
    short_month,
)

if TYPE_CHECKING:
    from playground.downloads.view import DownloadView
    from playground.hub.page import Page
    from playground.hub.verdict import Judged
    from playground.models.model_file import ModelFile
    from playground.models.notes import Note
    from playground.models.verify import Verified
    from playground.quantize.messages import Planned
    from playground.workspace.quantizing import Making

NONE = "–"
"""Stands where nothing is known."""
_SOURCES = {"starter": later("came with the app"), "recent": later("opened from disk")}


def source_words(model: ModelFile) -> str:
    """Where a model comes from: “came with the app”, “Hub: owner/name”."""
    return tr(_SOURCES.get(model.source, model.source))


def when_words(then: float, now: float) -> str:
    """A moment as a table shows it; both are seconds since 1970, 0: never."""
    if not then:
        return NONE
    seconds = now - then
    if seconds < 90:
        return tr("just now")
    if seconds < 3600:
        return tr("{minutes:.0f} min ago", minutes=seconds / 60)
    moment = datetime.datetime.fromtimestamp(then)
    days = (datetime.date.fromtimestamp(now) - moment.date()).days
    if days <= 0:
        return tr("today {time}", time=f"{moment:%H:%M}")
    if days < 7:
        return tr("yesterday") if days == 1 else tr("{days} days ago", days=days)
    return f"{moment.day} {short_month(moment.month)} {moment.year}"


def count_words(n: float) -> str:
    """A number of parameters or downloads with three figures: “135 M”, “4.02 B”, “1.2 M”."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= 0.9995 * size:
            value = n / size
            shown = f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
            return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} {unit}"
    return f"{n:.0f}"


def context_words(n: int) -> str:
    """A context in tokens; a dash where it isn't said."""
    return format_number(n) if n else NONE


def speed_words(note: Note) -> str:
    """A measured speed as a table shows it."""
    return format_rate_value(note.tok_s) if note.tok_s else NONE


def total_words(models: Sequence[ModelFile]) -> str:
    """“10 files, 12.2 GB”."""
    size = sum(model.size for model in models)
    return tr_n(len(models), "1 model, {size}", "{n:,} models, {size}", size=format_bytes(size))


def tag_words(model: ModelFile) -> str:
    """“Q4_1 · 98 MB · 5.8 bits a weight”."""
    bits = (
        tr("{bits_per_weight:.1f} bits a weight", bits_per_weight=model.bits_per_weight)
        if model.bits_per_weight
        else ""
    )
    return " · ".join(part for part in (model.quant, format_bytes(model.size), bits) if part)


def facts(model: ModelFile, note: Note, now: float) -> list[tuple[str, str]]:
    """What the details list under a model's name: pairs of a word and what is known."""
    parts = tr("{n_parts} files", n_parts=model.n_parts) if model.n_parts > 1 else ""
    rows = [
        (tr("Parameters"), count_words(model.n_params) if model.n_params else ""),
        (
            tr("Made for"),
            tr("{n_ctx_train} tokens", n_ctx_train=format_number(model.n_ctx_train)) if model.n_ctx_train else "",
        ),
        (tr("Architecture"), model.arch),
        (tr("Licence"), model.licence),
        (
            tr("Template"),
            "" if model.pending or model.error else tr("yes") if model.has_template else tr("none: completes text"),
        ),
        (tr("Where from"), source_words(model)),
        (tr("Split in"), parts),
        (tr("Last used"), when_words(note.last_used, now) if note.last_used else ""),
        (tr("Measured"), format_rate(note.tok_s) if note.tok_s else ""),
    ]
    return [(word, value) for word, value in rows if value]


def twin_words(model: ModelFile, group: Iterable[ModelFile]) -> str:
    """Where else the same file lies; empty for a single one."""
    others = [other for other in group if other.path != model.path]
    if not others:
        return ""
    where = "; ".join(
        tr("{source}, in {folder}", source=source_words(other), folder=Path(other.path).parent) for other in others[:3]
    )
    more = " " + tr("and {n:,} more", n=len(others) - 3) if len(others) > 3 else ""
    return tr(
        "The same file lies here {times}, {size} each. Also: {where}{more}.",
        times=times_words(len(others) + 1),
        size=format_bytes(model.size),
        where=where,
        more=more,
    )


def times_words(n: int) -> str:
    """“twice”, “3 times”."""
    return tr("twice") if n == 2 else tr("{n} times", n=n)


def verified_words(found: Verified) -> tuple[str, str, str]:
    """What a check came to: kind of card, title, text."""
    digest = f"SHA-256 {found.sha256}"
    if not found.good:
        return (
            "danger",
            tr("It is not the file that {by} published.", by=found.by),
            tr("Download it again. {digest}", digest=digest),
        )
    if found.expected:
        return "info", tr("It is the file that {by} published.", by=found.by), digest
    return (
        "info",
        tr("It can be read from end to end."),
        tr("Nobody said which digest it should have. {digest}", digest=digest),
    )


def left_words(seconds: float | None) -> str:
    """Time that is left: “2 min 16 s left”; empty while nobody can tell."""
    if seconds is None or seconds <= 0:
        return ""
    if seconds < 60:
        return tr("{seconds} s left", seconds=max(1, round(seconds)))
    if seconds < 3600:
        return tr("{minutes} min {seconds:02} s left", minutes=int(seconds // 60), seconds=int(seconds % 60))
    return (
        tr("{hours} h {minutes:02} min left", hours=int(seconds // 3600), minutes=int(seconds % 3600 // 60))
        if seconds < 360_000
        else tr("days left")
    )


def rate_words(bytes_s: float) -> str:
    """A line's speed: “11.4 MB/s”."""
    return f"{bytes_s / 1e6:.1f} MB/s" if bytes_s >= 50_000 else f"{bytes_s / 1e3:.0f} kB/s"


def download_words(view: DownloadView) -> tuple[str, str]:
    """Two phrases of a download: how much is here, and what goes on."""
    size = format_bytes(view.size) if view.size else tr("unknown size")
    amount = tr("{here} of {size}", here=format_bytes(view.here), size=size) if view.here or view.size else ""
    if view.state == "done":
        return format_bytes(view.size), tr("checksum matches")
    if view.state == "failed":
        return amount, tr("stopped")
    if view.state == "paused":
        return amount, tr("paused")
    if view.state == "waiting":
        return amount, view.note or tr("waits for its turn")
    if view.note:
        return amount, view.note
    return amount, " · ".join(part for part in (rate_words(view.bytes_s), left_words(view.left_s)) if part)


def disk_words(free: int | None, to_come: int) -> tuple[str, str]:
    """The disk that downloads go to, and the tone to say it in."""
    if free is None:
        return "", "text-3"
    if not to_come:
        return tr("{free} free on the disk", free=format_bytes(free)), "text-3"
    if to_come > free:
        words = tr(
            "{free} free on the disk, {missing} too little",
            free=format_bytes(free),
            missing=format_bytes(to_come - free),
        )
        return words, "warn"
    return tr("{free} free on the disk, {rest} to come", free=format_bytes(free), rest=format_bytes(to_come)), "text-3"


def limit_words(mb_s: float) -> str:
    """A limit of downloads in megabytes a second; 0: none."""
    return tr("at most {limit} MB/s", limit=f"{mb_s:g}") if mb_s else tr("no limit")


def making_words(making: Making) -> tuple[str, str]:
    """Likewise of a quant that is made."""
    size = format_bytes(making.plan.size.size)
    words = {
        "waiting": tr("about {size}", size=size),
        "working": tr("about {size}", size=size),
        "done": making.message or tr("made in {seconds:.1f} s", seconds=making.seconds),
        "cancelled": "",
        "failed": "",
    }[making.state]
    if making.state == "working":
        return words, " · ".join(p for p in (format_percent(making.fraction), left_words(making.left_s)) if p)
    return words, {"waiting": tr("waits for its turn"), "done": "", "cancelled": "cancelled", "failed": "failed"}[
        making.state
    ]


def network_words(downloads: Sequence[DownloadView], asking: bool) -> str:
    """What goes over the network, for the status bar; empty: nothing."""
    running = [view for view in downloads if view.state == "running"]
    parts = []
    if running:
        speed = rate_words(sum(view.bytes_s for view in running))
        parts.append(f"{len(running)} {'download' if len(running) == 1 else 'downloads'}, {speed}")
    if asking:
        parts.append(tr("asking the Hub"))
    return tr("Network: {parts}", parts=", ".join(parts)) if parts else ""


VERDICTS: Mapping[str, tuple[str, str]] = {
    "gpu": ("check", "ok"),
    "splits": ("check", "ok"),
    "fits": ("check", "ok"),
    "tight": ("warning", "warn"),
    "refused": ("x", "danger"),
    "unknown": ("question", "text-3"),
}
"""A verdict's icon and token."""


def month_words(moment: datetime.datetime | None) -> str:
    """“Apr 2025”; a dash where it isn't known."""
    return f"{short_month(moment.month)} {moment.year}" if moment is not None else NONE


def page_words(page: Page) -> str:
    """One line of what a repository's model is."""
    parts = (
        tr("{n_params} parameters", n_params=count_words(page.n_params)) if page.n_params else "",
        tr("made for {n_ctx_train} tokens", n_ctx_train=format_number(page.n_ctx_train)) if page.n_ctx_train else "",
        page.arch,
        page.licence or tr("no licence said"),
        tr("from {author}", author=page.author),
        tr("{downloads} downloads a month", downloads=count_words(page.downloads)) if page.downloads else "",
        tr("changed {modified}", modified=month_words(page.modified)) if page.modified else "",
    )
    return " · ".join(part for part in parts if part)


def gated_words(page: Page, address: str) -> str:
    """What to do about a gated repository."""
    decides = (
        tr("You can download it as soon as")
        if page.gated == "auto"
        else tr("Its authors decide who may download it once")
    )
    return tr(
        "{decides} you have accepted its terms there: {address}/{repo}. Then give an access token of your account "
        "below; it is kept in no file of this app.",
        decides=decides,
        address=address,
        repo=page.repo,
    )


def bits_words(bits: float) -> str:
    """Bits a weight: “4.9”."""
    return f"{bits:.1f}" if bits else NONE


def judged_words(judged: Judged) -> str:
    """The verdict on a choice with its numbers, for under the table."""
    parts = [f"{judged.choice.label}: {judged.sentence}"]
    if judged.n_ctx and judged.kind != "refused":
        parts.append(tr("The largest context that fits is {n_ctx} tokens.", n_ctx=format_number(judged.n_ctx)))
    if judged.tok_s:
        parts.append(
            tr("About {tok_s:.0f} tok/s, by this machine’s measured memory rate: an estimate.", tok_s=judged.tok_s)
        )
    if not judged.exact:
        parts.append(tr("Told by another quant’s header, so a few percent off."))
    return " ".join(parts)


def others_words(page: Page) -> str:
    """The repository's files that can't be chatted with."""
    others = [choice for choice in page.choices if choice.problem]
    names = ", ".join(choice.path.rpartition("/")[2] for choice in others[:4])
    more = " " + tr("and {n:,} more", n=len(others) - 4) if len(others) > 4 else ""
    return tr("Also there, not to chat with: {names}{more}.", names=names, more=more) if others else ""


def estimate_words(size: int, low: int, high: int, before: int) -> str:
    """A quant's size foretold from the header."""
    span = (
        tr(" ({low} to {high})", low=format_bytes(low), high=format_bytes(high))
        if format_bytes(low) != format_bytes(high)
        else ""
    )
    return tr(
        "About {size}{span}; the source has {before}.", size=format_bytes(size), span=span, before=format_bytes(before)
    )


def exact_words(found: Planned, before: int) -> str:
    """Likewise by llama.cpp's own word."""
    some = (
        tr(" {n_fallback} of its tensors get a nearby type.", n_fallback=found.n_fallback) if found.n_fallback else ""
    )
    return tr(
        "{size} bytes of tensors; the source has {before}.{some}",
        size=format_number(found.size),
        before=format_bytes(before),
        some=some,
    )
