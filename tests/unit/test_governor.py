"""The governor on a simulated machine of two cores, whose clock is the decodes themselves."""

from __future__ import annotations

import random

from playground.engine.governor import FIRST_TRY, PIECES, RARE_TRY, Governor, Pace
from playground.engine.load_watch import LoadWatch

MS = 1_000_000


class Machine:
    """What a token takes: a busy neighbour costs two spinning threads far more than one."""

    def __init__(self, governor_sees_load: bool = True, n: int = 2, pace: Pace | None = None) -> None:
        self.now = 0
        self.others = 0.0
        self.times = {1: 12.0, 2: 7.0}
        self.busy_times = {1: 13.0, 2: 30.0}
        self.busy_ns = 0.0
        self.own_ns = 0.0
        self.luck = random.Random(5)
        watch = LoadWatch(2, lambda: int(self.busy_ns), lambda: int(self.own_ns), lambda: self.now)
        more = {"pace": pace} if pace else {}
        self.governor = Governor(n, True, watch if governor_sees_load else None, **more)

    def run(self, tokens: int) -> list[int]:
        """The count that each token was computed with."""
        used = []
        for _ in range(tokens):
            n = self.governor.n
            used.append(n)
            times = self.busy_times if self.others > 0.5 else self.times
            self.pass_time(times[n] * self.luck.uniform(0.97, 1.03), n)
            self.governor.decoded(1, self.took)
        return used

    def pass_time(self, ms: float, threads: int) -> None:
        self.took = int(ms * MS)
        self.now += self.took
        own = self.took * min(float(threads), 2 - 0.6 * self.others)
        self.own_ns += own
        # Three threads on two cores: everyone gets two thirds.
        self.busy_ns += own + self.took * self.others * (0.6 if threads > 1 else 1.0)


def test_a_quiet_machine_keeps_all_threads() -> None:
    for sees in (True, False):
        machine = Machine(sees)
        assert set(machine.run(500)) == {2}


def test_one_outlier_changes_nothing() -> None:
    for sees in (True, False):
        machine = Machine(sees)
        machine.run(20)
        machine.pass_time(400, 2)
        assert machine.governor.decoded(1, 400 * MS) == 2
        assert set(machine.run(50)) == {2}


def test_a_busy_neighbour_costs_a_thread_within_a_few_tokens() -> None:
    machine = Machine()
    machine.run(40)
    machine.others = 1.0
    used = machine.run(2000)
    assert used.index(1) <= 4
    assert used[5:].count(2) <= 20  # hardly tried again while the load is there
    assert machine.governor.reason == "busy"


def test_free_cores_are_taken_back_soon() -> None:
    machine = Machine()
    machine.run(40)
    machine.others = 1.0
    machine.run(100)
    machine.others = 0.0
    used = machine.run(60)
    assert used.index(2) <= 30  # a third of a second
    assert set(used[30:]) == {2}
    assert machine.governor.reason == "quiet"


def test_a_neighbour_that_was_there_first_is_noticed_too() -> None:
    machine = Machine()
    machine.others = 1.0
    used = []
    for _ in range(30):
        n = machine.governor.n
        used.append(n)
        machine.pass_time(machine.busy_times[n], n)
        machine.governor.decoded(1, machine.took, preempted=n == 2)
    assert set(used[10:]) == {1}


def test_a_polite_neighbour_takes_no_thread() -> None:
    machine = Machine()
    machine.busy_times = {1: 12.5, 2: 7.5}
    machine.run(40)
    machine.others = 1.0
    assert set(machine.run(300)) == {2}


def test_a_neighbour_that_becomes_polite_gives_the_thread_back() -> None:
    machine = Machine()
    machine.run(40)
    machine.others = 1.0
    machine.run(50)
    machine.busy_times = {1: 12.5, 2: 7.5}
    assert machine.run(600)[-1] == 2


def test_a_neighbour_that_begins_softly_is_noticed_soon() -> None:
    machine = Machine()
    machine.run(40)
    machine.others, machine.busy_times = 1.0, {1: 13.0, 2: 10.0}
    machine.run(12)
    machine.busy_times = {1: 13.0, 2: 30.0}
    assert set(machine.run(60)[24:]) == {1}


def test_a_neighbour_that_nearly_stops_two_threads_is_noticed_with_the_first_such_token() -> None:
    machine = Machine()
    machine.run(40)
    machine.others, machine.busy_times = 1.0, {1: 13.0, 2: 600.0}
    used = machine.run(2000)
    assert used[:10].count(2) <= 2
    assert used.count(2) <= 6, "a try with more is over as soon as it can't succeed any more"


def test_fewer_threads_that_were_no_faster_at_first_are_tried_again_once_tokens_take_very_long() -> None:
    for softly in range(1, 20):
        machine = Machine()
        machine.run(40)
        machine.others, machine.busy_times = 1.0, {1: 13.0, 2: 10.0}
        machine.run(softly)
        machine.busy_times = {1: 13.0, 2: 600.0}
        assert machine.run(60).count(2) <= 2


def test_a_slow_token_that_is_told_late_speaks_for_fewer_threads() -> None:
    """Tokens are told in small groups: of a group, two begin slowly and the third takes long."""
    machine = Machine()
    machine.run(40)
    machine.others, machine.busy_times = 1.0, {1: 13.0, 2: 10.0}
    while machine.governor.n == 2:
        machine.run(1)
    machine.governor.late([2_800 * MS])
    assert set(machine.run(20)) == {1}


def test_fewer_threads_that_are_no_faster_are_taken_back() -> None:
    machine = Machine()
    machine.run(40)
    machine.others, machine.busy_times = 1.0, {1: 30.0, 2: 16.0}
    assert machine.run(400).count(1) < 40


def test_a_neighbour_that_comes_and_goes_is_not_followed_for_ever() -> None:
    machine = Machine()
    machine.run(40)
    changes = []
    for _ in range(12):
        before = machine.governor.n
        for machine.others, tokens in ((1.0, 20), (0.0, 40)):
            used = machine.run(tokens)
            changes.append(sum(a != b for a, b in zip([before, *used], used, strict=False)))
            before = used[-1]
    assert sum(changes[-8:]) <= sum(changes[:8])


def test_a_longer_context_is_no_neighbour() -> None:
    for sees in (True, False):
        machine = Machine(sees)
        for _ in range(40):
            machine.times = {n: ms * 1.04 for n, ms in machine.times.items()}
            assert set(machine.run(30)) == {2}


def test_without_a_view_of_the_load_the_times_decide() -> None:
    machine = Machine(governor_sees_load=False)
    machine.run(20)
    machine.others = 1.0
    busy = machine.run(400)
    assert busy.index(1) <= 8
    assert busy[8:].count(2) < 40
    machine.others = 0.0
    assert set(machine.run(2 * 768 + FIRST_TRY)[-20:]) == {2}


def test_pieces_of_a_prompt_are_judged_one_by_one() -> None:
    machine = Machine(pace=PIECES)
    machine.times, machine.busy_times = {1: 300.0, 2: 160.0}, {1: 320.0, 2: 500.0}
    machine.run(4)
    machine.others = 1.0
    assert machine.run(6) == [2, 1, 1, 1, 1, 1]
    machine.others = 0.0
    assert machine.run(5)[-1] == 2


def test_a_fixed_count_stays() -> None:
    machine = Machine()
    machine.governor.cap(2, governed=False)
    machine.run(20)
    machine.others = 1.0
    assert set(machine.run(100)) == {2}


def test_a_count_can_be_fixed_and_let_go_while_it_writes() -> None:
    machine = Machine()
    machine.run(20)
    assert machine.governor.cap(1, governed=False) == 1
    assert set(machine.run(300)) == {1}
    assert machine.governor.cap(2, governed=True) == 2
    assert machine.governor.reason == "asked"
    machine.others = 1.0
    assert machine.run(20)[-1] == 1


def test_a_share_of_the_cores_is_never_exceeded() -> None:
    machine = Machine()
    machine.run(20)
    assert machine.governor.cap(1, "shared") == 1
    assert machine.governor.reason == "shared"
    assert set(machine.run(300)) == {1}
    assert machine.governor.cap(2, "shared") == 2


def test_half_the_machine_taken_halves_the_threads_at_once() -> None:
    now, busy, own = [0], [0], [0]
    watch = LoadWatch(16, lambda: busy[0], lambda: own[0], lambda: now[0])
    governor = Governor(16, True, watch)
    used = []
    for token in range(60):
        n, others = governor.n, 8 if token >= 30 else 0
        used.append(n)
        took = (40 if n + others > 16 else 5 + 80 // n) * MS
        now[0] += took
        own[0] += took * min(n, 16 - others // 2)
        busy[0] += took * (min(n, 16 - others // 2) + others)
        governor.decoded(1, took)
    assert set(used[:30]) == {16}
    assert used[36:] == [8] * 24


def test_a_token_that_was_given_up_costs_a_thread_at_once() -> None:
    for known in (0, 20):
        machine = Machine()
        machine.run(known)
        machine.governor.decoded(1, 7 * MS)
        machine.others = 1.0
        machine.pass_time(100, 2)
        first = machine.governor.gives_way()
        machine.pass_time(150, 2)
        assert first or machine.governor.gives_way(), "others are seen"
        assert machine.governor.decoded(1, 250 * MS, given_up=True) == 1
        assert machine.governor.reason == "busy"
        assert set(machine.run(100)) == {1}


def test_nothing_is_given_up_where_no_thread_would_be() -> None:
    quiet = Machine()
    quiet.run(20)
    for _ in range(3):
        quiet.pass_time(200, 2)
        assert not quiet.governor.gives_way(), "nobody else is on the cores"
    blind = Machine(governor_sees_load=False)
    blind.run(20)
    assert not blind.governor.gives_way()
    crowded = Machine()
    crowded.run(20)
    crowded.others = 1.0
    for _ in range(3):
        crowded.pass_time(200, 2)
        gives_way = crowded.governor.gives_way()
    assert gives_way
    crowded.governor.cap(2, governed=False)
    assert not crowded.governor.gives_way(), "the count is fixed"
    crowded.governor.cap(1, governed=True)
    assert not crowded.governor.gives_way(), "there is none to spare"


def test_more_threads_are_tried_no_longer_than_it_is_seen_that_others_need_the_cores() -> None:
    machine = Machine()
    machine.run(20)
    machine.others = 1.0
    for _ in range(4 * RARE_TRY):
        machine.run(1)
        if machine.governor.n == 2 and machine.governor.reason == "trial":
            break
    else:
        raise AssertionError("more threads were not tried")
    machine.pass_time(150, 2)
    first = machine.governor.gives_way()
    machine.pass_time(150, 2)
    assert first or machine.governor.gives_way()
    assert machine.governor.decoded(1, 300 * MS, given_up=True) == 1
