import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from desk import Desk, Desks, a_chat

from playground.conversation import schema
from playground.conversation.pending import Pending
from playground.conversation.rows import Write
from playground.conversation.schema import MIGRATIONS
from playground.conversation.store import Store
from playground.conversation.tree import Chat, LaneRecord, Node

pytest_plugins = ("desk_fixtures",)


def test_a_chat_comes_back_as_it_was(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    desk.save(chat)
    desk.close()
    back = desks().chat(chat.id)
    assert back == chat
    assert list(back.nodes) == list(chat.nodes)


def test_a_read_sees_the_writes_before_it(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    desk.save(chat)
    assert desk.chat(chat.id) == chat


def test_later_changes_of_a_value_are_not_kept(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    desk.save(chat)
    before = chat.nodes["c1-u"].text
    chat.nodes["c1-u"].text = "changed and not saved"
    chat.lanes[0].sampling["temp"] = 99
    back = desk.chat(chat.id)
    assert back.nodes["c1-u"].text == before
    assert back.lanes[0].sampling == {"temp": 0.8}


def test_saving_a_turn_again_keeps_its_place(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    desk.save(chat)
    desk.flush()
    chat.nodes["c1-a"].text = "again"
    desk.store.save_node(chat.nodes["c1-a"], chat.id)
    back = desk.chat(chat.id)
    assert [node.id for node in back.siblings(back.nodes["c1-a2"])] == ["c1-a", "c1-a2"]
    assert back.nodes["c1-a"].text == "again"


def test_chats_are_listed_newest_first_with_their_lanes(desks: Desks) -> None:
    desk = desks()
    for n, letters in enumerate(["A", "ABC", "BA"]):
        chat = Chat(f"c{n}", f"Chat {n}", updated=100.0 + n, lanes=[LaneRecord(letter) for letter in letters])
        desk.store.save_chat(chat)
    desk.store.save_node(Node("n", None, "user", created=500.0), "c0")
    heads = desk.ask(desk.store.list_chats)
    assert [(head.id, head.letters, head.updated) for head in heads] == [
        ("c0", "A", 500.0),
        ("c2", "BA", 102.0),
        ("c1", "ABC", 101.0),
    ]


def test_a_turn_may_be_saved_before_its_chat(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    for node in chat.nodes.values():
        desk.store.save_node(node, chat.id)
    desk.flush()
    desk.store.save_chat(chat)
    assert desk.chat(chat.id) == chat


def test_no_such_chat(desks: Desks) -> None:
    assert desks().chat("nowhere") is None


def test_deleting_can_be_undone_until_the_next_start(desks: Desks) -> None:
    desk = desks()
    desk.save(a_chat("c1", "One"))
    desk.save(a_chat("c2", "Two"))
    desk.store.delete_chat("c1")
    assert desk.titles() == ["Two"]
    assert desk.chat("c1") is None
    desk.store.undelete_chat("c1")
    assert sorted(desk.titles()) == ["One", "Two"]
    assert desk.chat("c1") == a_chat("c1", "One")
    desk.store.delete_chat("c1")
    desk.close()
    again = desks()
    again.store.undelete_chat("c1")
    assert again.titles() == ["Two"]
    assert again.chat("c2") == a_chat("c2", "Two")


def test_an_undo_in_one_window_outlives_the_start_of_another(desks: Desks, chats_path: Path) -> None:
    desk = desks()
    desk.save(a_chat())
    desk.store.delete_chat("c1")
    desk.flush()
    code = (
        "import sys, queue; from pathlib import Path; from playground.conversation.store import Store\n"
        "q = queue.Queue(); s = Store(Path(sys.argv[1]), q.put); s.start(); s.list_chats(print)\n"
        "q.get(timeout=100)(); assert s.close(100)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(chats_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    desk.store.undelete_chat("c1")
    assert desk.chat("c1") == a_chat()


def test_renaming(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    desk.save(chat)
    desk.store.rename_chat(chat.id, "Fish & co")
    assert desk.titles() == ["Fish & co"]
    chat.title = "Fish"
    desk.store.save_chat(chat)
    assert desk.titles() == ["Fish"]


def test_state_is_kept(desks: Desks) -> None:
    desk = desks()
    assert desk.ask(desk.store.get_state, "open") is None
    desk.store.set_state("open", {"chat": "c1", "sizes": [1, 2.5, None]})
    desk.close()
    again = desks()
    assert again.ask(again.store.get_state, "open") == {"chat": "c1", "sizes": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sea", ["One"]),
        ("LIST animals", ["One"]),
        ("öhrchen", ["One"]),
        ("ÖHRCHEN sea", ["One"]),
        ("two", ["Two"]),
        ("whale bicycle", []),
        ("100%", ["Two"]),
        ("_", []),
        ("", ["One", "Two"]),
    ],
)
def test_search(desks: Desks, text: str, found: list[str]) -> None:
    desk = desks()
    desk.save(a_chat("c1", "One"))
    desk.store.save_chat(Chat("c2", "Two", updated=5.0))
    desk.store.save_node(Node("n", None, "user", "I am 100% sure", created=6.0), "c2")
    assert [head.title for head in desk.ask(desk.store.search, text)] == found


def test_deleted_chats_are_not_found(desks: Desks) -> None:
    desk = desks()
    desk.save(a_chat())
    desk.store.delete_chat("c1")
    assert desk.ask(desk.store.search, "sea") == []


def test_text_that_utf8_cant_hold_is_kept_all_the_same(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    chat.title = "half a pair \ud83d"
    chat.nodes["c1-u"].text = "nul \0 and \udc00"
    chat.lanes[0].system = "\ud800"
    desk.save(chat)
    back = desk.chat(chat.id)
    assert back.title == "half a pair ?"
    assert back.nodes["c1-u"].text == "nul \0 and ?"
    assert desk.complaints == []


def test_a_growing_answer_is_there_after_a_flush_and_its_end_wins(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    node = chat.add(Node("w", "c1-u", "assistant", state="writing", lane="A"))
    desk.save(chat)
    for n in range(2000):
        desk.store.grow_node(chat.id, node.id, "x" * n, "t" * n)
    desk.flush()
    back = desk.chat(chat.id).nodes["w"]
    assert (len(back.text), len(back.thinking), back.state) == (1999, 1999, "writing")
    desk.store.grow_node(chat.id, node.id, "stale", "")
    node.text, node.state = "the end", "done"
    desk.store.save_node(node, chat.id)
    desk.close()
    back = desks().chat(chat.id).nodes["w"]
    assert (back.text, back.thinking, back.state) == ("the end", "", "done")


def test_growing_texts_are_paced() -> None:
    pending = Pending()
    wrote: list[int] = []

    def write(n: int) -> Write:
        return lambda db: wrote.append(n)

    for tick in range(300):  # three seconds, a hundred a second
        pending.grow("n", write(tick))
        for each in pending.take(tick / 100, everything=False).values():
            each(None)  # type: ignore[arg-type]
    assert wrote == [0, 50, 100, 150, 200, 250]
    assert pending.wait_s(2.99) == pytest.approx(0.01)


def test_what_could_not_be_written_goes_below_what_came_since() -> None:
    pending = Pending()
    keys = [("chat", "c"), ("node", "a"), ("grow", "b"), ("title", "c")]
    for key in keys:
        pending.put(key, lambda db: None)
    batch = pending.take(0, everything=True)
    newer = lambda db: None  # noqa: E731
    pending.put(("node", "b"), newer)
    pending.put(("chat", "c"), newer)
    pending.put(("node", "a"), newer)
    pending.give_back(batch)
    left = pending.take(0, everything=True)
    assert list(left) == [("node", "a"), ("title", "c"), ("node", "b"), ("chat", "c")]
    assert left[("node", "a")] is newer


def test_an_answer_being_written_in_this_window_is_not_stopped_by_a_look(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    chat.add(Node("w", "c1-u", "assistant", state="writing", lane="A"))
    desk.save(chat)
    assert desk.chat(chat.id).nodes["w"].state == "writing"
    assert desks().chat(chat.id).nodes["w"].state == "stopped"


def test_a_lane_whose_last_turn_is_missing_stands_at_the_newest_one_it_sees(desks: Desks) -> None:
    desk, chat = desks(), a_chat()
    chat.lanes[0].leaf = chat.lanes[1].leaf = "never saved"
    desk.save(chat)
    assert [lane.leaf for lane in desk.chat(chat.id).lanes] == ["c1-a2", "c1-b"]


def test_write_ahead_log_and_versions(desks: Desks, chats_path: Path) -> None:
    desk = desks()
    desk.save(a_chat())
    desk.flush()
    db = sqlite3.connect(chats_path)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert schema.version(db) == len(MIGRATIONS)
    db.close()


def test_two_thousand_turns_open_and_stay_in_order(desks: Desks) -> None:
    desk = desks()
    chat = Chat("big", "Long", lanes=[LaneRecord("A")])
    last = None
    for n in range(2000):
        role = "assistant" if n % 2 else "user"
        node = Node(f"n{n}", last, role, f"turn {n} " * 40, lane="A" if n % 2 else "", series=os.urandom(500))  # type: ignore[arg-type]
        chat.add(node)
        last = node.id
    chat.lanes[0].leaf = last
    desk.save(chat)
    desk.close()
    back = desks().chat("big")
    assert back == chat
    assert [node.id for node in back.path(last)] == list(chat.nodes)


def test_closing_twice_and_without_a_start(chats_path: Path) -> None:
    assert Store(chats_path, lambda thunk: thunk()).close()
    desk = Desk(chats_path)
    desk.close()
    desk.close()
