"""The Library tab: what is listed, how it is found, opened, labelled and deleted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from models_kit import Stand, put
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from playground.models import notes, trash
from playground.ui.models.library_tab import LibraryTab
from playground.ui.models.table import COLUMNS


@pytest.fixture
def stand(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("playground.models.starter.find", lambda *_: None)
    made = Stand(qtbot)
    models = made.paths.models
    put(models, "Qwen3-0.6B-Q8_0.gguf")
    put(models, "Qwen3-4B-F16.gguf", seed=2, template=None)
    put(models, "Gemma-3-1B-F16.gguf", seed=3)
    (models / "Broken-7B-Q4_K_M.gguf").write_bytes(b"<!DOCTYPE html>" + b"x" * 4000)
    made.look()
    yield made
    made.close()


def names(tab: LibraryTab) -> list[str]:
    column = next(n for n, column in enumerate(COLUMNS) if column.key == "name")
    model = tab.table.rows_model
    return [str(model.index(row, column).data()) for row in range(model.rowCount())]


def cell(tab: LibraryTab, name: str, key: str) -> str:
    column = next(n for n, column in enumerate(COLUMNS) if column.key == key)
    return str(tab.table.rows_model.index(names(tab).index(name), column).data())


def choose(stand: Stand, file: str) -> None:
    assert stand.page.library.table.select(str(stand.paths.models / file))


def test_all_models_are_listed_and_a_broken_one_says_why(stand: Stand) -> None:
    tab = stand.page.library
    assert names(tab) == ["Gemma 3 1B", "Qwen3 0.6B", "Qwen3 4B", "Broken 7B"]
    assert cell(tab, "Qwen3 0.6B", "context") == "2,048"
    choose(stand, "Broken-7B-Q4_K_M.gguf")
    assert not tab.details.problem.isHidden()
    assert "web page" in tab.details.problem.text.text()
    assert not tab.details.open.isEnabled()
    choose(stand, "Qwen3-4B-F16.gguf")
    assert tab.details.problem.isHidden()
    assert "none: completes text" in tab.details.facts.text


def test_search_order_and_families(stand: Stand, qtbot: QtBot) -> None:
    tab = stand.page.library
    qtbot.keyClicks(tab.search, "qwen 4b")
    qtbot.waitUntil(lambda: names(tab) == ["Qwen3 4B"])
    assert tab.count.text().startswith("1 of 4 models")
    tab.search.setText("nothing like it")
    qtbot.waitUntil(lambda: not tab.empty.isHidden())
    assert "Find" in tab.empty.text()
    tab.search.clear()
    qtbot.waitUntil(lambda: len(names(tab)) == 4)
    tab.families.click()
    assert [name.split(" · ")[0] for name in names(tab)] == [
        "Gemma 3", "Gemma 3 1B", "Qwen3", "Qwen3 0.6B", "Qwen3 4B", "Broken", "Broken 7B",
    ]  # fmt: skip
    tab.table.sort_wanted.emit("used")
    assert tab.sort.currentText() == "Last used first"


def test_a_model_opens_in_the_active_lane_or_in_a_new_one(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(
        stand.workspace, "choose_model", lambda letter, ref: loaded.append(f"{letter} {Path(ref.path).name}")
    )
    monkeypatch.setattr(stand.workspace, "add_lane", lambda ref: loaded.append(f"new {Path(ref.path).name}") or True)
    opened: list[bool] = []
    stand.page.opened.connect(lambda: opened.append(True))
    choose(stand, "Qwen3-4B-F16.gguf")
    stand.qtbot.mouseClick(stand.page.library.details.open, Qt.MouseButton.LeftButton)
    stand.qtbot.mouseClick(stand.page.library.details.beside, Qt.MouseButton.LeftButton)
    stand.qtbot.keyClick(stand.page.library.table, Qt.Key.Key_Return)
    assert loaded == ["A Qwen3-4B-F16.gguf", "new Qwen3-4B-F16.gguf", "A Qwen3-4B-F16.gguf"]
    assert len(opened) == 3


def test_a_label_is_kept_and_found_again(stand: Stand, qtbot: QtBot) -> None:
    tab = stand.page.library
    choose(stand, "Gemma-3-1B-F16.gguf")
    qtbot.keyClicks(tab.details.label, "for letters")
    qtbot.keyClick(tab.details.label, Qt.Key.Key_Return)
    path = str(stand.paths.models / "Gemma-3-1B-F16.gguf")
    qtbot.waitUntil(lambda: notes.load(stand.paths).get(path, notes.Note()).label == "for letters")
    assert cell(tab, "Gemma 3 1B", "label") == "for letters"
    qtbot.keyClicks(tab.search, "letters")
    qtbot.waitUntil(lambda: names(tab) == ["Gemma 3 1B"])


def test_nothing_is_deleted_without_a_second_word(stand: Stand, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trash, "remove", lambda file, forever: file.unlink())
    tab, path = stand.page.library, stand.paths.models / "Gemma-3-1B-F16.gguf"
    choose(stand, path.name)
    qtbot.keyClick(tab.table, Qt.Key.Key_Delete)
    asked = tab.details.asked
    assert "Gemma 3 1B" in asked.title.text()
    keep = asked.buttons[1]
    qtbot.mouseClick(keep, Qt.MouseButton.LeftButton)
    assert asked.isHidden()
    assert path.exists()
    tab.details.ask_delete()
    qtbot.mouseClick(asked.buttons[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Gemma 3 1B" not in names(tab) and not stand.library.scanning, timeout=20_000)
    assert not path.exists()
    assert any("trash" in said for said in stand.told)
    assert tab.details.model is None


def test_what_others_keep_is_never_deleted(stand: Stand, tmp_path: Path, qtbot: QtBot) -> None:
    theirs = put(tmp_path / "theirs", "Other-2B-F16.gguf", seed=9)
    stand.library.add_folder(str(theirs.parent))
    qtbot.waitUntil(lambda: "Other 2B" in names(stand.page.library) and not stand.library.scanning, timeout=20_000)
    assert stand.page.library.table.select(str(theirs))
    details = stand.page.library.details
    assert details.doings["delete"].isHidden()
    details.ask_delete()
    assert "isn’t ours" in details.asked.title.text()
    assert theirs.exists()


def test_files_that_lie_here_twice_are_pointed_out(stand: Stand, qtbot: QtBot) -> None:
    folder = stand.paths.models
    shutil.copy(folder / "Qwen3-0.6B-Q8_0.gguf", folder / "Qwen3-0.6B-again-Q8_0.gguf")
    stand.look()
    qtbot.waitUntil(lambda: bool(stand.library.twins), timeout=20_000)
    choose(stand, "Qwen3-0.6B-again-Q8_0.gguf")
    assert "lies here twice" in stand.page.library.details.twins.text.text()
    assert "more than once" in stand.page.library.count.text()


def test_a_check_reads_the_file_and_says_what_came_of_it(stand: Stand, qtbot: QtBot) -> None:
    choose(stand, "Qwen3-4B-F16.gguf")
    details = stand.page.library.details
    qtbot.mouseClick(details.doings["verify"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not details.checked.isHidden())
    assert "SHA-256" in details.checked.text.text()
    assert details.doings["verify"].text() == "Check the file"


def test_what_was_chosen_stays_while_the_list_fills(stand: Stand) -> None:
    choose(stand, "Qwen3-4B-F16.gguf")
    put(stand.paths.models, "A-new-one-1B-F16.gguf", seed=5)
    stand.look()
    tab = stand.page.library
    assert names(tab)[0] == "A new one 1B"
    assert tab.table.selected.endswith("Qwen3-4B-F16.gguf")
    assert tab.details.name.text() == "Qwen3 4B"
