"""``playground models`` as a process of its own, with the environment that people set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gguf_shapes
import pytest
from cli_tools import PATIENCE_S
from hub.repo import Repo, Stored
from hub.server import Hub as Server

REPO = "someone/Llama-3.2-1B-Instruct-GGUF"
TOKEN = "hf_secretsecretsecret"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One repository with one quant."""
    made = gguf_shapes.llama_1b("Q8_0").write(tmp_path / "m.gguf")
    with Server() as running:
        running.add(Repo(REPO, {"Llama-Q8_0.gguf": Stored(made, sha="1" * 64)}, gguf={"total": 1_235_814_400}))
        yield running


def playground(tmp_path: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it; nothing of this machine's account or proxies is seen."""
    env = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    env |= {"PLAYGROUND_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-m", "playground", "models", *words],
        env=env | more, capture_output=True, text=True, timeout=PATIENCE_S, encoding="utf-8",
    )  # fmt: skip


def test_a_mirror_by_hf_endpoint(server: Server, tmp_path: Path) -> None:
    done = playground(tmp_path, "show", REPO, "--json", HF_ENDPOINT=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    (choice,) = json.loads(done.stdout)["choices"]
    assert (choice["quant"], choice["exact"]) == ("Q8_0", True)
    assert (choice["tok_s_estimated"] is not None) == (choice["verdict"] == "fits")


def test_what_was_measured_is_not_measured_again(server: Server, tmp_path: Path) -> None:
    first, second = (playground(tmp_path, "show", REPO, "--json", HF_ENDPOINT=server.url) for _ in range(2))
    figures = [json.loads(done.stdout)["choices"][0]["tok_s_estimated"] for done in (first, second)]
    assert figures[0] == figures[1]


def test_through_a_proxy(server: Server, tmp_path: Path) -> None:
    """The stand-in takes questions for other hosts as a proxy does."""
    server.two_hosts = False
    environment = {"HF_ENDPOINT": "http://hub.example", "HTTP_PROXY": server.url}
    done = playground(tmp_path, "search", "llama", "--json", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["repo"] == REPO
    assert playground(tmp_path, "show", REPO, **environment).returncode == 0


def test_offline_mode(server: Server, tmp_path: Path) -> None:
    done = playground(tmp_path, "search", HF_ENDPOINT=server.url, HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    assert (
        done.stderr == "playground: HF_HUB_OFFLINE is set, so nothing is asked of the Hub. Unset it and start again.\n"
    )
    assert not server.asked


def test_the_token_that_the_hub_client_keeps_is_used_and_never_shown(server: Server, tmp_path: Path) -> None:
    server.repos[REPO].gated = "manual"
    server.tokens[TOKEN] = {REPO}
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(TOKEN)
    done = playground(tmp_path, "show", REPO, "--json", HF_ENDPOINT=server.url)
    assert json.loads(done.stdout)["problem"] == ""
    assert {asked.token for asked in server.asked if asked.host == "hub"} == {TOKEN}
    assert {asked.token for asked in server.asked if asked.host == "store"} == {""}
    server.tokens.clear()
    refused = playground(tmp_path, "show", REPO, HF_ENDPOINT=server.url, HF_DEBUG="1")
    assert refused.returncode == 1
    assert "doesn’t accept your access token" in refused.stderr
    written = [path.read_text("utf-8", "replace") for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not any(TOKEN in text for text in [done.stdout, done.stderr, refused.stdout, refused.stderr, *written])


def test_a_pipe_that_closes_early(server: Server, tmp_path: Path) -> None:
    for number in range(200):
        server.add(Repo(f"a/m{number}"))
    env = os.environ | {"HF_ENDPOINT": server.url, "NO_PROXY": "127.0.0.1", "HF_HOME": str(tmp_path)}
    words = [sys.executable, "-m", "playground", "models", "search", "-n", "200", "--json"]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE_S) == 0


def test_an_account_is_signed_in_and_out(server: Server, tmp_path: Path) -> None:
    """Without a keyring, as on a server: the Hub client's own file has the token, and it is said so."""
    server.tokens[TOKEN] = set()
    env = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    env |= {"PLAYGROUND_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, "-m", "playground", "models", "account", "--sign-in"]
    done = subprocess.run(
        command, env=env | {"HF_ENDPOINT": server.url}, input=f"{TOKEN}\n", capture_output=True, text=True,
        encoding="utf-8", timeout=PATIENCE_S,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Signed in as somebody" in done.stdout
    assert "the Hub client’s own file" in done.stdout
    assert TOKEN not in done.stdout
    left = playground(tmp_path, "account", "--sign-out", "--json", HF_ENDPOINT=server.url)
    assert json.loads(left.stdout) == {"name": None, "place": None, "keyring": False}
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
