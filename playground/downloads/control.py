"""How a running download is told to end or to hurry, and how it tells how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.downloads.pace import Limit
from playground.models.digest import GivenUp
from playground.translate import tr

_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download keeps trying by itself."""

    tries: int = 6
    """Vain tries in a row before it gives up."""
    for_ever: bool = False
    """Wait for a lost line as long as it takes: a laptop is carried home."""
    first_s: float = 1.0
    longest_s: float = 60.0

    def wait_s(self, vain: int, spread: float) -> float:
        """Seconds before the next try after that many vain ones; ``spread`` from 0 to 1 keeps many from meeting."""
        return float(min(self.longest_s, self.first_s * 2 ** min(vain, 16)) * (0.75 + 0.5 * spread))


@dataclass(slots=True)
class Control:
    """Shared by the thread that works and those that watch it."""

    limit: Limit = field(default_factory=Limit)
    patience: Patience = field(default_factory=Patience)
    progress: Callable[[], None] = lambda: None
    """Called when something changed; often, and from the line's thread."""
    promised: Callable[[], int] = lambda: 0
    """Bytes that other running downloads still want of the same disk."""
    note: str = ""
    """What it waits for; empty while bytes come."""
    here: dict[str, int] = field(default_factory=dict)
    """Bytes of each file, by name."""
    _end: threading.Event = field(default_factory=threading.Event)
    _hurry: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """End soon; what has arrived stays."""
        self._end.set()
        self._hurry.set()

    def hurry(self) -> None:
        """Don't wait for the next try."""
        self._hurry.set()

    def stopped(self) -> bool:
        """Whether it is to end."""
        return self._end.is_set()

    def check(self) -> None:
        """Raises GivenUp when it is to end."""
        if self._end.is_set():
            raise GivenUp

    def tell(self, note: str) -> None:
        """What it waits for, or that bytes come again."""
        if note != self.note:
            self.note = note
            self.progress()

    def wait(self, seconds: float, why: str) -> None:
        """Before another try; counted down in the note. Raises GivenUp."""
        end = time.monotonic() + seconds
        self._hurry.clear()
        while (left := end - time.monotonic()) > 0 and not self._hurry.is_set():
            self.check()
            self.tell(tr("{why} Trying again in {left:.0f} s.", why=why, left=left) if left >= 1 else why)
            self._hurry.wait(min(left, _LOOK_S))
        self.check()
        self.tell("")

    def run_aside(self, work: Callable[[], None], break_off: Callable[[], None] = lambda: None) -> None:
        """Run blocking network work; when it is to end, a thread in a stall is woken and left behind."""
        failure: list[BaseException] = []

        def run() -> None:
            try:
                work()
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=run, name="download line", daemon=True)
        thread.start()
        while thread.is_alive():
            if self.stopped():
                break_off()
                raise GivenUp
            thread.join(_LOOK_S)
        if failure:
            raise failure[0]
