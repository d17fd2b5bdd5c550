import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from hub.faults import Fault
from hub.repo import Repo
from hub.server import Hub as Server
from hub_samples import LLAMA
from waiting import wait_until

from playground.fit.estimate import Options
from playground.hub.client import Hub
from playground.hub.search import PAGE, Query
from playground.workspace.hub import HubPages, HubSearch

pytest_plugins = ("hub_fixtures",)


class Loop:
    """Threads for the work, and the results on the test's own thread, as the window does it."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(4)
        self._thunks: Queue[Callable[[], None]] = Queue()

    def background(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        assert threading.current_thread() is threading.main_thread()

        def run() -> None:
            result = work()
            self._thunks.put(lambda: then(result))

        self._pool.submit(run)

    def until(self, told: Callable[[], bool]) -> None:
        while not told():
            try:
                self._thunks.get(timeout=100)()
            except Empty:
                pytest.fail("nothing came")

    def close(self) -> None:
        self._pool.shutdown(wait=True)


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture
def search(hub: Hub, loop: Loop) -> HubSearch:
    return HubSearch(lambda: hub, loop.background)


@pytest.fixture
def pages(hub: Hub, loop: Loop, tmp_path: Path) -> HubPages:
    return HubPages(lambda: hub, loop.background, tmp_path / "config", busy=lambda: False)


def add_many(server: Server, count: int) -> None:
    for number in range(count):
        server.add(Repo(f"a/m{number:03}", downloads=count - number))


def test_results_come_page_by_page(search: HubSearch, server: Server, loop: Loop) -> None:
    add_many(server, 40)
    search.search(Query(sort="downloads"))
    assert search.stage == "asking"
    loop.until(lambda: search.stage != "asking")
    assert (search.stage, len(search.found)) == ("ready", PAGE)
    search.more()
    loop.until(lambda: search.stage != "asking")
    search.more()
    loop.until(lambda: search.stage == "end")
    assert [found.repo for found in search.found] == [f"a/m{number:03}" for number in range(40)]


def test_typing_on_drops_what_was_asked(search: HubSearch, server: Server, loop: Loop) -> None:
    add_many(server, 3)
    server.faults.append(Fault("stall"))
    search.search(Query("m00"))
    wait_until(lambda: bool(server.asked), 100, "the first question")
    search.search(Query("m001"))
    loop.until(lambda: search.stage == "ready")
    assert [found.repo for found in search.found] == ["a/m001"]


def test_a_failure_is_a_sentence_and_the_next_search_works(search: HubSearch, server: Server, loop: Loop) -> None:
    add_many(server, 3)
    server.faults.extend([Fault("server")] * 3)
    search.search(Query())
    loop.until(lambda: search.stage == "failed")
    assert "has trouble answering" in search.message
    search.search(Query())
    loop.until(lambda: search.stage == "ready")
    assert (search.message, len(search.found)) == ("", 3)


def test_a_page_fills_in(pages: HubPages, llama: Repo, loop: Loop) -> None:
    pages.open(LLAMA)
    shown = pages.open_page
    assert shown is not None
    loop.until(lambda: bool(shown.judged and shown.card))
    assert (shown.stage, shown.header, shown.header_message) == ("ready", "ready", "")
    assert [one.choice.label for one in shown.judged] == ["Q4_0", "Q8_0", "F16"]
    assert [one.exact for one in shown.judged] == [True, False, False]
    assert shown.card.startswith("# Llama 3.2 1B")
    about = shown.judged[1].needs
    assert shown.page is not None
    pages.choose(shown.page.chats[1])
    loop.until(lambda: shown.judged[1].exact)
    exact = shown.judged[1].needs
    assert about is not None
    assert exact is not None
    assert about.whole == pytest.approx(exact.whole, rel=0.03)


def test_verdicts_follow_the_options(pages: HubPages, llama: Repo, loop: Loop) -> None:
    pages.open(LLAMA)
    shown = pages.open_page
    assert shown is not None
    loop.until(lambda: bool(shown.judged))
    before = shown.judged[0].needs
    for n_ctx in range(1024, 65537, 1024):
        pages.set_options(Options(n_ctx=n_ctx))
    loop.until(lambda: bool(shown.judged[0].needs and shown.judged[0].needs.n_ctx == 65536))
    after = shown.judged[0].needs
    assert before is not None
    assert after is not None
    assert after.cache == 16 * before.cache


def test_another_page_drops_the_first(pages: HubPages, llama: Repo, server: Server, loop: Loop) -> None:
    server.faults.append(Fault("stall"))
    server.faulty = "slow"
    pages.open("someone/slow")
    slow = pages.open_page
    pages.open(LLAMA)
    shown = pages.open_page
    assert slow is not None
    assert shown is not None
    loop.until(lambda: shown.stage == "ready")
    assert slow.stage == "asking"


def test_a_page_that_is_not_there(pages: HubPages, server: Server, loop: Loop) -> None:
    pages.open("someone/nothing")
    shown = pages.open_page
    assert shown is not None
    loop.until(lambda: shown.stage == "failed")
    assert "has no model “someone/nothing”" in shown.message


def test_a_gated_page_stands_without_verdicts(pages: HubPages, llama: Repo, loop: Loop) -> None:
    llama.gated = "auto"
    pages.open(LLAMA)
    shown = pages.open_page
    assert shown is not None
    loop.until(lambda: shown.header == "failed")
    assert shown.stage == "ready"
    assert "Accept its terms" in shown.header_message


def test_the_shelf(pages: HubPages, loop: Loop) -> None:
    pages.read_shelf()
    loop.until(lambda: pages.shelf is not None)
    assert pages.shelf is not None
    assert pages.shelf.entries
