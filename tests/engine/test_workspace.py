"""The workspace on real engines: turns, versions, lanes, faults."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from workspace_driver import Driver

from engine.conftest import QUIET
from playground.settings.field import SettingError


@pytest.fixture
def driver(engines: Engines, starter_path: Path) -> Iterator[Driver]:
    made = Driver(starter_path)
    made.workspace.set_load("A", QUIET)
    made.start()
    made.until(lambda: made.workspace.lanes[0].state == "ready")
    made.workspace.set_many("A", {"temp": 0.0, "max_tokens": 12, "ignore_eos": True})
    yield made
    made.close()


class Engines:
    """The engine processes that came after this object: other tests keep engines of their own."""

    def __init__(self) -> None:
        self._before = set(self._all())

    def pids(self) -> list[int]:
        return [pid for pid in self._all() if pid not in self._before]

    def _all(self) -> list[int]:
        found = []
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE and "playground.engine" in " ".join(child.cmdline()):
                    found.append(child.pid)
        return found


@pytest.fixture(autouse=True)
def engines() -> Engines:
    return Engines()


def test_a_turn_is_answered_and_kept(driver: Driver) -> None:
    w = driver.workspace
    assert w.send("Hello there")
    assert w.lanes[0].busy
    driver.idle()
    lane = w.lanes[0]
    assert [node.role for node in lane.path] == ["user", "assistant"]
    assert lane.path[-1].text
    assert lane.state == "ready"
    assert len(lane.answer.tokens) == 12
    assert lane.path[-1].record["reason"] == "max_tokens"
    assert w.chat.title == "Hello there"
    assert [head.title for head in w.heads] == ["Hello there"]
    kept: list[object] = []
    assert driver.store.flush(100)
    driver.store.open_chat(w.chat.id, kept.append)
    driver.until(lambda: kept)
    assert [node.text for node in kept[0].nodes.values()] == [node.text for node in lane.path]  # type: ignore[attr-defined]


def test_an_empty_turn_is_not_taken(driver: Driver) -> None:
    assert not driver.workspace.send("  \n ")
    assert driver.workspace.lanes[0].path == []


def test_regenerate_edit_and_walk_keep_every_version(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.send("Say hello")
    driver.idle()
    first = lane.path[-1]
    w.set_many("A", {"temp": 1.5, "seed": 7})
    w.regenerate("A")
    driver.idle()
    second = lane.path[-1]
    assert second.id != first.id
    assert w.versions("A", second.id) == (2, 2)
    w.walk("A", second.id, -1)
    assert lane.path[-1].id == first.id
    w.edit("A", lane.path[0].id, "Say goodbye")
    driver.idle()
    assert [node.text for node in lane.path if node.role == "user"] == ["Say goodbye"]
    assert w.versions("A", lane.path[0].id) == (2, 2)
    w.walk("A", lane.path[0].id, -1)
    assert lane.path[0].text == "Say hello"
    assert len(w.chat.nodes) == 5


def test_editing_an_answer_makes_a_version_that_the_next_turn_continues(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.send("What is your name?")
    driver.idle()
    w.edit("A", lane.path[-1].id, "My name is Ada.")
    assert lane.path[-1].text == "My name is Ada."
    shown: list[str] = []
    w.render_prompt("A", lambda text, _n, _error: shown.append(text))
    driver.until(lambda: shown)
    assert "My name is Ada." in shown[0]


def test_how_full_the_context_is_follows_an_edited_answer_and_is_known_again(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", {"ignore_eos": True, "max_tokens": 60})
    w.send("What is your name?")
    driver.idle()
    written = lane.path[-1]
    prompt, chat = written.record["n_prompt"], w.chat.id
    assert lane.n_past == prompt + 60
    texts: list[int] = []
    w.count_tokens("My name is Ada.", texts.append)
    w.edit("A", written.id, "My name is Ada.")
    driver.until(lambda: lane.n_past != prompt + 60)
    assert lane.n_past == prompt + texts[0]
    w.new_chat()
    assert w.lanes[0].n_past == 0
    w.open_chat(chat)
    driver.until(lambda: w.lanes[0].path)
    assert w.lanes[0].n_past == prompt + texts[0]


def test_continue_begins_with_the_text_that_was_there(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.send("Count from one to twenty in words.")
    driver.idle()
    before = lane.path[-1]
    w.continue_answer("A")
    driver.idle()
    after = lane.path[-1]
    assert after.text.startswith(before.text)
    assert len(after.text) > len(before.text)
    assert before.text == w.chat.nodes[before.id].text


def test_stop_keeps_what_was_written(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_sampling("A", "max_tokens", 2000)
    w.set_sampling("A", "ignore_eos", True)
    w.send("Tell me a long story about the sea.")
    driver.until(lambda: len(lane.answer.tokens) >= 5)
    w.stop()
    assert lane.state == "stopping"
    driver.idle()
    assert lane.state == "stopped"
    assert lane.path[-1].state == "stopped"
    assert lane.path[-1].text
    assert len(lane.answer.tokens) < 2000


def test_two_lanes_on_one_model_share_an_engine_and_its_prompt(driver: Driver, engines: Engines) -> None:
    w = driver.workspace
    lane = w.add_lane()
    assert lane is not None
    driver.until(lambda: lane.state == "ready")
    assert len(engines.pids()) == 1
    for letter in "AB":
        w.set_sampling(letter, "max_tokens", 150)
    w.send("Name three colours.")
    driver.idle()
    a, b = w.lanes
    assert a.path[0] is b.path[0]
    # The second message may come late on a busy machine; what is then written alone may round differently.
    together = [lane.answer.tokens.view["n_batch"] == 2 for lane in (a, b)]
    assert together[0].any()
    assert sum(together[0]) == sum(together[1])
    if all(batched[1:].all() for batched in together):
        assert a.path[-1].text == b.path[-1].text  # greedy, same prompt: the same answer
    assert w.versions("A", a.path[-1].id) == (1, 1)


def test_engines_of_two_models_take_turns(driver: Driver, engines: Engines, starter_path: Path) -> None:
    w = driver.workspace
    lane = w.add_lane()
    assert lane is not None
    w.set_load("B", {"n_ctx": 1024})
    w.reload("B")
    driver.until(lambda: all(lane.state == "ready" for lane in w.lanes))
    assert len(engines.pids()) == 2
    w.send("Hi")
    assert w.lanes[1].state == "queued"
    driver.idle()
    a, b = w.lanes
    assert int(b.answer.tokens.view["t_ns"][0]) > int(a.answer.tokens.view["t_ns"][-1])


def test_sampling_is_checked_by_the_table_and_acts_while_writing(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    with pytest.raises(SettingError, match="from 0 to 1"):
        w.set_sampling("A", "top_p", 1.5)
    w.set_sampling("A", "max_tokens", 3000)
    w.send("Tell me about trees.")
    driver.until(lambda: len(lane.answer.tokens) >= 3)
    w.set_sampling("A", "temp", 0.7)
    w.set_sampling("A", "temp", 0.9)
    driver.until(lambda: [c["values"]["temp"] for c in lane.path[-1].record.get("changes", [])][-1:] == [0.9])
    w.stop()
    driver.idle()
    assert lane.answer.marks
    changes = lane.path[-1].record["changes"]
    assert changes[-1]["values"]["temp"] == 0.9
    assert 3 <= changes[0]["at_index"] < 3000


def test_threads_are_fixed_while_it_writes_and_marked_for_good(driver: Driver, engines: Engines) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_load("A", {"n_threads": 0})
    w.reload("A")
    driver.until(lambda: lane.state == "ready")
    info = lane.engine.info
    assert info is not None
    other = 2 if info.n_threads == 1 else 1
    w.set_sampling("A", "max_tokens", 3000)
    w.set_governed(False)
    w.send("Tell me about trees.")
    driver.until(lambda: len(lane.answer.tokens) >= 3)
    w.set_threads("A", other)
    driver.until(lambda: lane.answer.marks)
    w.set_threads("A", 0)
    driver.until(lambda: len(lane.answer.marks) > 1)
    w.stop()
    driver.idle()
    words = [mark.text for mark in lane.answer.marks]
    assert f"{info.n_threads} → {other} threads: as you set it" in words
    assert len(engines.pids()) == 1
    assert lane.path[-1].record["threads"][-1]["n_threads"] == info.n_threads
    chat = w.chat.id
    w.new_chat()
    w.open_chat(chat)
    driver.until(lambda: w.chat.id == chat and w.lanes[0].path)
    assert [mark.text for mark in w.lanes[0].answer.marks] == words


def test_a_killed_engine_leaves_the_text_and_reload_works(driver: Driver, engines: Engines) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", {"max_tokens": 3000, "ignore_eos": True})
    w.send("Tell me a long story.")
    driver.until(lambda: len(lane.answer.tokens) >= 10)
    os.kill(engines.pids()[0], signal.SIGKILL)
    driver.until(lambda: lane.state == "failed")
    assert lane.path[-1].text
    assert lane.path[-1].state == "failed"
    assert lane.notice is not None
    assert "kept" in lane.notice.text
    w.set_sampling("A", "max_tokens", 5)
    w.act("A", "reload")
    driver.until(lambda: lane.state == "ready")
    assert w.send("Are you there?")
    driver.idle()
    assert lane.path[-1].state == "done"


def test_a_bad_file_becomes_a_notice_and_the_lane_stays(driver: Driver, tmp_path: Path) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    bad = tmp_path / "page.gguf"
    bad.write_text("<!DOCTYPE html><html>not found</html>")
    w.open_path(str(bad))
    driver.until(lambda: lane.notice is not None)
    assert lane.notice is not None
    assert "page.gguf" in lane.notice.title
    assert lane.state == "ready"


def test_switching_chats_lets_the_answer_go_on(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", {"max_tokens": 80, "ignore_eos": True})
    w.send("Tell me about rivers.")
    driver.until(lambda: len(lane.answer.tokens) >= 3)
    first = w.chat.id
    w.new_chat()
    assert lane.path == []
    assert not lane.busy
    driver.idle()
    w.open_chat(first)
    driver.until(lambda: w.chat.id == first)
    assert w.lanes[0].path[-1].record["n_drawn"] == 80
    assert len(w.lanes[0].answer.tokens) == 80
    held = w.lanes[0].path[-1].record["n_past"]
    assert w.lanes[0].n_past == held > 80  # how full the context is
    w.new_chat()
    assert w.lanes[0].n_past == 0


def test_delete_and_undo(driver: Driver) -> None:
    w = driver.workspace
    w.send("First chat")
    driver.idle()
    chat = w.chat.id
    w.delete_chat(chat)
    assert w.heads == []
    assert w.chat.id != chat
    w.undo_delete()
    driver.until(lambda: w.chat.id == chat)
    assert [head.id for head in w.heads] == [chat]
    assert w.lanes[0].path[0].text == "First chat"


def test_what_was_open_comes_back(driver: Driver, starter_path: Path) -> None:
    w = driver.workspace
    w.add_lane()
    w.set_sampling("B", "temp", 1.3)
    w.send("Remember me")
    driver.idle()
    texts = [[node.text for node in lane.path] for lane in w.lanes]
    driver.close()
    again = Driver(starter_path)
    again.start()
    assert [[node.text for node in lane.path] for lane in again.workspace.lanes] == texts
    assert again.workspace.lanes[1].sampling["temp"] == 1.3
    assert len(again.workspace.lanes[0].answer.tokens) == 12
    again.close()


def test_context_full_is_said_and_offers_more(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_load("A", {"n_ctx": 256})
    w.reload("A")
    driver.until(lambda: lane.state == "ready")
    w.set_many("A", {"max_tokens": -1, "ignore_eos": True})
    w.send("Write a very long text.")
    driver.idle()
    assert lane.state == "full"
    assert lane.notice is not None
    assert any(action.key.startswith("reload_ctx:") for action in lane.notice.actions)
    larger = next(action.key for action in lane.notice.actions if action.key.startswith("reload_ctx:"))
    w.act("A", larger)
    driver.until(lambda: lane.state == "ready")
    assert lane.engine.info is not None
    assert lane.engine.info.n_ctx == 512


def test_a_context_cut_to_what_the_model_was_trained_for_is_said_by_its_lanes(driver: Driver) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    assert not lane.note
    w.set_load("A", {"n_ctx": 4_000_000})
    w.reload("A")
    driver.until(lambda: lane.state == "ready")
    assert lane.engine.info is not None
    trained = f"{lane.engine.info.n_ctx:,}"
    assert trained in lane.note
    other = w.add_lane()
    assert other is not None
    assert trained in other.note
    w.set_many("A", {"max_tokens": 2})
    w.set_many(other.letter, {"max_tokens": 2})
    w.send("Hello")
    driver.idle()
    assert trained in lane.note + other.note
    w.send("Hello again")
    driver.idle()
    assert not lane.note + other.note
    w.act("A", "reload_ctx:512")
    driver.until(lambda: lane.state == "ready")
    assert not lane.note


def test_unload_gives_memory_back_and_the_next_turn_loads_again(driver: Driver, engines: Engines) -> None:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.unload("A")
    driver.until(lambda: not engines.pids())
    driver.until(lambda: lane.state == "unloaded")
    assert w.send("Hello again")
    driver.idle()
    assert lane.path[-1].text


def test_no_engine_is_left(driver: Driver, engines: Engines) -> None:
    assert engines.pids()
    driver.close()
    assert not engines.pids()
