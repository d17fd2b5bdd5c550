"""One case of the harness: what was done, what came of it, and what must hold after every one."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

PATIENCE = float(os.environ.get("PLAYGROUND_FAULTS_PATIENCE", "1"))
"""All limits of time are multiplied by it, where the machine is slow or has others to serve."""
ANSWERS_WITHIN_S = 1.0 * PATIENCE
"""The window must take an event within this, whatever happened to an engine."""
MB = 1024 * 1024
STOP = threading.Event()
"""Set when the run shall end after the case it is at."""


class Fault(AssertionError):
    """Something that must not happen."""


@dataclass
class Case:
    """One case; ``random`` depends on seed, kind and index only."""

    kind: str
    index: int
    seed: int
    what: str = ""
    outcome: str = ""
    fault: str = ""
    seconds: float = 0.0
    latency_ms: float = 0.0
    """The longest that the event loop did not come round; without waits for a core that others had."""
    where: str = ""
    """The stack of the app's thread in a stall."""
    peak_mb: float = 0.0
    """The most private memory an engine had."""
    own_mb: float = 0.0
    """This process's resident memory at the end."""
    random: random.Random = field(default_factory=random.Random, repr=False)

    def __post_init__(self) -> None:
        self.random.seed(f"{self.seed}/{self.kind}/{self.index}")

    def to_json(self) -> dict[str, Any]:
        """All but the generator."""
        found = asdict(self)
        del found["random"]
        return found


@dataclass
class Setting:
    """What a kind of case needs: where, from which seed, how many, who hears of each."""

    folder: Path
    seed: int
    count: int
    heard: Callable[[Case], None] = lambda _case: None
    first: int = 0
    """Index of the first case: to repeat one alone."""

    def cases(self, kind: str) -> Iterator[Case]:
        """The cases, fresh."""
        for index in range(self.first, self.first + self.count):
            if STOP.is_set():
                return
            yield Case(kind, index, self.seed)


@contextmanager
def judged(case: Case, setting: Setting) -> Iterator[None]:
    """Time a case and take down a fault instead of ending the run; then tell it."""
    start = time.monotonic()
    try:
        yield
    except AssertionError as error:
        case.fault = str(error) or "an assertion failed"
    except Exception as error:  # the app's own thread broke: exactly what must never happen
        case.fault = f"{type(error).__name__}: {error}"
    case.seconds = round(time.monotonic() - start, 3)
    case.own_mb = round(psutil.Process().memory_info().rss / MB, 1)
    if case.latency_ms > 1000 * ANSWERS_WITHIN_S and not case.fault:
        case.fault = f"the event loop stood still for {case.latency_ms:.0f} ms; {case.where}"
    setting.heard(case)


def sentence(text: str, what: str) -> None:
    """A text for the user: words that end as a sentence, and no traceback."""
    if not text.strip():
        raise Fault(f"{what} says nothing")
    if "Traceback" in text or 'File "' in text:
        raise Fault(f"{what} shows a traceback: {text[:300]}")
    if text.rstrip()[-1] not in ".!?”)…":
        raise Fault(f"{what} is no sentence: {text[-200:]!r}")


def engines() -> list[psutil.Process]:
    """Living engine processes of this process, those that a case may have left included."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and "playground.engine" in " ".join(child.cmdline()):
                found.append(child)
    return found


def zombies() -> list[int]:
    """Ended children that nobody waited for."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if child.status() == psutil.STATUS_ZOMBIE:
                found.append(child.pid)
    return found


def private_mb(pid: int | None) -> float:
    """A process's own memory: without mapped files. 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        return (
            sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(("RssAnon", "RssShmem"))) / 1024
        )
    except (OSError, ValueError, IndexError):
        with suppress(psutil.Error, ValueError):
            return float(psutil.Process(pid).memory_info().rss / MB) if pid else 0.0
    return 0.0


def kill(case: Case, pid: int | None) -> None:
    """SIGKILL, whatever it does."""
    if pid is not None:
        case.peak_mb = max(case.peak_mb, round(private_mb(pid), 1))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def nothing_runs(within_s: float = 15.0 * PATIENCE) -> None:
    """No engine is left, nor an ended child nobody waited for. Raises Fault."""
    deadline = time.monotonic() + within_s
    while engines() or zombies():
        if time.monotonic() > deadline:
            raise Fault(f"left running: {[child.pid for child in engines()]}, not waited for: {zombies()}")
        time.sleep(0.02)


def end_all() -> None:
    """End the engines that are still there: after a fault, or Ctrl+C."""
    for child in engines():
        with suppress(psutil.Error):
            child.send_signal(signal.SIGKILL)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def table(cases: list[Case]) -> str:
    """Counts of every outcome of every kind, as lines."""
    lines = []
    for kind in dict.fromkeys(case.kind for case in cases):
        own = [case for case in cases if case.kind == kind]
        bad = sum(bool(case.fault) for case in own)
        worst = max((case.latency_ms for case in own), default=0)
        peak = max((case.peak_mb for case in own), default=0)
        slowest = max(case.seconds for case in own)
        lines.append(
            f"{kind}: {len(own)} cases, {bad} faults; event loop at worst {worst:.0f} ms; "
            f"engine at most {peak:.0f} MB; "
            f"this process {own[0].own_mb:.0f} → {own[-1].own_mb:.0f} MB; slowest {slowest:.1f} s"
        )
        counts = Counter((case.what.split(":")[0], "FAULT" if case.fault else case.outcome) for case in own)
        lines += [f"  {what:<24} {outcome:<44} {n:>5}" for (what, outcome), n in sorted(counts.items())]
        lines += [f"  fault {case.index} {case.what}: {_short(case.fault)}" for case in own if case.fault]
    return "\n".join(lines)


def _short(text: str) -> str:
    """Beginning and end of a long text: a log's last lines tell most."""
    return text if len(text) < 700 else f"{text[:120]} … {text[-560:]}"
