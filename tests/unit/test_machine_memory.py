"""What is free where control groups limit memory: made-up folders of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground import cgroups
from playground.fit.machine import container

GB = 1_000_000_000


class Groups:
    """A folder like /sys/fs/cgroup, and what the kernel says of our place there."""

    def __init__(self, folder: Path) -> None:
        self.root, self.own = folder / "cgroup", folder / "own"
        self.root.mkdir()
        self.own.write_text("0::/\n")

    def put(self, folder: str, **files: object) -> None:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (self.root / folder / name.replace("__", ".")).write_text(f"{text}\n")

    def container(self) -> tuple[int, int]:
        return container(self.root, self.own)


@pytest.fixture
def groups(tmp_path: Path) -> Groups:
    return Groups(tmp_path)


def test_without_a_limit_there_is_none(groups: Groups, tmp_path: Path) -> None:
    groups.put("", memory__max="max", memory__current=5)
    assert groups.container() == (0, 0)
    groups.put("memory", memory__limit_in_bytes=9223372036854771712, memory__usage_in_bytes=5)
    assert groups.container() == (0, 0)
    assert container(tmp_path / "nothing", tmp_path / "nothing") == (0, 0)


def test_a_containers_own_group_is_the_root(groups: Groups) -> None:
    groups.put("", memory__max=4 * GB, memory__current=3 * GB, memory__stat="anon 1\ninactive_file 500000000")
    assert groups.container() == (4 * GB, 1_500_000_000)
    groups.own.write_text("0::/docker/4711\n")  # the host's path, which isn't there
    assert groups.container() == (4 * GB, 1_500_000_000)


def test_pages_of_a_file_count_as_free_however_often_they_were_read(groups: Groups) -> None:
    groups.put("", memory__max=4 * GB, memory__current=3 * GB, memory__stat=f"active_file {GB}\ninactive_file {GB}")
    assert groups.container() == (4 * GB, 3 * GB)


def test_a_group_of_ones_own_and_those_above_it(groups: Groups) -> None:
    groups.own.write_text("0::/user.slice/run-1.scope\n")
    groups.put("user.slice/run-1.scope", memory__max=2 * GB, memory__current=GB)
    groups.put("user.slice", memory__max="max", memory__current=2_900_000_000)
    assert groups.container() == (2 * GB, GB)
    groups.put("user.slice", memory__max=3 * GB, memory__current=2_900_000_000)
    assert groups.container() == (2 * GB, 100_000_000), "what the others in the slice use is gone"


def test_version_1(groups: Groups) -> None:
    groups.own.write_text("9:name=systemd:/\n4:cpu,memory:/docker/4711\n0::/\n")
    files = {
        "memory__limit_in_bytes": 2 * GB,
        "memory__usage_in_bytes": GB,
        "memory__stat": "cache 9\nactive_file 7\ntotal_active_file 0\ntotal_inactive_file 250000000",
    }
    groups.put("memory/docker/4711", **files)
    assert groups.container() == (2 * GB, 1_250_000_000)
    groups.put("memory", **files)
    groups.own.write_text("4:memory:/elsewhere\n")
    assert groups.container() == (2 * GB, 1_250_000_000), "a container sees its own group as the root"


def test_broken_files_are_no_limit(groups: Groups) -> None:
    groups.put("", memory__max="ÿ", memory__current="x")
    groups.own.write_text("nonsense\n::\n")
    assert groups.container() == (0, 0)


def test_ones_own_folder_comes_first(groups: Groups) -> None:
    groups.own.write_text("0::/a/b\n")
    groups.put("a/b")
    assert cgroups.folders("memory", groups.root, groups.own) == [groups.root / "a/b", groups.root / "a", groups.root]
