"""Where the next turn is written."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from chrome_fake import QWEN, FakeWorkspace, answer, dress, load
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from playground.ui.chat.composer import Composer
from playground.ui.chat.composer_parts import placeholder
from playground.ui.chat.draft import harden, soften


@pytest.fixture
def composer(qtbot: QtBot) -> Any:
    def make(workspace: Any, width: int = 900) -> Any:
        made = Composer(workspace, dress())
        qtbot.addWidget(made)
        made.resize(width, made.sizeHint().height())
        made.show()
        made.focus_field()
        return made

    return make


def ready(lanes: int = 1) -> Any:
    workspace = FakeWorkspace(lanes)
    for lane in workspace.lanes:
        load(lane)
    return workspace


def test_enter_sends_and_clears_shift_enter_breaks_the_line(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    qtbot.keyClicks(made.draft, "one")
    qtbot.keyClick(made.draft, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClicks(made.draft, "two")
    qtbot.keyClick(made.draft, Qt.Key.Key_Return)
    assert workspace.called("send") == [("one\ntwo",)]
    assert made.text() == ""


def test_a_refused_draft_is_kept_and_the_reason_said(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    workspace.accepts = False
    workspace.lanes[0].state = "writing"
    made = composer(workspace)
    qtbot.keyClicks(made.draft, "keep me")
    with qtbot.waitSignal(made.refused) as why:
        qtbot.keyClick(made.draft, Qt.Key.Key_Return)
    assert "still being written" in why.args[0]
    assert made.text() == "keep me"


def test_blank_drafts_are_not_sent(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    qtbot.keyClicks(made.draft, "  ")
    qtbot.keyClick(made.draft, Qt.Key.Key_Return)
    assert not workspace.called("send")


def test_ctrl_enter_mode(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    made.send_key = "ctrl+enter"
    qtbot.keyClicks(made.draft, "a")
    qtbot.keyClick(made.draft, Qt.Key.Key_Return)
    qtbot.keyClicks(made.draft, "b")
    assert not workspace.called("send")
    qtbot.keyClick(made.draft, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert workspace.called("send") == [("a\nb",)]


def test_esc_and_the_button_stop_an_answer(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    qtbot.keyClick(made.draft, Qt.Key.Key_Escape)
    assert not workspace.called("stop")
    workspace.lanes[0].state = "writing"
    workspace.lanes[0].changed.emit()
    assert made.send.accessibleName() == "Stop"
    qtbot.keyClick(made.draft, Qt.Key.Key_Escape)
    qtbot.mouseClick(made.send, Qt.MouseButton.LeftButton)
    assert workspace.called("stop") == [(), ()]
    workspace.lanes[0].state = "stopped"
    workspace.lanes[0].changed.emit()
    assert made.send.accessibleName() == "Send"
    assert not made.send.isEnabled()


def test_up_in_the_empty_field_edits_the_last_turn(composer: Any, qtbot: QtBot) -> None:
    made = composer(ready())
    with qtbot.waitSignal(made.edit_last):
        qtbot.keyClick(made.draft, Qt.Key.Key_Up)
    qtbot.keyClicks(made.draft, "x")
    with qtbot.assertNotEmitted(made.edit_last):
        qtbot.keyClick(made.draft, Qt.Key.Key_Up)


def test_tokens_are_counted_after_a_pause_and_late_replies_are_dropped(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    qtbot.keyClicks(made.draft, "hello")
    qtbot.waitUntil(lambda: len(workspace.replies) == 1)
    assert workspace.called("count_tokens") == [("hello",)]
    qtbot.keyClicks(made.draft, " you")
    qtbot.waitUntil(lambda: len(workspace.replies) == 2)
    workspace.replies[1](7)
    workspace.replies[0](99)
    assert made.tokens.text() == "7 tokens"


def test_sending_forgets_a_count_under_way(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    qtbot.keyClicks(made.draft, "hello")
    qtbot.waitUntil(lambda: bool(workspace.replies))
    qtbot.keyClick(made.draft, Qt.Key.Key_Return)
    workspace.replies[0](5)
    assert made.tokens.text() == "0 tokens"


def test_the_fullest_lane_fills_the_meter_and_a_draft_that_does_not_fit_is_said(composer: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace(2)
    load(workspace.lanes[0], n_ctx=4096).n_past = 133
    load(workspace.lanes[1], QWEN, n_ctx=8192).n_past = 4096
    made = composer(workspace)
    assert made.room.text() == "fullest lane 4,096 of 8,192"
    assert made.meter.fraction == pytest.approx(0.5)
    qtbot.keyClicks(made.draft, "x")
    qtbot.waitUntil(lambda: bool(workspace.replies))
    workspace.replies[0](5000)
    assert made.room.text() == "904 too many for 8,192"


def test_placeholders() -> None:
    workspace = ready()
    assert placeholder(workspace.lanes) == "Message SmolLM2 135M"
    answer(workspace.lanes[0], 2)
    assert placeholder(workspace.lanes) == "Ask a follow-up"
    workspace = ready(3)
    assert placeholder(workspace.lanes) == "Next turn for lanes A, B and C"
    workspace.lanes[1].on = workspace.lanes[2].on = False
    assert placeholder(workspace.lanes) == "Next turn for lane A"
    workspace.lanes[0].state = "failed"
    assert placeholder(workspace.lanes) == "The next turn waits for a loaded lane"
    workspace.lanes[0].on = False
    assert placeholder(workspace.lanes) == "No lane takes part in the next turn"


def test_thinking_is_offered_only_where_the_model_can(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    assert not made.thinking.isVisible()
    load(workspace.lanes[0], QWEN, can_think=True)
    workspace.lanes[0].changed.emit()
    assert made.thinking.text() == "Thinking on"
    qtbot.mouseClick(made.thinking, Qt.MouseButton.LeftButton)
    assert workspace.called("set_thinking") == [("A", False)]


def test_in_turn_or_together_for_several_engines(composer: Any, qtbot: QtBot) -> None:
    workspace = ready(2)
    made = composer(workspace)
    assert made.together.isVisible()
    qtbot.mouseClick(made.together._buttons["together"], Qt.MouseButton.LeftButton)
    assert workspace.called("set_together") == [(True,)]
    workspace.lanes[1].engine = workspace.lanes[0].engine
    workspace.lanes_changed.emit()
    assert not made.together.isVisible()  # one engine decodes both in one batch


def test_it_grows_to_eight_lines(composer: Any, qtbot: QtBot) -> None:
    made = composer(ready())
    one = made.draft.height()
    heights = []
    for _ in range(12):
        qtbot.keyClicks(made.draft, "x")
        qtbot.keyClick(made.draft, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        heights.append(made.draft.height())
    line = made.draft.fontMetrics().lineSpacing()
    assert heights[0] > one
    assert heights[-1] == 8 * line + 2
    made.draft.clear()
    assert made.draft.height() == one


def test_a_long_line_wraps_and_grows(composer: Any) -> None:
    made = composer(ready())
    made.set_text("word " * 60)
    assert made.draft.lines > 2
    assert made.draft.height() > 40


def test_paste_is_plain_text(composer: Any) -> None:
    made = composer(ready())
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("bold\r\nline")
    made.draft.insertFromMimeData(data)
    assert made.text() == "bold\nline"
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile("/tmp/x.gguf")])
    assert not made.draft.canInsertFromMimeData(files)


def test_a_megabyte_pastes_and_comes_out_unchanged(composer: Any, qtbot: QtBot) -> None:
    workspace = ready()
    made = composer(workspace)
    for text in ("x" * 1_000_000, "a line of text\n" * 70_000, "é🙂" * 200_000):
        QGuiApplication.clipboard().setText(text)
        made.draft.paste()
        made.grab()  # unbroken, a line of a megabyte would take minutes here
        assert made.text() == text
        made.draft.selectAll()
        made.draft.copy()
        assert QGuiApplication.clipboard().text() == text
        qtbot.keyClick(made.draft, Qt.Key.Key_Return)
        assert workspace.called("send")[-1] == (text,)


def test_softened_text_is_hardened_again() -> None:
    for text in ("", "short", "x" * 4000, "x" * 4001 + "\n" + "y" * 9000, "\n" * 5000):
        assert harden(soften(text)) == text
        assert max(map(len, soften(text).split("\n"))) <= 4002


@pytest.mark.parametrize("width", [300, 360, 420, 520, 640, 800, 1200])
@pytest.mark.parametrize("lanes", [1, 2])
def test_tools_fit_at_every_width(composer: Any, qtbot: QtBot, lanes: int, width: int) -> None:
    workspace = FakeWorkspace(lanes)
    for lane in workspace.lanes:
        load(lane, QWEN, can_think=True, n_ctx=131_072).n_past = 120_345
    made = composer(workspace, width)
    shown = [w for w in made._tool_widgets if w.isVisible()]
    assert made.send in shown
    qtbot.waitUntil(lambda: all(w.width() >= w.sizeHint().width() for w in shown))
    boxes = [w.geometry() for w in shown]
    assert all(a.right() < b.left() for a, b in itertools.pairwise(boxes))
