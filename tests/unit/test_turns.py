from __future__ import annotations

from playground.supervisor.turns import Turns


def test_one_engine_at_a_time_in_the_order_asked() -> None:
    turns, went = Turns(), []
    assert turns.ask(1, 10, lambda: went.append(1))
    assert not turns.ask(2, 20, lambda: went.append(2))
    assert not turns.ask(3, 30, lambda: went.append(3))
    assert went == [1]
    turns.done(1)
    assert went == [1, 2]
    turns.done(2)
    assert went == [1, 2, 3]


def test_jobs_of_the_running_engine_join_its_batch() -> None:
    turns, went = Turns(), []
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(2, 20, lambda: went.append(2))
    assert turns.ask(3, 10, lambda: went.append(3))
    turns.done(1)
    assert went == [1, 3]
    turns.done(3)
    assert went == [1, 3, 2]


def test_a_withdrawn_job_never_runs() -> None:
    turns, went = Turns(), []
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(2, 20, lambda: went.append(2))
    turns.done(2)
    turns.done(1)
    assert went == [1]


def test_together_lets_all_run_and_releases_those_that_wait() -> None:
    turns, went = Turns(), []
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(2, 20, lambda: went.append(2))
    turns.set_together(True)
    assert went == [1, 2]
    assert turns.running == {10, 20}
