"""The inline card."""

from __future__ import annotations

from typing import Any

import pytest
from chrome_fake import dress
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from playground.ui.chat.notice import NoticeCard
from playground.workspace.lane import Notice, NoticeAction

NOTICE = Notice(
    "danger",
    "The engine stopped while answering",
    "The system ended it because memory ran out. The 58 tokens above are kept.",
    (NoticeAction("reload", "Reload", True), NoticeAction("reload_ctx:4096", "Reload with 4,096 tokens")),
    "signal 9\n<img src='file:///etc/passwd'>",
)


@pytest.fixture
def card(qtbot: QtBot) -> Any:
    made = NoticeCard(NOTICE, dress())
    qtbot.addWidget(made)
    made.resize(500, made.heightForWidth(500))
    made.show()
    return made


def button(card: Any, label: str) -> Any:
    return next(b for b in card.findChildren(QPushButton) if b.text() == label)


def test_each_button_says_its_key(card: Any, qtbot: QtBot) -> None:
    for label, key in (("Reload", "reload"), ("Reload with 4,096 tokens", "reload_ctx:4096")):
        with qtbot.waitSignal(card.acted) as acted:
            qtbot.mouseClick(button(card, label), Qt.MouseButton.LeftButton)
        assert acted.args == [key]
    assert button(card, "Reload").property("kind") == "primary"


def test_details_open_and_can_be_selected(card: Any, qtbot: QtBot) -> None:
    assert card.details is None
    qtbot.mouseClick(button(card, "Details"), Qt.MouseButton.LeftButton)
    assert card.details.isVisible()
    card.details.selectAll()
    assert card.details.textCursor().selectedText().startswith("signal 9")
    qtbot.mouseClick(button(card, "Details"), Qt.MouseButton.LeftButton)
    assert not card.details.isVisible()


def test_all_text_is_plain(card: Any) -> None:
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in card.findChildren(QLabel) if label.text())


def test_buttons_wrap_in_a_narrow_lane(card: Any) -> None:
    card.resize(230, card.heightForWidth(230))
    card.layout().activate()
    first, second = button(card, "Reload"), button(card, "Reload with 4,096 tokens")
    assert second.y() > first.y()
    assert card.rect().contains(second.geometry())
