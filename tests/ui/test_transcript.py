from __future__ import annotations

import itertools
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QKeySequence, QShortcut, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QStyleOptionSlider, QVBoxLayout, QWidget
from shiboken6 import isValid
from transcript_kit import Stage

from playground.ui.chat.decoration import block_rect
from playground.ui.chat.formats import CODE_LINE, HEAD, PAD
from playground.ui.chat.transcript import Transcript
from playground.workspace.token_spans import Span

LONG = "A paragraph of an answer with enough words to take a line or two. " * 4 + "\n\n"


@pytest.fixture
def stage(qtbot: Any) -> Stage:
    return Stage(qtbot)


def wheel(stage: Stage, steps: int) -> None:
    """Turn the wheel over the middle of the view; positive: up."""
    middle = QPointF(stage.view.viewport().rect().center())
    QTest.wheelEvent(stage.view.windowHandle(), middle, QPoint(0, 120 * steps))


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def menu_entries(turn: Any) -> dict[str, bool]:
    menu = turn.menu()
    entries = {action.text(): action.isEnabled() for action in menu.actions() if action.text()}
    menu.close()
    return entries


# many turns


def test_thousands_of_turns_take_few_widgets(stage: Stage) -> None:
    stage.talk(5000, LONG)
    assert stage.view.widget_count < 40
    assert stage.lane.path[-1].id in stage.view.turns
    bar = stage.view.verticalScrollBar()
    for value in range(0, bar.maximum(), bar.maximum() // 60):
        bar.setValue(value)
        tops = [(turn.y(), turn.y() + turn.height()) for turn in stage.view.turns.values()]
        assert all(below[0] == above[1] for above, below in itertools.pairwise(tops))
        assert tops[0][0] <= 6
        assert tops[-1][1] >= stage.view.viewport().height() - 20
    assert stage.view.widget_count < 60
    bar.setValue(0)
    assert next(iter(stage.view.turns.values())).node is stage.lane.path[0]


def test_what_is_read_stays_put_while_heights_are_corrected(stage: Stage) -> None:
    stage.talk(300, "# Head\n\n" + LONG * 3 + "- a\n- b\n")
    bar = stage.view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    for _ in range(30):
        turn = next(turn for turn in stage.view.turns.values() if turn.y() + turn.height() > 60)
        before, y = turn.node.id, turn.y()
        stage.view.scroll_by(-40)
        assert stage.view.turns[before].y() == y + 40


# following


def test_follows_only_at_the_end(stage: Stage) -> None:
    stage.talk(21, LONG)
    node = stage.begin()
    for _ in range(5):
        stage.grow(node, LONG)
        turn = stage.turn(node)
        assert turn.y() + turn.height() <= stage.view.viewport().height()
    assert stage.view.following
    assert stage.view.newest.isHidden()
    wheel(stage, 1)
    assert not stage.view.following
    top = stage.turn(node).y()
    for _ in range(5):
        stage.grow(node, LONG)
        assert stage.turn(node).y() == top
    assert stage.view.newest.isVisible()
    wheel(stage, -1)
    assert not stage.view.following
    stage.qtbot.mouseClick(stage.view.newest, Qt.MouseButton.LeftButton)
    assert stage.view.following
    stage.grow(node, LONG)
    assert stage.turn(node).y() + stage.turn(node).height() <= stage.view.viewport().height()
    stage.end(node)


def test_the_smallest_step_up_stops_following_and_the_end_starts_it(stage: Stage) -> None:
    stage.talk(21, LONG)
    node = stage.begin(LONG)
    stage.view.scroll_by(-1)
    assert not stage.view.following
    stage.grow(node, LONG)
    stage.view.verticalScrollBar().setValue(stage.view.verticalScrollBar().maximum())
    assert stage.view.following


def test_an_answer_far_away_grows_unseen(stage: Stage) -> None:
    stage.talk(101, LONG)
    node = stage.begin()
    stage.view.verticalScrollBar().setValue(0)
    first = next(iter(stage.view.turns))
    for _ in range(3):
        stage.grow(node, LONG * 3)
    assert next(iter(stage.view.turns)) == first
    stage.qtbot.keyClick(stage.view, Qt.Key.Key_End)
    assert stage.turn(node).body.plain_text().count("A paragraph") == 36
    stage.end(node)


def test_sending_goes_to_the_end(stage: Stage) -> None:
    stage.talk(40, LONG)
    stage.view.verticalScrollBar().setValue(0)
    stage.add("user", "next question")
    node = stage.begin()
    assert stage.view.following
    assert node.id in stage.view.turns


@pytest.mark.parametrize("written", [False, True])
def test_an_answer_that_begins_with_code_has_its_head_in_sight(stage: Stage, written: bool) -> None:
    stage.talk(1)
    code = "```python\nx = 1\ny = 2\n```\n"
    if written:
        node = stage.begin()
        for sign in code:
            stage.grow(node, sign)
    else:
        node = stage.add("assistant", code)
        stage.lane.path_changed.emit()
    body = stage.turn(node).body
    region = body.markdown.regions[0]
    assert block_rect(body.markdown.findBlock(region.start)).top() >= HEAD + PAD
    assert body.height() >= HEAD + PAD + 2 * CODE_LINE + PAD


def test_text_of_turns_has_the_size_that_was_set(stage: Stage) -> None:
    stage.talk(2, "# Head\n\n" + LONG + "`x`\n\n```\na = 1\n```\n")

    def sizes(view: Transcript) -> list[int]:
        found = []
        for turn in view.turns.values():
            block = turn.body.markdown.begin()
            while block.isValid():
                # What it is drawn with, not what was asked for.
                found += [run.format.font().pixelSize() for run in block.textFormats()] if block.text() else []
                block = block.next()
        return found

    usual, height = sizes(stage.view), stage.view.heights.total
    assert {20, 14, 13} <= set(usual)
    try:
        stage.theme.set_scale(1.5)
        QApplication.sendPostedEvents()
        assert all(abs(now - 1.5 * was) <= 1 for now, was in zip(sizes(stage.view), usual, strict=True))
        assert stage.view.heights.total > 1.2 * height
        second = Transcript(stage.lane, stage.workspace, stage.theme, stage.clock)
        stage.qtbot.addWidget(second)
        second.resize(stage.view.size())
        second.show()
        assert sizes(second) == sizes(stage.view)
    finally:
        stage.theme.set_scale(1.0)
    QApplication.sendPostedEvents()
    assert sizes(stage.view) == usual
    assert stage.view.heights.total == height


def test_resize_and_theme_keep_the_place(stage: Stage) -> None:
    stage.talk(60, LONG)
    bar = stage.view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    top = next(turn for turn in stage.view.turns.values() if turn.y() + turn.height() > 0).node.id
    stage.view.resize(400, 500)
    stage.view.resize(600, 500)
    stage.theme.choose("light")
    now = next(turn for turn in stage.view.turns.values() if turn.y() + turn.height() > 0)
    assert now.node.id == top
    assert now.body.markdown.begin().charFormat().foreground().color() == stage.theme.color("text-1")


def test_narrow_lane_fits(qtbot: Any) -> None:
    stage = Stage(qtbot, 320, 600)
    stage.talk(2, "| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n" + "x" * 200 + "\n```\n\n" + "y" * 300)
    for turn in stage.view.turns.values():
        assert turn.x() >= 16
        assert turn.x() + turn.width() <= stage.view.width() - 16
        assert turn.body.markdown.size().width() <= turn.body.width()


def test_idle_means_idle(stage: Stage) -> None:
    stage.talk(4, "```python\nx = 1\n```")
    block = stage.turn(stage.lane.path[1]).body.markdown
    stage.qtbot.waitUntil(lambda: bool(block.findBlock(block.regions[0].start).layout().formats()), timeout=5000)
    stage.settle()
    stage.settle()
    assert not stage.clock._timer.isActive()


def test_hidden_lanes_catch_up_when_shown(stage: Stage) -> None:
    stage.talk(1)
    node = stage.begin()
    stage.view.hide()
    stage.grow(node, "written while nobody looked")
    stage.view.show()
    assert "nobody looked" in stage.turn(node).body.plain_text()
    stage.end(node)


# what a turn shows


def test_caret_only_while_writing(stage: Stage) -> None:
    stage.talk(1)
    node = stage.begin()
    stage.grow(node, "some text")
    turn = stage.turn(node)
    lane = stage.theme.lane("A").rgb()

    def blue() -> bool:
        image = turn.body.grab().toImage()
        return any(image.pixel(x, y) == lane for x in range(image.width()) for y in range(image.height()))

    assert blue()
    stage.end(node)
    assert not blue()


@pytest.mark.parametrize(
    ("state", "record", "word"),
    [
        ("stopped", {}, "stopped here"),
        ("context_full", {}, "context full"),
        ("failed", {}, "the engine stopped here"),
        ("done", {"reason": "max_tokens"}, "token limit reached"),
    ],
)
def test_ends_are_told(stage: Stage, state: Any, record: Any, word: str) -> None:
    stage.talk(1)
    node = stage.begin()
    stage.grow(node, "part of an answer")
    stage.end(node, state, **record)
    assert word in stage.turn(node).accessibleName()
    assert "Qwen3 0.6B" in stage.turn(node).accessibleName()


def test_thinking_folds(stage: Stage) -> None:
    stage.talk(1)
    node = stage.begin()
    stage.think(node, "Let me *see*. ", 31)
    box = stage.turn(node).thinking
    assert box.head.text() == "Thinking… 3.1 s · 31 tokens"
    assert box.body is None
    folded = stage.turn(node).height()
    stage.qtbot.mouseClick(box.head, Qt.MouseButton.LeftButton)
    assert "Let me see." in box.body.plain_text()
    assert stage.turn(node).height() > folded
    stage.think(node, "More thoughts.")
    assert "More thoughts." in box.body.plain_text()
    stage.grow(node, "The answer.")
    assert box.head.text() == "Thought for 3.2 s · 32 tokens"
    stage.qtbot.keyClick(box.head, Qt.Key.Key_Return)
    assert box.body.isHidden()
    assert "folded" in box.head.accessibleName()
    stage.end(node)
    node.series = stage.lane.answer.tokens.to_bytes()
    stage.lane.answer = type(stage.lane.answer)()
    stage.lane.changed.emit()
    stage.settle()
    assert box.head.text() == "Thought for 3.2 s · 32 tokens"


def test_user_text_is_shown_as_typed(stage: Stage) -> None:
    node = stage.add("user", "# not a heading\n<b>x</b> **y**\n\n  indented")
    stage.lane.path_changed.emit()
    assert stage.turn(node).body.plain_text() == node.text
    stage.theme.choose("light")
    assert stage.turn(node).body.plain_text() == node.text


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_of_a_turn_without_end_the_beginning_is_shown(stage: Stage, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.chat.body.MOST_SHOWN", 1000)
    node = stage.add(role, "word " * 1000)
    stage.lane.path_changed.emit()
    shown = stage.turn(node).body.plain_text()
    assert shown.startswith("word word")
    assert len(shown) < 1200
    assert "4,000 more characters are kept" in shown
    QTest.mouseClick(stage.turn(node).buttons["copy"], Qt.MouseButton.LeftButton)
    assert len(clipboard()) >= 4999


def test_an_answer_that_grows_beyond_what_is_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.chat.body.MOST_SHOWN", 1000)
    stage.talk(1)
    node = stage.begin()
    for _ in range(12):
        stage.grow(node, "word " * 20)
    assert "more characters" not in stage.turn(node).body.plain_text()
    stage.end(node)
    shown = stage.turn(node).body.plain_text()
    assert shown.startswith("word word")
    assert "200 more characters are kept" in shown


# copying and links


def test_selection_copies_plain_text(stage: Stage) -> None:
    stage.talk(1)
    node = stage.add("assistant", "One **two** `three`\n\n```py\nx = 1\n\ny = 2\n```")
    stage.lane.path_changed.emit()
    body = stage.turn(node).body
    cursor = body.textCursor()
    cursor.select(QTextCursor.SelectionType.Document)
    body.setTextCursor(cursor)
    body.setFocus()
    stage.qtbot.keyClick(body, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard().strip() == "One two three\nx = 1\n\ny = 2"
    assert QGuiApplication.clipboard().mimeData().formats() == ["text/plain"]
    assert menu_entries(stage.turn(node))["Copy selection"]


def test_copy_buttons(stage: Stage) -> None:
    stage.talk(1)
    code = "def f(x):\n\n    return '<' + x  # " + "long " * 100
    node = stage.add("assistant", f"Text\n\n```python\n{code}\n```\n\n- item\n  ```\n  inner\n  ```")
    stage.lane.path_changed.emit()
    turn = stage.turn(node)
    first, second = turn.body.frames.buttons
    assert first.accessibleName() == "Copy code"
    stage.qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert clipboard() == code
    assert first.accessibleName() == "Copied"
    stage.qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert clipboard() == "inner"
    stage.qtbot.mouseClick(turn.buttons["copy"], Qt.MouseButton.LeftButton)
    assert clipboard() == node.text


def test_links_are_asked_about(stage: Stage) -> None:
    stage.talk(1)
    node = stage.add("assistant", "[innocent](https://example.org/very/long?x=1) [bad](file:///etc/passwd)")
    stage.lane.path_changed.emit()
    opened: list[str] = []
    stage.view.link_clicked.connect(opened.append)
    body = stage.turn(node).body
    popup = stage.view._link

    def click(x: int) -> None:
        stage.qtbot.mouseClick(body.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, 12))

    end = body.fontMetrics().horizontalAdvance("innocent ")
    click(end + 12)
    assert popup.isHidden()
    click(12)
    assert popup.isVisible()
    assert popup.address.toPlainText() == "https://example.org/very/long?x=1"
    assert opened == []
    stage.qtbot.keyClick(popup, Qt.Key.Key_Escape)
    assert popup.isHidden()
    click(12)
    stage.qtbot.mouseClick(popup.copy, Qt.MouseButton.LeftButton)
    assert clipboard() == "https://example.org/very/long?x=1"
    assert opened == []
    click(12)
    stage.qtbot.mouseClick(popup.open, Qt.MouseButton.LeftButton)
    assert opened == ["https://example.org/very/long?x=1"]
    click(12)
    stage.qtbot.mouseClick(stage.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(3, 300))
    assert popup.isHidden()


# actions


def test_editing_a_message_sends_it(stage: Stage) -> None:
    stage.talk(2)
    question = stage.lane.path[0]
    turn = stage.turn(question)
    stage.qtbot.mouseClick(turn.buttons["edit"], Qt.MouseButton.LeftButton)
    field = turn.editor.field
    assert field.hasFocus()
    assert turn.body.isHidden()
    stage.qtbot.keyClicks(field, " and more")
    stage.qtbot.keyClick(field, Qt.Key.Key_Return)
    stage.qtbot.keyClicks(field, "line")
    stage.qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert stage.workspace.calls == [("edit", "A", question.id, "question 0 and more\nline")]
    assert turn.editor is None
    assert turn.body.isVisible()


def test_editing_can_be_given_up(stage: Stage) -> None:
    stage.talk(2)
    answer = stage.lane.path[1]
    turn = stage.turn(answer)
    stage.qtbot.mouseClick(turn.buttons["edit"], Qt.MouseButton.LeftButton)
    assert turn.editor.save.text() == "Save"
    stage.qtbot.keyClicks(turn.editor.field, "x")
    stage.qtbot.keyClick(turn.editor.field, Qt.Key.Key_Escape)
    assert stage.workspace.calls == []
    assert turn.editor is None
    stage.qtbot.mouseClick(turn.buttons["edit"], Qt.MouseButton.LeftButton)
    turn.editor.field.clear()
    assert not turn.editor.save.isEnabled()


@pytest.mark.parametrize("keys", ["Ctrl+Return", "Alt+Return", "Ctrl+Alt+Return", "Esc"])
def test_the_windows_shortcuts_leave_the_edit_box_its_keys(stage: Stage, keys: str) -> None:
    stage.talk(2)
    turn = stage.turn(stage.lane.path[1])
    fired: list[str] = []
    shortcut = QShortcut(QKeySequence(keys), stage.view.window())
    shortcut.activated.connect(lambda: fired.append(keys))
    stage.view.window().activateWindow()
    stage.qtbot.mouseClick(turn.buttons["edit"], Qt.MouseButton.LeftButton)
    stage.qtbot.keyClicks(turn.editor.field, "typed ")
    pressed = QKeySequence(keys)[0]
    stage.qtbot.keyClick(turn.editor.field, pressed.key(), pressed.keyboardModifiers())
    assert not fired
    shortcut.setEnabled(False)


@pytest.mark.parametrize("by", ["edit", "regenerate"])
def test_the_focus_stays_in_the_conversation_when_its_turn_is_replaced(stage: Stage, by: str) -> None:
    window = QWidget()
    row = QVBoxLayout(window)
    for widget in (QPushButton("before"), stage.view, QPushButton("after")):
        row.addWidget(widget)
    stage.qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    stage.qtbot.waitUntil(window.isActiveWindow)
    stage.view.show()
    stage.talk(2)
    turn = stage.turn(stage.lane.path[1])
    if by == "edit":
        stage.qtbot.mouseClick(turn.buttons["edit"], Qt.MouseButton.LeftButton)
        stage.qtbot.keyClick(turn.editor.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    else:
        turn.buttons["regenerate"].setFocus()
    assert stage.view.isAncestorOf(QApplication.focusWidget())
    # The workspace shows another version in its place.
    stage.lane.path = stage.lane.path[:1]
    stage.begin("another")
    focus = QApplication.focusWidget()
    assert focus is stage.view or stage.view.isAncestorOf(focus)
    stage.view.setParent(None)


def test_the_last_message_can_be_opened_for_editing(stage: Stage) -> None:
    stage.view.edit_last_user()
    stage.talk(41, LONG)
    node = stage.begin(LONG * 20)
    stage.view.edit_last_user()
    question = stage.lane.path[-2]
    assert question.id not in stage.view.turns or stage.turn(question).editor is None
    stage.end(node)
    stage.view.edit_last_user()
    turn = stage.turn(question)
    assert turn.editor.field.hasFocus()
    assert 0 <= turn.y() + turn.editor.y() < stage.view.viewport().height() - 40


def test_what_is_being_edited_survives_scrolling_and_other_chats(stage: Stage) -> None:
    stage.talk(200, LONG)
    stage.view.verticalScrollBar().setValue(0)
    node = stage.lane.path[0]
    stage.turn(node).begin_edit()
    stage.qtbot.keyClicks(stage.turn(node).editor.field, " changed")
    for value in range(0, stage.view.verticalScrollBar().maximum(), 400):
        stage.view.verticalScrollBar().setValue(value)
    stage.view.verticalScrollBar().setValue(0)
    assert stage.turn(node).editor.text == "question 0 changed"
    kept, stage.lane.path = stage.lane.path, []
    stage.lane.path_changed.emit()
    stage.lane.path = kept
    stage.lane.path_changed.emit()
    stage.view.verticalScrollBar().setValue(0)
    assert stage.turn(node).editor.text == "question 0 changed"


def test_regenerate_continue_and_walk(stage: Stage) -> None:
    stage.talk(2)
    question, answer = stage.lane.path
    turn = stage.turn(answer)
    assert turn.buttons["continue"].isHidden()
    stage.qtbot.mouseClick(turn.buttons["regenerate"], Qt.MouseButton.LeftButton)
    answer.state = "stopped"
    other = type(answer)("other", question.id, "assistant", "older", lane="A")
    stage.workspace.chat.add(other)
    stage.lane.path_changed.emit()
    assert turn.buttons["continue"].isVisible()
    stage.qtbot.mouseClick(turn.buttons["continue"], Qt.MouseButton.LeftButton)
    assert turn._walker.text == "1 / 2"
    assert not turn._walker.back.isEnabled()
    stage.qtbot.mouseClick(turn._walker.forth, Qt.MouseButton.LeftButton)
    assert stage.workspace.calls == [
        ("regenerate", "A", answer.id),
        ("continue", "A"),
        ("walk", "A", answer.id, 1),
    ]
    entries = menu_entries(turn)
    assert entries["Next version"]
    assert not entries["Version before"]
    stage.lane.path = [question, other]
    stage.lane.path_changed.emit()
    assert "older" in stage.turn(other).body.plain_text()


def test_nothing_is_changed_while_writing(stage: Stage) -> None:
    stage.talk(3)
    node = stage.begin()
    stage.grow(node, "text")
    question, answer = stage.turn(stage.lane.path[0]), stage.turn(stage.lane.path[1])
    for button in (question.buttons["edit"], answer.buttons["edit"], answer.buttons["regenerate"]):
        assert not button.isEnabled()
        assert "being written" in button.toolTip()
    assert answer.buttons["copy"].isEnabled()
    stage.end(node)
    assert question.buttons["edit"].isEnabled()
    assert answer.buttons["regenerate"].toolTip() == "Regenerate"
    stage.lane.model = None
    stage.lane.changed.emit()
    stage.settle()
    assert "Choose a model" in answer.buttons["regenerate"].toolTip()


def test_buttons_show_for_pointer_or_focus_and_are_reached_by_tab(stage: Stage) -> None:
    stage.talk(60)
    turn = stage.turn(stage.lane.path[-3])
    copy = turn.buttons["copy"]
    QApplication.sendEvent(turn, QEvent(QEvent.Type.Leave))  # wherever an earlier test left the pointer
    assert copy.quiet
    stage.view.setFocus()
    stage.view.verticalScrollBar().setValue(0)
    seen: set[str] = set()
    for _ in range(80):
        stage.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        name = focus.accessibleName() or focus.parent().accessibleName()
        seen.add(name)
        for shown in stage.view.turns.values():
            if shown.isAncestorOf(focus) and focus.height() < 80:
                y = focus.mapTo(stage.view.viewport(), QPoint(0, 0)).y()
                assert 0 <= y <= stage.view.viewport().height() - focus.height()
    assert {"Copy", "Edit", "Regenerate"} <= seen


# what the window puts in


def test_first_page_and_footer(stage: Stage) -> None:
    page, card = QLabel("first page"), QLabel("notice")
    page.setMinimumHeight(120)
    stage.view.set_empty(page)
    assert page.isVisible()
    assert page.y() > 60
    stage.view.set_footer(card)
    assert card.isVisible()
    assert card.y() >= page.y() + page.height()
    stage.talk(4)
    assert page.isHidden()
    last = stage.turn(stage.lane.path[-1])
    assert card.y() >= last.y() + last.height()
    assert card.width() == last.width()
    stage.view.set_footer(None)
    stage.qtbot.waitUntil(lambda: card not in stage.view.shown.values(), timeout=1000)
    stage.lane.path = []
    stage.lane.path_changed.emit()
    assert page.isVisible()


def test_highlighting_a_range(stage: Stage) -> None:
    stage.talk(40, LONG)
    node = stage.add("assistant", "One **two** three 😀 two three")
    stage.lane.path_changed.emit()
    stage.view.verticalScrollBar().setValue(0)
    start = node.text.rindex("two")
    stage.view.show_place(node.id, [Span(start, start + 3)])
    body = stage.turn(node).body
    first, last = body._marked
    cursor = QTextCursor(body.markdown)
    cursor.setPosition(first)
    cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
    assert cursor.selectedText() == "two"
    assert first > 10
    stage.view.mark(node.id, [])
    assert body._marked is None


def test_lane_signals_end_with_the_view(stage: Stage) -> None:
    stage.talk(2)
    second = Transcript(stage.lane, stage.workspace, stage.theme, stage.clock)
    listeners = len(stage.lane.grew._slots)
    second.deleteLater()
    stage.qtbot.waitUntil(lambda: len(stage.lane.grew._slots) < listeners, timeout=2000)
    stage.lane.changed.emit()
    stage.theme.choose("light")


def test_a_lane_closed_in_the_middle_of_an_answer(stage: Stage) -> None:
    second = Transcript(stage.lane, stage.workspace, stage.theme, stage.clock)
    second.show()
    stage.talk(1)
    node = stage.begin("```python\nx = 1\n```\n\nmore")
    stage.lane.grew.emit()
    second.deleteLater()
    stage.qtbot.waitUntil(lambda: not isValid(second), timeout=2000)
    stage.settle()
    stage.settle()
    stage.end(node)


def test_the_scroll_bars_thumb_is_known_and_painted_as_the_style_has_it(stage: Stage) -> None:
    stage.talk(9, LONG)
    stage.theme.apply(QApplication.instance())
    bar = stage.view.verticalScrollBar()
    option = QStyleOptionSlider()
    for most, value in ((0, 0), (30, 30), (400, 123), (9000, 8000), (90_000, 90_000)):
        bar.show_state(most, 400, value)
        bar.initStyleOption(option)
        style = bar.style()
        thumb = style.subControlRect(
            style.ComplexControl.CC_ScrollBar, option, style.SubControl.SC_ScrollBarSlider, bar
        )
        if most:
            assert bar.thumb(most, 400, value) == (thumb.top(), thumb.height())
        pictures = []
        for used in (False, True):  # by itself, and by the style
            bar.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, used)
            pictures.append(bar.grab().toImage().convertToFormat(QImage.Format.Format_RGB32))
        assert pictures[0] == pictures[1]
