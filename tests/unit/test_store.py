import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from desk import Desk, a_chat

from playground.conversation import schema
from playground.conversation.disk import Ask
from playground.conversation.pending import Pending
from playground.conversation.rows import Write
from playground.conversation.schema import MIGRATIONS, Migration, MigrationFailed, migrate
from playground.conversation.store import Store
from playground.conversation.tree import Chat, LaneRecord, Node

Desks: TypeAlias = Callable[..., Desk]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "chats.sqlite3"


@pytest.fixture
def desks(path: Path) -> Iterator[Desks]:
    """Opens the chats; all that a test opened is closed after it."""
    opened: list[Desk] = []

    def open_one(where: Path = path) -> Desk:
        opened.append(Desk(where))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.store.close(timeout_s=1)


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
    assert desk.store.flush()
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
    assert desk.store.flush()
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


def test_an_undo_in_one_window_outlives_the_start_of_another(desks: Desks, path: Path) -> None:
    desk = desks()
    desk.save(a_chat())
    desk.store.delete_chat("c1")
    assert desk.store.flush()
    code = (
        "import sys, queue; from pathlib import Path; from playground.conversation.store import Store\n"
        "q = queue.Queue(); s = Store(Path(sys.argv[1]), q.put); s.start(); s.list_chats(print)\n"
        "q.get(timeout=20)(); assert s.close()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
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
    assert desk.store.flush()
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


_WRITER = """
import sys, time, threading
from pathlib import Path
from playground.conversation.store import Store
from playground.conversation.store import Store
from playground.conversation.tree import Chat, LaneRecord, Node
store = Store(Path(sys.argv[1]), lambda thunk: thunk())
store.start()
chat = Chat("c", "Cut off", lanes=[LaneRecord("A", leaf="w")])
store.save_chat(chat)
store.save_node(Node("u", None, "user", "Go on for ever"), "c")
store.save_node(Node("w", "u", "assistant", state="writing", lane="A"), "c")
text = ""
for n in range(10**9):
    text += f"{n} "
    store.grow_node("c", "w", text, "")
    print(n, time.monotonic_ns(), flush=True)
    time.sleep(0.002)
"""


def test_kill_in_the_middle_of_an_answer(desks: Desks, path: Path) -> None:
    """All but the last half second of the text is there, and the turn counts as stopped."""
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = [tuple(map(int, writer.stdout.readline().split())) for _ in range(900)]
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().splitlines()
    writer.wait()
    writer.stdout.close()
    told += [(int(line.split()[0]), int(line.split()[1])) for line in rest if len(line.split()) == 2]
    back = desks().chat("c")
    assert back is not None
    assert back.lanes[0].leaf == "w"
    assert back.nodes["w"].state == "stopped"
    numbers = [int(word) for word in back.nodes["w"].text.split()]
    assert numbers == list(range(len(numbers)))
    last = told[-1][1]
    old_enough = max(n for n, at in told if last - at > 1.5e9 or n == 0)  # the pace, and a slow machine's turn
    assert len(numbers) > old_enough


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


def test_write_ahead_log_and_versions(desks: Desks, path: Path) -> None:
    desk = desks()
    desk.save(a_chat())
    assert desk.store.flush()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert schema.version(db) == len(MIGRATIONS)
    db.close()


def test_two_windows_write_at_once(desks: Desks) -> None:
    one, two = desks(), desks()

    def write(desk: Desk, letter: str) -> None:
        for n in range(150):
            desk.store.save_node(Node(f"{letter}{n}", None, "user", "x" * 2000), letter)
            desk.store.flush()

    threads = [threading.Thread(target=write, args=pair) for pair in ((one, "a"), (two, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for desk in (one, two):
        assert [len(desk.chat(letter).nodes) for letter in "ab"] == [150, 150]
        assert desk.complaints == []


def test_a_lock_by_another_program_is_waited_out(desks: Desks, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.conversation.opening.BUSY_S", 0.05)
    desk, chat = desks(), a_chat()
    assert desk.titles() == []
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.save(chat)
    desk.until(lambda: bool(desk.complaints))
    assert "Another program" in desk.complaints[0]
    other.execute("ROLLBACK")
    other.close()
    assert desk.store.flush(20)
    assert desk.chat(chat.id) == chat
    assert len(desk.complaints) == 1


_FULL = """
import queue, resource, sys
from pathlib import Path
from playground.conversation.store import Store
from playground.conversation.tree import Node
q, said, box = queue.Queue(), [], []
store = Store(Path(sys.argv[1]), q.put, said.append)
store.start()
store.save_node(Node("before", None, "user", "y" * 1000), "c")
assert store.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for n in range(20):
    store.save_node(Node(f"n{n}", None, "user", "x" * 50_000), "c")
assert not store.flush(0.5)
store.save_node(Node("n0", None, "user", "newest"), "c")
while not said:
    q.get(timeout=20)()
store.open_chat("c", box.append)
while not box:
    q.get(timeout=20)()
assert "before" in box[0].nodes
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.flush(20)
assert store.close()
print(len(said), said[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_full_disk_loses_nothing_and_is_said_once(desks: Desks, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _FULL, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 The ")
    assert "saved" in done.stdout
    back = desks().chat("c")
    assert list(back.nodes) == ["before", *(f"n{n}" for n in range(20))]
    assert back.nodes["n0"].text == "newest"
    assert len(back.nodes["n19"].text) == 50_000


def test_full_by_sqlites_own_word(desks: Desks) -> None:
    desk = desks()
    desk.save(a_chat())
    assert desk.store.flush()

    def no_more(db: sqlite3.Connection) -> None:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")

    disk = desk.store._disk
    disk.put(("test", "limit"), no_more)
    assert desk.store.flush()
    desk.store.save_node(Node("big", None, "user", "x" * 500_000), "c1")
    desk.until(lambda: bool(desk.complaints))
    assert desk.complaints[0].startswith("The disk is full")
    assert not desk.store.flush(0.2)
    # Reading still works, and the limit is lifted where it was set: on the store's own connection.
    assert desk.ask(lambda reply: disk.ask(_unlimited(reply))) is True
    assert desk.store.flush(20)
    assert len(desk.chat("c1").nodes["big"].text) == 500_000


def _unlimited(reply: Callable[[Any], None]) -> Ask:
    return Ask(lambda db: bool(db.execute("PRAGMA max_page_count = 1000000")), reply, False)


def test_a_folder_that_cant_be_made_is_said_and_answers_still_come(desks: Desks, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    desk = desks(tmp_path / "file" / "chats.sqlite3")
    assert desk.titles() == []
    desk.until(lambda: bool(desk.complaints))
    assert "can’t be opened" in desk.complaints[0]
    desk.save(a_chat())
    assert not desk.store.flush(0.3)
    (tmp_path / "file").unlink()
    assert desk.store.flush(20)
    assert desk.chat("c1") == a_chat()
    assert len(desk.complaints) == 1


def test_one_value_that_cant_be_kept_doesnt_hold_up_the_others(desks: Desks) -> None:
    desk = desks()
    assert desk.titles() == []
    disk = desk.store._disk
    with disk._wake:  # all in one batch
        desk.save(a_chat())
        disk.put(("state", "bad"), lambda db: db.execute("INSERT INTO state VALUES (NULL, NULL)") and None)
        desk.store.set_state("good", {"a": 1})
    assert desk.store.flush()
    assert desk.chat("c1") == a_chat()
    assert desk.ask(desk.store.get_state, "good") == {"a": 1}
    assert len(desk.complaints) == 1
    assert "state" in desk.complaints[0]


@pytest.mark.parametrize("content", [b"this is no database at all, " * 200, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_broken_file_is_moved_aside(desks: Desks, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    desk = desks()
    desk.save(a_chat())
    assert desk.titles() == ["Sea animals"]
    (aside,) = path.parent.glob("chats.sqlite3.broken-*")
    assert aside.read_bytes() == content
    assert len(desk.complaints) == 1
    assert aside.name in desk.complaints[0]
    assert "none of its chats" in desk.complaints[0]


def test_an_empty_file_is_a_new_one(desks: Desks, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert desks().titles() == []
    assert [entry.name for entry in path.parent.glob("*broken*")] == []


def test_what_a_damaged_file_still_holds_is_saved(desks: Desks, path: Path) -> None:
    desk = desks()
    for n in range(40):
        desk.save(a_chat(f"c{n}", f"Chat {n}"))
        desk.store.save_node(Node(f"long{n}", None, "user", "x" * 9000, created=1.0), f"c{n}")
    desk.close()
    db = sqlite3.connect(path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'nodes'").fetchone()
    leaf = db.execute("SELECT pageno FROM dbstat WHERE name = 'nodes' AND pagetype = 'leaf'").fetchall()[5][0]
    db.close()
    assert leaf != root
    with path.open("r+b") as file:
        file.seek((leaf - 1) * 4096)
        file.write(b"\xff" * 4096)
    again = desks()
    for n in range(40):
        again.chat(f"c{n}")
    assert len(again.titles()) == 40
    assert any("40 chats could be read" in sentence for sentence in again.complaints)
    whole = [n for n in range(40) if (chat := again.chat(f"c{n}")) and len(chat.nodes) == 5]
    assert len(whole) > 30
    for n in whole:
        assert list(again.chat(f"c{n}").nodes) == [*a_chat(f"c{n}").nodes, f"long{n}"]


def test_a_newer_file_is_left_untouched_and_the_session_still_works(desks: Desks, path: Path) -> None:
    path.parent.mkdir()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE chats (from_the_future)")
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    before = path.read_bytes()
    desk = desks()
    desk.save(a_chat())
    assert desk.chat("c1") == a_chat()
    desk.until(lambda: bool(desk.complaints))
    assert "newer version" in desk.complaints[0]
    desk.close()
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_migrations_run_in_order_and_once() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    steps = [Migration("1 a", ("CREATE TABLE t (x)",)), Migration("2 b", ("INSERT INTO t VALUES (1)",))]
    assert migrate(db, steps[:1]) == ["1 a"]
    assert migrate(db, steps) == ["2 b"]
    assert migrate(db, steps) == []
    assert db.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(schema.NewerDatabase):
        migrate(db, steps[:1])
    db.close()


def test_a_failing_migration_leaves_all_as_it_was() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    steps = [
        Migration("1 fine", ("CREATE TABLE t (x)",)),
        Migration("2 half", ("ALTER TABLE t ADD COLUMN y", "INSERT INTO nowhere VALUES (1)")),
    ]
    with pytest.raises(MigrationFailed, match="2 half"):
        migrate(db, steps)
    assert schema.version(db) == 1
    assert [row[1] for row in db.execute("PRAGMA table_info (t)")] == ["x"]
    db.close()


def test_migration_names_are_in_order() -> None:
    names = [step.name for step in MIGRATIONS]
    assert names == sorted(names)
    assert [int(name.split()[0]) for name in names] == list(range(1, len(names) + 1))


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


def test_closing_twice_and_without_a_start(path: Path) -> None:
    assert Store(path, lambda thunk: thunk()).close()
    desk = Desk(path)
    desk.close()
    desk.close()
