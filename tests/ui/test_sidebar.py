"""Chats and models at the left."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from chrome_fake import GEMMA, QWEN, STARTER, FakeWorkspace, dress, load
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from playground.conversation.tree import ChatHead
from playground.ui.sidebar import Sidebar

DAY = 86_400
NOW = datetime.datetime(2026, 5, 14, 12).timestamp()


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chats stand by local days: no midnight passes while a test runs."""
    for module in ("chat_list", "sidebar"):
        monkeypatch.setattr(f"playground.ui.{module}.time", SimpleNamespace(time=lambda: NOW))


@pytest.fixture
def made(qtbot: QtBot) -> Any:
    workspace = FakeWorkspace()
    load(workspace.lanes[0])
    workspace.heads = [
        ChatHead("kv", "KV cache size", NOW, "A"),
        ChatHead("haiku", "Haiku at three temperatures", NOW - 1, "ABC"),
        ChatHead("regex", "Regex for log lines", NOW - 3 * DAY, "A"),
        ChatHead("old", "", NOW - 400 * DAY, "AB"),
    ]
    workspace.chat.id = "kv"
    sidebar = Sidebar(workspace, dress())
    qtbot.addWidget(sidebar)
    sidebar.resize(240, 700)
    sidebar.show()
    qtbot.waitExposed(sidebar)
    return workspace, sidebar


def titles(sidebar: Any) -> Any:
    return [row if isinstance(row, str) else row.title or "New chat" for row in sidebar.list.chats.rows]


def click(qtbot: QtBot, sidebar: Any, chat_id: str, double: bool = False) -> Any:
    index = sidebar.list.chats.index(sidebar.list.chats.row_of(chat_id))
    sidebar.list.scrollTo(index)
    point = sidebar.list.visualRect(index).center()
    (qtbot.mouseDClick if double else qtbot.mouseClick)(sidebar.list.viewport(), Qt.MouseButton.LeftButton, pos=point)
    return index


def editor(sidebar: Any) -> Any:
    return sidebar.list.viewport().findChild(QLineEdit)


def test_chats_stand_by_date_and_the_open_one_is_selected(made: Any) -> None:
    _, sidebar = made
    shown = titles(sidebar)
    assert shown[0] == "Today"
    assert shown[1] == "KV cache size"
    assert "Last week" in shown
    assert shown[-1] == "New chat"
    assert sidebar.list.currentIndex().data() == "KV cache size"


def test_a_click_opens_a_chat(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    click(qtbot, sidebar, "haiku")
    click(qtbot, sidebar, "kv")
    assert workspace.called("open_chat") == [("haiku",)]


def test_the_fresh_chat_stands_on_top_until_it_is_kept(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    qtbot.mouseClick(sidebar.new, Qt.MouseButton.LeftButton)
    assert workspace.called("new_chat") == [()]
    workspace.chat.id = "fresh"
    workspace.chat_changed.emit()
    assert titles(sidebar)[:2] == ["Today", "New chat"]
    workspace.heads.insert(0, ChatHead("fresh", "Named", NOW, "A"))
    workspace.heads_changed.emit()
    assert titles(sidebar)[:3] == ["Today", "Named", "KV cache size"]


def test_search_filters_by_title_and_by_text_from_the_store(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    found = []
    workspace.search_chats = lambda text, reply: found.append((text, reply))
    qtbot.keyClicks(sidebar.search, "haiku")
    assert "Haiku at three temperatures" in titles(sidebar)
    assert "KV cache size" not in titles(sidebar)
    qtbot.waitUntil(lambda: bool(found))
    text, reply = found[0]
    assert text == "haiku"
    reply([workspace.heads[2]])
    assert "Regex for log lines" in titles(sidebar)
    qtbot.keyClick(sidebar.search, Qt.Key.Key_Return)
    assert workspace.called("open_chat") == [("haiku",)]
    qtbot.keyClick(sidebar.search, Qt.Key.Key_Escape)
    assert "KV cache size" in titles(sidebar)
    reply([workspace.heads[2]])  # too late: the search is another one
    assert len(sidebar._found) == 0


def test_a_search_without_hits_says_so(made: Any, qtbot: QtBot) -> None:
    _, sidebar = made
    qtbot.keyClicks(sidebar.search, "zzz")
    assert sidebar.note.text() == "No chat has that in its title or text."
    assert sidebar.note.isVisible()


def test_f2_and_a_double_click_rename_in_place(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    click(qtbot, sidebar, "haiku")
    qtbot.keyClick(sidebar.list, Qt.Key.Key_F2)
    field = editor(sidebar)
    assert field.text() == "Haiku at three temperatures"
    field.clear()
    qtbot.keyClicks(field, "  Three haikus ")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.called("rename_chat") == [("haiku", "Three haikus")])
    qtbot.waitUntil(lambda: editor(sidebar) is None)
    assert "Three haikus" in titles(sidebar)
    click(qtbot, sidebar, "haiku", double=True)
    qtbot.waitUntil(lambda: editor(sidebar) is not None)
    qtbot.keyClick(editor(sidebar), Qt.Key.Key_Escape)
    assert len(workspace.called("rename_chat")) == 1


def test_a_new_turn_elsewhere_does_not_end_a_rename(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    sidebar.rename("regex")
    field = editor(sidebar)
    qtbot.keyClicks(field, "Half")
    workspace.heads.insert(0, workspace.heads.pop(1))
    workspace.heads_changed.emit()
    assert field.isVisible()
    assert field.text() == "Half"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: workspace.called("rename_chat") == [("regex", "Half")])
    qtbot.waitUntil(lambda: "Half" in titles(sidebar))
    assert titles(sidebar)[1] == "Haiku at three temperatures"


def test_del_deletes_with_undo(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    click(qtbot, sidebar, "haiku")
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Delete)
    assert workspace.called("delete_chat") == [("haiku",)]
    assert sidebar.undo_bar.isVisible()
    assert sidebar.undo_bar.label.text() == "Deleted “Haiku at three temperatures”."
    qtbot.mouseClick(sidebar.undo_bar.undo, Qt.MouseButton.LeftButton)
    assert workspace.called("undo_delete") == [()]
    assert not sidebar.undo_bar.isVisible()


def test_headings_cannot_be_chosen(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    index = sidebar.list.chats.index(0)
    qtbot.mouseClick(sidebar.list.viewport(), Qt.MouseButton.LeftButton, pos=sidebar.list.visualRect(index).center())
    qtbot.keyClick(sidebar.list, Qt.Key.Key_Up)
    assert sidebar.list.currentIndex().data() == "KV cache size"
    assert not workspace.called("open_chat")


def test_the_shelf_marks_models_in_use_and_loads_on_click(made: Any, qtbot: QtBot) -> None:
    workspace, sidebar = made
    shelf = sidebar.shelf
    assert shelf._items.item(0).text() == "SmolLM2 135M Instruct, Q4_1 · 98 MB, used by lane A"
    point = shelf.list.visualRect(shelf._items.index(1, 0)).center()
    qtbot.mouseClick(shelf.list.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert workspace.called("choose_model") == [("A", QWEN)]
    load(workspace.lanes[0], QWEN)
    workspace.lanes[0].changed.emit()
    assert "used by" not in shelf._items.item(0).text()
    qtbot.mouseClick(shelf.list.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert len(workspace.called("choose_model")) == 1  # runs already
    workspace.models = [STARTER, QWEN, GEMMA, GEMMA]
    workspace.models_changed.emit()
    assert shelf._items.rowCount() == 4


def test_ten_thousand_chats_open_and_change_without_a_pause(qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    workspace.heads = [ChatHead(str(i), f"Chat {i}", NOW - i * 1000, "AB") for i in range(10_000)]
    workspace.chat.id = "5000"
    sidebar = Sidebar(workspace, dress())
    qtbot.addWidget(sidebar)
    sidebar.show()
    assert sidebar.list.currentIndex().data() == "Chat 5000"
    workspace.heads = [ChatHead("5000", "Now on top", NOW + 1, "A"), *workspace.heads]
    workspace.heads_changed.emit()
    assert titles(sidebar)[1] == "Now on top"


def test_the_shelf_s_buttons_shorten_their_words_where_large_text_has_no_room(made: Any, qtbot: QtBot) -> None:
    _, sidebar = made
    shelf, words = sidebar.shelf, sidebar.shelf.get.text()
    theme = shelf._theme
    try:
        theme.set_scale(1.5)
        QApplication.processEvents()
        shelf.setFixedWidth(150)
        qtbot.waitUntil(lambda: shelf.get.text().endswith("…"))
        assert shelf.get.geometry().right() < shelf.width()
        assert shelf.get.toolTip() == words == shelf.get.accessibleName()
    finally:
        theme.set_scale(1.0)
    QApplication.processEvents()
    shelf.setFixedWidth(239)
    qtbot.waitUntil(lambda: shelf.get.text() == words)
    assert shelf.get.toolTip() == ""
