"""Names first, headers after; and nobody waits for a folder that hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import gguf_bytes as make
import pytest
from waiting import wait_until

from playground.models import remembered
from playground.models import scanner as scanner_module
from playground.models.catalog import Catalog
from playground.models.folders import Place
from playground.models.library import Taken
from playground.models.scanner import Report, Scanner
from playground.models.sources import Source, all_sources
from playground.models.walk import find_ggufs
from playground.paths import Paths, find_paths

pytestmark = pytest.mark.usefixtures("no_threads_left")


@pytest.fixture
def paths() -> Paths:
    return find_paths()


@pytest.fixture
def catalog(paths: Paths) -> Iterator[Catalog]:
    made = Catalog(paths.cache)
    yield made
    made.close()


def source(key: str, folder: Path, find: Callable[[Path], Iterator[tuple[str, str]]] | None = None) -> Source:
    def walk(place: Path) -> Iterator[tuple[str, str]]:
        return ((path, "") for path in find_ggufs(Place("", place)))

    return Source(key, key, lambda _: [folder], find or walk, expected=True)


def fill(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"Model-{number}B-Q4_K_M.gguf").write_bytes(make.build())


def test_names_and_sizes_come_before_any_header_is_read(
    paths: Paths, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "f", 5)
    may_read = threading.Event()
    real = scanner_module.read
    monkeypatch.setattr(scanner_module, "read", lambda *args: (may_read.wait(100), real(*args))[1])
    reports: list[Report] = []
    first = threading.Event()
    scan = Scanner(paths, [source("f", tmp_path / "f")], catalog, lambda report: (reports.append(report), first.set()))
    scan.start()
    assert first.wait(100)
    (report,) = reports
    assert (report.state, report.all) == ("reading", True)
    assert [(m.name, m.quant, m.size, m.pending) for m in report.models][:1] == [("Model 0B", "Q4_K_M", 7776, True)]
    may_read.set()
    assert scan.wait(100)
    assert reports[-1].state == "done"
    assert sum(len(report.models) for report in reports[1:]) == 5
    assert not any(model.pending for report in reports[1:] for model in report.models)
    assert {model.n_ctx_train for report in reports[1:] for model in report.models} == {2048}


def test_what_was_read_before_needs_no_reading(paths: Paths, catalog: Catalog, tmp_path: Path) -> None:
    fill(tmp_path / "f", 3)
    for expected in (["reading", "done"], ["done"]):
        reports: list[Report] = []
        scan = Scanner(paths, [source("f", tmp_path / "f")], catalog, reports.append)
        scan.start()
        assert scan.wait(100)
        assert [report.state for report in reports] == expected
    assert [model.arch for model in reports[0].models] == ["llama"] * 3


def test_a_folder_that_hangs_holds_up_nobody(paths: Paths, catalog: Catalog, tmp_path: Path) -> None:
    fill(tmp_path / "good", 3)
    fill(tmp_path / "slow", 2)
    rows = [source("slow", tmp_path / "slow"), source("good", tmp_path / "good")]
    taken = Taken(["slow", "good"])
    scan = Scanner(paths, rows, catalog, taken.take)
    scan.start()
    assert scan.wait(100)
    assert len(taken.models()) == 5

    let_go = threading.Event()

    def hang(place: Path) -> Iterator[tuple[str, str]]:
        let_go.wait(300)
        return ((path, "") for path in find_ggufs(Place("", place)))

    taken = Taken(["slow", "good"])
    scan = Scanner(paths, [replace(rows[0], find=hang), rows[1]], catalog, taken.take, patience_s=1)
    scan.start()
    assert scan.wait(100)
    # A busy machine may have kept the good one from answering in time, too; it is listened to all the same.
    wait_until(lambda: taken.states["good"] == "done")
    assert taken.states["slow"] == "no_answer"
    assert [model.away for model in taken.models()] == [True, True, False, False, False]
    let_go.set()
    wait_until(lambda: taken.states["slow"] == "done")
    assert not any(model.away for model in taken.models())


def test_a_stopped_scan_tells_nothing_more(paths: Paths, catalog: Catalog, tmp_path: Path) -> None:
    fill(tmp_path / "f", 200)
    reports: list[Report] = []
    scan = Scanner(paths, [source("f", tmp_path / "f")], catalog, lambda report: (reports.append(report), scan.stop()))
    scan.start()
    assert scan.wait(100)
    assert len(reports) == 1


def test_files_that_went_are_forgotten(paths: Paths, tmp_path: Path) -> None:
    fill(tmp_path / "f", 3)
    for left in (3, 2):
        catalog = Catalog(paths.cache)
        taken = Taken(["f"])
        scan = Scanner(paths, [source("f", tmp_path / "f")], catalog, taken.take)
        scan.start()
        assert scan.wait(100)
        while any(thread.name.startswith("library") for thread in threading.enumerate()):
            time.sleep(0.005)
        catalog.close()
        assert len(taken.models()) == left
        kept = Catalog(paths.cache)
        assert len(kept.of_source("f")) == left
        kept.close()
        (tmp_path / "f" / "Model-1B-Q4_K_M.gguf").unlink(missing_ok=True)


def test_a_file_opened_from_a_disk_that_hangs_holds_up_no_other(
    paths: Paths, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "hung"):
        fill(tmp_path / name, 1)
        remembered.remember(paths, tmp_path / name / "Model-0B-Q4_K_M.gguf")
    let_go = threading.Event()
    real = scanner_module._exists
    monkeypatch.setattr(
        scanner_module, "_exists", lambda place: ("hung" in str(place) and let_go.wait(300), real(place))[1]
    )
    rows = [row for row in all_sources(paths) if row.label == "recent"]
    taken = Taken(row.key for row in rows)
    scan = Scanner(paths, rows, catalog, taken.take, patience_s=1)
    scan.start()
    assert scan.wait(100)
    wait_until(lambda: taken.states[f"recent:{tmp_path / 'good'}"] == "done")
    assert taken.states[f"recent:{tmp_path / 'hung'}"] == "no_answer"
    assert [model.path for model in taken.models()] == [str(tmp_path / "good" / "Model-0B-Q4_K_M.gguf")]
    let_go.set()
    wait_until(lambda: taken.states[f"recent:{tmp_path / 'hung'}"] == "done")
