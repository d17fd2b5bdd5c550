"""Engines come and go with the memory there is: real processes and models, on a machine made to seem small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from gguf_factory import random_model
from workspace_driver import Driver

from playground.fit.estimate import Options
from playground.models.gguf import read_header
from playground.supervisor.outcome import Outcome
from playground.workspace.lane import Lane, ModelRef

pytestmark = pytest.mark.timeout(400)

N_CTX = 16384
SPARE = 30_000_000
LOAD: dict[str, Any] = {"n_ctx": N_CTX, "n_threads": 1, "n_ubatch": 64, "use_mmap": False}


def engine_pids() -> set[int]:
    """The engines of this test run."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if child.status() != psutil.STATUS_ZOMBIE and "playground.engine" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def private_bytes(pids: set[int]) -> int:
    """Memory that only these processes have."""
    total = 0
    for pid in pids:
        with suppress(psutil.Error):
            info = psutil.Process(pid).memory_info()
            total += info.rss - getattr(info, "shared", 0)
    return total


class Machine:
    """As much memory as the test says, less what its engines really occupy."""

    def __init__(self) -> None:
        self._before = engine_pids()
        self.size = 1 << 40
        self.lowest = self.size

    @property
    def engines(self) -> set[int]:
        return engine_pids() - self._before

    def free(self) -> int:
        left = self.size - private_bytes(self.engines)
        self.lowest = min(self.lowest, left)
        return left


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for seed, name in enumerate(("One", "Two", "Three")):
        found[name] = folder / f"{name}.gguf"
        random_model(found[name], seed=seed, width=1024, layers=2, n_ctx=N_CTX)
    return found


@pytest.fixture
def driver(machine: Machine, files: dict[str, Path]) -> Iterator[Driver]:
    made = Driver(None, free=machine.free)
    made.workspace.set_models([ref(name, path) for name, path in files.items()], None)
    yield made
    made.close()


def ref(name: str, path: Path) -> ModelRef:
    return ModelRef(str(path), name, "F32", path.stat().st_size)


def need(path: Path, **changes: Any) -> int:
    needs = read_header(path).fit().needs(Options.of(LOAD | changes))
    assert needs is not None
    return needs.whole


def choose(driver: Driver, letter: str, name: str, files: dict[str, Path]) -> Lane:
    w = driver.workspace
    if letter != "A":
        lane = w.add_lane(ref(name, files[name]))
        assert lane is not None
        assert lane.letter == letter
        return lane
    w.set_load(letter, LOAD)
    w.set_many(letter, {"temp": 0.0, "max_tokens": 6, "ignore_eos": True})
    w.choose_model(letter, ref(name, files[name]))
    return w.lane(letter)


def ready(driver: Driver, *lanes: Lane) -> None:
    driver.until(lambda: all(lane.state == "ready" for lane in lanes))


def test_the_one_used_longest_ago_goes_and_comes_back(driver: Driver, machine: Machine, files: dict[str, Path]) -> None:
    w = driver.workspace
    a = choose(driver, "A", "One", files)
    b = choose(driver, "B", "Two", files)
    ready(driver, a, b)
    w.set_on("B", False)
    assert w.send("Hello")
    driver.idle()
    # Lane B's engine is idle for longer than A's, which has just written.
    machine.size = private_bytes(machine.engines) + need(files["Three"]) // 2
    c = choose(driver, "C", "Three", files)
    driver.until(lambda: c.state == "ready")
    assert (a.state, b.state) == ("ready", "unloaded")
    assert b.note == "Unloaded to make room for Three. The next message loads it again."
    assert "Two was unloaded to make room for Three." in driver.told
    driver.until(lambda: len(machine.engines) == 2)
    assert machine.lowest > 0
    # Its next message loads it again, and for that the one goes that has rested longest: A's.
    w.set_on("A", False), w.set_on("B", True), w.set_on("C", False)
    assert w.send("And you?")
    driver.idle()
    assert b.path[-1].state == "done"
    assert b.note != "Unloaded to make room for Three. The next message loads it again."
    assert (a.state, c.state) == ("unloaded", "ready")


def test_three_models_answer_where_one_has_room(driver: Driver, machine: Machine, files: dict[str, Path]) -> None:
    w = driver.workspace
    lanes = [choose(driver, "A", "One", files)]
    ready(driver, lanes[0])
    machine.size = need(files["One"]) + SPARE
    for letter, name in (("B", "Two"), ("C", "Three")):
        lanes.append(choose(driver, letter, name, files))
        ready(driver, lanes[-1])
    assert [lane.state for lane in lanes] == ["unloaded", "unloaded", "ready"]
    seen: set[str] = set()
    w.set_many("C", {"max_tokens": 1500})  # is still writing when the others ask for memory
    assert w.send("All of you: hello")
    driver.until(lambda: seen.update(lane.detail for lane in lanes) or not w.jobs.all)
    assert [lane.path[-1].state for lane in lanes] == ["done"] * 3
    assert "Waiting for memory that C uses" in seen
    assert len(machine.engines) <= 2
    assert machine.lowest > 0


def test_a_writing_engine_is_never_unloaded(driver: Driver, machine: Machine, files: dict[str, Path]) -> None:
    w = driver.workspace
    a = choose(driver, "A", "One", files)
    ready(driver, a)
    w.set_many("A", {"max_tokens": -1})
    assert w.send("Write at length")
    driver.until(lambda: len(a.answer.tokens) > 3)
    machine.size = private_bytes(machine.engines) + need(files["Two"]) // 2
    b = choose(driver, "B", "Two", files)
    driver.until(lambda: b.detail.startswith("Waiting"))
    assert b.state == "loading"
    assert b.detail == "Waiting for memory that A uses"
    assert a.state == "writing"
    w.cancel_load("B")
    driver.until(lambda: b.state == "unloaded")
    assert a.busy
    w.reload("B")
    driver.until(lambda: b.detail.startswith("Waiting"))
    assert a.state == "writing"
    w.stop("A")
    driver.until(lambda: b.state == "ready")
    assert a.path[-1].state == "stopped"
    assert a.state == "unloaded"


def test_what_cannot_fit_is_refused_with_its_numbers_and_what_would(
    driver: Driver, machine: Machine, files: dict[str, Path]
) -> None:
    a = choose(driver, "A", "One", files)
    ready(driver, a)
    small = need(files["Two"], n_ctx=2048)
    machine.size = private_bytes(machine.engines) + small - 150_000_000
    b = choose(driver, "B", "Two", files)
    driver.until(lambda: b.notice)
    assert b.state == "failed"
    assert b.notice is not None
    assert b.notice.title == "This model doesn’t fit right now"
    assert "KV cache 134 MB for 16,384 tokens" in b.notice.text
    assert "GB are free" in b.notice.text
    # Nobody was sent away for a load that can't succeed.
    assert a.state == "ready"
    driver.until(lambda: len(machine.engines) == 1)


def test_a_button_loads_it_with_what_fits(driver: Driver, machine: Machine, files: dict[str, Path]) -> None:
    w = driver.workspace
    machine.size = need(files["One"]) - 10_000_000
    a = choose(driver, "A", "One", files)
    driver.until(lambda: a.notice)
    assert a.notice is not None
    labels = [action.label for action in a.notice.actions]
    assert labels[0].startswith("Load with ")
    assert a.notice.actions[0].primary
    w.act("A", a.notice.actions[0].key)
    driver.until(lambda: a.state == "ready")
    assert a.notice is None
    assert a.load.get("cache_type_k") or a.load["n_ctx"] < N_CTX


def test_a_smaller_quant_in_the_library_is_offered(
    driver: Driver, machine: Machine, files: dict[str, Path], tmp_path: Path
) -> None:
    w = driver.workspace
    random_model(tmp_path / "small.gguf", width=64, n_ctx=N_CTX)
    small = ModelRef(str(tmp_path / "small.gguf"), "One", "Q4_0", (tmp_path / "small.gguf").stat().st_size)
    w.set_models([ref("One", files["One"]), small], None)
    machine.size = need(files["One"]) - 100_000_000
    a = choose(driver, "A", "One", files)
    driver.until(lambda: a.notice)
    assert a.notice is not None
    assert [action.label for action in a.notice.actions][:2] == ["Load Q4_0 · 424 kB", "Choose another model"]
    w.act("A", a.notice.actions[0].key)
    ready(driver, a)
    assert a.model == small


def test_an_engine_ended_for_memory_says_what_it_needed_and_what_needs_less(
    driver: Driver, machine: Machine, files: dict[str, Path]
) -> None:
    a = choose(driver, "A", "One", files)
    ready(driver, a)
    (engine,) = driver.workspace.engines.all.values()
    # The kernel's own kill can't be had in a test: this is what the supervisor says of one.
    driver.workspace.engines.ended.emit(engine, Outcome("memory", "Out of memory", "The system ended it."))
    driver.until(lambda: a.notice and "It needs" in a.notice.text)
    assert a.notice is not None
    assert a.notice.title == "Out of memory"
    assert "It needs 0.24 GB: weights 62 MB, KV cache 134 MB" in a.notice.text
    assert [action.label for action in a.notice.actions] == [
        "Load with a q8_0 cache",
        "Reload",
        "Choose another model",
    ]


def test_a_machine_that_does_not_say_what_it_has_loads_all_the_same(files: dict[str, Path]) -> None:
    def unknown() -> int:
        raise OSError("no such file")

    driver = Driver(None, free=unknown)
    driver.workspace.set_models([ref("One", files["One"])], None)
    ready(driver, choose(driver, "A", "One", files))
    driver.close()


def test_memory_comes_back_when_a_model_is_unloaded(driver: Driver, machine: Machine, files: dict[str, Path]) -> None:
    a = choose(driver, "A", "One", files)
    b = choose(driver, "B", "Two", files)
    ready(driver, a, b)
    (two,) = {engine.process for engine in driver.workspace.engines.all.values() if engine.facts is b.engine}
    before = private_bytes(machine.engines)
    pid = two.pid  # type: ignore[attr-defined]
    held = private_bytes({pid})
    assert held > 134_000_000, "its cache at least"
    driver.workspace.unload("B")
    driver.until(lambda: not psutil.pid_exists(pid))
    assert private_bytes(machine.engines) <= before - held * 0.9
    assert a.state == "ready"
    assert b.state == "unloaded"


def test_a_start_sends_nobody_away_that_it_has_just_loaded(
    driver: Driver, machine: Machine, files: dict[str, Path]
) -> None:
    w = driver.workspace
    a = choose(driver, "A", "One", files)
    b = choose(driver, "B", "Two", files)
    ready(driver, a, b)
    machine.size = need(files["One"]) + SPARE
    for letter in "AB":
        w.unload(letter)
    driver.until(lambda: not machine.engines)
    w.load_lanes()
    driver.until(lambda: "Not loaded" in b.note)
    driver.until(lambda: a.state == "ready")
    assert b.state == "unloaded"
    w.set_on("A", False)
    assert w.send("Now you")
    driver.idle()
    assert b.path[-1].state == "done"
    assert a.state == "unloaded"


def test_a_model_that_truly_cannot_fit(tmp_path: Path) -> None:
    """No pretended figure: a header that asks for more memory than any machine has."""
    path = tmp_path / "vast.gguf"
    random_model(path, width=1024, layers=16, n_ctx=1 << 22)
    driver = Driver(None)
    w = driver.workspace
    w.set_models([ref("Vast", path)], None)
    w.set_load("A", {"n_ctx": 1 << 22, "n_threads": 1, "cache_type_k": "f32", "cache_type_v": "f32"})
    lane = w.lane("A")
    w.choose_model("A", ref("Vast", path))
    driver.until(lambda: lane.notice)
    assert lane.notice is not None
    assert lane.state == "failed"
    assert lane.notice.text
    driver.close()
