"""The stand-in Hub: what huggingface_hub asks of the real one, answered on loopback."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from hub.faults import Fault
from hub.repo import Repo, Stored

_SORTS = {
    "downloads": lambda repo: repo.downloads,
    "likes": lambda repo: repo.likes,
    "trendingScore": lambda repo: repo.trending,
    "lastModified": lambda repo: repo.modified,
    "createdAt": lambda repo: repo.created,
}
_UNITS = {"": 1, "M": 10**6, "B": 10**9}


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    host: str
    """``hub``, or ``store``: the second host."""
    method: str
    path: str
    query: dict[str, list[str]]
    range: str
    token: str


@dataclass
class Hub:
    """Use as a context manager; ``url`` is its endpoint."""

    repos: dict[str, Repo] = field(default_factory=dict)
    faults: deque[Fault | None] = field(default_factory=deque)
    """Taken one by one by requests whose path has `faulty` in it; None: a good answer."""
    faulty: str = ""
    tokens: dict[str, set[str]] = field(default_factory=dict)
    """Known tokens, each with the gated repositories that it has access to."""
    two_hosts: bool = True
    """Large files are redirected to another host, as the real Hub does."""
    honours_range: bool = True
    page_size: int = 1000
    asked: list[Asked] = field(default_factory=list)

    def add(self, repo: Repo) -> Repo:
        self.repos[repo.id] = repo
        return repo

    def __enter__(self) -> Hub:
        self.stopping = threading.Event()
        self._servers = {name: _serve(self, name) for name in ("hub", "store")}
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for server, thread in self._servers.values():
            server.shutdown()
            server.server_close()
            thread.join()

    @property
    def url(self) -> str:
        return self.url_of("hub")

    def url_of(self, host: str) -> str:
        return f"http://127.0.0.1:{self._servers[host][0].server_port}"

    def paths(self, host: str = "hub") -> list[str]:
        return [asked.path for asked in self.asked if asked.host == host]


def _serve(hub: Hub, name: str) -> tuple[ThreadingHTTPServer, threading.Thread]:
    handler = type("Handler", (_Handler,), {"hub": hub, "host": name})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that give up are no fault
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    return server, thread


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub
    host: str
    fault: Fault | None

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        query = parse_qs(parts.query)
        asked = Asked(self.host, self.command, path, query, self.headers.get("Range", ""), token)
        self.hub.asked.append(asked)
        self.fault = self.hub.faults.popleft() if self.hub.faults and self.hub.faulty in path else None
        try:
            if not self._spoil():
                self._route(asked)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up

    def _spoil(self) -> bool:
        """Answer with the fault, where it isn't one of the body."""
        kind = self.fault.kind if self.fault else ""
        if kind not in ("", "cut", "short", "shifted"):
            fault, self.fault = self.fault, None
        if kind == "busy":
            self._say(429, {"Retry-After": fault.retry_after} if fault and fault.retry_after else {})
        elif kind == "server":
            self._say(503)
        elif kind == "garbage":
            self._body(200, b"<html>Please log in to the network</html>", {"Content-Type": "text/html"})
        elif kind == "hang_up":
            self.close_connection = True
        elif kind == "stall":
            self.hub.stopping.wait(60)
            self.close_connection = True
        else:
            return False
        return True

    def _route(self, asked: Asked) -> None:
        if asked.token and self.host == "hub" and asked.token not in self.hub.tokens:
            self._say(401, {"X-Error-Message": "Invalid credentials in Authorization header"})
        elif self.host == "store":
            self._store(asked)
        elif asked.path == "/api/whoami-v2":
            self._whoami(asked)
        elif asked.path == "/api/models":
            self._list(asked)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)(/.*)?)?", asked.path):
            self._about(asked, found[1], found[2] or "", found[3] or "main")
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", asked.path):
            self._resolve(asked, found[1], found[2], found[3])
        else:
            self._say(404)

    def _whoami(self, asked: Asked) -> None:
        if asked.token:
            access = {"type": "access_token", "accessToken": {"displayName": "laptop", "role": "read"}}
            self._json({"type": "user", "name": "somebody", "fullname": "Some Body", "orgs": [], "auth": access})
        else:
            self._say(401, {"X-Error-Message": "Invalid credentials in Authorization header"})

    def _list(self, asked: Asked) -> None:
        one = {name: values[0] for name, values in asked.query.items()}
        size = min(int(one.get("limit", self.hub.page_size)), self.hub.page_size)
        start = int(one.get("cursor", 0))
        found = sorted(
            (repo for repo in self.hub.repos.values() if _matches(repo, one, asked.query.get("filter", ()))),
            key=_SORTS[one.get("sort", "trendingScore")],
            reverse=True,
        )
        headers = {}
        if start + size < len(found):
            after = urlencode({**asked.query, "cursor": start + size}, doseq=True)
            headers["Link"] = f'<{self.hub.url}/api/models?{after}>; rel="next"'
        expand = asked.query.get("expand", [])
        self._json([repo.listed(expand) for repo in found[start : start + size]], headers)

    def _about(self, asked: Asked, name: str, what: str, revision: str) -> None:
        repo = self._visible(asked, name, revision)
        if repo is None:
            return
        if what == "tree":
            self._json(repo.tree())
        else:
            self._json(repo.page("blobs" in asked.query))

    def _resolve(self, asked: Asked, name: str, revision: str, path: str) -> None:
        repo = self._visible(asked, name, revision)
        if repo is None:
            return
        if repo.gated and name not in self.hub.tokens.get(asked.token, ()):
            self._say(403 if asked.token else 401, {"X-Error-Code": "GatedRepo"})
        elif path not in repo.files:
            self._say(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repo.commit})
        else:
            file = repo.files[path]
            headers = {"X-Repo-Commit": repo.commit, "ETag": f'"{file.oid}"'}
            if file.is_large:
                headers |= {"X-Linked-Size": str(file.size), "X-Linked-Etag": f'"{file.sha256}"'}
            if file.is_large and self.hub.two_hosts:
                where = f"{self.hub.url_of('store')}/{quote(name)}/{quote(path)}?signature=abc"
                self._say(302, headers | {"Location": where})
            else:
                self._file(file, asked, headers)

    def _store(self, asked: Asked) -> None:
        owner, name, path = asked.path.strip("/").split("/", 2)
        self._file(self.hub.repos[f"{owner}/{name}"].files[path], asked, {})

    def _visible(self, asked: Asked, name: str, revision: str) -> Repo | None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and name not in self.hub.tokens.get(asked.token, ())):
            self._say(404 if asked.token else 401, {"X-Error-Code": "RepoNotFound"})
            return None
        if revision not in ("main", repo.commit):
            self._say(404, {"X-Error-Code": "RevisionNotFound"})
            return None
        return repo

    def _file(self, file: Stored, asked: Asked, headers: dict[str, str]) -> None:
        start, end, status = 0, file.size, 200
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range) if self.hub.honours_range else None
        if found:
            start, end = int(found[1]), min(file.size, int(found[2] or file.size) + 1)
            if start >= file.size:
                self._say(416, {"Content-Range": f"bytes */{file.size}"})
                return
            status = 206
            if self.fault and self.fault.kind == "shifted" and start + 7 < end:
                start += 7
            headers = headers | {"Content-Range": f"bytes {start}-{end - 1}/{file.size}"}
        self._begin(status, end - start, headers)
        if self.command != "HEAD":
            self._pour(file.part(at, min(end, at + (1 << 20))) for at in range(start, end, 1 << 20))

    def _json(self, value: Any, headers: dict[str, str] | None = None) -> None:
        self._body(200, json.dumps(value).encode(), {"Content-Type": "application/json"} | (headers or {}))

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self._body(status, b"", headers or {})

    def _body(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self._begin(status, len(data), headers)
        if self.command != "HEAD":
            self._pour([data])

    def _begin(self, status: int, length: int, headers: dict[str, str]) -> None:
        if self.fault and self.fault.kind == "short" and self.command != "HEAD":
            length = min(length, self.fault.after)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "X-Error-Code" in headers:
            self.send_header("X-Error-Message", headers["X-Error-Code"])
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _pour(self, pieces: Iterable[bytes]) -> None:
        left = self.fault.after if self.fault and self.fault.kind != "shifted" else -1
        for piece in pieces:
            if left < 0:
                self.wfile.write(piece)
                continue
            self.wfile.write(piece[:left])
            left -= len(piece[:left])
            if left <= 0:
                self.wfile.flush()
                self.close_connection = True
                return


def _matches(repo: Repo, one: dict[str, str], tags: Iterable[str]) -> bool:
    if repo.private or one.get("search", "").lower() not in repo.id.lower():
        return False
    if one.get("author", repo.author) != repo.author or one.get("pipeline_tag", repo.task) != repo.task:
        return False
    if not set(tags) <= {"gguf", *repo.tags}:
        return False
    if "gated" in one and (one["gated"].lower() == "true") != bool(repo.gated):
        return False
    for bound in filter(None, one.get("num_parameters", "").split(",")):
        side, _, value = bound.partition(":")
        unit = value[-1] if value[-1] in _UNITS else ""
        limit = float(value.removesuffix(unit)) * _UNITS[unit]
        if (repo.n_params < limit) if side == "min" else (repo.n_params > limit):
            return False
    return True
