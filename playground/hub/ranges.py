"""A file on the Hub read from its beginning by ranges, as far as is wanted and never further than allowed."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from playground.hub.client import Hub
from playground.hub.errors import HubError, no_hub
from playground.models.digest import Cancelled
from playground.models.gguf_cursor import size_text
from playground.translate import tr

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")

FIRST, LARGEST = 256 * 1024, 1024 * 1024
"""Bytes of the first piece; each further one is twice as long, up to the largest."""
MOST = 32_000_000
"""Bytes that are fetched of one file. The longest headers of models published so far have 25 MB."""
_TRIES = 3
"""Of a piece whose line breaks; what has come of it stays."""


class RemoteSource(io.RawIOBase):
    """A readable, seekable file whose bytes come over the line when they are asked for.

    Every read may raise HubError, or GivenUp when cancelled. It holds one piece at a time: meant to be walked
    forwards.
    """

    def __init__(self, hub: Hub, repo: str, revision: str, path: str, cancelled: Cancelled) -> None:
        super().__init__()
        self._hub = hub
        self._repo = repo
        self._revision = revision
        self._path = path
        self._cancelled = cancelled
        self._location = ""
        self._signed = False
        """The location is another host's: it must not see the token."""
        self._at = 0
        self._start, self._piece = 0, b""
        self._step = FIRST
        self.size = 0
        """Of the file, in bytes; known after `open`."""
        self.etag = ""
        self.fetched = 0
        """Bytes that came over the line."""

    def open(self) -> None:
        """Find out where the file is, and its size. Raises HubError, GivenUp."""
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        endpoint = self._hub.api().endpoint
        url = hf_hub_url(self._repo, self._path, revision=self._revision or None, endpoint=endpoint)
        found = self._ask(lambda: get_hf_file_metadata(url, token=self._hub.sent, endpoint=endpoint))
        if not found.commit_hash or not found.etag:
            raise HubError("endpoint", no_hub(self._hub))  # a network's log-in page, for one
        self._location = urljoin(url, found.location)
        self._signed = _origin(self._location) != _origin(url)
        self.size, self.etag = found.size or 0, found.etag

    def head(self, most: int) -> bytes:
        """The file's first bytes, up to so many."""
        self.open()
        return b"" if self.size == 0 else self._fetch(0, min(most, self.size))

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Where the next read begins."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def read(self, count: int = -1) -> bytes:
        """Some of the bytes; none at the end."""
        wanted = self.size - self._at if count < 0 else min(count, self.size - self._at)
        if wanted <= 0:
            return b""
        skip = self._at - self._start
        if not 0 <= skip < len(self._piece):
            end = min(self.size, self._at + max(self._step, min(wanted, LARGEST)))
            self._start, self._piece, skip = self._at, self._fetch(self._at, end), 0
            self._step = min(LARGEST, self._step * 2)
        data = self._piece[skip : skip + wanted]
        self._at += len(data)
        return data

    def _fetch(self, start: int, end: int) -> bytes:
        """The bytes from ``start`` to before ``end``, all of them."""
        if self.fetched + end - start > MOST:
            raise HubError(
                "file",
                tr(
                    "The header of {path} is longer than {most}, so it isn’t read from afar.",
                    path=self._path,
                    most=size_text(MOST),
                ),
            )
        got = bytearray()
        for _ in range(_TRIES):
            self._ask(lambda: self._take(got, start, end))
            if len(got) >= end - start:
                break
        if len(got) < end - start:
            raise HubError(
                "stalled", tr("The line broke while the header of {path} was read. Try again.", path=self._path)
            )
        return bytes(got)

    def _take(self, got: bytearray, start: int, end: int) -> None:
        """One try; what came before the line broke is kept."""
        import httpx2
        from huggingface_hub import get_session, hf_raise_for_status

        first = start + len(got)
        headers = self._hub.headers(signed=self._signed)
        headers |= {"Range": f"bytes={first}-{end - 1}", "Accept-Encoding": "identity"}
        try:
            with get_session().stream("GET", self._location, headers=headers) as response:
                hf_raise_for_status(response)
                if response.status_code != 206:
                    if response.headers.get("Content-Length", str(self.size)) == str(self.size):
                        self._drain(response, got, end - first, first)
                elif response.headers.get("Content-Range", "").startswith(f"bytes {first}-"):
                    self._drain(response, got, end - first, 0)
        except httpx2.TransportError:
            return

    def _drain(self, response: httpx2.Response, got: bytearray, wanted: int, skip: int) -> None:
        """Take what was wanted and hang up. A server without ranges sends all from the beginning."""
        if skip > MOST:
            raise HubError(
                "endpoint", tr("{host} can’t send a part of a file, so its header isn’t read.", host=self._hub.host)
            )
        for chunk in response.iter_raw(64 * 1024):
            if self._cancelled():
                return
            self.fetched += len(chunk)
            skipped = min(skip, len(chunk))
            skip -= skipped
            part = chunk[skipped : skipped + wanted]
            got += part
            wanted -= len(part)
            if wanted <= 0:
                return

    def _ask(self, work: Callable[[], T]) -> T:
        return self._hub.ask(work, self._cancelled, self._repo, self._path)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
