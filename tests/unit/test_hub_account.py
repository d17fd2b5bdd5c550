import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.repo import Repo, Stored
from hub.server import Hub as Server
from hub_samples import LLAMA, TOKEN
from memory_keyring import MemoryKeyring

from playground.downloads import line
from playground.downloads.record import FileRecord, Record
from playground.hub.account import Keeping, keeping, sign_in, sign_out, who
from playground.hub.client import Hub, never
from playground.hub.errors import HubError
from playground.models import hub_token

pytest_plugins = ("hub_fixtures",)


@pytest.fixture(autouse=True)
def token_files(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """huggingface_hub reads its environment once, when it is imported."""
    from huggingface_hub import constants, hf_api

    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(hf_api.api, "endpoint", server.url)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "hf" / "stored_tokens"))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    return tmp_path / "hf"


def test_nobody() -> None:
    assert who(Hub(), never) is None


def test_signing_in_and_out(server: Server, token_files: Path, home: Path) -> None:
    server.tokens[TOKEN] = set()
    assert keeping(Hub()) == Keeping(None, False, str(token_files / "token"))
    account = sign_in(Hub(), f" {TOKEN}\n", never)
    assert (account.name, account.place) == ("somebody", "file")
    assert who(Hub(), never) == account
    assert (token_files / "token").read_text() == TOKEN
    assert (token_files / "token").stat().st_mode & 0o077 == 0
    assert not [path for path in home.rglob("*") if path.is_file() and TOKEN in path.read_text("utf-8", "replace")]
    sign_out(Hub())
    assert who(Hub(), never) is None


@pytest.mark.parametrize("token", ["", "my password", "hf_ünïcode", "short"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(HubError, match="This is no access token") as caught:
        sign_in(Hub(), token, never)
    assert not token or token not in str(caught.value)


def test_a_token_that_the_hub_does_not_know() -> None:
    with pytest.raises(HubError, match="doesn’t accept your access token") as caught:
        sign_in(Hub(), TOKEN, never)
    assert TOKEN not in str(caught.value)
    assert who(Hub(), never) is None


def test_a_token_from_the_environment_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.tokens[TOKEN] = set()
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    account = who(Hub(), never)
    assert account is not None
    assert account.place == "environment"
    with pytest.raises(HubError, match="set by HF_TOKEN"):
        sign_out(Hub())


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    """This machine has a keyring; what the process knows of tokens is forgotten after the test."""
    import keyring

    found, before = MemoryKeyring(), keyring.get_keyring()
    keyring.set_keyring(found)
    monkeypatch.setattr(hub_token, "_known", {})
    monkeypatch.setattr(hub_token, "_silent", set())
    yield found
    keyring.set_keyring(before)


def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the next start of the app."""
    monkeypatch.setattr(hub_token, "_known", {})
    monkeypatch.setattr(hub_token, "_silent", set())


def test_where_there_is_a_keyring_the_token_is_there_alone(
    server: Server, ring: MemoryKeyring, token_files: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tokens[TOKEN] = set()
    assert keeping(Hub()).keyring
    assert sign_in(Hub(), TOKEN, never).place == "keyring"
    assert list(ring.kept.values()) == [TOKEN]
    assert not token_files.exists()
    assert not [path for path in home.rglob("*") if path.is_file() and TOKEN in path.read_text("utf-8", "replace")]
    forgotten(monkeypatch)
    account = who(Hub(), never)
    assert account is not None
    assert account.place == "keyring"
    sign_out(Hub())
    assert not ring.kept
    assert who(Hub(), never) is None


def test_who_never_signed_in_is_not_asked_to_unlock_a_keyring(server: Server, ring: MemoryKeyring) -> None:
    assert who(Hub(), never) is None
    assert not Hub().has_token()
    assert ring.asked == 0


def test_a_token_in_the_keyring_is_for_its_host_alone(server: Server, ring: MemoryKeyring) -> None:
    server.tokens[TOKEN] = set()
    sign_in(Hub(), TOKEN, never)
    other = Hub(server.url.replace("127.0.0.1", "localhost"))
    assert not other.has_token()
    assert "authorization" not in other.headers()
    assert "authorization" in Hub().headers()
    assert "authorization" not in Hub().headers(signed=True)


def test_pages_and_downloads_go_with_the_token_of_the_keyring(
    server: Server, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.add(Repo(LLAMA, {"a.gguf": Stored(bytes(20_000))}, gated="auto"))
    server.tokens[TOKEN] = {LLAMA}
    sign_in(Hub(), TOKEN, never)
    forgotten(monkeypatch)
    server.asked.clear()
    found = line.ask(Record(LLAMA, [FileRecord("a.gguf")]), FileRecord("a.gguf"))
    assert found.size == 20_000
    assert {asked.token for asked in server.asked if asked.host == "hub"} == {TOKEN}


def test_the_environment_comes_before_the_keyring(
    server: Server, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tokens[TOKEN] = server.tokens["hf_another_one"] = set()
    sign_in(Hub(), TOKEN, never)
    monkeypatch.setenv("HF_TOKEN", "hf_another_one")
    assert Hub().headers()["authorization"] == "Bearer hf_another_one"
    assert keeping(Hub()).place == "environment"


def test_a_keyring_that_refuses_keeps_the_token_nowhere(server: Server, ring: MemoryKeyring, token_files: Path) -> None:
    server.tokens[TOKEN] = set()
    ring.locked = True
    with pytest.raises(HubError, match="not kept") as caught:
        sign_in(Hub(), TOKEN, never)
    assert "hf_" not in str(caught.value)
    assert not token_files.exists()
    assert who(Hub(), never) is None


def test_a_locked_keyring_is_asked_once_and_the_question_goes_out_as_nobody(
    server: Server, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tokens[TOKEN] = set()
    sign_in(Hub(), TOKEN, never)
    forgotten(monkeypatch)
    ring.locked, ring.asked = True, 0
    assert "authorization" not in Hub().headers()
    assert "authorization" not in Hub().headers()
    assert ring.asked == 1
    ring.locked = False
    sign_in(Hub(), TOKEN, never)
    assert "authorization" in Hub().headers()


def test_a_keyring_that_never_answers_does_not_hold_up_for_ever(
    server: Server, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.tokens[TOKEN] = set()
    sign_in(Hub(), TOKEN, never)
    forgotten(monkeypatch)
    monkeypatch.setattr(hub_token, "PATIENCE_S", 0.05)
    ring.stuck = threading.Event()
    assert "authorization" not in Hub().headers()
    ring.stuck.set()
