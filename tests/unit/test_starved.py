"""Whether an engine died of want of memory: what the kernel's counts say before and after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from playground.protocol.events import Memory
from playground.supervisor import starved


def _memory(available: int) -> Memory:
    return Memory(0, 1, 1, 1, 0, 0, 0, available, 1000)


class Counts:
    """The kernel's counts, to be set: of the engine's group, if it has one, and of the machine."""

    def __init__(self) -> None:
        self.files: dict[Path, int] = {MACHINE: 7}

    def kill(self, *files: Path) -> None:
        for path in files:
            self.files[path] += 1


MACHINE, GROUP, OTHERS = Path("vmstat"), Path("group"), Path("others")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """Every look counts."""
    found = Counts()
    monkeypatch.setattr(starved, "counters", lambda pid=None: list(found.files))
    monkeypatch.setattr(starved, "oom_kills", lambda files: {path: found.files[path] for path in files})
    monkeypatch.setattr(starved, "_named", lambda pid, since: False)
    monkeypatch.setattr(starved, "_LOOK_EVERY_S", -1)
    return found


def test_another_process_killed_long_before_is_no_evidence(counts: Counts) -> None:
    witness = starved.Witness()
    counts.kill(MACHINE)
    for _ in range(2):
        witness.look(1)
    assert witness.says(1) == "none"


def test_what_was_still_in_the_pipe_hides_no_kill(counts: Counts) -> None:
    witness = starved.Witness()
    witness.look(1)
    counts.kill(MACHINE)
    witness.look(1)
    assert witness.says(1) == "counted"


def test_a_kill_in_another_group_is_no_evidence(counts: Counts) -> None:
    counts.files = {GROUP: 3, MACHINE: 7}
    witness = starved.Witness()
    witness.look(1)
    counts.kill(MACHINE)
    assert witness.says(1) == "none"
    counts.kill(GROUP)
    assert witness.says(1) == "counted"


def test_an_engine_that_went_to_another_group_is_counted_there(counts: Counts) -> None:
    counts.files = {OTHERS: 3, MACHINE: 7}
    witness = starved.Witness()
    counts.files = {GROUP: 0, MACHINE: 7}
    witness.look(1)
    assert witness.says(1) == "none"
    counts.kill(MACHINE, GROUP)
    assert witness.says(1) == "counted"


def test_little_memory_at_the_last_look_is_worth_a_word(counts: Counts) -> None:
    witness = starved.Witness()
    witness.note([_memory(500), _memory(10)])
    assert witness.says(1) == "short"
    witness.note([_memory(400)])
    assert witness.says(1) == "none"


def test_a_system_that_counts_nothing_is_said(counts: Counts) -> None:
    counts.files.clear()
    assert starved.Witness().says(1) == "unknown"


def test_the_files_that_count_are_there_and_gone_with_the_process() -> None:
    found = starved.counters(os.getpid())
    assert set(starved.oom_kills(found)) <= set(found)
    assert all(count >= 0 for count in starved.oom_kills(found).values())
    assert starved.counters(2**22 + 1) == []
