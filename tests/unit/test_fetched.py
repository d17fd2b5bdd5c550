"""Deleting what was fetched into the Hub's cache: only ours, and no link, ref or empty folder is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import gguf_bytes as make
import pytest
from faulty_hub import REPO, FaultyHub

from playground.downloads import fetched, job, record
from playground.downloads.control import Control, Patience
from playground.downloads.place import Place
from playground.downloads.record import Journal, folder_of
from playground.models import library
from playground.models.trash import NotDeleted
from playground.paths import Paths, find_paths

pytest_plugins = ("download_fixtures",)
FILE = "tiny.Q4_0.gguf"


@pytest.fixture
def paths() -> Paths:
    return find_paths()


@pytest.fixture
def place(tmp_path: Path, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The cache; the trash is a folder beside it."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    faulty.files = {FILE: make.build(), "other.gguf": make.build() + b"other"}
    return Place(tmp_path / "cache", REPO)


def get(paths: Paths, place: Place, hub: FaultyHub, *names: str) -> Path:
    wanted = record.new(REPO, names or [FILE], endpoint=hub.url)
    control = Control(patience=Patience(tries=2, first_s=0.01, longest_s=0.02))
    job.run(wanted, Journal(folder_of(paths)), place, control)
    return Path(wanted.paths[0])


def left(place: Place) -> list[str]:
    return sorted(str(path.relative_to(place.cache)) for path in place.cache.rglob("*"))


def test_deleted_for_good_nothing_is_left(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    path = get(paths, place, faulty)
    model = library.describe(path)
    assert fetched.may_delete(paths, model)
    assert fetched.delete(paths, model, forever=True) == [path]
    assert [name for name in left(place) if not name.startswith(".locks")] == []
    assert fetched.load(folder_of(paths)) == {}
    with pytest.raises(NotDeleted):
        fetched.delete(paths, model, forever=True)


def test_in_the_trash_it_has_its_name_and_its_content(
    paths: Paths, place: Place, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    monkeypatch.setattr("send2trash.send2trash", lambda file: os.replace(file, bin_ / Path(file).name))
    path = get(paths, place, faulty)
    fetched.delete(paths, library.describe(path))
    assert (bin_ / FILE).read_bytes() == faulty.files[FILE]
    assert not (bin_ / FILE).is_symlink()
    assert not os.path.lexists(path)
    path.parent.mkdir(parents=True)  # as a trash restores it
    os.replace(bin_ / FILE, path)
    assert str(path) in [model.path for model in library.scan(paths)]


def test_a_trash_that_refuses_leaves_everything_as_it_was(
    paths: Paths, place: Place, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_file: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    path = get(paths, place, faulty)
    before = left(place)
    with pytest.raises(NotDeleted, match="Read-only file system"):
        fetched.delete(paths, library.describe(path))
    assert left(place) == before
    assert path.is_symlink()
    assert path.read_bytes() == faulty.files[FILE]
    assert fetched.may_delete(paths, library.describe(path))


def test_what_another_program_fetched_is_not_ours(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    theirs = Path(hf_hub_download(REPO, FILE, cache_dir=place.cache, endpoint=faulty.url))
    assert get(paths, place, faulty) == theirs  # here already
    model = library.describe(theirs)
    assert not fetched.may_delete(paths, model)
    with pytest.raises(NotDeleted, match="isn’t ours"):
        fetched.delete(paths, model, forever=True)
    assert theirs.read_bytes() == faulty.files[FILE]


def test_neighbours_of_others_stay_with_their_version(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download, scan_cache_dir

    path = get(paths, place, faulty)
    theirs = Path(hf_hub_download(REPO, "other.gguf", cache_dir=place.cache, endpoint=faulty.url))
    fetched.delete(paths, library.describe(path), forever=True)
    assert not os.path.lexists(path)
    assert theirs.read_bytes() == faulty.files["other.gguf"]
    assert len(list((place.root / "blobs").iterdir())) == 1
    found = scan_cache_dir(place.cache)
    assert not found.warnings
    assert [len(repo.revisions) for repo in found.repos] == [1]


def test_content_that_another_version_uses_stays(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    path = get(paths, place, faulty)
    other = place.root / "snapshots" / ("f" * 40) / FILE  # as another program links it
    other.parent.mkdir()
    other.symlink_to(os.readlink(path))
    fetched.delete(paths, library.describe(path), forever=True)
    assert not os.path.lexists(path)
    assert other.read_bytes() == faulty.files[FILE]


def test_two_versions_of_ours_go_together(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    first = get(paths, place, faulty)
    faulty.files["README.md"] = b"news"  # another commit, the same file
    second = get(paths, place, faulty)
    assert first != second
    assert os.path.realpath(first) == os.path.realpath(second)
    model = library.describe(second)
    gone = fetched.delete(paths, model, forever=True)
    assert set(gone) == {first, second}
    assert [name for name in left(place) if not name.startswith(".locks")] == []


def test_a_file_that_is_being_fetched_stays(paths: Paths, place: Place, faulty: FaultyHub) -> None:
    path = get(paths, place, faulty)
    blob = Path(os.path.realpath(path)).name
    with (
        record.locked(place.lock(blob)),
        pytest.raises(NotDeleted, match="Another program is using"),
    ):
        fetched.delete(paths, library.describe(path), forever=True)
    assert path.read_bytes() == faulty.files[FILE]
