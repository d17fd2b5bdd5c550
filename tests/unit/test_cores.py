"""Cores counted in made-up system folders."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from playground.engine.cores import Cores, count_classes, parse_list, read_cores, usable_cores


class System:
    """A folder like /sys/devices, and one like /sys/fs/cgroup."""

    def __init__(self, folder: Path) -> None:
        self.devices, self.cgroup = folder / "devices", folder / "cgroup"
        self.devices.mkdir()
        self.cgroup.mkdir()

    def put(self, path: str, text: object) -> None:
        file = self.devices / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    def cpu(self, cpu: int, siblings: str, **files: object) -> None:
        self.put(f"system/cpu/cpu{cpu}/topology/thread_siblings_list", siblings)
        for name, value in files.items():
            self.put(f"system/cpu/cpu{cpu}/{name.replace('__', '/')}", value)

    def cores(self, cpus: int | set[int]) -> Cores:
        return read_cores(self.devices, self.cgroup, set(range(cpus)) if isinstance(cpus, int) else cpus)


@pytest.fixture
def system(tmp_path: Path) -> System:
    return System(tmp_path)


def test_two_threads_of_a_core_are_one(system: System) -> None:
    for cpu in range(8):
        system.cpu(cpu, f"{cpu % 4},{cpu % 4 + 4}")
    found = system.cores(8)
    assert (found.performance, found.efficiency, found.logical) == (4, 0, 8)
    assert found.default == found.most == 4


def test_a_processor_that_tells_nothing_is_a_core(system: System) -> None:
    assert system.cores(3).default == 3


def test_intels_two_kinds(system: System) -> None:
    for cpu in range(4):
        system.cpu(cpu, f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}")
    for cpu in range(4, 12):
        system.cpu(cpu, str(cpu))
    system.put("cpu_core/cpus", "0-3")
    system.put("cpu_atom/cpus", "4-11")
    found = system.cores(12)
    assert (found.performance, found.efficiency, found.logical) == (2, 8, 12)
    assert (found.default, found.most) == (2, 10)


def test_arms_little_cores(system: System) -> None:
    for cpu, capacity in enumerate([250, 250, 250, 250, 780, 780, 1024]):
        system.cpu(cpu, str(cpu), cpu_capacity=capacity)
    found = system.cores(7)
    assert (found.performance, found.efficiency) == (3, 4)


def test_slow_cores_by_frequency_and_favoured_cores_are_not_slow(system: System) -> None:
    for cpu, frequency in enumerate([5_700_000, 5_500_000, 3_000_000, 3_000_000]):
        system.cpu(cpu, str(cpu), cpufreq__cpuinfo_max_freq=frequency)
    found = system.cores(4)
    assert (found.performance, found.efficiency) == (2, 2)


def test_held_on_the_slow_cores_they_are_what_there_is(system: System) -> None:
    for cpu in range(6):
        system.cpu(cpu, str(cpu))
    system.put("cpu_atom/cpus", "2-5")
    assert system.cores({3, 4}).default == 2
    assert system.cores({0, 3}).default == 1


@pytest.mark.parametrize(
    ("files", "n"),
    [
        ({"cpu.max": "200000 100000"}, 2),
        ({"cpu.max": "50000 100000"}, 1),
        ({"cpu.max": "max 100000"}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 8),
        ({"cpu.max": "\u00ff broken"}, 8),
    ],
)
def test_a_containers_quota(system: System, files: dict[str, str], n: int) -> None:
    (system.cgroup / "cpu").mkdir()
    for name, text in files.items():
        (system.cgroup / name).write_text(text)
    assert system.cores(8).default == n


def test_lists_of_processors() -> None:
    assert parse_list("0-3,8,10-11") == {0, 1, 2, 3, 8, 10, 11}
    assert parse_list("") == parse_list("none") == set()


def test_windows_classes() -> None:
    def record(efficiency_class: int, relation: int = 0) -> bytes:
        return struct.pack("<IIBB", relation, 48, 0, efficiency_class) + bytes(38)

    assert count_classes(record(1) * 6 + record(0) * 8 + record(0, relation=3)) == (6, 8)
    assert count_classes(record(0) * 4) == (4, 0)
    assert count_classes(b"") == (0, 0)
    assert count_classes(struct.pack("<IIBB", 0, 0, 0, 0)) == (0, 0)


def test_this_machine_has_one() -> None:
    assert usable_cores() >= 1
