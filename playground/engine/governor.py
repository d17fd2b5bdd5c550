"""Fewer threads while another program needs the cores.

llama.cpp's threads spin at barriers, so the slowest sets the pace: on two cores a busy neighbour takes a
small model from 140 to 32 tokens a second, where one thread less keeps 86. Changing the count between two
decodes costs nothing. Only single tokens are judged, and only by how much slower they got than they were;
a count is never lowered on a machine that is merely slow.
"""

from __future__ import annotations

from collections import deque
from statistics import fmean, median

WINDOW = 5
"""Decodes whose median is judged: one outlier is no trend."""
SLOWER = 1.25
"""A margin over what one thread less is expected to take."""
ERRATIC = 2.5
"""Two decodes of a window this much slower than the fastest are no accident."""
FIRST_TRY, LAST_TRY = 48, 768
"""Tokens until more threads are tried again; doubled after every try that failed."""
TRY = 4
"""Tokens of such a try."""


class Governor:
    """Decides the thread count from the time each decode took."""

    def __init__(self, n_threads: int, governed: bool) -> None:
        self.n = self._most = n_threads
        self._governed = governed and n_threads > 1
        self._rows = 0
        self._best: dict[int, float] = {}
        """Fastest decode seen at a count, in ns."""
        self._recent: deque[int] = deque(maxlen=WINDOW)
        self._wait = FIRST_TRY
        self._since = 0
        self._rest = 0
        """Tokens until fewer threads are tried again; grows after every such try that failed."""
        self._tried_from = 0
        """The count before the try under way; 0: none is."""
        self._before = 0.0
        """The mean at that count: what the user waits, outliers and all."""

    def cap(self, n_threads: int) -> int:
        """Never use more than this many from now on; the count in force."""
        self._most = max(1, n_threads)
        self._settle(self._most)
        return self.n

    def decoded(self, rows: int, took_ns: int) -> int:
        """Take in one decode of ``rows`` sequences; the count for the next."""
        if not self._governed:
            return self.n
        if rows != self._rows:
            self._rows = rows
            self._best.clear()
            self._recent.clear()
        self._recent.append(took_ns)
        self._best[self.n] = min(took_ns, self._best.get(self.n, took_ns))
        self._since += 1
        if self._tried_from:
            self._judge_try()
        elif self.n > 1 and len(self._recent) == WINDOW and self._is_disturbed():
            self._try(self.n - 1)
        elif self.n < self._most and self._since >= self._wait and self._recent:
            self._try(self.n + 1)
        return self.n

    def _is_disturbed(self) -> bool:
        """Whether one thread less may do better: by what it is known to take, or because decodes became erratic."""
        fewer = self._best.get(self.n - 1, self._best[self.n] * self.n / (self.n - 1))
        second = sorted(self._recent)[-2]
        return self._since >= self._rest and (
            median(self._recent) > SLOWER * fewer or second > ERRATIC * self._best[self.n]
        )

    def _try(self, n: int) -> None:
        self._before, self._tried_from = fmean(self._recent), self.n
        self._set(n)

    def _judge_try(self) -> None:
        if len(self._recent) < TRY:
            return
        before, came_from = self._before, self._tried_from
        self._tried_from = 0
        if fmean(self._recent) < before:
            self._wait = FIRST_TRY if self.n > came_from else self._wait
            self._rest = 0
        elif self.n > came_from:
            self._wait = min(LAST_TRY, self._wait * 2)
            self._set(came_from)
        else:
            self._rest = min(LAST_TRY, max(FIRST_TRY, self._rest * 2))
            self._set(came_from)

    def _settle(self, n: int) -> None:
        self._tried_from, self._wait, self._rest = 0, FIRST_TRY, 0
        self._set(n)

    def _set(self, n: int) -> None:
        self.n = n
        self._since = 0
        self._recent.clear()
