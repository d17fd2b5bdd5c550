"""The table under three lanes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chrome_fake import FakeClock, FakeWorkspace, dress
from PySide6.QtGui import QPainter
from pytestqt.qtbot import QtBot

from playground import translate
from playground.ui.compare_table import CompareTable


@pytest.fixture
def german() -> Iterator[None]:
    translate.use("de")
    yield
    translate.use("en")


def test_its_head_is_in_the_user_s_language(qtbot: QtBot, german: None, monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[object] = []
    draw = QPainter.drawText

    def spy(painter: QPainter, *what: object) -> object:
        painted.extend(what)
        return draw(painter, *what)

    monkeypatch.setattr(QPainter, "drawText", spy)
    table = CompareTable(FakeWorkspace(), dress(), FakeClock())
    qtbot.addWidget(table)
    table.resize(900, 200)
    table.grab()
    assert {"Spur", "Modell", "Zeit", "Speicher", "Ende"} <= {words for words in painted if isinstance(words, str)}
    assert not {"Time", "Memory"} & {words for words in painted if isinstance(words, str)}
