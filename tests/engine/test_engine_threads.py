"""The governor in a real engine, beside a real busy process. Counts and events are asserted, never times."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from engine.driver import Engine
from playground.engine.cores import usable_cores
from playground.protocol.commands import Load, SetThreads, Stop
from playground.protocol.events import Finished, Hello, Loaded, ThreadsChanged, Token, Tuned
from playground.protocol.measured import Measured

pytestmark = pytest.mark.skipif(usable_cores() < 2 or sys.platform == "win32", reason="needs two cores")
_BURN = "import os\nwhile os.getppid() == {}: pass"


@contextmanager
def burning(n: int) -> Iterator[None]:
    """So many other processes that want a whole core each."""
    command = [sys.executable, "-c", _BURN.format(os.getpid())]
    burners = [subprocess.Popen(command) for _ in range(n)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def changed(engine: Engine, to: str) -> ThreadsChanged:
    event = engine.until(lambda e: (isinstance(e, ThreadsChanged) and e.reason == to) or isinstance(e, Finished))
    assert isinstance(event, ThreadsChanged), "the answer ended before"
    return event


def test_a_busy_machine_costs_threads_and_gives_them_back(engine: Engine, starter_path: Path) -> None:
    info = engine.load(starter_path, n_ctx=8192).info
    job = engine.start("Count from one to ten thousand.", max_tokens=8000, logit_bias=[], ignore_eos=True)
    engine.until(lambda event: isinstance(event, Token) and event.index == 30)
    with burning(max(1, info.n_threads // 2)):
        # Other tests may have kept the cores busy before.
        busy = next((e for e in engine.events if isinstance(e, ThreadsChanged)), None) or changed(engine, "busy")
        assert (busy.before, busy.reason) == (info.n_threads, "busy")
        assert busy.n_threads < info.n_threads
    quiet = changed(engine, "quiet")
    assert quiet.n_threads > quiet.before
    engine.send(Stop(job))
    assert engine.finished(job).reason == "stopped"


def test_a_count_is_set_and_let_go_in_the_middle_of_an_answer(engine: Engine, starter_path: Path) -> None:
    n = engine.load(starter_path, n_ctx=2048).info.n_threads
    job = engine.start("Tell me a long story.", max_tokens=1500)
    engine.until(lambda event: isinstance(event, Token) and event.index == 3)
    engine.send(SetThreads(1, governed=False))
    fixed = changed(engine, "asked")
    assert fixed.n_threads == 1
    engine.send(SetThreads(0))
    assert changed(engine, "asked").n_threads == n
    engine.send(SetThreads(1, shared=True))
    assert changed(engine, "shared").n_threads == 1
    engine.send(Stop(job))
    engine.finished(job)


def test_a_measurement_is_made_in_a_quiet_moment_and_used_by_the_next_load(starter_path: Path) -> None:
    first = Engine()
    first.until_type(Hello)
    first.send(Load(str(starter_path), {"n_ctx": 2048}, tune_s=5.0))
    tuned = first.until_type(Tuned)
    machine = tuned.machine
    if machine is None:  # other programs kept the machine busy all the time: then it is said
        assert "another program" in tuned.skipped
        machine = Measured(tuned.skipped, 1, 1)
    else:
        assert 1 <= machine.n_threads <= usable_cores()
        assert usable_cores() in machine.token_ns
    assert first.answer("Name three colours.", max_tokens=8, temp=0.0).text
    first.close()

    one = msgspec.structs.replace(machine, n_threads=1)
    second = Engine()
    second.until_type(Hello)
    second.send(Load(str(starter_path), {"n_ctx": 2048}, machine=one, tune_s=0.0))
    info = second.until_type(Loaded).info
    assert info.n_threads == (1 if tuned.machine is not None else usable_cores())
    second.close()


def test_a_waiting_answer_ends_the_measurement(starter_path: Path) -> None:
    engine = Engine()
    engine.until_type(Hello)
    engine.send(Load(str(starter_path), {"n_ctx": 2048}, tune_s=60.0))
    answer = engine.answer("Name three colours.", max_tokens=8, temp=0.0)
    assert answer.text
    assert all("wanted" in event.skipped for event in engine.events if isinstance(event, Tuned))
    engine.close()
