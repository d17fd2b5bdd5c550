from pathlib import Path

import pytest
from hub.server import Hub as Server
from hub_samples import TOKEN

from playground.hub.account import sign_in, sign_out, who
from playground.hub.client import Hub, never
from playground.hub.errors import HubError

pytest_plugins = ("hub_fixtures",)


@pytest.fixture(autouse=True)
def token_files(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """huggingface_hub reads its environment once, when it is imported."""
    from huggingface_hub import constants, hf_api

    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(hf_api.api, "endpoint", server.url)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "hf" / "stored_tokens"))
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    return tmp_path / "hf"


def test_nobody() -> None:
    assert who(Hub(), never) is None


def test_signing_in_and_out(server: Server, token_files: Path, home: Path) -> None:
    server.tokens[TOKEN] = set()
    assert sign_in(Hub(), f" {TOKEN}\n", never) == "somebody"
    account = who(Hub(), never)
    assert account is not None
    assert (account.name, account.from_environment) == ("somebody", False)
    assert (token_files / "token").read_text() == TOKEN
    assert (token_files / "token").stat().st_mode & 0o077 == 0
    assert not [path for path in home.rglob("*") if path.is_file() and TOKEN in path.read_text("utf-8", "replace")]
    sign_out()
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
    assert account.from_environment
    with pytest.raises(HubError, match="set by HF_TOKEN"):
        sign_out()
