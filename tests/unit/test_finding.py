"""A model by its name: as soon as it can't be wrong, and no sooner. And what is noted of it follows its file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gguf_bytes as make
import pytest

from playground.cli import models
from playground.models import finding, following, library, notes, scanner
from playground.models.catalog import Catalog
from playground.models.finding import find
from playground.models.library import NoSuchModel
from playground.models.notes import Note
from playground.paths import Paths, find_paths


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr("playground.models.starter.find", lambda *_: None)
    monkeypatch.setattr("playground.models.sources.SOURCES", library.sources.SOURCES[:2])
    return find_paths()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Headers of files with “slow” in their name are not read before this is set."""
    go, real = threading.Event(), scanner.read

    def read(found: Any, *more: Any) -> Any:
        if "slow" in found.path:
            go.wait(60)
        return real(found, *more)

    monkeypatch.setattr(scanner, "read", read)
    yield go
    go.set()


def put(paths: Paths, name: str, data: bytes = b"") -> Path:
    path = paths.models / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data or make.build())
    return path


def test_the_name_of_a_file_needs_no_other_files_header(paths: Paths, slow: threading.Event) -> None:
    put(paths, "a slow one.gguf")
    wanted = put(paths, "Mine-Q8_0.gguf")
    found = find(paths, "mine-q8_0")
    assert (found.path, found.arch, found.pending) == (str(wanted), "llama", False)
    assert not slow.is_set()


def test_what_is_known_from_before_is_found_by_words(paths: Paths, slow: threading.Event) -> None:
    wanted = put(paths, "Mine-3B-Q8_0.gguf")
    library.scan(paths)
    put(paths, "a slow one.gguf")
    assert find(paths, "mine 3b").path == str(wanted)
    assert not slow.is_set()


def test_a_new_file_with_the_same_words_is_waited_for(paths: Paths, slow: threading.Event) -> None:
    put(paths, "Mine-3B-Q8_0.gguf")
    library.scan(paths)
    put(paths, "mine-3b-slow.gguf")
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(find, paths, "mine")
        assert not answer.done()
        slow.set()
        with pytest.raises(NoSuchModel, match="could be"):
            answer.result(60)


def test_a_changed_file_is_read_anew(paths: Paths) -> None:
    path = put(paths, "Mine-3B-Q8_0.gguf")
    library.scan(paths)
    path.write_bytes(b"nonsense")
    with pytest.raises(NoSuchModel, match="There is no model called"):
        find(paths, "mine 3b")


def test_a_folder_that_does_not_answer_is_said(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = put(paths, "Mine-3B-Q8_0.gguf")
    library.scan(paths)
    stuck = threading.Event()

    def hang(_folder: Path) -> Iterator[tuple[str, str]]:
        stuck.wait(60)
        yield from ()

    row = library.sources.Source("net", "the network folder", lambda paths: [paths.models], hang)
    monkeypatch.setattr("playground.models.sources.SOURCES", (*library.sources.SOURCES, row))
    take = finding._Look.take

    def take_and_hurry(look: finding._Look, report: scanner.Report) -> None:
        """Patience ends when all the others have answered."""
        take(look, report)
        if [key for key, state in look._taken.states.items() if state == "looking"] == ["net"]:
            monkeypatch.setattr(finding, "PATIENCE_S", -1)

    monkeypatch.setattr(finding._Look, "take", take_and_hurry)
    monkeypatch.setattr(finding, "PATIENCE_S", 100)
    said: list[str] = []
    try:
        assert find(paths, "mine 3b", said.append).path == str(wanted)
    finally:
        stuck.set()
    assert len(said) == 1
    assert "the network folder hasn’t answered yet" in said[0]


def test_headers_decide_where_names_do_not(paths: Paths) -> None:
    path = put(paths, "x.gguf")
    put(paths, "y.gguf")
    assert find(paths, "x q4_k_m").path == str(path)


def moved(paths: Paths) -> dict[str, str]:
    catalog = Catalog(paths.cache)
    try:
        return following.follow(paths, library.scan_everything(paths)[0], catalog)
    finally:
        catalog.close()


def test_a_label_follows_a_renamed_and_moved_file(paths: Paths) -> None:
    path = put(paths, "a.gguf", make.build() + b"one")
    put(paths, "b.gguf", make.build() + b"two")  # as large, and another
    notes.change(paths, path, label="mine", tok_s=12.5)
    assert moved(paths) == {}
    new = paths.models / "sub folder" / "ö.gguf"
    new.parent.mkdir()
    path.rename(new)
    assert moved(paths) == {str(path): str(new)}
    assert notes.load(paths) == {str(new): Note("mine", 0.0, 12.5)}


def test_a_copy_takes_no_label_away(paths: Paths) -> None:
    path = put(paths, "a.gguf")
    notes.change(paths, path, label="mine")
    moved(paths)
    put(paths, "copy.gguf", path.read_bytes())
    assert moved(paths) == {}
    assert set(notes.load(paths)) == {str(path)}


def test_a_file_that_became_another_takes_its_new_content_along(paths: Paths) -> None:
    path = put(paths, "a.gguf")
    notes.change(paths, path, label="mine")
    moved(paths)
    path.write_bytes(make.build() + b"grown")
    moved(paths)
    new = path.rename(paths.models / "b.gguf")
    assert moved(paths) == {str(path): str(new)}


def test_the_command_line_follows(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(paths, "a.gguf")
    notes.change(paths, path, label="mine")
    assert models.main(["list", "--json"]) == 0
    new = path.rename(paths.models / "b.gguf")
    capsys.readouterr()
    assert models.main(["list", "--json"]) == 0
    rows = {row["path"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows[str(new)]["label"] == "mine"
