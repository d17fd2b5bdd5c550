"""One file from the Hub into a folder: resumable, checked, and never half there under its own name.

huggingface_hub fetches; what it leaves open is done here: going on where an earlier try ended, the
SHA-256, room on the disk, and sentences for what can go wrong.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playground.models.digest import PIECE, Cancelled, GivenUp, Progress, sha256_of
from playground.models.download_errors import DownloadError, translate

CHUNK = 256 * 1024
"""Bytes between two looks at `cancelled`; what is on the way within one is lost when a line is cut."""
SPARE = 64 * 1024 * 1024
"""Bytes that must stay free on the disk."""
_LOOK_S = 0.1


def download(
    repo: str,
    filename: str,
    revision: str,
    size: int,
    sha256: str,
    dest_folder: Path,
    progress: Progress,
    cancelled: Cancelled,
    *,
    endpoint: str | None = None,
    token: str | bool | None = None,
) -> Path:
    """Fetch a file of a Hub repository; its path. Blocks: call it on a thread of its own.

    ``size`` 0 and ``sha256`` "" mean unknown; the Hub is then asked for them. A part that an
    earlier call left is continued. ``progress`` gets bytes done and bytes in all. Raises
    DownloadError with a sentence, or GivenUp when cancelled (the part is kept).
    """
    target = dest_folder / _plain_name(filename)
    with translate(repo, filename, dest_folder):
        if sha256 and (there := _already_there(target, size, sha256, progress, cancelled)):
            return there
        dest_folder.mkdir(parents=True, exist_ok=True)
        remote = _Remote(repo, filename, revision, endpoint, token)
        _run_aside(remote.ask, cancelled)
        size, sha256 = remote.agree(size, sha256)
        part = target.with_name(f".{target.name}.{(sha256 or remote.etag)[:16]}.part")
        with _alone(part):
            if there := _already_there(target, size, sha256, progress, cancelled):
                return there
            _room_for(part, size)
            sink = _Sink(part, size, progress, cancelled)
            try:
                sink.open()
                _run_aside(lambda: remote.fetch(sink), cancelled)
            finally:
                sink.close()
            return _accept(part, target, size, sha256, sink.hexdigest())


class _Remote:
    """The file on the Hub."""

    def __init__(self, repo: str, filename: str, revision: str, endpoint: str | None, token: str | bool | None) -> None:
        self._repo = repo
        self._filename = filename
        self._revision = revision
        self._endpoint = endpoint
        self._token = token
        self._url = self._location = ""
        self.etag = ""
        self.size = 0

    def ask(self) -> None:
        """Look the file up: its size, digest and address, at one fixed revision."""
        hub = _hub()
        self._url = hub.hf_hub_url(self._repo, self._filename, revision=self._revision or None, endpoint=self._endpoint)
        found = hub.get_hf_file_metadata(self._url, token=self._token, endpoint=self._endpoint)
        self.etag = found.etag or ""
        self.size = found.size or 0
        self._location = found.location

    def agree(self, size: int, sha256: str) -> tuple[int, str]:
        """Size and digest to insist on: what the caller knows, or else what the Hub says."""
        if size and self.size and size != self.size:
            raise DownloadError(
                "changed",
                f"{self._filename} in {self._repo} has {self.size:,} bytes now instead of {size:,}, so it is "
                "another file than the one asked for. Nothing was downloaded.",
            )
        # Large files have their SHA-256 as etag, small ones a git hash of 40 digits.
        return size or self.size, (sha256 or (self.etag if len(self.etag) == 64 else "")).lower()

    def fetch(self, sink: _Sink) -> None:
        """Fetch what the sink does not have yet."""
        # The token is for the Hub alone; large files come from elsewhere, by a signed address.
        same_host = urlsplit(self._location).netloc == urlsplit(self._url).netloc
        hub = _hub()
        headers = hub.build_hf_headers(token=self._token if same_host else False)
        hub.http_get(
            self._location,
            sink,
            resume_size=sink.tell(),
            expected_size=sink.size or None,
            headers=headers,
            displayed_filename=self._filename,
            tqdm_class=_NoBar,
        )


class _Sink(io.RawIOBase):
    """The partial file: hashes what passes, reports, and refuses to go on when cancelled.

    After `close` it takes nothing more, so that a thread left behind can't write into a later try.
    """

    def __init__(self, part: Path, size: int, progress: Progress, cancelled: Cancelled) -> None:
        super().__init__()
        self._part = part
        self.size = size
        self._progress = progress
        self._cancelled = cancelled
        self._lock = threading.Lock()
        self._file: Any = None
        self._digest = hashlib.sha256()
        self._done = 0
        self._told = 0.0

    def open(self) -> None:
        """Take up what an earlier try left."""
        self._file = self._part.open("ab+")
        self._file.seek(0)
        if self.size and self._part.stat().st_size > self.size:
            self._file.truncate(0)
        while piece := self._file.read(PIECE):
            if self._cancelled():
                raise GivenUp
            self._digest.update(piece)
            self._count(len(piece))

    def write(self, data: Any) -> int:
        """Take a piece. Raises GivenUp."""
        with self._lock:
            if self._file is None or self._cancelled():
                raise GivenUp
            self._file.write(data)
            self._digest.update(data)
            self._count(len(data))
            return len(data)

    def tell(self) -> int:
        """Bytes that are there."""
        return self._done

    def seek(self, offset: int, whence: int = 0) -> int:
        """Only to the start, which is where a server that can't resume sends from."""
        if offset or whence:
            raise io.UnsupportedOperation("a download can only start again")
        with self._lock:
            if self._file is None:
                raise GivenUp
            self._file.seek(0)
            self._file.truncate(0)
            self._digest = hashlib.sha256()
            self._done = 0
        return 0

    def truncate(self, size: int | None = None) -> int:
        """Done by `seek`."""
        return self._done

    def hexdigest(self) -> str:
        """SHA-256 of all that is there."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Put the part on disk; nothing is taken any more."""
        with self._lock:
            if self._file is not None:
                file, self._file = self._file, None
                file.flush()
                os.fsync(file.fileno())
                file.close()
        super().close()

    def _count(self, n: int) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._told > _LOOK_S or self._done >= self.size:
            self._told = now
            self._progress(self._done, self.size)


def _accept(part: Path, target: Path, size: int, sha256: str, digest: str) -> Path:
    """Give a complete and sound part its name; put any other where nothing takes it for a model."""
    if (size and part.stat().st_size != size) or (sha256 and digest != sha256):
        bad = target.with_name(target.name + ".wrong-digest")
        os.replace(part, bad)
        raise DownloadError(
            "digest",
            f"What arrived as {target.name} is not the file that was published (its SHA-256 is another), so "
            f"it is not used. It was put aside as {bad.name}; try again, or delete it.",
        )
    os.replace(part, target)
    return target


def _already_there(target: Path, size: int, sha256: str, progress: Progress, cancelled: Cancelled) -> Path | None:
    """The target if it is the file already. A different file of that name is never overwritten."""
    if not target.exists():
        return None
    there = target.stat().st_size
    same = there == size if size else True
    if same and sha256:
        same = sha256_of(target, progress, cancelled) == sha256
    if same and (size or sha256):
        progress(there, there)
        return target
    raise DownloadError(
        "exists", f"{target} is there already and is another file. Move it away or rename it, then try again."
    )


def _room_for(part: Path, size: int) -> None:
    have = part.stat().st_size if part.exists() else 0
    free = shutil.disk_usage(part.parent).free
    needed = size - have + SPARE
    if free < needed:
        raise DownloadError(
            "disk",
            f"{part.parent} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed. "
            "Free some space, then try again.",
        )


def _plain_name(filename: str) -> str:
    """The last part of a name on the Hub; it comes from outside and must not lead elsewhere."""
    name = filename.rpartition("/")[2]
    if not name or name in (".", "..") or any(char in name for char in '\\:*?"<>|\0') or name[0] in ". ":
        raise DownloadError("missing", f"“{filename}” is no name that a file can have here.")
    return name


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """One download of a file at a time, over all windows."""
    from filelock import Timeout

    lock = part.with_suffix(".lock")
    with ExitStack() as held:
        try:
            held.enter_context(_hub().WeakFileLock(lock, timeout=0.2))
        except Timeout:
            raise DownloadError(
                "busy", "Another window is downloading this file already; it will be listed when it is there."
            ) from None
        held.callback(_remove, lock)
        yield


def _remove(path: Path) -> None:
    with suppress(OSError):  # Windows removes no open file
        path.unlink()


def _run_aside(work: Callable[[], None], cancelled: Cancelled) -> None:
    """Run blocking network work; a cancelled one is left behind, as a stalled line can't be stopped."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="download", daemon=True)
    thread.start()
    while thread.is_alive():
        if cancelled():
            raise GivenUp
        thread.join(_LOOK_S)
    if failure:
        raise failure[0]


def _hub() -> Any:
    """huggingface_hub's file module; imported when first needed, as it takes a third of a second."""
    from huggingface_hub import constants, file_download

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries are told by the progress standing still
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK  # read at every call; 10 MiB is too coarse for progress and cuts
    return file_download


class _NoBar:
    """Stands where huggingface_hub wants a progress bar; ours is elsewhere."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """The sink counts."""

    def close(self) -> None:
        """Nothing is open."""
