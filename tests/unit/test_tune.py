"""The measurement's choices, by made-up times."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from playground.engine.cores import Cores
from playground.engine.tune import OutOfTime, candidates, choose, measure
from playground.protocol.measured import Measured
from playground.supervisor.machine import FILE, read_machine, write_machine

MS = 1_000_000


class Machine:
    """Times by a formula, a little noise, and a budget of decodes."""

    def __init__(self, token_ms: dict[int, float], piece_us: dict[int, float], budget: int = 10_000) -> None:
        self.token_ms, self.piece_us, self.left = token_ms, piece_us, budget
        self.luck = random.Random(3)

    def _spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OutOfTime

    def token(self, n_threads: int) -> int:
        self._spend()
        return int(self.token_ms[n_threads] * self.luck.uniform(0.98, 1.04) * MS)

    def piece(self, n_tokens: int, n_threads: int) -> int:
        self._spend()
        return int(self.piece_us[n_tokens] * n_tokens * 1000 * 4 / n_threads)


FLAT = {128: 900.0, 256: 890.0, 512: 900.0}


def test_the_usual_count_stands_unless_another_is_clearly_faster() -> None:
    assert choose({1: 1200, 2: 700}, 2) == 2
    assert choose({1: 680, 2: 700}, 2) == 2
    assert choose({1: 500, 2: 700}, 2) == 1
    assert choose({3: 400, 4: 395, 6: 390, 8: 700}, 8) == 3  # the fewest of those that are about as fast


def test_few_cores_are_all_tried_many_are_sampled() -> None:
    assert candidates(Cores(2, 0, 4)) == [1, 2]
    assert candidates(Cores(1, 0, 1)) == [1]
    tried = candidates(Cores(8, 8, 24))
    assert 8 in tried
    assert 16 in tried
    assert len(tried) <= 5


def test_the_same_result_each_time() -> None:
    found = {measure(Machine({1: 12, 2: 7}, FLAT), Cores(2, 0, 2), "x").n_threads for _ in range(20)}
    assert found == {2}


def test_memory_is_the_limit_so_fewer_threads_write() -> None:
    times = {n: 20 + 60 / n + max(0, n - 6) * 4 for n in range(1, 17)}
    found = measure(Machine(times, FLAT), Cores(16, 0, 32), "x")
    assert found.n_threads in (7, 8, 9)
    assert found.n_threads_batch == 16


def test_a_smaller_micro_batch_only_if_clearly_faster() -> None:
    cores = Cores(2, 0, 2)
    assert measure(Machine({1: 12, 2: 7}, FLAT), cores, "x").n_ubatch == 0
    cache = {128: 600.0, 256: 900.0, 512: 1000.0}
    assert measure(Machine({1: 12, 2: 7}, cache), cores, "x").n_ubatch == 128


def test_without_time_for_prompts_the_threads_are_known() -> None:
    found = measure(Machine({1: 12, 2: 7}, FLAT, budget=19), Cores(2, 0, 2), "x")
    assert (found.n_threads, found.n_threads_batch, found.n_ubatch) == (2, 2, 0)
    with pytest.raises(OutOfTime):
        measure(Machine({1: 12, 2: 7}, FLAT, budget=10), Cores(2, 0, 2), "x")


def test_kept_from_start_to_start(tmp_path: Path) -> None:
    machine = Measured("id", 2, 4, 256, {1: 12, 2: 7}, {128: 900})
    assert read_machine(tmp_path) is None
    assert write_machine(tmp_path / "config", machine) == ""
    assert read_machine(tmp_path / "config") == machine


@pytest.mark.parametrize("text", ["", "[]", '{"identity": 3}', '{"identity": "x", "n_threads": "many"}', "\0"])
def test_a_file_that_is_something_else_is_no_measurement(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    assert read_machine(tmp_path) is None
