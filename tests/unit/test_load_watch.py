"""What is seen of the machine's load."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground.engine.load_watch import LoadWatch, ProcStat, watch

MS = 1_000_000


def test_others_are_all_but_ourselves() -> None:
    now, busy, own = [0], [0], [0]
    seen = LoadWatch(4, lambda: busy[0], lambda: own[0], lambda: now[0])
    assert seen.free(100 * MS) is None
    for _ in range(10):
        seen.look()
        now[0] += 50 * MS
        own[0] += 100 * MS
        busy[0] += 150 * MS
    assert seen.free(100 * MS) == pytest.approx(3.0)
    assert seen.free(10_000 * MS) is None


def test_counters_that_lag_never_tell_more_cores_than_there_are() -> None:
    now, own = [0], [0]
    seen = LoadWatch(2, lambda: 0, lambda: own[0], lambda: now[0])
    for _ in range(4):
        seen.look()
        now[0] += 100 * MS
        own[0] += 200 * MS
    assert seen.free(100 * MS) == 2.0


def test_only_our_processors_count(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(
        "cpu  600 0 0 0 0 0 0 0 0 0\n"
        "cpu0 100 10 20 999 50 1 2 7 0 0\n"
        "cpu1 500 0 0 999 0 0 0 0 0 0\n"
        "intr 12345\n"
    )  # fmt: skip
    fd = os.open(stat, os.O_RDONLY)
    try:
        ticks = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        assert ProcStat({0}, fd)() == 140 * ticks
        assert ProcStat({0, 1}, fd)() == 640 * ticks
        with pytest.raises(ValueError, match="no processor"):
            ProcStat({7}, fd)()
    finally:
        os.close(fd)


def test_this_machine_can_be_watched() -> None:
    made = watch()
    assert made is not None
    made.look()


def test_processors_taken_away_meanwhile_are_not_free() -> None:
    now, busy, cpus = [0], [0], [0]
    seen = LoadWatch(2, lambda: busy[0], lambda: 0, lambda: now[0], lambda: cpus[0])
    for _ in range(4):
        seen.look()
        now[0] += 100 * MS
    assert seen.free(100 * MS) == 2.0
    cpus[0] = 1
    seen.look()
    assert seen.free(100 * MS) is None, "what was seen of the others' processors says nothing of these"
    cpus[0] = 0
    for _ in range(2):
        now[0] += 100 * MS
        seen.look()
    assert seen.free(100 * MS) == 1.0


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux tells which processors we may use")
def test_the_processors_are_those_that_the_thread_may_use_now() -> None:
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("there is one processor")
    fd = os.open("/proc/stat", os.O_RDONLY)
    try:
        reader = ProcStat(before, fd)
        assert not reader.moved()
        os.sched_setaffinity(0, {min(before)})
        assert reader.moved() == 1
        assert not reader.moved()
    finally:
        os.sched_setaffinity(0, before)
        os.close(fd)
