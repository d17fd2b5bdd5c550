"""Results of benchmarks as the window has them: read once, added to as they come, kept on disk by another thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.bench import history
from playground.bench.history import History, Kept
from playground.bench.machine import Machine, this_machine
from playground.bench.result import Result
from playground.translate import later, tr, tr_n
from playground.workspace.ports import Background
from playground.workspace.signal import Signal


@dataclass(frozen=True, slots=True)
class Taken:
    """A result, and why it could not be kept; empty if it is."""

    result: Result
    complaint: str = ""


class BenchKept:
    """All results. One thing at a time is done on disk, in the order asked for."""

    def __init__(self, kept: History, background: Background, told: Callable[[str], object]) -> None:
        self._history = kept
        self._background = background
        self._told = told
        self._work: deque[tuple[Callable[[], Any], Callable[[Any], None]]] = deque()
        self._working = False
        self._forgotten: list[Result] = []
        self._complained = False
        self.results: list[Result] = []
        """Oldest first."""
        self.read = False
        """Whether it is known what was kept before."""
        self.machine: Machine | None = None
        """This one."""
        self.changed: Signal[[]] = Signal()

    @property
    def runs(self) -> dict[str, list[Result]]:
        """Results by run, the newest first."""
        return history.by_run(self.results)

    @property
    def can_undo(self) -> bool:
        """Whether a forgotten run can come back."""
        return bool(self._forgotten)

    def open(self) -> None:
        """Read what was kept."""

        def read() -> tuple[Machine, Kept | str]:
            try:
                return this_machine(), self._history.load()
            except OSError as error:
                return this_machine(), tr("Earlier benchmarks can’t be read: {reason}.", reason=error.strerror)

        self._do(read, self._opened)

    def add(self, make: Callable[[Machine], Result], then: Callable[[Result], None]) -> None:
        """Make a result of what was measured and keep it; ``then`` gets it, kept or not."""

        def keep() -> Taken:
            result = make(this_machine())
            try:
                self._history.append([result])
            except OSError as error:
                return Taken(result, tr("The results can’t be kept: {reason}.", reason=error.strerror))
            return Taken(result)

        def kept(taken: Taken) -> None:
            self.results.append(taken.result)
            if taken.complaint and not self._complained:
                self._complained = True
                self._told(taken.complaint)
            then(taken.result)
            self.changed.emit()

        self._do(keep, kept)

    def forget(self, run: str) -> None:
        """Take a run out, for good when the window is closed; `undo_forget` brings it back until then."""
        gone = [result for result in self.results if result.run == run]
        if not gone:
            return
        self._forgotten = gone
        self.results = [result for result in self.results if result.run != run]
        self._do(lambda: _complaint(lambda: self._history.forget([run])), self._say)
        self.changed.emit()

    def undo_forget(self) -> None:
        """Bring the run back that was forgotten last."""
        back, self._forgotten = self._forgotten, []
        if not back:
            return
        self.results = sorted([*self.results, *back], key=lambda result: result.run)
        self._do(lambda: _complaint(lambda: self._history.append(back)), self._say)
        self.changed.emit()

    def before(self, result: Result) -> Result | None:
        """The newest earlier result of the same model, machine, options and test."""
        return history.before(result, self.results)

    def _opened(self, found: tuple[Machine, Kept | str]) -> None:
        self.machine, kept = found
        self.read = True
        if isinstance(kept, str):
            self._told(kept)
        else:
            self.results = [*kept.results, *self.results]
            if kept.damaged:
                one = later("A damaged line of earlier benchmarks was passed over.")
                self._told(tr_n(kept.damaged, one, "{n:,} damaged lines of earlier benchmarks were passed over."))
        self.changed.emit()

    def _say(self, complaint: str) -> None:
        if complaint:
            self._told(complaint)

    def _do(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        self._work.append((work, then))
        if not self._working:
            self._next()

    def _next(self) -> None:
        self._working = bool(self._work)
        if not self._work:
            return
        work, then = self._work.popleft()

        def done(result: Any) -> None:
            then(result)
            self._next()

        self._background(work, done)


def _complaint(work: Callable[[], None]) -> str:
    try:
        work()
    except OSError as error:
        return tr("The list of benchmarks can’t be changed: {reason}.", reason=error.strerror)
    return ""
