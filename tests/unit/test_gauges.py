"""Readings of processors and energy: what is read, from what, and that nothing is while nobody wants it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from waiting import wait_until

from playground.gauges import derived, energy, processor
from playground.gauges.probe import MACHINE, Missing, Probe
from playground.settings import readings
from playground.settings.readings import Joined, Probed, Sampled, probed, tracks
from playground.workspace.gauges import Gauges
from playground.workspace.series import MEMORY_DTYPE
from playground.workspace.signal import Signal

GB = 10**9


class SpentTimes(NamedTuple):
    """What the system tells of its processors, seconds."""

    user: float
    idle: float


def again(probe: Probe, pids: Collection[int] = ()) -> dict[int, float]:
    """What it tells once it has something to compare with."""
    found: dict[int, float] = {}

    def told() -> bool:
        found.update(probe.look(pids))
        return bool(found)

    wait_until(told)
    return found


def test_the_load_of_this_machine_is_a_percentage() -> None:
    value = again(processor.Load())[MACHINE]
    assert 0 <= value <= 100


def test_idle_time_that_outgrows_the_clock_is_no_load_below_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([5.0, 4.5])
    monkeypatch.setattr(processor.psutil, "cpu_times", lambda: SpentTimes(next(busy), 9.0))
    assert again(processor.Load()) == {MACHINE: 0.0}


def test_a_busy_process_is_told_from_an_idle_one_and_a_gone_one_is_left_out() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        load = processor.EngineLoad()
        pids = (busy.pid, idle.pid)
        found: dict[int, float] = {}

        def apart() -> bool:
            found.update(load.look(pids))
            return found.get(busy.pid, 0) > found.get(idle.pid, 100)

        wait_until(apart)
        assert set(found) == set(pids)
        busy.kill()
        busy.wait()
        wait_until(lambda: busy.pid not in load.look(pids))
    finally:
        for process in (busy, idle):
            process.kill()
            process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files of Linux")
def test_the_frequency_is_the_mean_of_all_policies_or_of_cpuinfo_and_never_a_virtual_machines(tmp_path: Path) -> None:
    for index, khz in enumerate((1_800_000, 4_200_000)):
        (tmp_path / f"policy{index}").mkdir()
        (tmp_path / f"policy{index}" / "scaling_cur_freq").write_text(f"{khz}\n")
    opened = processor.open_frequency(tmp_path)
    assert not isinstance(opened, Missing)
    assert opened.look(())[MACHINE] == pytest.approx(3.0)
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nflags\t\t: fpu sse\ncpu MHz\t\t: 1200.0\n\nprocessor\t: 1\ncpu MHz\t\t: 1400.0\n")
    real = processor.open_frequency(tmp_path / "none", info)
    assert not isinstance(real, Missing)
    assert real.look(())[MACHINE] == pytest.approx(1.3)
    info.write_text("flags\t\t: fpu sse hypervisor lahf_lm\ncpu MHz\t\t: 2445.4\n")
    assert processor.open_frequency(tmp_path / "none", info) == Missing()
    assert processor.open_frequency(tmp_path / "none", tmp_path / "gone") == Missing()


class Clock:
    """Time that a test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(energy.time, "monotonic", lambda: self.now)


def zone(root: Path, name: str, what: str, microjoules: int, span: int = 1000_000_000) -> Path:
    """A zone as powercap shows it."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{what}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{span}\n")
    return folder


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_name: str) -> Any:
        raise OSError("no such library")

    monkeypatch.setattr(energy.ctypes, "CDLL", none)


@pytest.mark.usefixtures("no_gpu")
def test_packages_are_added_their_parts_are_not_and_a_counter_may_start_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    first = zone(tmp_path, "intel-rapl:0", "package-0", 999_000_000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 5_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 1)
    zone(tmp_path, "intel-rapl:2", "psys", 1)
    power = energy.open_power(tmp_path)
    assert not isinstance(power, Missing)
    assert power.look(()) == {}, "nothing to compare with yet"
    clock.now += 2
    (first / "energy_uj").write_text("29000000")  # 30 J on, past the end of its range
    (second / "energy_uj").write_text("15000000")  # 10 J
    assert power.look(())[MACHINE] == pytest.approx(20.0)


@pytest.mark.usefixtures("no_gpu")
def test_without_counters_there_is_no_power_and_forbidden_ones_are_said(tmp_path: Path) -> None:
    assert energy.open_power(tmp_path) == Missing()
    zone(tmp_path, "intel-rapl:0", "package-0", 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").chmod(0)
    if os.geteuid():
        assert energy.open_power(tmp_path) == Missing(energy.FORBIDDEN)
    (tmp_path / "intel-rapl:0" / "energy_uj").chmod(0o600)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("no number")
    assert energy.open_power(tmp_path) == Missing()


class TwoGpus:
    """NVML as far as it is called: one GPU that counts its energy, one that tells only its power."""

    def __init__(self) -> None:
        self.millijoules = 1_000

    def nvmlInit_v2(self) -> int:
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:
        device._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetTotalEnergyConsumption(self, device: Any, joules: Any) -> int:
        if device.value == 2:
            return 3  # not supported
        joules._obj.value = self.millijoules
        return 0

    def nvmlDeviceGetPowerUsage(self, device: Any, milliwatts: Any) -> int:
        milliwatts._obj.value = 25_000
        return 0


def test_gpus_by_their_counters_or_by_their_power(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, library = Clock(monkeypatch), TwoGpus()
    gpus = energy.Nvml(library)
    assert gpus.look(()) == {}
    clock.now += 0.5
    library.millijoules += 50_000
    assert gpus.look(())[MACHINE] == pytest.approx(100 + 25)


def test_tokens_per_joule_count_what_came_between_two_looks() -> None:
    t_ns = np.array([0, 1, 2, 3]) * GB
    tokens = np.concatenate([np.linspace(0.01, 0.99, 40), np.linspace(2.01, 2.99, 10)]) * GB
    found = derived.tokens_per_joule(t_ns, np.array([20.0, 20.0, 10.0, 5.0]), tokens.astype(np.int64))
    assert np.isnan(found[0])
    assert found[1:].tolist() == pytest.approx([2.0, 0.0, 2.0])
    assert len(derived.tokens_per_joule(t_ns[:0], np.zeros(0), tokens)) == 0


def test_what_follows_from_samples() -> None:
    rows = np.zeros(3, MEMORY_DTYPE)
    rows["t_ns"] = np.array([0, 1, 3]) * GB
    rows["kv_used"] = (0, 1024, 5000)
    rows["read_bytes"] = np.array([7, 107, 107]) * 10**6
    rows["gpu_used"], rows["gpu_total"] = 2 * GB, 8 * GB
    assert derived.context_filled(rows, 4096).tolist() == pytest.approx([0, 25, 100])
    assert derived.disk_reads(rows, 0).tolist() == pytest.approx([0, 100, 0])
    assert derived.gpu_filled(rows, 0).tolist() == pytest.approx([25.0] * 3)
    assert not len(derived.disk_reads(rows[:0], 0))


def test_each_row_says_all_that_its_plot_needs() -> None:
    for row in tracks():
        assert row.track is not None
        assert row.places == ("track",)
        assert row.track.help.endswith(".")
        assert isinstance(row.track.source, (Probed, Sampled, Joined))
        if isinstance(row.track.source, Probed):
            opened = row.track.source.open()
            assert isinstance(opened, Missing) or hasattr(opened, "look")
        if isinstance(row.track.source, Sampled) and row.track.source.needs:
            assert row.track.source.needs in {name for name, _format in MEMORY_DTYPE}
    assert set(probed(frozenset({"tokens_per_joule"}))) == {"power"}
    assert probed(frozenset({"context"})) == {}, "made from what is there"


class Bench:
    """Gauges on sources that count how often they are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened, self.looks = 0, 0
        self.pids: Collection[int] = ()
        self.fails = False
        self.posted: list[Callable[[], None]] = []
        self.engine = SimpleNamespace(sent=set(), facts=SimpleNamespace(pid=4711))
        self.engines: Any = SimpleNamespace(all={1: self.engine}, changed=Signal(), sampled=Signal(), rested=Signal())
        monkeypatch.setattr("playground.workspace.gauges.probed", lambda on: {name: Probed(self.open) for name in on})
        monkeypatch.setattr("playground.workspace.gauges.INTERVAL_S", 0.01)
        self.gauges = Gauges(self.engines, self.posted.append, lambda work, then: then(work()))
        self.gauges.missing = {}

    def open(self) -> Any:
        self.opened += 1
        return self

    def look(self, pids: Collection[int]) -> dict[int, float]:
        self.pids = pids
        try:
            if self.fails:
                raise OSError("gone")
        finally:
            self.looks += 1  # last: a test that counts them may change the rest from here on
        return {MACHINE: float(self.looks)}

    def work(self, on: bool = True) -> None:
        self.engine.sent = {1} if on else set()
        self.engines.sampled.emit(self.engine)

    def run(self) -> None:
        while self.posted:
            self.posted.pop(0)()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(monkeypatch)
    yield made
    made.gauges.close()
    wait_until(lambda: not made.gauges.reading and not threads())


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gauges"]


def test_nothing_is_opened_or_read_unless_on_in_sight_and_at_work(bench: Bench) -> None:
    gauges = bench.gauges
    gauges.show(True)
    bench.work()
    assert (bench.opened, threads()) == (0, []), "off"
    gauges.show(False)
    gauges.set_on(frozenset({"cpu_load"}))
    bench.work()
    assert (bench.opened, threads()) == (0, []), "hidden"
    bench.work(False)
    gauges.show(True)
    assert (bench.opened, threads()) == (0, []), "idle"
    bench.work()
    wait_until(lambda: len(bench.posted) > 3)
    assert bench.opened == 1
    assert bench.pids == (4711,)
    bench.run()
    rows = gauges.series["cpu_load", MACHINE].view
    assert len(rows) > 3
    assert (np.diff(rows["t_ns"]) > 0).all()
    bench.work(False)
    wait_until(lambda: not gauges.reading)
    looks = bench.looks
    wait_until(lambda: not threads())
    assert bench.looks == looks
    bench.work()
    wait_until(lambda: bench.looks > looks)
    assert bench.opened == 1, "kept from the first time"
    gauges.set_on(frozenset())
    wait_until(lambda: not threads())


def test_a_source_that_fails_is_given_up_and_the_others_go_on(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.fails = True
    bench.gauges.show(True)
    bench.gauges.set_on(frozenset({"power"}))
    bench.work()
    wait_until(lambda: bench.looks == 1)
    bench.fails = False
    bench.gauges.set_on(frozenset({"power", "cpu_load"}))
    bench.work()
    wait_until(lambda: len(bench.posted) > 2)
    bench.run()
    assert set(bench.gauges.series) == {("cpu_load", MACHINE)}
    assert "gone" in capsys.readouterr().err


def test_a_long_day_stays_small(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.workspace.gauges.MOST", 50)
    for number in range(1000):
        bench.gauges._take(number, {"cpu_load": {MACHINE: float(number)}})
    rows = bench.gauges.series["cpu_load", MACHINE].view
    assert 50 <= len(rows) <= 100
    assert rows["value"][-1] == 999


def test_this_machine_is_asked_once_what_it_has() -> None:
    engines: Any = SimpleNamespace(all={}, changed=Signal(), sampled=Signal(), rested=Signal())
    asked: list[Any] = []
    gauges = Gauges(engines, lambda _work: None, lambda work, then: (asked.append(work), then(work())))
    told: list[bool] = []
    assert gauges.missing is None
    gauges.find(lambda: told.append(True))
    gauges.find(lambda: told.append(True))
    assert (len(asked), len(told)) == (1, 2)
    assert gauges.missing is not None
    assert set(gauges.missing) <= {row.name for row in readings.tracks()}
    assert "cpu_load" not in gauges.missing
