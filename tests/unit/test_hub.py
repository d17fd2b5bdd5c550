import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gguf_shapes import qwen3_30b_a3b
from hub.faults import Fault
from hub.repo import Repo, Stored
from hub.server import Hub as Server
from hub_samples import LLAMA, TOKEN, with_vocabulary

from playground.hub.client import Hub, never
from playground.hub.errors import HubError
from playground.hub.page import parse_repo, read_card, read_page
from playground.hub.remote_model import read_remote
from playground.hub.search import PAGE, SORTS, Query, search
from playground.models import hub_client
from playground.models.digest import GivenUp

pytest_plugins = ("hub_fixtures",)


def fault_of(work: Callable[[], object]) -> HubError:
    with pytest.raises(HubError) as caught:
        work()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert TOKEN not in sentence
    return caught.value


def names(pages: Iterator[list]) -> list[str]:
    return [found.repo for page in pages for found in page]


@pytest.fixture
def many(server: Server) -> list[str]:
    """95 repositories, the first the most downloaded."""
    for number in range(95):
        server.add(
            Repo(
                f"maker{number % 3}/Model-{number:03}-GGUF",
                tags=[f"license:{'mit' if number % 2 else 'apache-2.0'}", "llama" if number < 50 else "qwen3"],
                gguf={"total": (number + 1) * 10**8, "architecture": "llama", "context_length": 4096},
                downloads=1000 - number,
                likes=number,
                trending=number % 7,
                gated="auto" if number % 10 == 0 else False,
            )
        )
    return [f"maker{number % 3}/Model-{number:03}-GGUF" for number in range(95)]


class TestSearch:
    def test_pages_are_asked_for_as_they_are_wanted(self, hub: Hub, server: Server, many: list[str]) -> None:
        pages = search(hub, Query(sort="downloads"), never)
        first = next(pages)
        assert [found.repo for found in first] == many[:PAGE]
        assert len(server.asked) == 1
        assert [found.repo for page in pages for found in page] == many[PAGE:]
        assert len(server.asked) == 4

    def test_what_a_row_says(self, hub: Hub, llama: Repo) -> None:
        ((found,),) = list(search(hub, Query("llama"), never))
        assert (found.repo, found.author, found.licence, found.arch) == (LLAMA, "someone", "llama3.2", "llama")
        assert (found.n_params, found.n_ctx_train, found.downloads) == (1_235_814_432, 131_072, 1000)
        assert found.base == ("meta-llama/Llama-3.2-1B",)
        assert not found.gated

    @pytest.mark.parametrize("sort", SORTS)
    def test_orders(self, hub: Hub, many: list[str], sort: str) -> None:
        found = names(search(hub, Query(sort=sort), never))
        assert sorted(found) == sorted(many)
        if sort == "likes":
            assert found[0] == many[-1]

    def test_filters(self, hub: Hub, many: list[str]) -> None:
        def count(**given: Any) -> int:
            return len(names(search(hub, Query(**given), never)))

        assert count(author="maker1") == 32
        assert count(licence="mit") == 47
        assert count(family="qwen3") == 45
        assert count(text="model-01") == 10
        assert count(task="translation") == 0
        assert count(gated=False) == 85
        assert count(min_params=2 * 10**9, max_params=3 * 10**9) == 11
        # 4.5 bits a weight: a gigabyte holds 1.78 billion of them.
        assert count(fits_bytes=10**9) == 17

    def test_an_unknown_order_is_said(self, hub: Hub) -> None:
        with pytest.raises(ValueError, match="Sort by trending, downloads"):
            next(search(hub, Query(sort="size"), never))

    def test_typing_on_cancels_at_once(self, hub: Hub, server: Server, many: list[str]) -> None:
        server.faults.append(Fault("stall"))
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        begun = time.monotonic()
        with pytest.raises(GivenUp):
            next(search(hub, Query("model"), stop.is_set))
        assert time.monotonic() - begun < 40, "the stall itself lasts a minute"

    def test_a_broken_page_is_asked_for_again(self, hub: Hub, server: Server, many: list[str]) -> None:
        server.faults.extend([None, Fault("cut", 500), Fault("server"), None, Fault("hang_up")])
        assert names(search(hub, Query(sort="downloads"), never)) == many


class TestErrors:
    def test_no_line(self) -> None:
        error = fault_of(lambda: next(search(Hub("http://127.0.0.1:9", token=False), Query(), never)))
        assert error.kind == "offline"
        assert "127.0.0.1:9 (HF_ENDPOINT) can’t be reached" in str(error)

    def test_offline_mode(self, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
        assert fault_of(lambda: read_page(hub, LLAMA, never)).kind == "offline_mode"

    @pytest.mark.parametrize("endpoint", ["huggingface.co", "ftp://hub", "http://"])
    def test_an_endpoint_that_is_none(self, endpoint: str) -> None:
        error = fault_of(lambda: read_page(Hub(endpoint, token=False), LLAMA, never))
        assert (error.kind, "HF_ENDPOINT" in str(error)) == ("endpoint", True)

    def test_an_endpoint_that_answers_web_pages(self, hub: Hub, server: Server) -> None:
        server.faults.extend([Fault("garbage")] * 2)
        assert fault_of(lambda: next(search(hub, Query(), never))).kind == "endpoint"
        assert "no Hub" in str(fault_of(lambda: read_page(hub, LLAMA, never)))

    def test_a_password_in_the_endpoint_is_not_repeated(self) -> None:
        error = fault_of(lambda: next(search(Hub("http://me:secret@127.0.0.1:9", token=False), Query(), never)))
        assert "secret" not in str(error)

    def test_a_repository_that_is_not_there(self, hub: Hub) -> None:
        error = fault_of(lambda: read_page(hub, "nobody/nothing", never))
        assert (error.kind, str(error)) == (
            "missing",
            "The Hub has no model “nobody/nothing”, or it is private and you may not see it.",
        )

    def test_a_gated_file(self, hub: Hub, server: Server, llama: Repo) -> None:
        llama.gated = "manual"
        page = read_page(hub, LLAMA, never)
        assert page.gated == "manual"
        nobody = fault_of(lambda: read_remote(hub, page, page.chats[0], never))
        assert nobody.kind == "gated"
        assert f"Accept its terms at {server.url}/{LLAMA}, then sign in" in str(nobody)
        server.tokens[TOKEN] = set()
        somebody = fault_of(lambda: read_remote(Hub(server.url, TOKEN), page, page.chats[0], never))
        assert "your account has no access yet" in str(somebody)

    def test_a_token_that_is_not_accepted(self, server: Server, many: list[str]) -> None:
        assert fault_of(lambda: next(search(Hub(server.url, TOKEN), Query(), never))).kind == "token"

    def test_too_many_questions(self, hub: Hub, server: Server, llama: Repo) -> None:
        server.faults.append(Fault("busy", retry_after="300"))
        error = fault_of(lambda: read_page(hub, LLAMA, never))
        assert (error.kind, error.after_s) == ("busy", 300)
        assert "asks to wait 5 minutes" in str(error)
        assert len(server.asked) == 1

    def test_a_short_wait_is_kept(self, hub: Hub, server: Server, llama: Repo) -> None:
        server.faults.append(Fault("busy", retry_after="1"))
        begun = time.monotonic()
        assert read_page(hub, LLAMA, never).repo == LLAMA
        assert time.monotonic() - begun >= 1

    def test_a_hub_in_trouble(self, hub: Hub, server: Server) -> None:
        server.faults.extend([Fault("server")] * 3)
        assert fault_of(lambda: read_page(hub, LLAMA, never)).kind == "server"
        assert len(server.asked) == 3

    def test_a_hub_that_falls_silent(self, hub: Hub, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(hub_client, "READ_S", 0.2)
        server.faults.extend([Fault("stall")] * 3)
        assert fault_of(lambda: read_page(hub, LLAMA, never)).kind == "stalled"

    def test_a_proxy_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import huggingface_hub

        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("NO_PROXY", "")
        huggingface_hub.close_session()
        error = fault_of(lambda: read_page(Hub("http://hub.example", token=False), LLAMA, never))
        huggingface_hub.close_session()
        assert error.kind in ("proxy", "offline")

    def test_no_token_in_the_log(
        self, server: Server, llama: Repo, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        server.tokens[TOKEN] = set()
        asker = Hub(server.url, TOKEN)
        server.faults.extend([Fault("server"), Fault("cut", 10)])
        page = read_page(asker, LLAMA, never)
        llama.gated = "auto"
        fault_of(lambda: read_remote(asker, page, page.chats[0], never))
        assert TOKEN not in caplog.text + "".join(capfd.readouterr()) + repr(asker)


class TestPage:
    def test_what_it_says(self, hub: Hub, llama: Repo) -> None:
        page = read_page(hub, LLAMA, never)
        assert (page.repo, page.commit, page.licence, page.gated) == (LLAMA, llama.commit, "llama3.2", "")
        assert (page.base, page.languages) == (("meta-llama/Llama-3.2-1B",), ("en", "de"))
        assert [choice.label for choice in page.chats] == ["Q4_0", "Q8_0", "F16"]
        assert [choice.kind for choice in page.choices] == ["model"] * 3 + ["mmproj", "imatrix"]
        assert 4 < page.chats[0].bits_per_weight < 6
        assert page.chats[0].files[0].sha256 == f"{1:064x}"

    def test_its_card_without_the_table_at_its_head(self, hub: Hub, llama: Repo) -> None:
        page = read_page(hub, LLAMA, never)
        assert read_card(hub, page, never) == "# Llama 3.2 1B\n\nA card with “quotes”."

    def test_an_endless_card_ends(self, hub: Hub, llama: Repo) -> None:
        llama.files["README.md"] = Stored(b"word " * 1_000_000)
        assert len(read_card(hub, read_page(hub, LLAMA, never), never)) == 512 * 1024

    @pytest.mark.parametrize(
        ("text", "repo", "quant"),
        [
            ("a/b", "a/b", ""),
            ("a/b:Q4_K_M", "a/b", "Q4_K_M"),
            ("https://huggingface.co/a/b", "a/b", ""),
            ("https://huggingface.co/a/b/tree/main", "a/b", ""),
            ("https://huggingface.co/a/b?show_file_info=x.gguf", "a/b", ""),
            ("https://huggingface.co/a/b/blob/main/sub/b-Q8_0.gguf", "a/b", "sub/b-Q8_0.gguf"),
            ("hf.co/a/b:Q8_0", "a/b", "Q8_0"),
        ],
    )
    def test_names(self, text: str, repo: str, quant: str) -> None:
        assert parse_repo(text) == (repo, quant)

    @pytest.mark.parametrize("text", ["", "a b", "../x", "a/b/c", "https://example.org/", "a/b.git", "a/--b"])
    def test_what_is_no_name(self, text: str) -> None:
        assert "is no name of a model" in str(fault_of(lambda: parse_repo(text)))


class TestHeader:
    def test_it_is_read_by_ranges_and_the_token_stays_at_the_hub(self, server: Server, llama: Repo) -> None:
        server.tokens[TOKEN] = {LLAMA}
        asker = Hub(server.url, TOKEN)
        page = read_page(asker, LLAMA, never)
        model = read_remote(asker, page, page.chats[0], never)
        assert (model.header.arch, model.header.n_vocab, model.n_params) == ("llama", 128_256, 1_235_814_400)
        at_store = [asked for asked in server.asked if asked.host == "store"]
        assert at_store
        assert all(asked.range and not asked.token for asked in at_store)
        assert all(asked.token == TOKEN for asked in server.asked if asked.host == "hub")

    def test_it_takes_few_bytes(self, hub: Hub, server: Server, tmp_path: Path) -> None:
        made = with_vocabulary(qwen3_30b_a3b("Q4_0"), 151_936).write(tmp_path / "big.gguf")
        server.add(Repo("a/big-GGUF", {"big-Q4_0.gguf": Stored(made, sha="1" * 64)}))
        page = read_page(hub, "a/big-GGUF", never)
        model = read_remote(hub, page, page.chats[0], never)
        assert model.fetched <= 0.02 * 1e9
        # All but the weights, and what was read ahead in vain at its end.
        assert model.fetched <= made.stat().st_size - model.header.tensor_bytes + 1024 * 1024
        assert len(server.paths("store")) <= 10

    def test_without_a_second_host_the_token_goes_along(self, server: Server, llama: Repo) -> None:
        server.two_hosts = False
        llama.gated = "manual"
        server.tokens[TOKEN] = {LLAMA}
        asker = Hub(server.url, TOKEN)
        page = read_page(asker, LLAMA, never)
        assert read_remote(asker, page, page.chats[0], never).header.arch == "llama"

    def test_a_server_without_ranges_is_hung_up_on(self, hub: Hub, server: Server, llama: Repo) -> None:
        server.honours_range = False
        page = read_page(hub, LLAMA, never)
        model = read_remote(hub, page, page.chats[0], never)
        assert model.header.n_vocab == 128_256
        assert model.fetched < 32_000_000

    def test_parts_are_put_together(self, hub: Hub, server: Server, llama_files: dict[str, Path]) -> None:
        whole = Stored(llama_files["Q4_0"], sha="1" * 64)
        server.add(Repo("a/parts", {f"m-Q4_0-0000{n}-of-00002.gguf": whole for n in (1, 2)}))
        page = read_page(hub, "a/parts", never)
        model = read_remote(hub, page, page.chats[0], never)
        assert len(model.tensors) == 2 * model.header.n_tensors

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (b"GGUF" + bytes(20_000), "no sound GGUF file"),
            (b"<!DOCTYPE html>" + b" " * 20_000, "no sound GGUF file"),
            (b"", "is empty"),
        ],
    )
    def test_files_that_are_none(self, hub: Hub, server: Server, content: bytes, sentence: str) -> None:
        server.add(Repo("a/bad", {"bad-Q4_0.gguf": Stored(content)}))
        page = read_page(hub, "a/bad", never)
        error = fault_of(lambda: read_remote(hub, page, page.chats[0], never))
        assert error.kind == "file"
        assert sentence in str(error) or "big-endian" in str(error) or "version" in str(error)

    def test_a_broken_line_costs_only_what_was_on_the_way(self, hub: Hub, server: Server, llama: Repo) -> None:
        page = read_page(hub, LLAMA, never)
        server.faults = deque([Fault("cut", 1000), None, None, Fault("cut", 0), Fault("hang_up"), Fault("server")])
        server.faulty = "Q4_0"
        model = read_remote(hub, page, page.chats[0], never)
        assert model.header.n_vocab == 128_256

    def test_a_network_that_wants_a_log_in_first_is_no_broken_file(self, hub: Hub, server: Server, llama: Repo) -> None:
        page = read_page(hub, LLAMA, never)
        server.faults.append(Fault("garbage"))
        assert fault_of(lambda: read_remote(hub, page, page.chats[0], never)).kind == "endpoint"
        server.faults.extend([None, *[Fault("garbage")] * 3])
        assert fault_of(lambda: read_remote(hub, page, page.chats[0], never)).kind == "stalled"

    def test_faults_by_seed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A few cases of the harness; ``python -m tests.faults --only hub`` makes more."""
        from faults import hub as kind
        from faults.case import Case, Setting

        monkeypatch.setattr(kind, "LONGEST_S", 200)  # the machine may be a busy one
        cases: list[Case] = []
        kind.run(Setting(tmp_path / "faults", seed=7, count=24, heard=cases.append))
        assert len(cases) == 24
        assert [case.fault for case in cases if case.fault] == []

    def test_cancelled(self, hub: Hub, server: Server, llama: Repo) -> None:
        page = read_page(hub, LLAMA, never)
        server.faults.extend([None, Fault("stall")])
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(GivenUp):
            read_remote(hub, page, page.chats[0], stop.is_set)
