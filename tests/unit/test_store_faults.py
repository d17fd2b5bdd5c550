import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, Desks, a_chat
from waiting import wait_until

from playground.conversation.disk import Ask
from playground.conversation.tree import Node

pytest_plugins = ("desk_fixtures",)

_WRITER = """
import sys, time
from pathlib import Path
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
    time.sleep(0.002)
"""


def test_kill_in_the_middle_of_an_answer(desks: Desks, chats_path: Path) -> None:
    """The text is kept while it grows, never torn, and the turn counts as stopped."""

    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(chats_path)])
    try:
        seen = 0
        for _ in range(3):
            wait_until(lambda least=seen + 100: _kept(chats_path) >= least)  # type: ignore[misc]
            seen = _kept(chats_path)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    back = desks().chat("c")
    assert back is not None
    assert back.lanes[0].leaf == "w"
    assert back.nodes["w"].state == "stopped"
    numbers = [int(word) for word in back.nodes["w"].text.split()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= seen


def _kept(chats_path: Path) -> int:
    """How many numbers are kept by now; none while the tables aren't there."""
    try:
        with closing(sqlite3.connect(f"file:{chats_path}?mode=ro", uri=True)) as db:
            return sum(len(text.split()) for (text,) in db.execute("SELECT text FROM nodes WHERE id = 'w'"))
    except sqlite3.OperationalError:
        return 0


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
    # On a slow disk one may be told that the other holds the file; nothing may be lost or left waiting.
    for desk in (one, two):
        wait_until(lambda store=desk.store: store.flush())  # type: ignore[misc]
        assert not desk.store.stuck
    for desk in (one, two):
        assert [len(desk.chat(letter).nodes) for letter in "ab"] == [150, 150]


def test_a_lock_by_another_program_is_waited_out(
    desks: Desks, chats_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.conversation.opening.BUSY_S", 0.05)
    desk, chat = desks(), a_chat()
    assert desk.titles() == []
    other = sqlite3.connect(chats_path, timeout=100, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    desk.save(chat)
    desk.until(lambda: bool(desk.complaints))
    assert "Another program" in desk.complaints[0]
    other.execute("ROLLBACK")
    other.close()
    desk.flush()
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
assert store.flush(100)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
for n in range(20):
    store.save_node(Node(f"n{n}", None, "user", "x" * 50_000), "c")
assert not store.flush(0.5)
store.save_node(Node("n0", None, "user", "newest"), "c")
while not said:
    q.get(timeout=100)()
store.open_chat("c", box.append)
while not box:
    q.get(timeout=100)()
assert "before" in box[0].nodes
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert store.flush(100)
assert store.close(100)
print(len(said), said[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_full_disk_loses_nothing_and_is_said_once(desks: Desks, chats_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _FULL, str(chats_path)], capture_output=True, text=True)
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
    desk.flush()

    def no_more(db: sqlite3.Connection) -> None:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}")

    disk = desk.store._disk
    waiting: list[str] = []
    desk.store.on_waiting = waiting.append
    disk.put(("test", "limit"), no_more)
    desk.flush()
    assert not desk.store.stuck
    desk.store.save_node(Node("big", None, "user", "x" * 500_000), "c1")
    desk.until(lambda: bool(desk.complaints))
    assert desk.complaints[0].startswith("The disk is full")
    assert not desk.store.flush(0.2)
    assert desk.store.stuck
    assert waiting[-1].startswith("The disk is full")
    # Reading still works, and the limit is lifted where it was set: on the store's own connection.
    assert desk.ask(lambda reply: disk.ask(_unlimited(reply))) is True
    desk.flush()
    assert len(desk.chat("c1").nodes["big"].text) == 500_000
    desk.until(lambda: waiting[-1] == "")
    assert not desk.store.stuck


def test_what_is_being_tried_again_is_not_saved_yet(desks: Desks) -> None:
    """A window that is closed in this very moment has to ask."""
    desk = desks()
    again, go_on = threading.Event(), threading.Event()
    tries: list[None] = []

    def write(_db: sqlite3.Connection) -> None:
        tries.append(None)
        if len(tries) > 1:
            again.set()
            go_on.wait(60)
        if len(tries) < 3:
            raise sqlite3.OperationalError("disk I/O error")

    desk.store._disk.put(("test", "full"), write)
    assert again.wait(60)
    assert desk.store.stuck
    go_on.set()
    desk.flush()
    assert not desk.store.stuck


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
    desk.flush()
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
    desk.flush()
    assert desk.chat("c1") == a_chat()
    assert desk.ask(desk.store.get_state, "good") == {"a": 1}
    assert len(desk.complaints) == 1
    assert "state" in desk.complaints[0]


@pytest.mark.parametrize("content", [b"this is no database at all, " * 200, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_broken_file_is_moved_aside(desks: Desks, chats_path: Path, content: bytes) -> None:
    chats_path.parent.mkdir()
    chats_path.write_bytes(content)
    desk = desks()
    desk.save(a_chat())
    assert desk.titles() == ["Sea animals"]
    (aside,) = chats_path.parent.glob("chats.sqlite3.broken-*")
    assert aside.read_bytes() == content
    assert len(desk.complaints) == 1
    assert aside.name in desk.complaints[0]
    assert "none of its chats" in desk.complaints[0]


def test_an_empty_file_is_a_new_one(desks: Desks, chats_path: Path) -> None:
    chats_path.parent.mkdir()
    chats_path.touch()
    assert desks().titles() == []
    assert [entry.name for entry in chats_path.parent.glob("*broken*")] == []


def test_what_a_damaged_file_still_holds_is_saved(desks: Desks, chats_path: Path) -> None:
    desk = desks()
    for n in range(40):
        desk.save(a_chat(f"c{n}", f"Chat {n}"))
        desk.store.save_node(Node(f"long{n}", None, "user", "x" * 9000, created=1.0), f"c{n}")
    desk.close()
    db = sqlite3.connect(chats_path)
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'nodes'").fetchone()
    leaf = db.execute("SELECT pageno FROM dbstat WHERE name = 'nodes' AND pagetype = 'leaf'").fetchall()[5][0]
    db.close()
    assert leaf != root
    with chats_path.open("r+b") as file:
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


def test_a_newer_file_is_left_untouched_and_the_session_still_works(desks: Desks, chats_path: Path) -> None:
    chats_path.parent.mkdir()
    db = sqlite3.connect(chats_path)
    db.execute("CREATE TABLE chats (from_the_future)")
    db.execute("PRAGMA user_version = 99")
    db.commit()
    db.close()
    before = chats_path.read_bytes()
    desk = desks()
    desk.save(a_chat())
    assert desk.chat("c1") == a_chat()
    desk.until(lambda: bool(desk.complaints))
    assert "newer version" in desk.complaints[0]
    desk.close()
    assert chats_path.read_bytes() == before
    assert [entry.name for entry in chats_path.parent.iterdir()] == [chats_path.name]


def test_a_disk_that_hangs_is_told_before_the_window_closes(desks: Desks, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window asks once before it closes over a write that doesn't end."""
    desk = desks()
    desk.save(a_chat())
    desk.flush()
    monkeypatch.setattr("playground.conversation.disk.HANGS_S", 0.0)
    begun, goes_on = threading.Event(), threading.Event()
    waiting: list[str] = []
    desk.store.on_waiting = waiting.append

    def slow(_db: sqlite3.Connection) -> None:
        begun.set()
        goes_on.wait(120)

    assert not desk.store.stuck
    desk.store._disk.put(("test", "slow"), slow)
    try:
        assert begun.wait(60)
        wait_until(lambda: desk.store.stuck)
    finally:
        goes_on.set()
    wait_until(lambda: not desk.store.stuck)
    desk.until(lambda: "" in waiting)
