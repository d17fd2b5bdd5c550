"""What all tests share: no test touches the user's folders or the network."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from waiting import wait_until

# What someone has set for the Hub, for llama.cpp or for large screens would change what is tested; read by imports.
_OWN = ("HF_", "HUGGING", "LLAMA_", "GGML_", "OLLAMA_", "QT_SCALE", "QT_SCREEN_SCALE", "QT_FONT_DPI", "PLAYGROUND_LANG")
for _name in [name for name in os.environ if name.startswith(_OWN) or name.upper().endswith("_PROXY")]:
    del os.environ[_name]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"  # never the user's own


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PLAYGROUND_HOME", str(folder))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    # A folder is given up when it hangs, not when a loaded disk needs some seconds.
    monkeypatch.setattr("playground.models.scanner.PATIENCE_S", 100)
    return folder


@pytest.fixture(scope="session")
def starter_path() -> Path:
    """The starter model's file."""
    from playground.models import starter

    path = starter.find()
    assert path is not None, "the starter model is not installed: run make install"
    return path


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    """Fails a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    wait_until(
        lambda: not [t for t in threading.enumerate() if t not in before and t.is_alive()],
        100,
        "threads to end",
    )
