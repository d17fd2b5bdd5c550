import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from faulty_hub import REPO, FaultyHub, Spoiled
from waiting import wait_until

from playground.downloads import record
from playground.downloads.place import Place
from playground.downloads.view import DownloadView
from playground.paths import find_paths
from playground.workspace import starter_download
from playground.workspace.downloads import Downloads
from playground.workspace.lane import Lane

pytest_plugins = ("download_fixtures",)

A, B, C = "a.Q4_0.gguf", "b.Q4_0.gguf", "c.Q4_0.gguf"


def slowly(hub: FaultyHub, piece: int = 1024) -> None:
    """A file takes a quarter of a minute or more, so that a test that is kept waiting still finds it under way."""
    hub.slow_s, hub.slow_piece = 0.01, piece


class Window:
    """The side that a window has: what is posted runs where the test waits."""

    def __init__(self, cache: Path, faulty: FaultyHub) -> None:
        self.cache = cache
        self.hub = faulty
        self.posted: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.told: list[str] = []
        self.finished: list[DownloadView] = []
        self.open: Downloads | None = None

    def start(self, at_once: int = 2) -> Downloads:
        self.close()
        self.open = downloads = Downloads(find_paths(), self.posted.put, at_once=at_once, cache=self.cache)
        downloads.told.connect(self.told.append)
        downloads.finished.connect(self.finished.append)
        downloads.start()
        return downloads

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None
            self.posted = SimpleQueue()

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        def look() -> object:
            try:
                while True:
                    self.posted.get_nowait()()
            except Empty:
                return condition()

        wait_until(look, 100, what)

    def state(self, download_id: str) -> str:
        assert self.open is not None
        view = self.open.find(download_id)
        return view.state if view else "gone"

    def until_state(self, download_id: str, state: str) -> None:
        self.until(lambda: self.state(download_id) == state, f"{state}, which is {self.state(download_id)}")

    def here(self, download_id: str) -> int:
        view = self.open.find(download_id) if self.open else None
        return view.here if view else 0

    def blobs(self) -> list[str]:
        return sorted(path.suffix or "blob" for path in Place(self.cache, REPO).root.glob("blobs/*"))


@pytest.fixture
def window(tmp_path: Path, faulty: FaultyHub) -> Iterator[Window]:
    faulty.files = {name: os.urandom(1_500_000) for name in (A, B, C)}
    made = Window(tmp_path / "cache", faulty)
    yield made
    made.close()


def test_several_at_once_and_the_others_wait_their_turn(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start(at_once=2)
    ids = [downloads.add(REPO, [name], [1_500_000]) for name in (A, B, C)]
    window.until(lambda: [window.state(one) for one in ids] == ["running", "running", "waiting"])
    most = [2]
    downloads.changed.connect(
        lambda: most.__setitem__(0, max(most[0], sum(view.state == "running" for view in downloads.items)))
    )
    faulty.slow_s = 0
    for one in ids:
        window.until_state(one, "done")
    assert most[0] == 2
    assert sorted(view.label for view in window.finished) == [A, B, C]
    for view in downloads.items:
        assert Path(view.paths[0]).read_bytes() == faulty.files[view.files[0].name]


def test_progress_speed_and_time_left_of_all_parts_together(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty, 8192)
    downloads = window.start()
    one = downloads.add(REPO, [A, B], label="Two parts")
    seen: list[DownloadView] = []
    downloads.changed.connect(lambda: seen.extend(downloads.items))
    window.until(lambda: any(view.left_s and view.files[1].here for view in seen), "the second part")
    shown = next(view for view in reversed(seen) if view.left_s)
    assert shown.label == "Two parts"
    assert shown.size == 3_000_000
    assert shown.here == sum(file.here for file in shown.files)
    assert shown.left_s == pytest.approx((shown.size - shown.here) / shown.bytes_s)
    here = [view.here for view in seen]
    assert here == sorted(here)
    faulty.slow_s = 0
    window.until_state(one, "done")
    assert [Path(path).name for path in window.finished[0].paths] == [A, B]


def test_pause_and_resume_fetch_nothing_twice(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start()
    one = downloads.add(REPO, [A])
    window.until(lambda: window.here(one) > 20_000, "a beginning")
    downloads.pause(one)
    window.until_state(one, "paused")
    here = window.here(one)
    assert window.blobs() == [".part"]
    faulty.slow_s = 0
    faulty.asked.clear()
    downloads.resume(one)
    window.until_state(one, "done")
    (asked,) = faulty.ranges
    assert int(asked.removeprefix("bytes=").partition("-")[0]) >= here


def test_the_next_start_goes_on_with_what_ran_and_lets_rest_what_rested(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start(at_once=1)
    one, two = downloads.add(REPO, [A]), downloads.add(REPO, [B])
    downloads.pause(two)
    window.until(lambda: window.here(one) > 20_000 and window.state(two) == "paused", "a beginning")
    window.close()
    faulty.slow_s = 0
    faulty.asked.clear()
    downloads = window.start()
    window.until_state(one, "done")
    assert window.state(two) == "paused"
    assert faulty.ranges[0].startswith("bytes=")
    downloads.resume_all()
    window.until_state(two, "done")
    window.start()
    window.until_state(one, "done")
    assert window.open is not None
    assert [view.state for view in window.open.items] == ["done", "done"]


def test_cancelling_cleans_up_whatever_it_was_doing(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start(at_once=1)
    running, waiting, resting = (downloads.add(REPO, [name]) for name in (A, B, C))
    downloads.pause(resting)
    window.until(lambda: window.here(running) > 20_000, "a beginning")
    for one in (waiting, resting, running):
        downloads.cancel(one)
        window.until_state(one, "gone")
    assert window.blobs() == []
    assert list(record.folder_of(find_paths()).iterdir()) == []


def test_what_is_done_leaves_the_list_and_stays_on_disk(window: Window, faulty: FaultyHub) -> None:
    downloads = window.start()
    one = downloads.add(REPO, [A])
    window.until_state(one, "done")
    downloads.cancel(one)
    window.until_state(one, "gone")
    assert Path(window.finished[0].paths[0]).read_bytes() == faulty.files[A]


def test_what_is_done_can_leave_while_a_slow_disk_still_keeps_that_it_is(
    window: Window, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_save, save = threading.Event(), record.Journal.save

    def slow(journal: record.Journal, one: record.Record) -> None:
        assert one.state != "done" or may_save.wait(100)
        save(journal, one)

    monkeypatch.setattr(record.Journal, "save", slow)
    downloads = window.start()
    one = downloads.add(REPO, [A])
    window.until_state(one, "done")
    downloads.cancel(one)
    window.until(downloads._queue._orders.empty, "the order to be taken")
    may_save.set()
    window.until_state(one, "gone")
    assert Path(window.finished[0].paths[0]).read_bytes() == faulty.files[A]
    assert list(record.folder_of(find_paths()).iterdir()) == []


def test_a_failure_is_said_and_can_be_tried_again(window: Window, faulty: FaultyHub) -> None:
    faulty.spoil_get.append(Spoiled("corrupt", 100_000))
    downloads = window.start()
    one = downloads.add(REPO, [A])
    window.until_state(one, "failed")
    view = downloads.find(one)
    assert view is not None
    assert view.fault == "digest"
    assert "wrong-digest" in view.message
    assert window.finished == []
    downloads.resume(one)
    window.until_state(one, "done")
    assert window.blobs() == ["blob"]


def test_a_lost_line_is_waited_for_and_said(window: Window, faulty: FaultyHub) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 300_000), *[Spoiled("hang_up")] * 200])
    downloads = window.start()
    one = downloads.add(REPO, [A])
    window.until(lambda: (view := downloads.find(one)) and "line broke" in view.note, "the note")
    faulty.spoil_get.clear()
    downloads.resume(one)
    window.until_state(one, "done")


def test_the_same_twice_is_one(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start()
    one = downloads.add(REPO, [A])
    downloads.add(REPO, [A])
    window.until(lambda: window.here(one) > 0)
    assert len(downloads.items) == 1
    found = downloads.find_file(REPO, A)
    assert found is not None
    assert found.id == one


def test_one_can_go_before_the_others(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start(at_once=1)
    one, two, three = (downloads.add(REPO, [name]) for name in (A, B, C))
    downloads.first(three)
    window.until(lambda: [view.id for view in downloads.items] == [three, one, two], "the new order")
    faulty.slow_s = 0
    window.until(lambda: len(window.finished) == 3, "all")
    # The first was under way already or gave way; the second waits for the third in any case.
    order = [view.id for view in window.finished]
    assert order.index(three) < order.index(two)


def test_fewer_at_once_from_now_on(window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start(at_once=2)
    one, two = downloads.add(REPO, [A]), downloads.add(REPO, [B])
    window.until(lambda: window.here(one) and window.here(two), "both")
    downloads.set_at_once(1)
    window.until(lambda: [window.state(one), window.state(two)] == ["running", "waiting"], "one at a time")
    faulty.slow_s = 0
    window.until_state(two, "done")


def test_another_program_has_it(window: Window, faulty: FaultyHub) -> None:
    lock = Place(window.cache, REPO).lock(hashlib.sha256(faulty.files[A]).hexdigest())
    downloads = window.start()
    with record.locked(lock):
        one = downloads.add(REPO, [A])
        window.until(lambda: (view := downloads.find(one)) and "Another program" in view.note, "the note")
    downloads.resume(one)
    window.until_state(one, "done")


def test_what_cant_be_asked_for_is_said(window: Window) -> None:
    downloads = window.start()
    assert downloads.add("no repo", [A]) == ""
    assert downloads.add(REPO, ["../x"]) == ""
    assert downloads.add(REPO, []) == ""
    assert len(window.told) == 3
    assert all(said.endswith(".") for said in window.told)


@pytest.fixture
def lane(monkeypatch: pytest.MonkeyPatch, faulty: FaultyHub, window: Window) -> SimpleNamespace:
    """A lane without a model, and a starter that the stand-in Hub has."""
    body = faulty.files[A]
    digest = hashlib.sha256(body).hexdigest()
    wanted = {"repo": REPO, "file": A, "size": len(body), "sha256": digest, "revision": faulty.commit}
    small = replace(starter_download.STARTER, **wanted)
    monkeypatch.setattr(starter_download, "STARTER", small)
    lane = Lane("A")
    workspace: Any = SimpleNamespace(outside={}, state=SimpleNamespace(find_lane=lambda _letter: lane))
    return SimpleNamespace(lane=lane, workspace=workspace)


def test_the_starter_comes_with_progress_in_its_lane(lane: SimpleNamespace, window: Window, faulty: FaultyHub) -> None:
    slowly(faulty, 8192)
    titles: list[str] = []
    lane.lane.changed.connect(lambda: titles.append(lane.lane.notice.title if lane.lane.notice else ""))
    done: list[int] = []
    starter_download.StarterDownload(lane.workspace, window.start(), "A", lambda: done.append(1)).start()
    window.until(lambda: done, "the starter")
    assert titles[0].endswith("0 %")
    assert len(set(titles)) > 1, "progress"
    assert lane.lane.notice is None
    assert lane.workspace.outside == {}


def test_the_starter_can_be_cancelled(lane: SimpleNamespace, window: Window, faulty: FaultyHub) -> None:
    slowly(faulty)
    downloads = window.start()
    starter_download.StarterDownload(lane.workspace, downloads, "A").start()
    window.until(lambda: downloads.items and downloads.items[0].here, "a beginning")
    lane.workspace.outside["cancel_download"]("A")
    window.until(lambda: not downloads.items, "its end")
    assert window.blobs() == []
    assert "isn’t here" in lane.lane.notice.title


def test_another_starter_on_the_hub_is_refused(lane: SimpleNamespace, window: Window, faulty: FaultyHub) -> None:
    faulty.files[A] = os.urandom(1_500_000)
    faulty.fixed_commit = starter_download.STARTER.revision
    downloads = window.start()
    starter_download.StarterDownload(lane.workspace, downloads, "A").start()
    window.until(lambda: lane.lane.notice.title == "The download did not finish", "the notice")
    assert "another file" in lane.lane.notice.text
    assert [action.key for action in lane.lane.notice.actions] == ["download_starter", "open_file"]
