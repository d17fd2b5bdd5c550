"""The same few things of every way to run the app: this tree, and the folder that `make bundle` makes.

The bundle is copied to a clean place and started with nothing in its environment but where its home is
and a PATH that leads nowhere, so that no Python of this machine can help it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from cli_tools import GREEDY, PATIENCE_S, PROMPT, ROOT, engine_of, environment, first_token
from window_driver import Display, Window

SYSTEM = ("/usr/lib", "/usr/share", "/lib", "/etc", "/dev", "/memfd", "/proc", "/sys", "/var", "/run")
"""Where a bundle may open files besides its own folder and its home."""


@dataclass(frozen=True)
class Program:
    """One way to run it."""

    command: tuple[str, ...]
    inherited: dict[str, str]
    cwd: Path
    folder: Path | None = None
    """Of a bundle."""

    def run(self, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            env=self.inherited | {"PLAYGROUND_HOME": str(home)},
            cwd=self.cwd,
            timeout=PATIENCE_S,
        )


@pytest.fixture(scope="module", params=["source", "bundle"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    if request.param == "source":
        return Program((sys.executable, "-m", "playground"), dict(os.environ), ROOT)
    made = os.environ.get("PLAYGROUND_BUNDLE")
    if not made:
        pytest.skip("make bundle makes the bundle and runs this")
    clean = tmp_path_factory.mktemp("clean")
    folder = clean / "Ein Ordner für alles"
    shutil.copytree(made, folder, symlinks=True)
    (clean / "empty").mkdir()
    return Program((str(folder / "playground"),), {"PATH": str(clean / "empty")}, clean / "empty", folder)


def test_it_says_its_version(program: Program, home: Path) -> None:
    from playground import __version__

    done = program.run(home, "--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"playground {__version__}\n", "")


def test_it_answers_with_the_starter(program: Program, home: Path) -> None:
    done = program.run(home, "chat", *GREEDY, "-n", "24", "--json", PROMPT)
    assert (done.returncode, done.stderr) == (0, "")
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert told[0]["name"] == "SmolLM2 135M Instruct"
    text = "".join(event["text"] for event in told if event["type"] == "token")
    assert "def " in text
    assert told[-1]["type"] == "finished"


def test_it_reads_its_shelf_and_measures_and_quantizes(program: Program, home: Path) -> None:
    shelf = program.run(home, "models", "shelf")
    assert shelf.returncode == 0, shelf.stderr
    assert "GGUF" in shelf.stdout
    bench = program.run(home, "bench", "-t", "1", "-p", "16", "-n", "4", "-r", "1", "-o", "json")
    assert bench.returncode == 0, bench.stderr
    assert all(row["avg_ts"] > 0 for row in json.loads(bench.stdout))
    made = program.run(home, "models", "quantize", "starter", "Q4_0", "--dry-run", "--json")
    assert made.returncode == 0, made.stderr


def test_a_bad_file_is_one_sentence(program: Program, home: Path, tmp_path: Path) -> None:
    page = tmp_path / "Größe.gguf"
    page.write_text("<!DOCTYPE html>")
    done = program.run(home, "chat", "-m", str(page), "Hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"playground: .+\n", done.stderr)
    assert "Größe.gguf" in done.stderr


def mapped(process: psutil.Process) -> set[str]:
    """Files that a process has in its memory."""
    return {region.path for region in process.memory_maps() if region.path.startswith("/")}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_engine_has_no_qt_and_nothing_of_another_python(program: Program, home: Path) -> None:
    words = ("chat", *GREEDY, "--ignore-eos", "--json", PROMPT)
    with subprocess.Popen(
        [*program.command, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=program.inherited | {"PLAYGROUND_HOME": str(home)},
        cwd=program.cwd,
    ) as process:
        try:
            first_token(process)
            engine = engine_of(process.pid)
            files = mapped(engine)
            own = mapped(psutil.Process(process.pid))
        finally:
            process.kill()
    assert not [path for path in files | own if "Qt6" in path]
    assert any("libllama" in path for path in files)
    assert not any("libllama" in path for path in own)
    if program.folder is not None:
        allowed = (str(program.folder), str(home), *SYSTEM)
        assert not [path for path in files | own if not path.startswith(allowed)]
        assert len([path for path in files if "libggml-cpu" in path]) == 1


@pytest.fixture
def display() -> Iterator[Display]:
    made = Display()
    yield made
    made.close()


@pytest.mark.skipif(sys.platform != "linux", reason="a display by Xvfb")
def test_its_window_answers_and_closes(program: Program, display: Display, home: Path) -> None:
    inherited = environment() if program.folder is None else program.inherited
    window = Window(display, home, command=program.command, inherited=inherited, cwd=program.cwd)
    try:
        window.wait_for_engines(1)
        window.type("Say hello in one short sentence.")
        window.key("Return")
        assert window.wait_for_text(1)[0]["text"]
        files = mapped(psutil.Process(window.process.pid))
        assert any("Qt6Widgets" in path for path in files)
        assert not any("libllama" in path for path in files)
        if program.folder is not None:
            allowed = (str(program.folder), str(home), *SYSTEM)
            assert not [path for path in files if not path.startswith(allowed)]
        assert window.close() == 0
        assert window.log.read_text() == ""
    finally:
        window.kill()
