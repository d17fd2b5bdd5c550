"""The Find tab against the stand-in Hub: nothing unasked, results as they come, verdicts that follow, downloads."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))

from hub.repo import Repo, Stored
from hub.server import Hub as Server
from hub_samples import LLAMA, TOKEN
from memory_keyring import MemoryKeyring
from models_kit import Stand, put

from playground.hub.client import Hub
from playground.ui.models.find_tab import FindTab
from playground.ui.models.hub_list import HubList

pytest_plugins = ["hub_fixtures"]
TINY = "someone/Tiny-GGUF"


@pytest.fixture
def stand(qtbot: QtBot, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("playground.models.starter.find", lambda *_: None)
    made = Stand(qtbot, Hub(server.url, token=False))
    yield made
    made.close()


def find(stand: Stand) -> FindTab:
    stand.page.show_tab("find")
    assert stand.page.finder is not None
    stand.qtbot.waitUntil(lambda: stand.pages.shelf is not None)
    return stand.page.finder


def repos(shown: HubList) -> list[str]:
    return [entry.repo for entry in shown.entries if entry.repo]


def many(server: Server, count: int) -> None:
    for number in range(count):
        server.add(
            Repo(
                f"maker/Qwen3-{number + 1}B-GGUF",
                {"a-Q4_K_M.gguf": Stored(b"GGUF")},
                tags=["license:apache-2.0" if number % 2 else "license:mit"],
                gguf={"total": (number + 1) * 10**9, "architecture": "qwen3", "context_length": 40_960},
                downloads=1000 - number,
            )
        )


def test_nothing_is_asked_before_the_user_agrees(stand: Stand, server: Server, qtbot: QtBot) -> None:
    many(server, 3)
    tab = find(stand)
    assert "Good ones" in tab.head.text()
    assert len(repos(tab.list)) > 10
    qtbot.keyClicks(tab.search, "qwen")
    qtbot.waitUntil(lambda: not tab.card.isHidden())
    qtbot.wait(500)  # longer than the pause after which it would be asked
    assert stand.asked == 0
    assert "Search the Hugging Face Hub?" in tab.card.title.text()
    kept: list[dict[str, bool]] = []
    stand.page.kept_changed.connect(kept.append)
    tab.card.buttons[0].click()
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 3, timeout=20_000)
    assert kept == [{"may_ask": True}]
    tab.search.clear()
    qtbot.waitUntil(lambda: "Good ones" in tab.head.text())


def test_results_come_page_by_page_as_the_list_is_scrolled(stand: Stand, server: Server, qtbot: QtBot) -> None:
    many(server, 70)
    tab = find(stand)
    tab.may_ask = True
    qtbot.keyClicks(tab.search, "qwen")
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 30, timeout=20_000)
    assert "30 or more" in tab.head.text()
    tab.list.verticalScrollBar().setValue(tab.list.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 60, timeout=20_000)
    tab.list.verticalScrollBar().setValue(tab.list.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 70, timeout=20_000)
    tab.list.verticalScrollBar().setValue(tab.list.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: tab.head.text() == "70 found", timeout=20_000)
    assert len(set(repos(tab.list))) == 70


def test_filters_and_other_words_ask_anew(stand: Stand, server: Server, qtbot: QtBot) -> None:
    many(server, 12)
    tab = find(stand)
    tab.may_ask = True
    tab.search.setText("qwen")
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 12, timeout=20_000)
    tab.filters.licence.setCurrentIndex(tab.filters.licence.findData("mit"))
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 6, timeout=20_000)
    tab.filters.params.setCurrentIndex(tab.filters.params.findText("3 to 9 B"))
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 4, timeout=20_000)
    tab.search.setText("no such thing")
    qtbot.waitUntil(lambda: "Nothing found" in tab.card.title.text() and not tab.card.isHidden(), timeout=20_000)


def test_author_family_task_and_order(stand: Stand, server: Server, qtbot: QtBot) -> None:
    for number, (owner, family, task, base) in enumerate(
        (
            ("ann", "qwen3", "text-generation", "Qwen/Qwen3-8B"),
            ("ann", "gemma3", "image-text-to-text", "google/gemma-3-4b-it"),
            ("bob", "qwen3", "text-generation", "Qwen/Qwen3-4B"),
            ("bob", "gemma3", "text-generation", "google/gemma-3-1b-it"),
        )
    ):
        name = base.rpartition("/")[2]
        tags, files = [family, f"base_model:{base}"], {"a-Q4_0.gguf": Stored(b"GGUF")}
        server.add(Repo(f"{owner}/{name}-GGUF", files, tags, task=task, likes=10 - number, downloads=number))
    tab = find(stand)
    tab.may_ask = True
    filters = tab.filters
    assert not filters.author.isVisible()
    filters.toggle.click()
    assert filters.author.hasFocus()
    qtbot.keyClicks(filters.author, "ann")
    qtbot.waitUntil(lambda: repos(tab.list) == ["ann/Qwen3-8B-GGUF", "ann/gemma-3-4b-it-GGUF"], timeout=20_000)
    filters.task.setCurrentIndex(filters.task.findData("image-text-to-text"))
    qtbot.waitUntil(lambda: repos(tab.list) == ["ann/gemma-3-4b-it-GGUF"], timeout=20_000)
    filters.clear()
    qtbot.keyClicks(filters.family, "qwen3")
    filters.sort.setCurrentIndex(filters.sort.findData("likes"))
    qtbot.waitUntil(lambda: repos(tab.list) == ["ann/Qwen3-8B-GGUF", "bob/Qwen3-4B-GGUF"], timeout=20_000)
    filters.sort.setCurrentIndex(filters.sort.findData("downloads"))
    qtbot.waitUntil(lambda: repos(tab.list) == ["bob/Qwen3-4B-GGUF", "ann/Qwen3-8B-GGUF"], timeout=20_000)
    filters.family.setText("google/gemma-3-1b-it")
    qtbot.waitUntil(lambda: repos(tab.list) == ["bob/gemma-3-1b-it-GGUF"], timeout=20_000)
    filters.author.setText("ann")
    qtbot.waitUntil(lambda: "Nothing found" in tab.card.title.text() and not tab.card.isHidden(), timeout=20_000)
    tab.card.buttons[0].click()
    qtbot.waitUntil(lambda: "Good ones" in tab.head.text(), timeout=20_000)
    filters.author.setText("ann")
    qtbot.waitUntil(lambda: len(repos(tab.list)) == 2, timeout=20_000)
    filters.toggle.click()  # what can't be seen narrows nothing
    qtbot.waitUntil(lambda: "Good ones" in tab.head.text(), timeout=20_000)


def test_without_a_line_it_says_so_and_tries_again(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    many(server, 2)
    address = ["http://127.0.0.1:9"]
    monkeypatch.setattr("playground.models.starter.find", lambda *_: None)
    stand = Stand(qtbot, Hub(address[0], token=False))
    tab = find(stand)
    tab.may_ask = True
    tab.search.setText("qwen")
    qtbot.waitUntil(lambda: not tab.card.isHidden() and "no answer" in tab.card.title.text(), timeout=30_000)
    assert "can’t be reached" in tab.card.text.text()
    stand.close()


def test_a_page_shows_its_choices_verdicts_and_card(stand: Stand, llama: Repo, qtbot: QtBot) -> None:
    tab = find(stand)
    tab.open_repo(LLAMA)
    view = tab.view
    qtbot.waitUntil(lambda: stand.pages.open_page is not None and bool(stand.pages.open_page.judged), timeout=30_000)
    view.refresh()
    rows = view.quants.rows_model.rows
    assert [row.choice.label for row in rows] == ["F16", "Q8_0", "Q4_0"]
    assert all(row.judged is not None and row.judged.words for row in rows)
    assert "1.24 B parameters" in view.about.text()
    assert "llama3.2" in view.about.text()
    assert "mmproj" in view.others.text()
    qtbot.waitUntil(lambda: not view.card.isHidden(), timeout=20_000)
    assert "“quotes”" in view.card.toPlainText()  # type: ignore[attr-defined]
    before = [row.judged.needs.whole for row in rows if row.judged and row.judged.needs]
    view.n_ctx.choose(65_536)  # type: ignore[attr-defined]
    qtbot.waitUntil(
        lambda: all(
            row.judged and row.judged.needs and row.judged.needs.whole > old + 10**9
            for row, old in zip(view.quants.rows_model.rows, before, strict=True)
        ),
        timeout=20_000,
    )


def test_a_gated_page_says_what_to_do(stand: Stand, server: Server, qtbot: QtBot) -> None:
    server.add(Repo(TINY, {"tiny-Q8_0.gguf": Stored(b"GGUF")}, gated="manual"))
    tab = find(stand)
    tab.open_repo(TINY)
    qtbot.waitUntil(lambda: stand.pages.open_page is not None and stand.pages.open_page.stage != "asking")
    tab.view.refresh()
    said = f"{tab.view.gated.text.text()} {tab.view.problem.text.text()}"
    assert "terms" in said
    assert not tab.view.token.isHidden()


def test_where_a_token_goes_is_said_and_one_can_sign_in_and_out(
    stand: Stand, server: Server, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keyring
    from huggingface_hub import constants, hf_api

    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(hf_api.api, "endpoint", server.url)
    ring, before = MemoryKeyring(), keyring.get_keyring()
    server.add(Repo(TINY, {"tiny-Q8_0.gguf": Stored(b"GGUF")}, gated="manual"))
    server.tokens[TOKEN] = {TINY}
    tab = find(stand)
    tab.open_repo(TINY)
    card = tab.view.token
    qtbot.waitUntil(lambda: "This machine has no keyring" in card.where.text(), timeout=20_000)
    assert card.leave.isHidden()
    keyring.set_keyring(ring)
    try:
        qtbot.keyClicks(card.field, TOKEN)
        card.button.click()
        assert not card.field.text()
        qtbot.waitUntil(lambda: card.said.text() == "Signed in as somebody.", timeout=20_000)
        qtbot.waitUntil(lambda: "is in the system’s keyring" in card.where.text(), timeout=20_000)
        assert list(ring.kept.values()) == [TOKEN]
        card.leave.click()
        qtbot.waitUntil(lambda: card.said.text() == "Signed out." and card.leave.isHidden(), timeout=20_000)
        assert not ring.kept
    finally:
        keyring.set_keyring(before)


def test_a_download_runs_in_the_strip_and_ends_in_the_library(
    stand: Stand, server: Server, qtbot: QtBot, tmp_path: Path
) -> None:
    body = put(tmp_path / "made", "tiny-F16.gguf", seed=4).read_bytes()
    server.add(Repo(TINY, {"tiny-F16.gguf": Stored(body, sha=hashlib.sha256(body).hexdigest())}))
    tab = find(stand)
    tab.open_repo(TINY)
    qtbot.waitUntil(lambda: tab.view.page is not None and bool(tab.view.page.chats), timeout=20_000)
    assert stand.page.strip.isHidden()
    assert tab.view.page is not None
    choice = tab.view.page.chats[0]
    tab.view.quants.wanted.emit(choice)
    qtbot.waitUntil(lambda: any(view.state == "done" for view in stand.downloads.items), timeout=30_000)
    line = next(iter(stand.page.strip.lines.values()))
    assert line.going.text() == "checksum matches"
    assert "free on the disk" in stand.page.strip.disk.text()
    assert not line.open.isHidden()
    qtbot.waitUntil(lambda: any(m.source == f"Hub: {TINY}" for m in stand.library.models), timeout=20_000)
    tab.view.refresh()
    assert [row.state for row in tab.view.quants.rows_model.rows] == ["Open"]
    stand.page.strip.clear.click()
    qtbot.waitUntil(lambda: stand.page.strip.isHidden(), timeout=20_000)
    assert any(m.source == f"Hub: {TINY}" for m in stand.library.models)


def test_what_was_fetched_can_be_deleted_after_a_second_word(
    stand: Stand, server: Server, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = put(tmp_path / "made", "tiny-F16.gguf", seed=4).read_bytes()
    server.add(Repo(TINY, {"tiny-F16.gguf": Stored(body, sha=hashlib.sha256(body).hexdigest())}))
    stand.downloads.add(TINY, ["tiny-F16.gguf"], label="Tiny F16")
    here = lambda: [m.path for m in stand.library.models if m.source == f"Hub: {TINY}"]  # noqa: E731
    qtbot.waitUntil(lambda: bool(here()) and not stand.library.scanning, timeout=30_000)
    (path,) = here()
    details = stand.page.library.details
    details.show_model(path)
    assert not details.doings["delete"].isHidden()
    trash: list[str] = []
    monkeypatch.setattr("send2trash.send2trash", lambda file: (trash.append(str(file)), os.unlink(file)))
    details.doings["delete"].click()
    assert "Other programs" in details.asked.text.text()
    assert os.path.exists(path)
    details.asked.buttons[0].click()
    qtbot.waitUntil(lambda: not here(), timeout=20_000)
    assert trash == [path]
    qtbot.waitUntil(lambda: not stand.downloads.items, timeout=20_000)
    assert not list((tmp_path / "hf").rglob("*.gguf"))


def test_the_limit_is_chosen_in_the_strip(stand: Stand, server: Server, qtbot: QtBot) -> None:
    body = bytes(12_000_000)
    server.add(Repo(TINY, {"tiny-F16.gguf": Stored(body, sha=hashlib.sha256(body).hexdigest())}))
    limits: list[float] = []
    stand.downloads.limited.connect(lambda: limits.append(stand.downloads.mb_s))
    stand.downloads.set_limit(0.25)
    stand.downloads.add(TINY, ["tiny-F16.gguf"], [len(body)], label="Tiny F16")
    strip = stand.page.strip
    qtbot.waitUntil(lambda: "to come" in strip.disk.text(), timeout=30_000)
    assert strip.limit.currentText() == "at most 0.25 MB/s"
    strip.limit.setCurrentIndex(strip.limit.findData(0.0))
    strip.limit.activated.emit(strip.limit.currentIndex())
    assert limits == [0.25, 0.0]
    qtbot.waitUntil(lambda: any(view.state == "done" for view in stand.downloads.items), timeout=60_000)


def test_a_wrong_file_is_told_in_the_strip_and_can_be_cancelled(stand: Stand, server: Server, qtbot: QtBot) -> None:
    server.add(Repo(TINY, {"tiny-F16.gguf": Stored(b"GGUF" + b"x" * 5000, sha="0" * 64)}))
    stand.downloads.add(TINY, ["tiny-F16.gguf"], label="Tiny F16")
    qtbot.waitUntil(lambda: any(view.state == "failed" for view in stand.downloads.items), timeout=30_000)
    line = next(iter(stand.page.strip.lines.values()))
    assert "digest" in line.message.text()
    assert line.open.isHidden()
    line.buttons[1].click()
    qtbot.waitUntil(lambda: stand.page.strip.isHidden(), timeout=20_000)
