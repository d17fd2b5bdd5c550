"""A few cases of every kind of the fault harness, each kind in a process alone; ``make faults`` has the full counts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults.case import Case, Fault, Setting, judged, sentence

pytestmark = [pytest.mark.timeout(900), pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]

ROOT = Path(__file__).resolve().parents[2]
FEW = {
    "files": (0, 10),
    "states": (0, 2),
    "kills": (3, 5),
    "pauses": (2, 2),
    "messages": (4, 12),
    "disk": (2, 2),
    "downloads": (0, 11),
}
"""Kind: the first case and how many. A failure names the case: run it again with ``--first`` and ``--count 1``."""
SEED = 1


@pytest.mark.parametrize("kind", FEW)
def test_a_few_cases_of_each_kind(kind: str, tmp_path: Path) -> None:
    first, count = FEW[kind]
    report = tmp_path / "report.json"
    numbers = [f"--{name}={value}" for name, value in (("seed", SEED), ("first", first), ("count", count))]
    command = [sys.executable, "-m", "tests.faults", "--only", kind, "-v", "--json", str(report), *numbers]
    command.append("--patience=5")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    cases = json.loads(report.read_text(encoding="utf-8"))["cases"]
    assert [case["index"] for case in cases if case["kind"] == kind] != []
    assert sorted(case["index"] for case in cases) == list(range(first, first + count))
    assert all(case["outcome"] and not case["fault"] for case in cases)


def test_a_case_is_made_of_its_seed_and_number_alone() -> None:
    def draw(seed: int, index: int) -> list[float]:
        case = Case("files", index, seed)
        return [case.random.random() for _ in range(5)]

    assert draw(1, 7) == draw(1, 7)
    assert draw(1, 7) != draw(1, 8)
    assert draw(1, 7) != draw(2, 7)


def test_the_harness_finds_what_it_looks_for(tmp_path: Path) -> None:
    heard: list[Case] = []
    setting = Setting(tmp_path, 1, 4, heard.append)
    for case in setting.cases("kills"):
        with judged(case, setting):
            if case.index == 0:
                raise Fault("text was lost")
            if case.index == 1:
                raise ZeroDivisionError
            if case.index == 2:
                case.latency_ms = 1500
    assert [case.index for case in heard if case.fault] == [0, 1, 2]
    assert "stood still" in heard[2].fault
    for words in ("", "Traceback (most recent call last)", "no full stop"):
        with pytest.raises(Fault):
            sentence(words, "a card")


def test_a_stall_is_measured_and_told_where() -> None:
    from faults.stall_watch import LONG_S, StallWatch

    watch = StallWatch()
    try:
        watch.begin()
        began = time.monotonic()
        while time.monotonic() - began < 60 and not (watch.where and time.monotonic() - began > LONG_S + 0.4):
            time.sleep(0.1)
        watch.end()
        assert watch.worst_ms > 1000 * LONG_S
        assert "test_faults.py" in watch.where
    finally:
        watch.close()
