"""A stand-in Hub with some repositories, and huggingface_hub's client forgotten after each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import gguf_shapes
import pytest
from hub.repo import Repo, Stored
from hub.server import Hub as Server
from hub_samples import LLAMA, QUANTS, with_vocabulary

from playground.hub.client import Hub
from playground.models import hub_client


@pytest.fixture(scope="session")
def llama_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Llama 3.2 1B by quant: real shapes, a real size of vocabulary, holes for weights."""
    folder = tmp_path_factory.mktemp("llama")
    return {
        quant: with_vocabulary(gguf_shapes.llama_1b(quant), 128_256).write(folder / f"{quant}.gguf") for quant in QUANTS
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A running Hub; waits between tries are short."""
    import huggingface_hub

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(hub_client, "PAUSES_S", (0.01, 0.02))
    with Server() as running:
        yield running
        huggingface_hub.close_session()


@pytest.fixture
def hub(server: Server) -> Hub:
    """Asked as nobody."""
    return Hub(server.url, token=False)


@pytest.fixture
def llama(server: Server, llama_files: dict[str, Path]) -> Repo:
    """A repository as they are on the Hub: three quants, an image part, an importance matrix, a card."""
    files = {
        f"Llama-3.2-1B-Instruct-{quant}.gguf": Stored(path, sha=f"{number:064x}")
        for number, (quant, path) in enumerate(llama_files.items(), 1)
    }
    files["mmproj-F16.gguf"] = Stored(os.urandom(20_000))
    files["imatrix.dat"] = Stored(os.urandom(12_000))
    files["README.md"] = Stored(
        b"---\nlicense: llama3.2\n---\n# Llama 3.2 1B\n\nA card with \xe2\x80\x9cquotes\xe2\x80\x9d.\n"
    )
    files["config.json"] = Stored(b"{}")
    return server.add(
        Repo(
            LLAMA,
            files,
            tags=["license:llama3.2", "base_model:meta-llama/Llama-3.2-1B", "llama", "en"],
            card={"license": "llama3.2", "language": ["en", "de"]},
            gguf={"total": 1_235_814_432, "architecture": "llama", "context_length": 131_072},
            downloads=1000,
            likes=50,
        )
    )
