"""Fewer threads while another program needs the cores, all of them again once it is done.

llama.cpp's threads spin at barriers, so the slowest sets the pace: on two cores a busy neighbour takes a
small model from 140 to 32 tokens a second, where one thread less keeps 86. Changing the count between two
decodes costs nothing.

Two witnesses are heard: how long each decode took, and how many cores others leave (`load_watch`). A count
is lowered when both speak against it, and what that brought is measured: no gain, and it is taken back.
It is raised as soon as the cores are seen free. Where the system tells no load, the times alone decide and
more threads are tried blindly now and then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Protocol

from playground.protocol.events import ThreadsReason

SLOWER = 1.25
"""A margin over what is known to be possible."""
ERRATIC = 2.5
"""Two decodes of a window this much slower than the fastest are no accident."""
STUCK = 8
"""A decode this many times slower than the fastest is reason enough alone, when others are seen on the cores."""
DRIFT = 1.002
"""How much a remembered best fades with each decode: a longer context is slower on a quiet machine too."""
BUSY_NS = 100_000_000
"""Over this long others must have kept a core from us…"""
BUSY_SHARE = 0.3
"""…for this part of the time; while we hold on to it, they get half of what they want."""
QUIET_NS, QUIET_MOST_NS = 250_000_000, 4_000_000_000
"""So long the cores must be free before they are taken back; doubled each time that was too early."""
QUIET_SHARE = 0.3
"""What others may still use of a core that counts as free."""
LOOK_NS = 200_000_000
"""At least so often the load is looked at, so that there is a look before the first slow decode."""
LONG_NS = 25_000_000
"""Beside a decode this long a look at the load costs nothing."""
TOO_EARLY = 64
"""Decodes within which a lowering shows that raising was too early."""
FIRST_TRY, LAST_TRY = 48, 768
"""Decodes until a try that failed is made again, where nothing is seen of the load; doubled each time."""
FIRST_REST = 8
"""The same for fewer threads where the load is seen: at its very beginning they may look no faster."""
REST_LONGEST = 4
"""A rest is over after this many times what its decodes usually take, too: now they may take a hundred times that."""
RARE_TRY = 256
"""The same for more threads while the load is still there: a polite neighbour may leave us both."""


class Load(Protocol):
    """What is seen of the machine."""

    def look(self) -> None:
        """Take a reading."""

    def free(self, window_ns: int) -> float | None:
        """Cores that others left lately; None: not known."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many decodes make a judgement."""

    window: int
    """Decodes whose times are kept; blindly judged by their median."""
    slow: int
    """So many slow ones…"""
    among: int
    """…among so many last ones are a reason to act, when others are seen on the cores."""
    trial: int
    """Decodes of a try."""


TOKENS = Pace(window=5, slow=2, among=3, trial=3)
PIECES = Pace(window=3, slow=1, among=1, trial=1)
"""Pieces of a prompt are long, so each one tells."""


class Governor:
    """Decides the thread count from the time each decode took."""

    def __init__(self, n_threads: int, governed: bool, load: Load | None = None, pace: Pace = TOKENS) -> None:
        self.n = self._most = n_threads
        self.reason: ThreadsReason = "asked"
        """Why the count is what it is."""
        self._governed = governed
        self._load = load
        self._pace = pace
        self._rows = 0
        self._best: dict[int, float] = {}
        """Fastest decode seen lately at a count, in ns."""
        self._recent: deque[float] = deque(maxlen=pace.window)
        self._slow: deque[bool] = deque(maxlen=pace.among)
        self._wait = self._rare = 0
        """Decodes until more threads are tried: blindly, or though the load is seen."""
        self._quiet_ns = QUIET_NS
        self._since, self._since_ns, self._since_usual = 0, 0.0, 0.0
        """Decodes at this count, what they took, and how many usual ones would have taken as long."""
        self._unseen_ns = 0.0
        """Decoded since the last look at the load."""
        self._stuck = False
        """The last decode was far too slow."""
        self._raised = False
        """The count was raised because the cores were free."""
        self._rest = 0
        """Decodes until fewer threads are tried again; grows after every such try that failed."""
        self._tried_from = 0
        """The count before the try under way; 0: none is."""
        self._before = 0.0
        """The mean at that count: what the user waits, outliers and all."""
        self._forget_tries()

    def cap(self, n_threads: int, reason: ThreadsReason = "asked", *, governed: bool | None = None) -> int:
        """From now on never use more than this many, and exactly this many if not governed; the count in force."""
        before = self._most, self._governed
        self._most = max(1, n_threads)
        self._governed = self._governed if governed is None else governed
        if before == (self._most, self._governed):
            return self.n
        self._tried_from = 0
        self._forget_tries()
        if self.n != self._most:
            self._set(self._most, reason)
        return self.n

    def gives_way(self) -> bool:
        """Whether a token that takes far too long right now, were it over, would cost a thread."""
        if not self._governed or self.n < 2 or self._load is None:
            return False
        may = self._tried_from < self.n if self._tried_from else self._is_rested()
        if may:
            self._load.look()
        return may and self._is_crowded(self._free())

    def decoded(
        self, rows: int, took_ns: float, preempted: bool = False, *, each: int = 1, given_up: bool = False
    ) -> int:
        """Take in one decode of ``rows`` sequences; the count for the next.

        ``preempted``: the system took a core from one of our threads meanwhile, as far as that is known.
        ``each``: it was of so many tokens, and ``took_ns`` is what each of them took.
        ``given_up``: it was ended before it was done, because it took far too long.
        """
        if not self._governed or self._most < 2:
            return self.n
        if rows != self._rows:
            self._rows = rows
            self._best.clear()
            self._recent.clear()
            self._slow.clear()
        best = self._best.get(self.n, took_ns)
        self._recent.append(took_ns)
        self._slow.append(preempted or took_ns > SLOWER * best)
        if not given_up:
            self._best[self.n] = min(took_ns, best * DRIFT)
        self._stuck = given_up or took_ns > STUCK * best
        self._since, self._since_ns = self._since + 1, self._since_ns + took_ns * each
        self._since_usual += took_ns / max(1.0, best)
        self._unseen_ns += took_ns
        if self._load is not None and self._wonders(took_ns):
            self._unseen_ns = 0.0
            self._load.look()
        self._decide()
        return self.n

    def late(self, took_ns: Sequence[float]) -> None:
        """Decodes that were made with the count before, and are told after it was changed."""
        if took_ns and self._tried_from:
            self._before = fmean([self._before, *took_ns])

    def _wonders(self, took_ns: float) -> bool:
        """Whether the machine's load matters now. A look costs as much as a small model's sampling."""
        if self._pace is not TOKENS or took_ns > LONG_NS or self._unseen_ns > LOOK_NS:
            return True
        return bool(self._tried_from) or self.n < self._most or self._is_slow()

    def _is_slow(self) -> bool:
        return self._stuck or sum(self._slow) >= self._pace.slow

    def _is_rested(self) -> bool:
        """Whether fewer threads may be tried again."""
        return self._since >= self._rest or self._since_usual >= REST_LONGEST * self._rest

    def _decide(self) -> None:
        """Called for every token: what is dear is looked at last."""
        if self._tried_from:
            self._judge_try(self._free())
        elif self._load is None:
            self._decide_blindly()
        elif self._is_slow() and self._is_rested():
            free = self._free()
            if free is None:
                self._decide_blindly()
            elif self._is_crowded(free):
                self._try(self._left(free), "busy")
            elif self.n < self._most:
                self._look_for_more()
        elif self.n < self._most:
            self._look_for_more()

    def _free(self) -> float | None:
        return self._load.free(BUSY_NS) if self._load else None

    def _is_crowded(self, free: float | None) -> bool:
        """Whether others are seen on our cores, and there is a thread to give up."""
        return free is not None and self.n > 1 and free < self.n - BUSY_SHARE

    def _left(self, free: float) -> int:
        """Fewer threads than now: as many as find a core of their own."""
        return max(1, min(self.n - 1, int(free + BUSY_SHARE)))

    def _look_for_more(self) -> None:
        # What was free before the count was lowered says nothing.
        free = self._load.free(self._quiet_ns) if self._load and self._since_ns >= self._quiet_ns else None
        if free is not None and free >= self.n + 1 - QUIET_SHARE:
            self._set(min(self._most, int(free + QUIET_SHARE)), "quiet")
            self._raised = True
        elif self._since >= self._rare and self._recent:
            self._try(self.n + 1, "trial")

    def _decide_blindly(self) -> None:
        if self.n > 1 and len(self._recent) == self._pace.window and self._is_disturbed():
            self._try(self.n - 1, "busy")
        elif self.n < self._most and self._since >= self._wait and self._recent:
            self._try(self.n + 1, "trial")

    def _is_disturbed(self) -> bool:
        """Whether one thread less may do better: by what it is known to take, or because decodes became erratic."""
        fewer = self._best.get(self.n - 1, self._best[self.n] * self.n / (self.n - 1))
        second = sorted(self._recent)[-2]
        return self._is_rested() and (median(self._recent) > SLOWER * fewer or second > ERRATIC * self._best[self.n])

    def _try(self, n: int, reason: ThreadsReason) -> None:
        if n < self.n and self._raised:
            early = self._since <= TOO_EARLY
            self._quiet_ns = min(QUIET_MOST_NS, self._quiet_ns * 2) if early else QUIET_NS
        last = list(self._recent)[-self._pace.among :] if self._load else list(self._recent)
        self._before, self._tried_from = fmean(last), self.n
        self._set(n, reason)

    def _judge_try(self, free: float | None) -> None:
        before, came_from = self._before, self._tried_from
        if len(self._recent) < self._pace.trial and sum(self._recent) < self._pace.trial * before:
            return  # it may still turn out faster
        if self.n < came_from and self._is_crowded(free) and fmean(self._recent) >= before:
            self._set(self._left(free or 0), "busy")  # others want more than was seen at first
            return
        self._tried_from = 0
        if fmean(self._recent) < before:
            if self.n > came_from:
                self._forget_tries()
            self._rest = 0
        elif self.n > came_from:
            self._wait = min(LAST_TRY, self._wait * 2)
            self._rare = min(4 * RARE_TRY, self._rare * 2)
            self._set(came_from, "busy")
        else:
            self._rest = min(LAST_TRY, max(FIRST_REST if self._load else FIRST_TRY, self._rest * 2))
            self._set(came_from, "trial")

    def _forget_tries(self) -> None:
        self._wait, self._rare, self._rest = FIRST_TRY, RARE_TRY, 0

    def _set(self, n: int, reason: ThreadsReason) -> None:
        self.n, self.reason = n, reason
        self._since, self._since_ns, self._since_usual = 0, 0.0, 0.0
        self._raised = False
        self._recent.clear()
        self._slow.clear()
