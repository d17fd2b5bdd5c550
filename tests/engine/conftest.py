"""Engines for tests: the starter model's, shared by all; tiny ones made for one test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gguf_factory import Piece, random_model, script_model

from engine.driver import Engine
from playground.protocol.events import Hello, Memory

QUIET = {"n_threads": 1}
"""One thread: tests share the machine, and two that spin on a busy one are far slower than one."""


@pytest.fixture(scope="session")
def starter(starter_path: Path) -> Iterator[Engine]:
    """The starter model in a real engine, for all tests that leave it as they found it."""
    engine = Engine()
    engine.until_type(Hello)
    engine.load(starter_path, n_ctx=4096, **QUIET)
    engine.until_type(Memory)
    yield engine
    engine.close()


class Started:
    """The next engine starts while a test has the one before: most of its start is waiting for the disk and Python."""

    def __init__(self) -> None:
        self._next: Engine | None = None

    def take(self) -> Engine:
        """An engine that nobody has had."""
        taken, self._next = self._next or Engine(), Engine()
        taken.until_type(Hello)
        return taken

    def close(self) -> None:
        """End the one that nobody took."""
        if self._next is not None:
            self._next.end()


@pytest.fixture(scope="package")
def started() -> Iterator[Started]:
    made = Started()
    yield made
    made.close()


@pytest.fixture
def engine(started: Started) -> Iterator[Engine]:
    """An engine without a model."""
    made = started.take()
    yield made
    made.end()


@pytest.fixture
def says(engine: Engine, tmp_path: Path) -> Callable[..., Engine]:
    """``says(script, …)``: an engine whose model says that script to everything."""

    def make(script: list[Piece], **more: Any) -> Engine:
        options = {name: more.pop(name) for name in ("n_ctx", "n_seq_max", "n_ubatch", "n_batch") if name in more}
        path = tmp_path / "script.gguf"
        script_model(path, script, n_ctx=max(2048, options.get("n_ctx", 0)), **more)
        engine.load(path, **QUIET, **options)
        return engine

    return make


@pytest.fixture
def gibberish(engine: Engine, tmp_path: Path) -> Engine:
    """An engine whose model has random weights."""
    path = tmp_path / "random.gguf"
    random_model(path, n_ctx=8192)
    engine.load(path, n_ctx=2048, **QUIET)
    return engine


@pytest.fixture
def slow_gibberish(tmp_path: Path) -> Iterator[Engine]:
    """The same in no hurry: what comes in the middle of an answer does, however busy the machine is."""
    made = Engine(slow=True)
    made.until_type(Hello)
    random_model(tmp_path / "random.gguf", n_ctx=8192)
    made.load(tmp_path / "random.gguf", n_ctx=2048, **QUIET)
    yield made
    made.end()
