"""huggingface_hub's line to the Hub, made to keep time: it can be cancelled, and no wait is longer than said.

huggingface_hub 2.4 asks for lists without any time limit, and sleeps through its own tries: half a minute
offline, as long as the Hub says when it says 429; nothing ends that. It takes another HTTP client
(``set_client_factory``), which is how this one gets in. Only what is asked inside `aside` is treated so.

Importing this takes a third of a second: import it where it is first needed, never on the window's thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from huggingface_hub import constants, set_client_factory
from huggingface_hub.errors import OfflineModeIsEnabled

from playground.models.digest import Cancelled, GivenUp

CONNECT_S, READ_S = 10.0, 20.0
"""Seconds for a connection to stand, and between two pieces of an answer."""
PAUSES_S = (0.5, 2.0)
"""Before the second and the third try where the line broke or the Hub had trouble."""
LONGEST_S = 10.0
"""A wait that the Hub asks for is kept up to this; a longer one is said."""
_LOOK_S = 0.05
_TRANSIENT = (408, 429, 500, 502, 503, 504)

T = TypeVar("T")


class LineDown(Exception):
    """Nothing came over the line. Its cause is httpx2's error."""


class Refused(Exception):
    """The Hub couldn't answer now."""

    def __init__(self, status: int, after_s: float) -> None:
        super().__init__(f"answered {status}")
        self.status = status
        self.after_s = after_s
        """Seconds that it asks to wait; 0: it didn't say."""


@dataclass(frozen=True, slots=True)
class _Call:
    cancelled: Cancelled

    def wait(self, seconds: float) -> None:
        """Raises GivenUp."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.look()
            time.sleep(min(_LOOK_S, left))

    def look(self) -> None:
        """Raises GivenUp."""
        if self.cancelled():
            raise GivenUp


_call: ContextVar[_Call | None] = ContextVar("call", default=None)
_lock = threading.Lock()
_installed = False


def install() -> None:
    """Give huggingface_hub our client; once, before anything is asked: it closes the client that was."""
    global _installed
    with _lock:
        if not _installed:
            _installed = True
            set_client_factory(_make_client)


def aside(work: Callable[[], T], cancelled: Cancelled) -> T:
    """Run blocking work with the Hub; its result.

    Raises GivenUp as soon as it is cancelled. A line that stands still can't be stopped from outside, so the
    work is then left behind; it ends at its next look or its time limit, and what it had is dropped.
    """
    install()
    results: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        _call.set(_Call(cancelled))
        try:
            results.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="hub", daemon=True)
    thread.start()
    while thread.is_alive():
        if cancelled():
            raise GivenUp
        thread.join(_LOOK_S)
    if failure:
        raise failure[0]
    return results[0]


class _Client(httpx2.Client):
    """A client whose tries are counted and whose waits can be ended."""

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send, again where that can help. Raises GivenUp, LineDown, Refused."""
        call = _call.get()
        if call is None:
            return super().send(request, **options)
        limits = httpx2.Timeout(READ_S, connect=CONNECT_S)
        request.extensions = {**request.extensions, "timeout": limits.as_dict()}
        for pause in (*PAUSES_S, None):
            call.look()
            try:
                response = super().send(request, **options)
            except httpx2.TransportError as error:
                if pause is None or isinstance(error, httpx2.ConnectError | httpx2.ProxyError | httpx2.ConnectTimeout):
                    raise LineDown from error
                call.wait(pause)
                continue
            if response.status_code not in _TRANSIENT:
                return response
            after_s = _asked_to_wait(response)
            response.close()
            if pause is None or after_s > LONGEST_S:
                raise Refused(response.status_code, after_s)
            call.wait(max(after_s, pause))
        raise AssertionError  # the last round returns or raises


def _make_client() -> httpx2.Client:
    return _Client(event_hooks={"request": [_refuse_offline]}, follow_redirects=True, timeout=None)


def _refuse_offline(request: httpx2.Request) -> None:
    """What huggingface_hub's own client does in offline mode."""
    if constants.is_offline_mode():
        raise OfflineModeIsEnabled("offline mode")


def _asked_to_wait(response: httpx2.Response) -> float:
    """Seconds; the Hub says them in either of two headers. 0: it doesn't."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isdecimal():
        return float(said)
    for part in response.headers.get("RateLimit", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name.strip() == "t" and value.strip().isdecimal():
            return float(value)
    return 0.0
