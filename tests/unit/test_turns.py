from __future__ import annotations

from functools import partial

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
    turns.most = 2
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(2, 20, lambda: went.append(2))
    turns.set_together(True)
    assert went == [1, 2]
    assert turns.running == {10, 20}


def test_what_runs_alone_waits_for_all_and_is_not_overtaken() -> None:
    turns, went = Turns(), []
    turns.ask(1, 10, lambda: went.append(1))
    assert not turns.ask(-1, 10, lambda: went.append(-1), alone=True)
    assert not turns.ask(2, 10, lambda: went.append(2)), "not even a job of the running engine goes before it"
    turns.done(1)
    assert went == [1, -1]
    assert turns.alone
    assert not turns.ask(3, 10, lambda: went.append(3))
    turns.done(-1)
    assert not turns.alone
    assert went == [1, -1, 2, 3]


def test_together_does_not_let_others_run_beside_what_runs_alone() -> None:
    turns, went = Turns(), []
    turns.most = 3
    turns.set_together(True)
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(-1, 20, lambda: went.append(-1), alone=True)
    turns.ask(2, 30, lambda: went.append(2))
    assert went == [1]
    turns.done(1)
    assert went == [1, -1]
    turns.set_together(False)
    turns.set_together(True)
    assert went == [1, -1]
    turns.done(-1)
    assert went == [1, -1, 2]


def test_with_nobody_running_it_begins_at_once() -> None:
    turns, went = Turns(), []
    assert turns.ask(-1, 10, lambda: went.append(-1), alone=True)
    assert turns.running == {10}
    turns.done(-1)
    assert turns.running == set()


def test_what_gives_its_turn_up_while_waiting_lets_the_others_go() -> None:
    turns, went = Turns(), []
    turns.ask(1, 10, lambda: went.append(1))
    turns.ask(-1, 20, lambda: went.append(-1), alone=True)
    turns.ask(2, 10, lambda: went.append(2))
    turns.done(-1)
    assert went == [1, 2]
    assert not turns.alone


def test_of_two_that_run_alone_one_follows_the_other() -> None:
    turns, went = Turns(), []
    turns.ask(-1, 10, lambda: went.append(-1), alone=True)
    turns.ask(-2, 10, lambda: went.append(-2), alone=True)
    assert went == [-1]
    turns.done(-1)
    assert went == [-1, -2]
    assert turns.alone


def test_no_more_engines_run_together_than_there_are_cores() -> None:
    turns, went = Turns(), list[int]()
    turns.most = 2
    turns.set_together(True)
    for job, engine in ((1, 10), (2, 20), (3, 30), (4, 10)):
        turns.ask(job, engine, partial(went.append, job))
    assert went == [1, 2, 4], "the third waits, a job of one that runs joins it"
    turns.done(1)
    assert went == [1, 2, 4]
    turns.done(2)
    assert went == [1, 2, 4, 3]
    turns.set_together(False)
    turns.set_together(True)
    assert turns.running == {10, 30}
