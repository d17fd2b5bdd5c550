"""A Hub on loopback with a storage host beside it, that serve files and spoil answers as they are told."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

PIECE = 16 * 1024
REPO = "someone/tiny-gguf"


@dataclass(frozen=True)
class Spoiled:
    """What happens to one answer instead of a good one."""

    kind: str
    """``cut`` the line, ``stall``, ``corrupt`` or ``longer`` body, ``length`` announced wrong, ``piece`` of another
    place, ``whole`` instead of a piece, ``garbage``, ``hang_up``; or a status: ``429``, ``503``, ``403``."""
    after: int = 0
    """Bytes of the body that still arrive."""
    retry_after: str = ""


@dataclass
class Asked:
    """A request as it came."""

    host: str
    method: str
    path: str
    range: str
    token: str


@dataclass
class FaultyHub:
    """Use as a context manager; ``url`` is its endpoint."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Path in `REPO` to content."""
    spoil_get: deque[Spoiled] = field(default_factory=deque)
    """Taken one by one by the GETs of files."""
    spoil_head: deque[Spoiled] = field(default_factory=deque)
    gated: bool = False
    """Only `token` may read."""
    token: str = "hf_only_for_the_hub"
    two_hosts: bool = True
    git: bool = False
    """Files are small ones that the Hub keeps in git, with git's hash as etag."""
    lists: bool = True
    """Whether its list of files knows any."""
    fixed_commit: str = ""
    """A Hub that changes files without a new commit."""
    etag: str = ""
    """Instead of the true one: what the Hub says of a file that was published otherwise."""
    asked: list[Asked] = field(default_factory=list)
    slow_s: float = 0.0
    """Seconds between two pieces."""
    slow_piece: int = PIECE
    """Bytes of a piece while it is slow."""

    def __enter__(self) -> FaultyHub:
        self.stopping = threading.Event()
        self._servers = [_serve(self, host) for host in ("hub", "store")]
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for server, thread in self._servers:
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def url(self) -> str:
        return self.url_of(0)

    def url_of(self, index: int) -> str:
        return f"http://127.0.0.1:{self._servers[index][0].server_port}"

    @property
    def commit(self) -> str:
        """Another one for other contents."""
        if self.fixed_commit:
            return self.fixed_commit
        return hashlib.sha1(b"".join(name.encode() + body for name, body in sorted(self.files.items()))).hexdigest()

    @property
    def ranges(self) -> list[str]:
        """The Range of every GET of a file; empty where it had none."""
        return [
            asked.range for asked in self.asked if asked.method == "GET" and (asked.host == "store") == self.two_hosts
        ]

    def etag_of(self, body: bytes) -> str:
        if self.etag:
            return self.etag
        return (
            hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest() if self.git else hashlib.sha256(body).hexdigest()
        )


def seeded(dice: random.Random, kind: str, size: int) -> tuple[list[Spoiled], list[Spoiled]]:
    """Faults of one kind for the GETs and the HEADs of a file; after them all is well."""
    where = lambda: dice.randrange(size)  # noqa: E731
    count = dice.randint(1, 4)
    if kind == "cut":
        every = dice.randint(size // 12, size)
        return [Spoiled("cut", every) for _ in range(size // every + 1)], []
    if kind in ("429", "5xx"):
        status = kind if kind == "429" else dice.choice(("500", "502", "503", "504"))
        faults = [Spoiled(status, 0, dice.choice(("", "0", "0"))) for _ in range(count)]
        return (faults, []) if dice.random() < 0.5 else ([], faults)
    if kind == "mixed":
        kinds = ("cut", "longer", "length", "piece", "whole", "garbage", "hang_up", "429", "503", "403")
        gets = [Spoiled(dice.choice(kinds), where()) for _ in range(count)]
        heads = [Spoiled(dice.choice(("garbage", "hang_up", "503", "429")), 0) for _ in range(dice.randint(0, 2))]
        return gets, heads
    if kind == "length":
        return [Spoiled(dice.choice(("longer", "length", "cut")), where()) for _ in range(count)], []
    return [Spoiled(kind, where())], []


def _serve(hub: FaultyHub, host: str) -> tuple[ThreadingHTTPServer, threading.Thread]:
    handler = type("Handler", (_Handler,), {"hub": hub, "host": host})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    return server, thread


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """A client that is killed hangs up anywhere."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FaultyHub
    host: str

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        """The list of files, for some of them."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        rows = [
            {"type": "file", "path": name, "size": len(body), "oid": "0" * 40, "lfs": self._lfs(body)}
            for name, body in self.hub.files.items()
            if self.hub.lists and urlsplit(self.path).path == f"/api/models/{REPO}/paths-info/{self.hub.commit}"
        ]
        data = json.dumps(rows).encode()
        self._begin(200, {"Content-Type": "application/json", "Content-Length": str(len(data))})
        self.wfile.write(data)

    def _lfs(self, body: bytes) -> dict[str, Any]:
        return {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.hub.asked.append(Asked(self.host, self.command, path, self.headers.get("Range", ""), token))
        try:
            if self.host == "store":
                self._file(path.lstrip("/"), {})
            else:
                self._resolve(path, token)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up

    def _resolve(self, path: str, token: str) -> None:
        found = re.fullmatch(rf"/{re.escape(REPO)}/resolve/([^/]+)/(.+)", path)
        if found is None:
            self._say(404, {"X-Error-Code": "RepoNotFound"})
        elif self.hub.gated and token != self.hub.token:
            self._say(403 if token else 401, {"X-Error-Code": "GatedRepo"})
        elif found[1] not in ("main", self.hub.commit):
            self._say(404, {"X-Error-Code": "RevisionNotFound"})
        elif found[2] not in self.hub.files:
            self._say(404, {"X-Error-Code": "EntryNotFound"})
        elif self.command == "HEAD" and self.hub.spoil_head:
            self._spoil(self.hub.spoil_head.popleft())
        else:
            body = self.hub.files[found[2]]
            headers = {
                "X-Repo-Commit": self.hub.commit,
                "X-Linked-Etag": f'"{self.hub.etag_of(body)}"',
                "X-Linked-Size": str(len(body)),
            }
            if self.hub.two_hosts:
                where = f"{self.hub.url_of(1)}/{quote(found[2])}?signature=secret"
                self._say(302, headers | {"Location": where})
            else:
                self._file(found[2], headers)

    def _file(self, name: str, headers: dict[str, str]) -> None:
        body = self.hub.files[name]
        start, end, status = 0, len(body), 200
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            start, end, status = int(found[1]), int(found[2] or len(body) - 1) + 1, 206
        get = self.command == "GET"
        spoiled = self.hub.spoil_get.popleft() if get and self.hub.spoil_get else None
        kind = spoiled.kind if spoiled else ""
        if spoiled and (kind.isdigit() or kind in ("garbage", "hang_up")):
            self._spoil(spoiled)
            return
        if kind == "whole":
            start, end, status = 0, len(body), 200
        if kind == "piece" and status == 206:
            start = max(0, start - 1 - spoiled.after % 1000) if spoiled else 0
        data = body[start:end]
        if kind in ("longer", "length"):
            data += bytes(1 + (spoiled.after % 100_000 if spoiled else 0))
        if status == 206:
            headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/{len(body)}"
        if kind == "longer":  # no length at all, so that only the bytes tell
            headers |= {"Connection": "close"}
            self.close_connection = True
        self._begin(status, headers | ({} if kind == "longer" else {"Content-Length": str(len(data))}))
        if get:
            self._pour(data, spoiled)

    def _pour(self, data: bytes, spoiled: Spoiled | None) -> None:
        kind = spoiled.kind if spoiled else ""
        sent = 0
        limit = spoiled.after if spoiled and kind in ("cut", "stall", "corrupt") else len(data)
        while sent < min(limit, len(data)):
            piece = data[sent : min(limit, sent + (self.hub.slow_piece if self.hub.slow_s else PIECE))]
            self.wfile.write(piece)
            sent += len(piece)
            if self.hub.slow_s and self.hub.stopping.wait(self.hub.slow_s):
                break
        self.wfile.flush()
        if kind == "stall":
            self.hub.stopping.wait(60)
        if kind == "corrupt":
            self.wfile.write(bytes(byte ^ 1 for byte in data[sent:]))
        elif sent < len(data) or kind == "cut":
            self.close_connection = True

    def _spoil(self, spoiled: Spoiled) -> None:
        if spoiled.kind == "hang_up":
            self.close_connection = True
        elif spoiled.kind == "garbage":
            page = b"<html>Please log in to the network</html>"
            self._begin(200, {"Content-Type": "text/html", "Content-Length": str(len(page))})
            if self.command == "GET":
                self.wfile.write(page)
        else:
            self._say(int(spoiled.kind), {"Retry-After": spoiled.retry_after} if spoiled.retry_after else {})

    def _say(self, status: int, headers: dict[str, str]) -> None:
        self._begin(status, headers | {"Content-Length": "0"})

    def _begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
