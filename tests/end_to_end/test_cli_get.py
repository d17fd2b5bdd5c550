"""``playground models get`` and ``chat -m owner/name`` as processes, against a stand-in Hub."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_tools import GREEDY, PATIENCE_S, run, started
from hub.repo import Repo, Stored
from hub.server import Hub
from waiting import wait_until

NAME = "tiny/smol-GGUF"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, starter_path: Path) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.add(Repo(NAME, {"smol-Q4_1.gguf": Stored(starter_path)}))
        yield running


def test_chat_with_a_model_of_the_hub_downloads_it_once(hub: Hub) -> None:
    first = run("chat", "-m", f"{NAME}:Q4_1", *GREEDY, "-n", "12", "Hello")
    assert first.returncode == 0, first.stderr
    hub.asked.clear()
    again = run("chat", "-m", NAME, *GREEDY, "-n", "12", "Hello")
    assert again.stdout == first.stdout != ""
    assert hub.asked == []


def _part() -> int:
    """Bytes that have arrived."""
    parts = (Path(os.environ["HF_HOME"]) / "hub").glob("*/blobs/*.part")
    return max((part.stat().st_size for part in parts), default=0)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_or_killed_it_goes_on_with_what_came(hub: Hub, starter_path: Path, how: signal.Signals) -> None:
    with started("models", "get", NAME, "--limit", "3") as process:
        wait_until(lambda: _part() > 2_000_000, PATIENCE_S, "a beginning")
        process.send_signal(how)
        _, err = process.communicate(timeout=PATIENCE_S)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "are kept; the same command goes on" in err.decode()
    here = _part()
    hub.asked.clear()
    done = run("models", "get", NAME)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == starter_path.read_bytes()
    (asked,) = [asked.range for asked in hub.asked if asked.host == "store"]
    assert asked == f"bytes={here}-{starter_path.stat().st_size - 1}"
