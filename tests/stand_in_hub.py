"""A Hub on loopback that serves files as the real one does, and fails as it is told."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Fault:
    """What happens to one GET instead of a whole answer."""

    after: int = 0
    """Bytes of the body that still arrive."""
    then: str = "cut"
    """``cut`` the line, ``stall`` until the Hub stops, or ``corrupt`` the rest."""


@dataclass
class StandInHub:
    """Use as a context manager; ``url`` is its endpoint."""

    files: dict[str, bytes] = field(default_factory=dict)
    """``owner/name/file`` to content."""
    faults: deque[Fault] = field(default_factory=deque)
    """Taken one by one by the GETs."""
    errors: dict[str, tuple[int, str]] = field(default_factory=dict)
    """``owner/name/file`` to a status and an ``X-Error-Code``."""
    honours_range: bool = True
    says_sha: bool = True
    """Large files have their SHA-256 as etag, small ones a git hash."""
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Range of all that was asked."""

    def __enter__(self) -> StandInHub:
        self.stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def ranges(self) -> list[str]:
        """The Range of every GET; empty where it had none."""
        return [asked for method, _, asked in self.requests if method == "GET"]


def _handler(hub: StandInHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(urlsplit(self.path).path)
            asked = self.headers.get("Range", "")
            hub.requests.append((self.command, path, asked))
            owner, name, what, _revision, *rest = path.strip("/").split("/")
            key = "/".join([owner, name, *rest])
            if key in hub.errors:
                self._fail(*hub.errors[key])
            elif what != "resolve" or not any(known.startswith(f"{owner}/{name}/") for known in hub.files):
                self._fail(404, "RepoNotFound")
            elif key not in hub.files:
                self._fail(404, "EntryNotFound")
            else:
                self._send(hub.files[key], asked, body)

        def _fail(self, status: int, code: str) -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, data: bytes, asked: str, body: bool) -> None:
            start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked and hub.honours_range else 0
            digest = hashlib.sha256(data).hexdigest()
            self.send_response(206 if start else 200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{digest if hub.says_sha else digest[:40]}"')
            self.send_header("Content-Length", str(len(data) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            if body:
                self._send_body(data[start:], hub.faults.popleft() if hub.faults else None)

        def _send_body(self, data: bytes, fault: Fault | None) -> None:
            try:
                if fault is None:
                    self.wfile.write(data)
                    return
                self.wfile.write(data[: fault.after])
                self.wfile.flush()
                if fault.then == "corrupt":
                    self.wfile.write(bytes(byte ^ 1 for byte in data[fault.after :]))
                    return
                if fault.then == "stall":
                    hub.stopping.wait()
            except ConnectionError:
                pass  # the client gave up
            self.close_connection = True

    return Handler
