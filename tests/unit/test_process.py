"""The supervisor with small children that behave in ways a real engine can't be asked to."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

import psutil
import pytest
from waiting import wait_until

from playground.protocol.commands import CountTokens, Stop
from playground.protocol.events import Event, Hello, TokenCount
from playground.supervisor import process as module
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

pytestmark = pytest.mark.usefixtures("no_threads_left")

START = """
import os, sys, time
from playground.protocol.codec import *
from playground.protocol.events import *
from playground.protocol.commands import *
out, commands = sys.stdout.buffer, sys.stdin.buffer
def tell(*events):
    out.write(encode_events(list(events))); out.flush()
def hear():
    body = read_frame(commands)
    return None if body is None else decode_command(body)
hello = Hello(PROTOCOL_VERSION, os.getpid(), "test")
"""
ECHO = """
tell(hello)
while (command := hear()) is not None and not isinstance(command, Quit):
    tell(TokenCount(command.request, len(command.text)))
"""


class Engine:
    """An EngineProcess with what it told."""

    def __init__(self, folder: Path, script: str) -> None:
        self.events: list[Event] = []
        self.outcome: Outcome | None = None
        self.ended = threading.Event()
        self.threads: set[str] = set()
        argv = [sys.executable, "-c", START + script]
        self.process = EngineProcess(folder / "logs" / "e.log", self._events, self._exit, argv=argv)

    def _events(self, events: list[Event]) -> None:
        self.threads.add(threading.current_thread().name)
        self.events += events

    def _exit(self, outcome: Outcome) -> None:
        assert self.outcome is None
        self.outcome = outcome
        self.ended.set()

    def result(self) -> Outcome:
        assert self.ended.wait(100)
        assert self.outcome is not None
        return self.outcome

    def close(self) -> None:
        self.process.close()


E = TypeVar("E", bound=Engine)
Run: TypeAlias = Callable[[str], Engine]


@contextmanager
def starting(make: Callable[[str], E]) -> Iterator[Callable[[str], E]]:
    """Makes engines of scripts; all are closed in the end."""
    engines: list[E] = []

    def start(script: str) -> E:
        engines.append(make(script))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()
        assert not engine.process.alive


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    def made(script: str) -> Engine:
        engine = Engine(tmp_path, script)
        engine.process.start()
        return engine

    with starting(made) as start:
        yield start


def test_commands_go_and_events_come_in_order(run: Run) -> None:
    engine = run(ECHO)
    for number in range(200):
        engine.process.send(CountTokens(number, "x" * number))
    wait_until(lambda: len(engine.events) == 201)
    assert isinstance(engine.events[0], Hello)
    assert engine.events[1:] == [TokenCount(number, number) for number in range(200)]
    assert engine.threads == {"engine reader"}
    assert engine.process.alive
    assert psutil.pid_exists(engine.process.pid)
    engine.process.close()
    assert engine.result().kind == "closed"
    assert not psutil.pid_exists(engine.process.pid)


def test_a_crash_is_told_with_its_last_words(run: Run) -> None:
    engine = run("tell(hello); print('x.c:1: GGML_ASSERT(a == b) failed', file=sys.stderr, flush=True); os.abort()")
    outcome = engine.result()
    assert outcome.kind == "crashed"
    assert "GGML_ASSERT(a == b) failed" in outcome.text
    assert "GGML_ASSERT" in outcome.details


def test_killed_from_outside(run: Run) -> None:
    engine = run(ECHO)
    wait_until(lambda: engine.events)
    os.kill(engine.process.pid, signal.SIGKILL)
    assert engine.result().kind == "killed"


def test_killed_in_the_middle_of_a_frame(run: Run) -> None:
    engine = run("tell(hello); out.write(b'\\xff\\0\\0\\0half'); out.flush(); os.kill(os.getpid(), 9)")
    assert engine.result().kind == "killed"


def test_a_clean_end_of_its_own(run: Run) -> None:
    assert run("tell(hello)").result().kind == "ended"


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("tell(Hello(PROTOCOL_VERSION + 1, 1, 'new')); time.sleep(60)", "speaks version"),
        ("tell(TokenCount(1, 2)); time.sleep(60)", "no greeting"),
        ("tell(hello); out.write(b'hello world, this is no frame'); out.flush(); time.sleep(60)", "a frame of"),
        ("tell(hello); out.write(b'\\3\\0\\0\\0abc'); out.flush(); time.sleep(60)", "not events"),
    ],
)
def test_a_stranger_is_ended(run: Run, script: str, says: str) -> None:
    engine = run(script)
    outcome = engine.result()
    assert outcome.kind == "stranger"
    assert says in outcome.text
    assert not psutil.pid_exists(engine.process.pid)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    engine = EngineProcess(tmp_path / "log", lambda _: None, outcomes.append, argv=[str(tmp_path / "none")])
    engine.start()
    engine.close()
    assert [outcome.kind for outcome in outcomes] == ["could_not_start"]


def test_a_missing_llama_cpp_is_explained(run: Run) -> None:
    outcome = run("raise ImportError(\"No module named 'llama_cpp'\")").result()
    assert outcome.kind == "could_not_start"
    assert "llama.cpp could not be loaded" in outcome.text


def test_a_deaf_engine_blocks_no_one_and_is_ended(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.1)
    engine = run("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); tell(hello); time.sleep(600)")
    wait_until(lambda: engine.events)
    for _ in range(50):
        engine.process.send(CountTokens(1, "x" * 100_000))  # far more than a pipe holds
    engine.process.close()
    assert engine.result().kind == "closed"
    assert not psutil.pid_exists(engine.process.pid)


def test_kill_acts_at_once(run: Run) -> None:
    engine = run("tell(hello); time.sleep(600)")
    wait_until(lambda: engine.events)
    engine.process.kill()
    assert engine.result().kind == "closed"


def test_kill_and_close_right_after_the_start(run: Run) -> None:
    engine = run(ECHO)
    engine.process.kill()
    engine.process.close()
    assert engine.result().kind == "closed"


def test_an_output_closed_without_an_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLOSED_GRACE_S", 0.1)
    engine = run("tell(hello); os.close(1); time.sleep(600)")
    assert engine.result().kind == "failed"
    assert "closed its pipe" in engine.result().text


def test_sending_to_the_dead_and_closing_twice_do_no_harm(run: Run) -> None:
    engine = run("tell(hello)")
    engine.result()
    engine.process.send(Stop(1))
    engine.process.kill()
    engine.process.close()
    engine.process.close()


def test_closing_from_a_callback(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    ended = threading.Event()

    def finish(outcome: Outcome) -> None:
        outcomes.append(outcome)
        ended.set()

    argv = [sys.executable, "-c", START + ECHO]
    engine = EngineProcess(tmp_path / "log", lambda _: engine.close(), finish, argv=argv)
    engine.start()
    assert ended.wait(100)
    assert outcomes[0].kind == "closed"


def test_a_fault_in_a_callback_ends_the_engine(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []

    def fail(_: list[Event]) -> None:
        raise RuntimeError("our own fault")

    engine = EngineProcess(tmp_path / "log", fail, outcomes.append, argv=[sys.executable, "-c", START + ECHO])
    engine.start()
    wait_until(lambda: outcomes)
    assert outcomes[0].kind == "failed"
    assert "our own fault" in outcomes[0].details


def test_close_soon_does_not_wait(run: Run) -> None:
    engine = run(ECHO)
    engine.process.close_soon()
    assert engine.result().kind == "closed"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_ctrl_c_in_a_terminal_does_not_reach_the_engine(run: Run) -> None:
    engine = run(ECHO)
    wait_until(lambda: engine.events)
    assert os.getpgid(engine.process.pid) != os.getpgid(0)


def test_a_log_that_cant_be_made_keeps_no_engine_from_starting(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    engine = Engine(tmp_path, ECHO)
    engine.process.start()
    engine.process.send(CountTokens(1, "abc"))
    wait_until(lambda: len(engine.events) == 2)
    engine.process.close()
    assert engine.result().kind == "closed"


def test_the_log_of_an_earlier_start_is_gone(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "e.log"
    log.parent.mkdir()
    log.write_text("old words")
    engine = Engine(tmp_path, "tell(hello); print('new words', file=sys.stderr)")
    engine.process.start()
    engine.result()
    engine.process.close()
    assert log.read_text() == "new words\n"
