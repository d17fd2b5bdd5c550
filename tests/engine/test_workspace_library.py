"""The library and the quantizer as the window has them: nothing blocks, everything comes by signals."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf_bytes as make
import pytest
from gguf_factory import random_model

from playground.models import notes
from playground.models.gguf import read_header
from playground.paths import Paths, find_paths
from playground.quantize.plan import Plan, Wish
from playground.quantize.table import file_type
from playground.workspace.library import Library
from playground.workspace.quantizing import Quantizing


class Window:
    """Stands for the window's thread: runs on it what other threads post."""

    def __init__(self) -> None:
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._pool = ThreadPoolExecutor(2)
        self.said: list[str] = []

    def post(self, work: Callable[[], None]) -> None:
        self._posted.put(work)

    def background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        def run() -> None:
            result = work()
            self.post(lambda: then(result))

        self._pool.submit(run)

    def until(self, done: Callable[[], Any]) -> None:
        while not done():
            self._posted.get(timeout=100)()

    def close(self) -> None:
        self._pool.shutdown()


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return find_paths()


@pytest.fixture
def window() -> Any:
    made = Window()
    yield made
    made.close()


@pytest.fixture
def library(paths: Paths, window: Window) -> Any:
    made = Library(paths, window.post, window.background, window.said.append)
    yield made
    made.close()


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make.build())
    return path


def look(library: Library, window: Window) -> list[str]:
    library.refresh()
    window.until(lambda: not library.scanning)
    return [model.name for model in library.arrange() if model.source != "starter"]


def test_the_list_fills_and_what_was_shown_stays(library: Library, window: Window, paths: Paths) -> None:
    put(paths.models / "Beta-2B-Q8_0.gguf")
    changes: list[int] = []
    library.changed.connect(lambda: changes.append(len(library.models)))
    assert look(library, window) == ["Beta 2B"]
    put(paths.models / "Alpha-1B-Q8_0.gguf")
    changes.clear()
    found: list[Any] = []
    library.looked.connect(found.append)
    assert look(library, window) == ["Alpha 1B", "Beta 2B"]
    assert min(changes) >= 2, "the list was never emptied meanwhile"
    assert [ref.name for ref in found[0][-2:]] == ["Alpha 1B", "Beta 2B"]
    look(library, window)
    assert len(found) == 1, "nothing new, nothing said"


def test_labels_use_and_speed_are_kept(library: Library, window: Window, paths: Paths) -> None:
    path = str(put(paths.models / "Alpha-1B-Q8_0.gguf"))
    look(library, window)
    library.label(path, "pet")
    ended: list[Callable[[Any], None]] = []
    library.follow(SimpleNamespace(ended=SimpleNamespace(connect=ended.append)))  # type: ignore[arg-type]
    record = {"tok_s": 91.234, "n_drawn": 40}
    job = SimpleNamespace(engine=SimpleNamespace(path=path), node=SimpleNamespace(record=record))
    ended[0](job)
    record |= {"tok_s": 400.0, "n_drawn": 3}
    ended[0](job)
    assert (library.note(path).label, library.note(path).tok_s) == ("pet", 91.23)
    assert library.note(path).last_used > 1_700_000_000
    assert [model.path for model in library.arrange("PET")] == [path]
    window.until(lambda: notes.load(paths).get(path) == library.note(path))


def test_a_label_follows_its_file(library: Library, window: Window, paths: Paths) -> None:
    path = put(paths.models / "Alpha-1B-Q8_0.gguf")
    look(library, window)
    library.label(str(path), "pet")
    window.until(lambda: str(path) in notes.load(paths))
    new = path.rename(paths.models / "Other-1B-Q8_0.gguf")
    look(library, window)
    window.until(lambda: library.note(str(new)).label == "pet")
    assert library.note(str(path)) == notes.Note()


def test_twins_are_pointed_out(library: Library, window: Window, paths: Paths, tmp_path: Path) -> None:
    one = put(paths.models / "Alpha-1B-Q8_0.gguf")
    two = put(tmp_path / "user" / ".lmstudio" / "models" / "a" / "copy.gguf")
    look(library, window)
    window.until(lambda: library.twins)
    assert {model.path for model in library.twins[str(one)]} == {str(one), str(two)}


def test_folders_come_and_go(library: Library, window: Window, tmp_path: Path) -> None:
    put(tmp_path / "more" / "Gamma-1B.gguf")
    look(library, window)
    library.add_folder(str(tmp_path / "more"))
    window.until(lambda: any(model.name == "Gamma 1B" and not model.pending for model in library.models))
    library.remove_folder(str(tmp_path / "more"))
    window.until(lambda: not any(model.name == "Gamma 1B" for model in library.models))
    library.add_folder(str(tmp_path / "nowhere"))
    window.until(lambda: window.said)
    assert "is no folder" in window.said[0]


def test_only_ours_can_be_deleted(library: Library, window: Window, paths: Paths, tmp_path: Path) -> None:
    theirs = put(tmp_path / "user" / ".lmstudio" / "models" / "a" / "theirs.gguf")
    look(library, window)
    (model,) = [model for model in library.models if model.source == "LM Studio"]
    assert not library.may_delete(model)
    answers: list[str] = []
    library.delete(str(theirs), answers.append)
    window.until(lambda: answers)
    assert "isn’t ours" in answers[0]
    assert theirs.exists()


def test_inspecting_and_verifying(library: Library, window: Window, starter_path: Path) -> None:
    seen: list[Any] = []
    library.inspect(str(starter_path), seen.append)
    library.inspect("/nowhere.gguf", seen.append)
    window.until(lambda: len(seen) == 2)
    assert {type(one).__name__ for one in seen} == {"Inspected", "str"}
    parts: list[float] = []
    found: list[Any] = []
    library.verify(str(starter_path), parts.append, found.append)
    window.until(lambda: found)
    assert found[0].good
    assert found[0].by == "its publisher"
    assert parts == sorted(parts)
    library.verify(str(starter_path), parts.append, found.append)()
    while any(thread.name == "verify" for thread in threading.enumerate()):
        pass
    assert len(found) == 1


def plans(quantizing: Quantizing, window: Window, library: Library, path: Path, *names: str) -> list[Plan]:
    model = library.find(str(path))
    assert model is not None
    got: list[Any] = []
    for name in names:
        quantizing.plan(model, Wish(file_type(name), threads=1), got.append)
    window.until(lambda: len(got) == len(names))
    return sorted(got, key=lambda plan: names.index(plan.wish.to.name))


def test_quants_are_made_one_after_the_other(library: Library, window: Window, paths: Paths) -> None:
    path = paths.models / "Tiny-F32.gguf"
    path.parent.mkdir(parents=True)
    random_model(path, width=256)
    look(library, window)
    quantizing = Quantizing(paths, window.post, window.background)
    quantizing.made.connect(lambda _: library.refresh())
    todo = plans(quantizing, window, library, path, "Q8_0", "IQ1_S", "Q4_0", "Q5_0")
    said: list[Any] = []
    quantizing.foretell(todo[0], said.append)
    first, fails, second, dropped = quantizing.start(todo)
    quantizing.cancel(dropped)
    assert [making.state for making in quantizing.all] == ["working", "waiting", "waiting", "cancelled"]
    window.until(lambda: second.state == "done" and said)
    assert (first.state, first.fraction, fails.state, dropped.state) == ("done", 1.0, "failed", "cancelled")
    assert "importance matrix" in fails.message
    assert said[0].size == read_header(first.plan.target).tensor_bytes
    window.until(lambda: not library.scanning)
    assert {model.quant for model in library.models if model.name == "Tiny"} == {"F32", "Q8_0", "Q4_0"}
    refused: list[Any] = []
    model = library.find(str(path))
    assert model is not None
    quantizing.plan(model, Wish(file_type("Q8_0")), refused.append)
    window.until(lambda: refused)
    assert "already" in refused[0]
    quantizing.dismiss(fails)
    assert fails not in quantizing.all


def test_a_quant_under_way_is_given_up(library: Library, window: Window, paths: Paths, starter_path: Path) -> None:
    look(library, window)
    quantizing = Quantizing(paths, window.post, window.background)
    (making,) = quantizing.start(plans(quantizing, window, library, starter_path, "IQ4_NL"))
    window.until(lambda: making.fraction > 0)
    assert making.left_s >= 0
    quantizing.cancel(making)
    window.until(lambda: making.state == "cancelled")
    assert list(paths.models.iterdir()) == []
    (making,) = quantizing.start([making.plan])
    quantizing.close()
    window.until(lambda: making.state == "cancelled")
    assert list(paths.models.iterdir()) == []
