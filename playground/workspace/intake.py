"""Events on their way from an engine's reader thread: those that may wait are taken in together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import cast

from playground.protocol.events import Event, Memory, PromptProgress, Token
from playground.workspace.ports import Post

MOST = 64
"""Events taken in at a time: a flood of them must not hold up the window."""


class Intake:
    """Passes one engine's events on to the workspace's thread, in their order."""

    def __init__(self, post: Post, post_soon: Post, apply: Callable[[list[Event]], None]) -> None:
        """``post_soon``: as ``post``, for what may wait until the views draw anyway."""
        self._post, self._post_soon, self._apply = post, post_soon, apply
        self._lock = threading.Lock()
        self._open: list[Event] | None = None
        """What was posted and not taken yet; more may join."""

    def put(self, batch: list[Event]) -> None:
        """Pass a batch on; from the reader thread."""
        soon = all(map(can_wait, batch))
        with self._lock:
            waiting = self._open
            posted = waiting is not None and len(waiting) < MOST
            if waiting is None or not posted:
                waiting = self._open = []
            waiting += batch
        if not posted or not soon:
            post = self._post_soon if soon else self._post
            post(lambda: self._take(waiting))

    def _take(self, waiting: list[Event]) -> None:
        with self._lock:
            if waiting is self._open:
                self._open = None
            events = waiting[:]
            waiting.clear()
        if events:  # none: something urgent that joined took all along
            self._apply(events)


def runs(batch: list[Event]) -> Iterator[Event | list[Token]]:
    """A batch's events in their order, tokens in a row of one answer and phase as one list."""
    for kind, run in groupby(batch, _kind):
        if kind is None:
            yield from run
        else:
            yield cast("list[Token]", list(run))


def _kind(event: Event) -> tuple[int, str] | None:
    return (event.job, event.phase) if isinstance(event, Token) else None


def can_wait(event: Event) -> bool:
    """Whether an event may be taken in with the next picture: the first token and all that changes a state may not."""
    return (isinstance(event, Token) and event.index > 0) or isinstance(event, (Memory, PromptProgress))
