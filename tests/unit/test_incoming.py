"""An engine's pipe that is lent to another thread: the order holds, and what isn't for that thread comes back."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from test_codec import INFO
from test_process import Engine, starting
from waiting import wait_until

from playground.protocol.codec import encode_events
from playground.protocol.commands import CountTokens
from playground.protocol.events import Event, Loaded, TokenCount
from playground.supervisor import process
from playground.supervisor.incoming import LARGE

pytestmark = [
    pytest.mark.usefixtures("no_threads_left"),
    pytest.mark.skipif(os.name != "posix", reason="a pipe can't be watched here"),
]

LOADED = f"""
tell(hello)
out.write({encode_events([Loaded(INFO, 0.1)])!r}); out.flush()
"""
ECHO = """
while (command := hear()) is not None and not isinstance(command, Quit):
    tell(TokenCount(command.request, len(command.text)))
"""


class Desk:
    """A thread that reads what is lent to it, as the window's does; it may stop doing so."""

    def __init__(self) -> None:
        self.served = threading.Event()
        self.served.set()
        self._threads: list[threading.Thread] = []

    def watch(self, fd: int, ready: Callable[[], bool]) -> None:
        """A thread for each descriptor."""
        copy = os.dup(fd)

        def serve() -> None:
            with os.fdopen(copy, "rb"):
                while True:
                    select.select([copy], [], [], 0.2)
                    if self.served.wait(0.05) and not ready():
                        return

        self._threads.append(threading.Thread(target=serve, name="desk"))
        self._threads[-1].start()

    def close(self) -> None:
        """Wait until nothing is read any more."""
        self.served.set()
        for thread in self._threads:
            thread.join()


class Watched(Engine):
    """A loaded engine, watched by a desk."""

    def __init__(self, folder: Path, script: str) -> None:
        super().__init__(folder, LOADED + script)
        self.readers: list[str] = []
        """The thread that each event came on."""
        self.desk = Desk()
        self.process.start(self.desk.watch)
        wait_until(lambda: len(self.events) >= 2 or self.ended.is_set())

    def _events(self, events: list[Event]) -> None:
        self.readers += [threading.current_thread().name] * len(events)
        super()._events(events)

    def close(self) -> None:
        super().close()
        self.desk.close()


Run: TypeAlias = Callable[[str], Watched]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with starting(lambda script: Watched(tmp_path, script)) as start:
        yield start


def test_a_loaded_engine_is_read_by_who_watches(run: Run) -> None:
    engine = run(ECHO)
    for number in range(200):
        engine.process.send(CountTokens(number, "x" * number))
    wait_until(lambda: len(engine.events) == 202)
    assert engine.events[2:] == [TokenCount(number, number) for number in range(200)]
    assert engine.readers[:2] == ["engine reader"] * 2
    assert engine.readers[-1] == "desk"


def test_a_large_message_comes_back_to_the_thread_and_what_follows_is_in_order(run: Run) -> None:
    engine = run(
        f"""
many = [TokenCount(n, n) for n in range({LARGE // 3})]
tell(TokenCount(-1, 0))
tell(*many)
tell(TokenCount(-2, 0))
{ECHO}"""
    )
    wait_until(lambda: TokenCount(-2, 0) in engine.events[-1:])
    numbers = [event.request for event in engine.events if isinstance(event, TokenCount)]
    assert numbers == [-1, *range(LARGE // 3), -2]
    assert "desk" not in engine.readers[100:-100]
    engine.process.send(CountTokens(7, "abc"))
    wait_until(lambda: engine.events[-1] == TokenCount(7, 3))
    assert engine.readers[-1] == "desk", "lent again"


def test_killed_while_it_is_lent(run: Run) -> None:
    engine = run(ECHO)
    engine.process.send(CountTokens(1, "a"))
    wait_until(lambda: len(engine.events) == 3)
    os.kill(engine.process.pid or 0, signal.SIGKILL)
    assert engine.result().kind == "killed"


def test_killed_in_the_middle_of_a_frame_while_it_is_lent(run: Run) -> None:
    engine = run("out.write(b'\\xff\\0\\0\\0half'); out.flush(); time.sleep(0.2); os.kill(os.getpid(), 9)")
    assert engine.result().kind == "killed"


@pytest.mark.parametrize(
    ("bytes_sent", "says"), [("b'hello world, this is no frame'", "a frame of"), ("b'\\3\\0\\0\\0abc'", "not events")]
)
def test_a_stranger_is_ended_while_it_is_lent(run: Run, bytes_sent: str, says: str) -> None:
    engine = run(f"hear(); out.write({bytes_sent}); out.flush(); time.sleep(60)")
    engine.process.send(CountTokens(1, "a"))
    outcome = engine.result()
    assert outcome.kind == "stranger"
    assert says in outcome.text


def test_closing_does_not_depend_on_who_watches(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window waits for its engines when it closes: then nobody reads for it."""
    monkeypatch.setattr(process, "GRACE_S", 100)
    engine = run(ECHO)
    engine.desk.served.clear()
    engine.process.send(CountTokens(1, "a"))
    engine.process.close()
    assert engine.result().kind == "closed"
    assert engine.events[-1] == TokenCount(1, 1), "read by the thread"
