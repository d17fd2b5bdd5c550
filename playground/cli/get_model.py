"""A model fetched by its name on the Hub: chosen, agreed to, downloaded with progress, checked."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from playground.cli.errors import BAD_INPUT, ENGINE_FAILED, INTERRUPTED, CliError
from playground.cli.models_hub import ask
from playground.cli.output import Status, clean, is_terminal
from playground.downloads import job, record
from playground.downloads.control import Control
from playground.downloads.errors import DownloadError
from playground.downloads.here import files_here
from playground.downloads.pace import Limit, Speed
from playground.downloads.place import Place, place_of
from playground.downloads.record import Journal, Record
from playground.hub.choices import Choice, RemoteFile, group, pick
from playground.hub.client import Hub, never
from playground.hub.errors import HubError
from playground.hub.page import parse_repo, read_page
from playground.models.digest import GivenUp
from playground.models.gguf_cursor import size_text
from playground.paths import find_paths

ASK_ABOVE = 100_000_000
"""Bytes that are not downloaded without a yes."""
_OURS = ("missing", "gated", "changed")
"""Faults that lie with what was asked for."""
_LOOK_S, _JSON_S = 0.2, 1.0


class Reporter(Protocol):
    """Hears how a download goes."""

    def progress(self, wanted: Record, control: Control, speed: Speed) -> None:
        """Several times a second."""

    def done(self, wanted: Record) -> None:
        """All files are there and checked."""


@dataclass(slots=True)
class Lines:
    """Words for people: progress in place on standard error."""

    quiet: bool = False
    status: Status = field(init=False)

    def __post_init__(self) -> None:
        self.status = Status(self.quiet)

    def progress(self, wanted: Record, control: Control, speed: Speed) -> None:
        """One line, in place."""
        self.status.show(progress_line(wanted, control, speed))

    def done(self, wanted: Record) -> None:
        """Take the line away."""
        self.status.clear()


@dataclass(slots=True)
class JsonLines:
    """One JSON object a line, on standard output."""

    _next: float = 0.0

    def progress(self, wanted: Record, control: Control, speed: Speed) -> None:
        """Once a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _JSON_S
            files = [
                {"path": file.name, "done": control.here.get(file.name, 0), "size": file.size} for file in wanted.files
            ]
            left = speed.left_s(_missing(wanted, control))
            self._say(
                event="progress", done=_here(control), size=wanted.size, bytes_per_s=round(speed.bytes_s),
                seconds_left=round(left, 1) if left is not None else None, note=control.note or None, files=files,
            )  # fmt: skip

    def done(self, wanted: Record) -> None:
        """The last line."""
        sha = [file.digest.partition(":")[2] if file.digest.startswith("sha256:") else None for file in wanted.files]
        self._say(
            event="done", repo=wanted.repo, commit=wanted.files[0].commit, size=wanted.size, path=wanted.paths[0],
            paths=wanted.paths, sha256=sha,
        )  # fmt: skip

    def _say(self, **words: object) -> None:
        print(json.dumps(words), flush=True)


def looks_like_repo(given: str) -> bool:
    """Whether ``-m`` means a repository of the Hub: “owner/name” or “owner/name:Q4_K_M”, and no file of that path."""
    name = given.partition(":")[0]
    if name.count("/") != 1 or given.startswith((".", "/", "~")) or name.lower().endswith(".gguf"):
        return False
    try:
        parse_repo(given)
    except HubError:
        return False
    return not Path(name.partition("/")[0]).is_dir()


def find_here(given: str) -> Path | None:
    """The file of a repository that is here already; asks nobody. Raises CliError for a name that is none.

    Without a quant it is the one that would be preferred of those that are here: it works without a network, too.
    """
    repo, quant = ask("", lambda: parse_repo(given))
    found = {name: (path, size) for name, path, size in files_here(place_of(repo))}
    try:
        choice = pick(group(RemoteFile(name, size) for name, (_, size) in found.items()), quant, repo)
    except HubError:
        return None
    return found[choice.path][0] if choice.is_complete else None


def get(given: str, yes: bool, quiet: bool = False) -> Path:
    """The file that “owner/name:quant” means: the one that is here, else downloaded. Raises CliError."""
    here = find_here(given)
    if here is not None:
        return here
    wanted, _ = choose(given)
    agree(wanted, yes)
    return fetch(wanted, Lines(quiet))[0]


def choose(given: str, revision: str = "") -> tuple[Record, Choice]:
    """Ask the Hub which files are meant. Raises CliError."""
    repo, quant = ask("", lambda: parse_repo(given))
    page = ask(f"Asking the Hub for {repo}…", lambda: read_page(Hub(), repo, never, revision))
    choice = ask("", lambda: pick(page.choices, quant, repo))
    names = [file.path for file in choice.files]
    label = f"{choice.name} {choice.quant}".strip()
    try:
        wanted = record.new(page.repo, names, [file.size for file in choice.files], revision, label=label)
    except DownloadError as error:
        raise CliError(str(error)) from None
    return wanted, choice


def agree(wanted: Record, yes: bool) -> None:
    """Ask before much is downloaded. Raises CliError."""
    size = wanted.size
    if yes or size <= ASK_ABOVE:
        return
    what = f"{clean(wanted.label)} of {wanted.repo} has {size_text(size)}"
    if not is_terminal(sys.stdin) or not is_terminal(sys.stderr):
        raise CliError(f"{what}; give --yes to download that much.")
    print(f"{what}. Download it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CliError("Nothing was downloaded.", INTERRUPTED)


def fetch(wanted: Record, reporter: Reporter, mb_s: float = 0.0) -> list[Path]:
    """Download, on a thread that Ctrl+C can stop; the files. Raises CliError, KeyboardInterrupt."""
    journal = Journal(record.folder_of(find_paths()))
    known = next((one for one in journal.load() if one.same_as(wanted) and one.state != "done"), None)
    if known is not None:
        wanted = known
    place = place_of(wanted.repo)
    control = Control(limit=Limit(mb_s * 1e6))
    job.survey(wanted, place, control)
    ended: list[BaseException] = []
    thread = threading.Thread(target=_work, args=(wanted, journal, place, control, ended), name="download", daemon=True)
    thread.start()
    speed = Speed()
    try:
        while thread.is_alive():
            thread.join(_LOOK_S)
            speed.see(_here(control))
            if thread.is_alive():
                reporter.progress(wanted, control, speed)
    except KeyboardInterrupt:
        control.stop()
        thread.join()
        _keep(wanted, journal, "paused")
        print(f"\nStopped. {size_text(_here(control))} are kept; the same command goes on.", file=sys.stderr)
        raise
    _raise(ended, wanted, journal)
    reporter.done(wanted)
    journal.remove(wanted)  # nobody waits for it in a list
    return [Path(path) for path in wanted.paths]


def discard(given: str) -> int:
    """Delete what unfinished downloads of a repository left; how many there were. Raises CliError."""
    repo, quant = ask("", lambda: parse_repo(given))
    journal = Journal(record.folder_of(find_paths()))
    found = [
        one for one in journal.load()
        if one.repo == repo and one.state != "done" and (not quant or quant.lower() in one.files[0].name.lower())
    ]  # fmt: skip
    for one in found:
        try:
            with journal.alone(one):
                pass
        except DownloadError as error:
            raise CliError(str(error), ENGINE_FAILED) from None
        job.discard(one, journal, place_of(repo))
    return len(found)


def progress_line(wanted: Record, control: Control, speed: Speed) -> str:
    """“Qwen3 4B Q4_K_M  34 %  812 MB of 2.4 GB · 23.4 MB/s · 1 min 12 s left”."""
    here = _here(control)
    parts = [f"{size_text(here)} of {size_text(wanted.size)}"] if wanted.size else ["Asking the Hub…"]
    if control.note:
        parts.append(control.note)
    elif speed.bytes_s:
        parts.append(f"{speed.bytes_s / 1e6:.1f} MB/s")
        left = speed.left_s(_missing(wanted, control))
        parts.append(f"{span_text(left)} left" if left is not None else "")
    percent = f"{100 * here // wanted.size} %  " if wanted.size else ""
    return f"{clean(wanted.label)}  {percent}{' · '.join(filter(None, parts))}"


def span_text(seconds: float) -> str:
    """“45 s”, “1 min 12 s”, “2 h 5 min”."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _work(
    wanted: Record, journal: Journal, place: Place, control: Control, ended: list[BaseException]
) -> None:  # fmt: skip
    try:
        job.run(wanted, journal, place, control)
    except BaseException as error:
        ended.append(error)


def _raise(ended: Sequence[BaseException], wanted: Record, journal: Journal) -> None:
    if not ended:
        return
    if isinstance(ended[0], GivenUp):
        raise KeyboardInterrupt
    if not isinstance(ended[0], DownloadError):
        raise ended[0]
    error = ended[0]
    if error.kind != "busy":
        wanted.fault, wanted.message = error.kind, str(error)
        _keep(wanted, journal, "failed")
    raise CliError(str(error), BAD_INPUT if error.kind in _OURS else ENGINE_FAILED)


def _keep(wanted: Record, journal: Journal, state: record.State) -> None:
    """For the next try; where nothing was learnt of it, there is nothing to keep."""
    wanted.state = state
    try:
        if any(file.etag for file in wanted.files):
            journal.save(wanted)
        else:
            journal.remove(wanted)
    except OSError:
        pass  # the part is found again by its etag


def _here(control: Control) -> int:
    return sum(list(control.here.values()))


def _missing(wanted: Record, control: Control) -> int:
    return max(0, wanted.size - _here(control))
