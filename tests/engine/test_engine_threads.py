"""The governor in a real engine, beside a real busy process. Counts and events are asserted, never times.

A count comes back because the cores were seen free, or because a try with more threads was faster: which of
them comes first is the machine's business. Where other programs keep the machine busy, neither may come;
that is told apart by an own look at the system's counters.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from engine.driver import Engine
from playground.engine.cores import read_cores, usable_cores
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


class Others:
    """What others than one process use of this machine, read about once a second."""

    QUIET_CORES = 0.15
    """Well below what the governor still counts as free."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._last = self._read()
        self.quiet_s = 0.0
        """How long they have been quiet by now."""

    def look(self) -> None:
        """Take a reading, unless the last one is fresh."""
        now, used = self._read()
        passed = now - self._last[0]
        if passed >= 1:
            self.quiet_s = self.quiet_s + passed if (used - self._last[1]) / passed < self.QUIET_CORES else 0.0
            self._last = now, used

    def _read(self) -> tuple[float, float]:
        whole, own = psutil.cpu_times(), self._process.cpu_times()
        idle = whole.idle + getattr(whole, "iowait", 0.0)
        twice = getattr(whole, "guest", 0.0) + getattr(whole, "guest_nice", 0.0)  # within user and nice too
        return time.monotonic(), sum(whole) - idle - twice - own.user - own.system


class Writing:
    """An engine that writes without end, and the thread count that it writes with."""

    def __init__(self, engine: Engine, n_threads: int) -> None:
        self._engine = engine
        self.n = n_threads
        self.changes: list[ThreadsChanged] = []
        self._start()

    def until(self, condition: Callable[[], object], timeout: float) -> bool:
        """Whether that came about in time."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            event = self._engine.next()
            assert event is not None, self._engine.stderr()
            if isinstance(event, ThreadsChanged) and event.phase == "writing":
                self.n = event.n_threads
                self.changes.append(event)
            elif isinstance(event, Finished):
                self._start()
        return True

    def stop(self) -> None:
        self._engine.send(Stop(self._job))
        assert self._engine.finished(self._job).reason == "stopped"

    def _start(self) -> None:
        self._job = self._engine.start("Count from one to ten thousand.", max_tokens=7000, ignore_eos=True)


@pytest.mark.timeout(400)
def test_a_busy_machine_costs_threads_and_gives_them_back(engine: Engine, starter_path: Path) -> None:
    cores = read_cores()
    if cores.quota and cores.quota < cores.logical:
        pytest.skip("a quota of processor time: the counters tell of processors that are not ours")
    most = engine.load(starter_path, n_ctx=8192).info.n_threads
    others = Others(engine.process.pid)
    writing = Writing(engine, most)
    writing.until(lambda: len(engine.events) > 40, 120)
    with burning(cores.logical - most + max(1, most // 2)):
        # Other programs may have taken the cores before.
        assert writing.until(lambda: writing.changes, 120), "no thread was given up"
    given_up = writing.changes[0]
    assert (given_up.before, given_up.reason) == (most, "busy")
    assert given_up.n_threads < most

    def settled() -> bool:
        others.look()
        return writing.n == most or others.quiet_s > 10

    if not writing.until(settled, 100):
        pytest.skip("other programs kept this machine busy")
    assert writing.n == most, f"{others.quiet_s:.0f} s quiet, and still {writing.changes}"
    writing.stop()


def test_a_count_is_set_and_let_go_in_the_middle_of_an_answer(engine: Engine, starter_path: Path) -> None:
    n = engine.load(starter_path, n_ctx=2048, n_threads=usable_cores()).info.n_threads  # not the governor's
    job = engine.start("Tell me a long story.", max_tokens=1900, ignore_eos=True)
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
    if machine is None:  # other programs kept the machine busy all the time, or it is slow: then it is said
        assert "another program" in tuned.skipped or "too slow" in tuned.skipped
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
