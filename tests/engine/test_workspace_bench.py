"""Benchmarks from the window's side, on real engines: turns, results kept, stops and faults."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_factory import random_model
from workspace_driver import Driver

from engine.conftest import QUIET
from playground.bench.history import History
from playground.supervisor.process import EngineProcess
from playground.workspace.bench import Bench
from playground.workspace.bench_kept import BenchKept
from playground.workspace.lane import ModelRef


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    path = tmp_path / "random.gguf"
    random_model(path, n_ctx=8192)
    made = Driver(path)
    made.workspace.set_load("A", QUIET)
    made.start()
    made.until(lambda: made.workspace.lanes[0].state == "ready")
    made.workspace.set_many("A", {"temp": 0.0, "max_tokens": 8})
    yield made
    made.close()


@pytest.fixture
def bench(driver: Driver) -> Bench:
    w = driver.workspace
    kept = BenchKept(History(driver.paths.data), driver._background, driver.told.append)
    kept.open()
    w.bench = Bench(w.state, w.engines, w.loading, kept)
    wish(w.bench, prompts="32", generations="4", depths="0,64", repeats="2")
    return w.bench


def wish(bench: Bench, **texts: str) -> None:
    for name, text in texts.items():
        bench.set_text(name, text)


def measured(driver: Driver, bench: Bench) -> None:
    driver.until(lambda: not bench.busy and (bench.state != "done" or len(bench.results) == len(bench.tests)))


def test_a_run_is_measured_in_the_lanes_engine_kept_and_held_against_the_next(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    bench.start()
    assert len(w.engines.all) == 1, "the loaded engine can hold the tests"
    measured(driver, bench)
    assert bench.state == "done"
    assert [result.name for result in bench.results] == ["pp32", "tg4", "pp32 @ d64", "tg4 @ d64"]
    assert all(len(result.samples_ts) == 2 and result.avg_ts > 0 for result in bench.results)
    assert {result.n_threads for result in bench.results} == {1}, "as the lane loads it"
    first = bench.results
    bench.start()
    measured(driver, bench)
    assert [bench.kept.before(result) for result in bench.results] == first
    assert [kept.run for kept in History(driver.paths.data).load().results] == [first[0].run] * 4 + [bench.run] * 4
    assert w.send("Hello")
    driver.idle()
    assert w.lanes[0].path[-1].text


def test_it_measures_with_the_threads_that_are_set_now(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    wish(bench, prompts="32", generations="4", depths="0", repeats="1")
    w.set_threads("A", 2)
    bench.start()
    assert len(w.engines.all) == 1, "the loaded engine has what is wanted"
    measured(driver, bench)
    assert {(result.n_threads, result.n_threads_batch) for result in bench.results} == {(2, 2)}
    w.set_threads("A", 0)
    bench.start()
    measured(driver, bench)
    info = next(iter(w.engines.all.values())).facts.info
    assert info is not None
    assert {result.n_threads for result in bench.results} == {info.auto_threads}


def test_what_a_lane_asks_for_meanwhile_waits_and_is_answered(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    bench.start()
    assert bench.state == "measuring"
    assert w.send("Hello there")
    assert w.lanes[0].state == "queued"
    assert w.lanes[0].detail == "waiting for the benchmark"
    driver.until(lambda: not bench.busy)
    driver.idle()
    assert w.lanes[0].path[-1].text
    assert w.lanes[0].state == "ready"


def test_it_waits_for_an_answer_that_is_being_written(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    w.set_many("A", {"max_tokens": 1500, "ignore_eos": True})
    w.send("Write about the sea.")
    driver.until(lambda: len(w.lanes[0].answer.tokens) > 0)
    bench.start()
    assert bench.state == "waiting"
    assert bench.waits_for == ["A"]
    driver.until(lambda: bench.state == "measuring")
    assert len(w.lanes[0].answer.tokens) == 1500
    measured(driver, bench)
    assert bench.state == "done"


def test_a_context_of_its_own_is_given_back_after_the_run(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    wish(bench, depths="5000", repeats="1000", prompts="512", generations="0")
    bench.start()
    assert bench.state == "loading"
    assert len(w.engines.all) == 2
    driver.until(lambda: bench.state == "measuring")
    own = next(engine for engine in w.engines.all.values() if engine.held)
    assert own.options["n_ctx"] == 5632
    w.loading.drop_unused()
    assert own.state == "ready", "in use, though no lane shows it"
    bench.stop()
    driver.until(lambda: not bench.busy)
    driver.until(lambda: len(w.engines.all) == 1)
    assert w.lanes[0].state == "ready"


def test_stop_keeps_the_rows_that_are_complete(driver: Driver, bench: Bench) -> None:
    wish(bench, generations="3000", repeats="900", depths="0", prompts="1")
    bench.start()
    driver.until(lambda: len(bench.results) == 1)
    bench.stop()
    assert bench.state == "stopping"
    driver.until(lambda: not bench.busy)
    assert bench.state == "stopped"
    assert [result.name for result in bench.results] == ["pp1"]
    assert driver.workspace.send("Hello")
    driver.idle()


def test_stop_while_it_waits_or_loads_leaves_nothing_behind(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    wish(bench, depths="5000")
    bench.start()
    bench.stop()
    assert bench.state == "stopped"
    driver.until(lambda: len(w.engines.all) == 1)
    w.set_many("A", {"max_tokens": 1500, "ignore_eos": True})
    w.send("Write about the sea.")
    driver.until(lambda: len(w.lanes[0].answer.tokens) > 0)
    wish(bench, depths="0")
    bench.start()
    bench.stop()
    driver.idle()
    assert bench.state == "stopped"
    assert len(w.lanes[0].answer.tokens) == 1500
    assert not w.engines.turns.running


def test_an_engine_that_dies_is_told_and_others_go_on(driver: Driver, bench: Bench) -> None:
    w = driver.workspace
    wish(bench, generations="3000", depths="0", repeats="1000")
    bench.start()
    driver.until(lambda: bench.at is not None)
    os.kill(pid_of_engine(driver), signal.SIGKILL)
    driver.until(lambda: not bench.busy)
    assert bench.state == "failed"
    assert bench.message.endswith(".")
    assert w.lanes[0].notice is not None
    w.act("A", "reload")
    driver.until(lambda: w.lanes[0].state == "ready")
    assert w.send("Hello")
    driver.idle()


def test_an_engine_that_stands_still_is_ended_by_a_second_stop(driver: Driver, bench: Bench) -> None:
    wish(bench, prompts="512", generations="0", depths="5000", repeats="1000")
    bench.start()
    driver.until(lambda: bench.at is not None)
    os.kill(pid_of_engine(driver), signal.SIGSTOP)
    bench.stop()
    bench.stop()
    assert bench.state == "stopped"
    driver.until(lambda: len(driver.workspace.engines.all) == 1)


def test_tests_beyond_the_models_context_are_left_out_and_said(driver: Driver, bench: Bench) -> None:
    wish(bench, generations="0", depths="0,100000", repeats="1")
    bench.start()
    measured(driver, bench)
    assert bench.state == "done"
    assert [result.name for result in bench.results] == ["pp32"]
    assert [test.n_depth for test in bench.left_out] == [100000]
    wish(bench, depths="100000")
    bench.start()
    measured(driver, bench)
    assert bench.state == "failed"
    assert "8,192 tokens" in bench.message


def test_a_file_that_is_no_model_fails_with_a_sentence(driver: Driver, bench: Bench, tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    bench.choose(ModelRef(str(broken), "Broken"))
    bench.start()
    measured(driver, bench)
    assert bench.state == "failed"
    assert bench.message.endswith(".")
    assert driver.workspace.lanes[0].state == "ready"


def test_a_full_disk_costs_no_result(driver: Driver, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(History, "append", full)
    bench.start()
    measured(driver, bench)
    assert len(bench.results) == 4
    assert driver.told == ["The results can’t be kept: No space left on device."]


def pid_of_engine(driver: Driver) -> int:
    """The process that measures."""
    held = next(engine for engine in driver.workspace.engines.all.values() if engine.held)
    assert isinstance(held.process, EngineProcess)
    assert held.process.pid is not None
    return held.process.pid
