"""The real command, as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psutil

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 150.0
"""For what takes a second on a quiet machine."""
GREEDY = ("--temp", "0", "-t", "1", "-c", "1024")
"""One thread: with two, a busy neighbour on the same cores would slow the answers fifty-fold."""
PROMPT = "Write a Python function that reverses a string."
ENDLESS = (*GREEDY, "-c", "4096", "--ignore-eos", PROMPT)


def environment(**more: str) -> dict[str, str]:
    """Ours without any display; temporary files lie with the test's own."""
    more = {"TMPDIR": str(Path(os.environ["PLAYGROUND_HOME"]).parent)} | more
    gone = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return {key: value for key, value in os.environ.items() if key not in gone} | more


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "playground", *args]


def run(*args: str, stdin: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """Run to its end, without a terminal."""
    return subprocess.run(
        command(*args),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env=environment(),
        timeout=PATIENCE_S,
        **more,
    )


@contextlib.contextmanager
def started(*args: str) -> Iterator[subprocess.Popen[bytes]]:
    """A running command; killed at the end if it still runs."""
    process = subprocess.Popen(
        command(*args),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines(stream: IO[bytes] | None) -> Iterator[dict[str, Any]]:
    """JSON lines as they come."""
    assert stream is not None
    for line in stream:
        yield json.loads(line)


def first_token(process: subprocess.Popen[bytes]) -> None:
    """Wait until an answer is being written (with --json)."""
    assert any(line["type"] == "token" for line in lines(process.stdout))


def engine_of(pid: int) -> psutil.Process:
    """The one engine that a command has started."""
    engines = psutil.Process(pid).children(recursive=True)
    assert len(engines) == 1
    return engines[0]


def is_gone(process: psutil.Process) -> bool:
    """Ended, whether or not someone has taken note of it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *args: str) -> None:
        import pty

        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command(*args),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env=environment(TERM="dumb"),
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def type(self, line: str) -> None:
        os.write(self._ours, line.encode() + b"\n")

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def expect(self, text: str, timeout: float = PATIENCE_S) -> str:
        """What was shown up to and with a text; it is then forgotten."""
        deadline = time.monotonic() + timeout
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"waited for {text!r}; shown: {self.shown!r}"
            ready, _, _ = select.select([self._ours], [], [], left)
            if ready:
                self.shown += self._read()
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def _read(self) -> str:
        try:
            data = os.read(self._ours, 4096)
        except OSError:  # Linux's way of saying that the other side is closed
            data = b""
        assert data, f"the command ended; shown: {self.shown!r}"
        return data.decode("utf-8", "replace").replace("\r\n", "\n")
