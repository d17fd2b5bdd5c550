"""The inspector: what a file says of itself, as lists and as a picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_bytes import STRING, U32, build, pair, pairs, tensor, text
from models_kit import Stand, put
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from playground.ui.models.inspector import MOST_ROWS, Inspector
from playground.ui.models.template_view import MOST_SHOWN


@pytest.fixture
def stand(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, starter_path: Path) -> Iterator[Stand]:
    made = Stand(qtbot)
    put(made.paths.models, "Tiny-1B-F32.gguf", template=None)
    (made.paths.models / "Broken-7B-Q4_K_M.gguf").write_bytes(b"<!DOCTYPE html>" + b"x" * 4000)
    made.look()
    yield made
    made.close()


def inspect(stand: Stand, file: Path) -> Inspector:
    tab = stand.page.library
    assert tab.table.select(str(file))
    tab.details.doings["inspect"].click()
    made = stand.page.inspector
    assert made is not None
    stand.qtbot.waitUntil(lambda: made.metadata.items.rowCount() > 0 or not made.problem.isHidden(), timeout=20_000)
    return made


def test_metadata_is_listed_and_searched(stand: Stand, starter_path: Path, qtbot: QtBot) -> None:
    shown = inspect(stand, starter_path)
    assert shown.metadata.items.rowCount() > 20
    qtbot.keyClicks(shown.metadata.search, "context_length")
    assert shown.metadata.shown.rowCount() == 1
    assert shown.metadata.shown.index(0, 1).data() == "8192"
    qtbot.keyClick(shown, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: stand.page.stack.currentWidget() is stand.page.library)


def test_the_picture_shows_layers_by_type(stand: Stand, starter_path: Path) -> None:
    shown = inspect(stand, starter_path)
    shown.show_tab("tensors")
    shown.picture.grab()
    names = [name for name, _ in shown.picture.columns]
    assert names[0] == "embedding"
    assert [name for name in names if name.startswith("layer")] == [f"layer {n}" for n in range(30)]
    sizes = dict(shown.picture.columns)
    assert max(sizes["layer 0"], key=lambda kind: sizes["layer 0"][kind]) == "Q4_1"
    assert "Q4_1" in shown.picture.text_at(QPoint(5, 5))
    assert "embedding" in shown.picture.text_at(QPoint(5, 120))
    assert shown.tensors.items.rowCount() == 272
    shown.tensors.search.setText("ffn_down")
    assert shown.tensors.shown.rowCount() == 30


def test_the_vocabulary_is_searched_without_an_engine(stand: Stand, starter_path: Path, qtbot: QtBot) -> None:
    shown = inspect(stand, starter_path)
    shown.show_tab("tokenizer")
    assert "49,152" in shown.tokenizer.facts.text
    qtbot.keyClicks(shown.tokenizer.field, " hello")
    qtbot.waitUntil(lambda: "Ġhello" in shown.tokenizer.tokens.toPlainText(), timeout=20_000)
    assert "once a lane has this model" in shown.tokenizer.count.text()
    shown.show_tab("template")
    assert "im_start" in shown.template.source.toPlainText()
    shown.template.render_button.click()
    assert "sandbox" in shown.template.said.text()


def test_another_file_takes_its_place_and_a_broken_one_says_why(stand: Stand, starter_path: Path) -> None:
    inspect(stand, starter_path)
    shown = inspect(stand, stand.paths.models / "Tiny-1B-F32.gguf")
    stand.qtbot.waitUntil(lambda: "no chat template" in shown.template.source.toPlainText(), timeout=20_000)
    assert not shown.template.render_button.isEnabled()
    stand.page.show_tab("library")
    inspect(stand, stand.paths.models / "Broken-7B-Q4_K_M.gguf")
    stand.qtbot.waitUntil(lambda: not shown.problem.isHidden(), timeout=20_000)
    assert "web page" in shown.problem.text.text()
    assert shown.stack.isHidden()


def test_a_header_without_end_is_shown_in_part(stand: Stand) -> None:
    many = MOST_ROWS + 12_345
    keys = [pair(f"x.{n}", U32, struct.pack("<I", n)) for n in range(many - len(pairs()) - 1)]
    keys.append(pair("tokenizer.chat_template.tool_use", STRING, text("{% if a %}" * 1_000_000)))
    tensors = [tensor(f"blk.{n}.weight", [32], 0, 0) for n in range(many)]
    path = stand.paths.models / "Endless-1B-F32.gguf"
    path.write_bytes(build([*pairs(), *keys], tensors))
    stand.look()
    shown = inspect(stand, path)
    for table in (shown.metadata, shown.tensors):
        assert table.items.rowCount() == MOST_ROWS + 1
        assert "12,345" in table.items.item(MOST_ROWS, 0).text()
    shown.template.which.setCurrentText("tool_use")
    assert MOST_SHOWN < len(shown.template.source.toPlainText()) < MOST_SHOWN + 100
    assert len(shown.picture.columns) < 2000, "layers that can’t be computed are no columns"
