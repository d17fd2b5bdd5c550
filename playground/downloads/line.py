"""The way to the Hub: what a file is there, and its bytes from some point on.

This goes around huggingface_hub's own download, for four reasons. It has no resume across calls (what arrived is
deleted at the end of each), checks no digest, tries again on its own without a word of ``Retry-After`` or of a file
that has changed meanwhile, and hands out 10 MiB at once, so that a pause or a limit would come late. Its client,
headers, token, errors, proxies, mirror and offline mode are used as they are. Its other transport, Xet, can't be
stopped within one process nor taken up later, so plain HTTP is asked for.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from playground.downloads.errors import DownloadError
from playground.downloads.record import FileRecord, Record
from playground.models import hub_token
from playground.translate import tr

MAX_ANSWER = 16 * 1024**3
"""Bytes asked for at once: the Hub refuses plain answers of more than 50 GB."""
_READ = 1024 * 1024
"""Bytes taken from the line at once."""
_MAX_REDIRECTS = 5
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Remote:
    """A file as the Hub has it now."""

    etag: str
    size: int
    commit: str
    digest: str
    """See `FileRecord.digest`; empty when nobody says it."""
    url: str = field(repr=False)
    location: str = field(repr=False)
    """Where its bytes are; often signed and short-lived, so it is never kept."""


class Answer:
    """An answer on its way, which another thread may break off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: Any = None
        self._over = False

    def begun(self, response: Any) -> None:
        """Remember its socket. Raises ConnectionAbortedError when it was broken off meanwhile."""
        stream = response.extensions.get("network_stream")
        with self._lock:
            self._socket = stream.get_extra_info("socket") if stream is not None else None
            if self._over:
                raise ConnectionAbortedError

    def break_off(self) -> None:
        """Wake a thread that waits for a stalled line."""
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def ask(record: Record, file: FileRecord, token: str | bool | None = None) -> Remote:
    """Look a file up at its pinned commit, or at the revision asked for. Raises what the Hub's client raises."""
    hub = _hub()
    endpoint = _endpoint(record)
    url = hub.hf_hub_url(record.repo, file.name, revision=file.commit or record.revision, endpoint=endpoint)
    token = _token(url, token)
    found = hub.get_hf_file_metadata(url, token=token, endpoint=endpoint, timeout=_timeout())
    etag, commit = found.etag, found.commit_hash
    if not etag or not commit or found.size is None:
        # A network’s log-in page, for one; nothing that is here is thrown away for it.
        raise DownloadError(
            "server",
            tr(
                "What answered for {name} is no Hub: it names no commit, etag or size. Log in to the network if it "
                "asks for that, and check HF_ENDPOINT if it is set.",
                name=file.name,
            ),
        )
    return Remote(etag, found.size, commit, _digest(record, file, etag, commit, token), url, found.location)


def receive(
    remote: Remote,
    start: int,
    restart: Callable[[], None],
    take: Callable[[bytes], None],
    answer: Answer,
    token: str | bool | None = None,
) -> None:
    """Hand on the file's bytes from ``start``; ``restart`` is called when they come from 0 all the same.

    Returns when the answer ends, with or without all. Raises DownloadError and what the Hub's client raises.
    """
    hub = _hub()
    # The token is for the Hub alone; large files come from elsewhere, by a signed address.
    at_hub = _same_host(remote.location, remote.url)
    headers = hub.build_hf_headers(token=_token(remote.url, token) if at_hub else False)
    headers["Accept-Encoding"] = "identity"
    if start or remote.size > MAX_ANSWER:
        headers["Range"] = f"bytes={start}-{min(remote.size, start + MAX_ANSWER) - 1}"
    url = remote.location
    for _ in range(_MAX_REDIRECTS):
        with hub.get_session().stream(
            "GET", url, headers=headers, timeout=_timeout(), follow_redirects=False
        ) as response:
            if response.status_code in _REDIRECTS and "Location" in response.headers:
                target = urljoin(url, response.headers["Location"])
                if not _same_host(target, url):
                    headers.pop("authorization", None)
                url = target
                continue
            answer.begun(response)
            if _starts_at(response, remote, start, at_hub=_same_host(url, remote.url)) != start:
                restart()
            for piece in response.iter_raw():
                take(piece)
            return
    raise DownloadError("server", tr("The Hub sends from one address to the next without end. Try again later."))


def _starts_at(response: Any, remote: Remote, start: int, *, at_hub: bool) -> int:
    """The first byte of an answer. Raises when it is none that this file could have."""
    status = response.status_code
    if status == 206:
        found = _RANGE.match(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != start or found[3] not in ("*", str(remote.size)):
            raise DownloadError(
                "length", tr("The server sent another piece of the file than was asked for. Try again.")
            )
        return start
    if status == 200:
        length = response.headers.get("Content-Length")
        if length is not None and length != str(remote.size):
            raise DownloadError(
                "length",
                tr(
                    "The server announces {length} bytes where the Hub says {size:,}, so nothing of it was taken. "
                    "Try again later.",
                    length=length,
                    size=remote.size,
                ),
            )
        return 0
    if status in (401, 403, 404) and not at_hub:
        raise DownloadError(
            "server", tr("The storage behind the Hub refused the file ({status}). Try again later.", status=status)
        )
    response.read()
    _hub().hf_raise_for_status(response)
    raise DownloadError(
        "server", tr("The Hub sent something else than a file ({status}). Try again later.", status=status)
    )


def _digest(record: Record, file: FileRecord, etag: str, commit: str, token: str | bool | None) -> str:
    """What to check the file by: large files have their SHA-256 as etag, small ones git's hash."""
    if re.fullmatch(r"[0-9a-f]{64}", etag):
        return f"sha256:{etag}"
    if re.fullmatch(r"[0-9a-f]{40}", etag):
        return f"git:{etag}"
    if file.digest and file.etag == etag:
        return file.digest
    from huggingface_hub import HfApi

    # A mirror with etags of its own: the list of files says the digest, too.
    api = HfApi(endpoint=_endpoint(record), token=token)
    for found in api.get_paths_info(record.repo, [file.name], revision=commit):
        lfs = getattr(found, "lfs", None)
        if lfs is not None and lfs.sha256:
            return f"sha256:{lfs.sha256.lower()}"
        if blob := getattr(found, "blob_id", ""):
            return f"git:{blob}"
    return ""


def _token(url: str, token: str | bool | None) -> str | bool | None:
    """As `playground.hub` asks: what the keyring has for this host, else what huggingface_hub has."""
    return hub_token.given(hub_token.host_of(url)) if token is None else token


def _endpoint(record: Record) -> str | None:
    """As `playground.hub` asks: huggingface_hub itself knows only what was set when it was imported."""
    return (record.endpoint or os.environ.get("HF_ENDPOINT") or "").rstrip("/") or None


def _same_host(one: str, other: str) -> bool:
    """Same scheme, host and port: then the token may go along."""
    left, right = urlsplit(one), urlsplit(other)
    return (left.scheme, left.netloc) == (right.scheme, right.netloc)


def _timeout() -> float:
    """Seconds without a byte after which a line counts as stalled (``HF_HUB_DOWNLOAD_TIMEOUT``)."""
    from huggingface_hub import constants

    return float(constants.HF_HUB_DOWNLOAD_TIMEOUT)


def _hub() -> Any:
    """huggingface_hub's own parts; imported when first needed, as it takes a third of a second."""
    from huggingface_hub import file_download, utils

    from playground.models.hub_client import install

    install()  # before a line stands: it closes the client that was
    _read_more_at_once()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    return _Hub(file_download, utils)


def _read_more_at_once() -> None:
    """The HTTP client reads 64 KiB at a time, and each piece goes through its parser: with 1 MiB a download takes a
    third of the processor time, which an answer that is being written has instead."""
    import httpcore2

    with suppress(AttributeError):
        if httpcore2.HTTP11Connection.READ_NUM_BYTES < _READ:
            httpcore2.HTTP11Connection.READ_NUM_BYTES = _READ


class _Hub:
    """What is used of the client, by name."""

    def __init__(self, files: Any, utils: Any) -> None:
        self.hf_hub_url = files.hf_hub_url
        self.get_hf_file_metadata = files.get_hf_file_metadata
        self.build_hf_headers = utils.build_hf_headers
        self.get_session = utils.get_session
        self.hf_raise_for_status = utils.hf_raise_for_status
