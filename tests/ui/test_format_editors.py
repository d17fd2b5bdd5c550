"""The editors of grammar, JSON schema and logit bias, on a real engine: what is typed, what it tells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from panel_kit import NowClock, dressed
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from workspace_driver import Driver

from playground.ui.sampling.bias_popup import BiasPopup
from playground.ui.sampling.format_popup import FormatPopup
from playground.ui.sampling.panel import RightPanel

HERE = QPoint(400, 10)


class Room:
    """A panel over a workspace with the starter model."""

    def __init__(self, qtbot: QtBot, app: QApplication, model: Path) -> None:
        self.driver = Driver(model)
        self.lane = self.driver.workspace.lanes[0]
        self.panel = RightPanel(self.driver.workspace, dressed(app), NowClock())
        qtbot.addWidget(self.panel)

    def load(self) -> None:
        self.driver.start()
        self.driver.until(lambda: self.lane.state == "ready" and self.lane.engine.info is not None)

    def popup(self, name: str) -> Any:
        made = self.panel.sampling.rows[name].popup
        made.open_at(HERE, self.lane.sampling[name])
        return made


@pytest.fixture
def room(qtbot: QtBot, qapp: QApplication, starter_path: Path) -> Iterator[Room]:
    made = Room(qtbot, qapp, starter_path)
    yield made
    made.driver.close()


def test_a_grammar_is_checked_and_its_error_shown_at_its_line(room: Room) -> None:
    room.load()
    popup: FormatPopup = room.popup("grammar")
    popup.editor.setPlainText('root ::= "a"\nx ::= (((')
    popup.apply()
    room.driver.until(lambda: popup.error)
    assert "in line 2" in popup.error
    assert popup.marked_line == 2
    assert not popup.isHidden()
    assert room.lane.sampling["grammar"] == ""
    popup.editor.setPlainText('root ::= x\nx ::= "yes" | "no"')
    assert (popup.error, popup.marked_line) == ("", 0)
    popup.apply()
    room.driver.until(lambda: popup.isHidden())
    assert room.lane.sampling["grammar"].startswith("root ::= x")


def test_a_schema_shapes_the_answer(room: Room) -> None:
    room.load()
    popup: FormatPopup = room.popup("json_schema")
    popup.editor.setPlainText('{"type": "object",\n "properties": {"a": {"type": "thing"}}}')
    popup.apply()
    room.driver.until(lambda: popup.error)
    assert popup.marked_line == 2
    popup.editor.setPlainText('{"enum": ["red", "green"]}')
    popup.apply()
    room.driver.until(lambda: popup.isHidden())
    w = room.driver.workspace
    w.send("A colour?")
    room.driver.idle()
    assert room.lane.path[-1].text.strip() in ('"red"', '"green"')


def test_typed_text_becomes_tokens_with_a_bias(qtbot: QtBot, room: Room) -> None:
    room.load()
    popup: BiasPopup = room.popup("logit_bias")
    popup.text.setText(" unbelievable")
    room.driver.until(lambda: popup.typed)
    assert "".join(piece.text for piece in popup.typed) == " unbelievable"
    assert popup.tokens.text().startswith("·un")
    popup.bias.setText("never")
    qtbot.keyClick(popup.text, Qt.Key.Key_Return)
    ids = [piece.id for piece in popup.typed] or [int(popup.table.item(0, 1).text())]
    assert popup.table.item(0, 2).text() == "never"
    popup.table.item(0, 2).setText("1,5")
    popup.apply()
    entries = room.lane.sampling["logit_bias"]
    assert entries[0] == f"{ids[0]}+1.5"
    assert all(entry.endswith("-inf") for entry in entries[1:])
    again: BiasPopup = room.popup("logit_bias")
    room.driver.until(lambda: again.table.item(0, 0).text())
    assert again.table.item(0, 0).text() == "·unbelie"
    again.table.selectRow(0)
    again.remove_selected()
    again.bias.setText("much")
    again.text.setText("x")
    room.driver.until(lambda: again.typed)
    again.add_typed()
    assert "not “much”" in again.error
    again.apply()
    assert room.lane.sampling["logit_bias"] == entries[1:]


def test_without_a_model_they_say_so_and_keep_what_is_typed(room: Room) -> None:
    popup: FormatPopup = room.popup("grammar")
    popup.editor.setPlainText('root ::= "a"')
    popup._ask()
    assert "model is loaded" in popup.state.text()
    popup.apply()
    assert room.lane.sampling["grammar"] == 'root ::= "a"'
    bias: BiasPopup = room.popup("logit_bias")
    bias.text.setText("word")
    assert "model is loaded" in bias.tokens.text()
    bias.cancel()
