"""Downloads measured: ours against the Hub's own ``hf download`` for the same file, and what an answer loses to one.

``python benchmarks/downloads.py``: both fetch one file from a server on loopback, by turns, each as a process of its
own; ours hashes it besides and puts it on disk for good. ``--writing``: tokens a second of the starter with and
without a download at 50 MB/s in the same process as the window's would be. ``--stalls``: how long the whole app's
event loop stands still while its Models page shows a download at full speed, after as long without one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPO, NAME, COMMIT = "someone/large-GGUF", "large.Q4_0.gguf", "c0ffee" + "0" * 34
MB = 1_000_000
BIN = Path(sys.executable).parent


def main() -> int:
    """Measure and print; the exit code is 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="downloads", description=__doc__)
    parser.add_argument("--mb", type=int, default=1000, help="size of the file")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is run")
    parser.add_argument("--writing", action="store_true", help="measure an answer's speed beside a download instead")
    parser.add_argument("--stalls", action="store_true", help="measure the window's event loop meanwhile instead")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sha256", help=argparse.SUPPRESS)
    parser.add_argument("--json", type=Path, help="where the figures go, too")
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve, given.sha256)
    with tempfile.TemporaryDirectory(prefix="downloads-") as folder, served(Path(folder), given.mb * MB) as url:
        os.environ |= {"HF_ENDPOINT": url, "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": ""}
        found = (
            writing(Path(folder), given.rounds)
            if given.writing
            else stalls(Path(folder))
            if given.stalls
            else throughput(Path(folder), given)
        )
    print(json.dumps(found, indent=1))
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return int(not found["holds"])


def throughput(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each, by turns, from the start of the process to its end."""
    commands = {
        "hf download": [str(BIN / "hf"), "download", REPO, NAME, "--quiet"],
        "playground models get": [str(BIN / "playground"), "models", "get", REPO, "--yes", "--quiet"],
    }
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(given.rounds):
        for name, command in commands.items():
            home = folder / "home"
            env = os.environ | {"HF_HOME": str(home / "hf"), "PLAYGROUND_HOME": str(home / "playground")}
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            runs[name].append({"s": round(seconds, 2), "cpu_s": round(cpu, 2)})
            shutil.rmtree(home)
    medians = {name: statistics.median(run["s"] for run in of) for name, of in runs.items()}
    ratio = medians["hf download"] / medians["playground models get"]
    rates = {name: f"{given.mb / seconds:.0f} MB/s" for name, seconds in medians.items()}
    return {"mb": given.mb, "runs": runs, "rates": rates, "ratio": round(ratio, 3), "bound": 0.9, "holds": ratio >= 0.9}


def writing(folder: Path, rounds: int, mb_s: float = 50.0) -> dict[str, Any]:
    """Tokens a second with and without a download, by turns."""
    from client import Client

    from playground.models import starter

    model = starter.find()
    assert model is not None
    speeds: dict[str, list[float]] = {"alone": [], "beside": []}
    client = Client(model, n_ctx=2048)
    try:
        answer(client, 50)
        for _ in range(rounds):
            speeds["alone"].append(answer(client))
            with downloading(folder / "here", mb_s):
                speeds["beside"].append(answer(client))
    finally:
        client.close()
    ratio = statistics.median(speeds["beside"]) / statistics.median(speeds["alone"])
    rounded = {name: [round(value, 1) for value in values] for name, values in speeds.items()}
    return {"tok_s": rounded, "mb_s": mb_s, "ratio": round(ratio, 3), "bound": 0.95, "holds": ratio >= 0.95}


def stalls(folder: Path) -> dict[str, Any]:
    """Milliseconds between two beats of a 1 ms timer, beyond that, on the window's thread."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ |= {"PLAYGROUND_HOME": str(folder / "home"), "HF_HOME": str(folder / "home" / "hf")}
    from event_loop import run_until
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication

    from playground import app as composition
    from playground.paths import find_paths
    from playground.ui.theme import load_fonts

    qt = QApplication([])
    load_fonts()
    app = composition.App(find_paths())
    app.window.resize(1440, 900)
    app.show()
    run_until(qt, lambda: app.workspace.lanes[0].state == "ready", 60, every_ms=50)
    app.window.show_page("models")
    run_until(qt, lambda: app.downloads is not None, 60, every_ms=50)
    downloads = app.downloads
    assert downloads is not None
    gaps: list[float] = []
    last = time.perf_counter()

    def beat() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(max(0.0, (now - last) * 1000 - 1))
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(beat)
    until = time.perf_counter() + 5
    run_until(qt, lambda: time.perf_counter() > until, 60, every_ms=50)
    timer.start(1)
    until = time.perf_counter() + 4
    run_until(qt, lambda: time.perf_counter() > until, 60, every_ms=50)
    idle, gaps = gaps[1:], []
    download = downloads.add(REPO, [NAME])
    run_until(qt, lambda: _is_done(downloads.find(download)), 120, every_ms=50)
    timer.stop()
    app.close()
    p99 = statistics.quantiles(gaps, n=100)[-1]
    rows = {name: {"p99_ms": round(statistics.quantiles(of, n=100)[-1], 1), "max_ms": round(max(of), 1)}
            for name, of in (("idle", idle), ("downloading", gaps))}  # fmt: skip
    return {"stalls": rows, "beats": len(gaps), "bound": 16.0, "holds": p99 <= 16}


def _is_done(view: Any) -> bool:
    assert view is None or view.state != "failed", view
    return view is not None and view.state == "done"


def answer(client: Any, n: int = 400) -> float:
    """Tokens a second of one answer."""
    job = client.start("Write a long story.", n=n)
    client.wait(job)
    return float(client.tok_s(job))


@contextlib.contextmanager
def downloading(folder: Path, mb_s: float) -> Iterator[None]:
    """A download under way in this process, at that speed."""
    from playground.downloads import record
    from playground.downloads.queue import Queue

    begun = threading.Event()
    queue = Queue(
        folder / "queue",
        lambda views: begun.set() if views and views[0].here else None,
        cache=folder / "cache",
        bytes_s=mb_s * MB,
    )
    queue.start()
    queue.add(record.new(REPO, [NAME]))
    begun.wait(20)
    try:
        yield
    finally:
        queue.close()
        shutil.rmtree(folder)


@contextlib.contextmanager
def served(folder: Path, size: int) -> Iterator[str]:
    """A server in a process of its own with one file; its address."""
    body, digest = folder / "body", hashlib.sha256()
    piece = os.urandom(16 * MB)
    with body.open("wb") as file:
        for start in range(0, size, len(piece)):
            part = piece[: size - start]
            digest.update(part)
            file.write(part)
    os.sync()
    command = [sys.executable, __file__, "--serve", str(body), "--sha256", digest.hexdigest()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def serve(body: Path, sha256: str) -> int:
    """Until it is ended."""
    size = body.stat().st_size
    info = {"id": REPO, "sha": COMMIT, "siblings": [_sibling(size, sha256)], "tags": ["gguf"]}
    answer = json.dumps(info).encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self._file(0)

        def do_GET(self) -> None:
            if self.path.startswith("/api/"):
                self._begin(200, {"Content-Type": "application/json", "Content-Length": str(len(answer))})
                self.wfile.write(answer)
                return
            asked = re.fullmatch(r"bytes=(\d+)-\d*", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            self._file(start)
            self.wfile.flush()
            with body.open("rb") as file, contextlib.suppress(ConnectionError):
                _connected(self).sendfile(file, start)

        def _file(self, start: int) -> None:
            more = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
            names = {"X-Repo-Commit": COMMIT, "ETag": f'"{sha256}"', "Content-Length": str(size - start)}
            self._begin(206 if start else 200, names | more)

        def _begin(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
    return 0


def _connected(handler: BaseHTTPRequestHandler) -> socket.socket:
    return handler.connection


def _sibling(size: int, sha256: str) -> dict[str, Any]:
    return {"rfilename": NAME, "size": size, "lfs": {"sha256": sha256, "size": size, "pointerSize": 134}}


if __name__ == "__main__":
    sys.exit(main())
