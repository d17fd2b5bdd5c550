from __future__ import annotations

from playground.engine.governor import FIRST_TRY, Governor

MS = 1_000_000


def machine(busy: bool, n: int) -> int:
    """What a token takes on two cores: a busy neighbour costs two spinning threads far more than one."""
    return {(False, 2): 7, (False, 1): 12, (True, 2): 30, (True, 1): 14}[busy, n] * MS


def run(governor: Governor, busy: bool, tokens: int) -> list[int]:
    used = []
    n = governor.n
    for _ in range(tokens):
        used.append(n)
        n = governor.decoded(1, machine(busy, n))
    return used


def test_a_quiet_machine_keeps_all_threads() -> None:
    assert set(run(Governor(2, True), False, 500)) == {2}


def test_one_outlier_changes_nothing() -> None:
    governor = Governor(2, True)
    run(governor, False, 20)
    assert governor.decoded(1, 400 * MS) == 2
    assert set(run(governor, False, 50)) == {2}


def test_a_busy_neighbour_costs_a_thread_and_gives_it_back() -> None:
    governor = Governor(2, True)
    run(governor, False, 20)
    busy = run(governor, True, 400)
    assert busy.index(1) <= 8

    assert busy[8:].count(2) < 40
    quiet = run(governor, False, 2 * 768 + FIRST_TRY)
    assert set(quiet[-20:]) == {2}


def test_a_fixed_count_stays() -> None:
    governor = Governor(2, False)
    run(governor, False, 20)
    assert set(run(governor, True, 100)) == {2}


def test_a_share_of_the_cores_is_never_exceeded() -> None:
    governor = Governor(2, True)
    run(governor, False, 20)
    assert governor.cap(1) == 1
    assert set(run(governor, False, 300)) == {1}
    assert governor.cap(2) == 2
