"""An engine that the kernel ends for memory, in a control group made for it, told apart from one killed by hand.

Here, where nothing else runs: on some systems the kernel only counts whom it ended on the whole machine.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from waiting import wait_until

from playground.supervisor import starved
from playground.supervisor.outcome import Outcome
from playground.supervisor.process import EngineProcess

_HUNGRY = """
import os, sys, time
from pathlib import Path
from playground.protocol.codec import encode_events
from playground.protocol.events import PROTOCOL_VERSION, Hello
if sys.argv[1]:
    Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
sys.stdout.buffer.write(encode_events([Hello(PROTOCOL_VERSION, os.getpid(), "test")]))
sys.stdout.buffer.flush()
sys.stdin.buffer.read(1)
eaten = []
while sys.argv[1]:
    eaten.append(bytearray(os.urandom(1 << 20)))
time.sleep(600)
"""
_LIMIT = 96 << 20


@pytest.fixture
def small_group() -> Iterator[Path]:
    """A control group with little memory; skips where none can be made."""
    folder = _group_folder()
    try:
        assert folder is not None
        folder.mkdir()
        limit = folder / "memory.max"
        (limit if limit.exists() else folder / "memory.limit_in_bytes").write_text(str(_LIMIT))
        for name in ("memory.swap.max", "memory.memsw.limit_in_bytes"):
            if (folder / name).exists():
                (folder / name).write_text("0" if name == "memory.swap.max" else str(_LIMIT))
    except (OSError, AssertionError) as error:
        if folder is not None:
            with suppress(OSError):
                folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    wait_until(lambda: _removed(folder), 100, "the control group to be empty")


def _group_folder() -> Path | None:
    """Below our own group: the memory controller's of version 1, or version 2's."""
    name = f"playground-test-{os.getpid()}"
    for line in Path("/proc/self/cgroup").read_text().splitlines() if sys.platform.startswith("linux") else []:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return Path("/sys/fs/cgroup/memory") / path.lstrip("/") / name
        if not controllers and (Path("/sys/fs/cgroup") / "cgroup.controllers").exists():
            return Path("/sys/fs/cgroup") / path.lstrip("/") / name
    return None


def _removed(folder: Path) -> bool:
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _run(tmp_path: Path, group: Path | str, then: Callable[[EngineProcess], None]) -> Outcome:
    greeted: list[object] = []
    ends: list[Outcome] = []
    argv = [sys.executable, "-c", _HUNGRY, str(group)]
    engine = EngineProcess(tmp_path / "log", greeted.append, ends.append, argv=argv)
    engine.start()
    try:
        wait_until(lambda: greeted)
        then(engine)
        wait_until(lambda: ends, 60, "its end")
    finally:
        engine.close()
    return ends[0]


def test_an_engine_killed_for_memory_is_told_apart(tmp_path: Path, small_group: Path) -> None:
    pids: list[int | None] = []

    def feed(engine: EngineProcess) -> None:
        pids.append(engine.pid)
        engine._commands.put(b"x")

    outcome = _run(tmp_path, small_group, feed)
    assert outcome.kind == "memory", outcome
    assert outcome.title == "Out of memory"
    assert "memory ran out" in outcome.text
    assert ("most likely" in outcome.text) != _log_names(pids[0])


def _log_names(pid: int | None) -> bool:
    """Whether the kernel's log may be read and has that process; a container's log has the host's numbers."""
    try:
        log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    records: list[bytes] = []
    with suppress(BlockingIOError):
        while True:
            with suppress(BrokenPipeError):  # the oldest ones were overwritten meanwhile
                records.append(os.read(log, 8192))
    os.close(log)
    return any(b"Killed process %d " % (pid or 0) in record for record in records)


@pytest.mark.skipif(not starved.oom_kills(starved.counters()), reason="this system does not count")
def test_one_killed_by_hand_is_not_laid_to_memory(tmp_path: Path) -> None:
    def kill(engine: EngineProcess) -> None:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)

    outcome = _run(tmp_path, "", kill)
    assert outcome.kind == "killed"
    assert "memory" not in outcome.text
