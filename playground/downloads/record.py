"""What is known of each download, kept as one small JSON file: it outlives the process, and a reboot."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from playground.downloads.errors import DownloadError
from playground.files import read_json, write_json
from playground.paths import Paths
from playground.translate import tr

State: TypeAlias = Literal["waiting", "running", "paused", "failed", "done"]
_SEGMENT = re.compile(r"[\w.-]+\Z", re.ASCII)
_BOOT_SLACK_S = 120.0
"""A corrected clock moves the computed time of the machine's start."""


class FileRecord(msgspec.Struct):
    """One file of a download."""

    name: str
    """Its path in the repository."""
    size: int = 0
    """Bytes; 0 until the Hub has said so."""
    etag: str = ""
    """What the part on disk is a part of."""
    digest: str = ""
    """``sha256:…``, or ``git:…`` for small files that the Hub keeps in git itself."""
    commit: str = ""
    synced: int = 0
    """Bytes of the part that were surely on disk when this was written; all that counts after a reboot."""
    trusted: int = -1
    """Bytes of the part to build on, because the machine was started anew since; -1: all."""
    checked: bool = False
    """Complete, and its digest was right."""
    ours: bool = False
    """It came over this app's line; another program had not put it there."""
    only_sha256: str = ""
    """Given where one certain file is wanted and no newer one of that name."""


class Record(msgspec.Struct):
    """One download: the files of one choice, such as the parts of a split model."""

    repo: str
    files: list[FileRecord]
    revision: str = "main"
    endpoint: str = ""
    """Empty: the one in force (``HF_ENDPOINT``)."""
    label: str = ""
    """As a list shows it."""
    id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:12])
    state: State = "waiting"
    fault: str = ""
    message: str = ""
    """Why it failed: a sentence."""
    added: float = msgspec.field(default_factory=time.time)
    """Seconds since 1970; the queue's order."""
    booted: float = 0.0
    """When the machine had started that wrote this."""
    paths: list[str] = msgspec.field(default_factory=list)
    """Where the files are, once all are checked."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def same_as(self, other: Record) -> bool:
        """Whether both would fetch the same."""
        return (self.repo, self.revision, self.endpoint, [file.name for file in self.files]) == (
            other.repo,
            other.revision,
            other.endpoint,
            [file.name for file in other.files],
        )


def boot_time() -> float:
    """When this machine was started, in seconds since 1970."""
    import psutil

    return float(psutil.boot_time())


def _mistrust(record: Record) -> Record:
    """After a reboot, what the system had not yet put on disk may be anything."""
    if abs(record.booted - boot_time()) > _BOOT_SLACK_S:
        for file in record.files:
            file.trusted = file.synced if file.trusted < 0 else min(file.trusted, file.synced)
    return record


def check(record: Record) -> Record:
    """Refuse what can't be asked for, or would lead out of the cache. Raises DownloadError."""
    parts = record.repo.split("/")
    if len(parts) > 2 or not all(_SEGMENT.match(part) and part.strip(".") for part in parts) or "--" in record.repo:
        raise DownloadError(
            "missing", tr("“{repo}” is no name of a repository; they look like “owner/name”.", repo=record.repo)
        )
    if not record.files:
        raise DownloadError("missing", tr("No file of {repo} was chosen.", repo=record.repo))
    for text in (record.revision, *(file.name for file in record.files)):
        if not _is_plain(text):
            raise DownloadError("missing", tr("“{name}” is no name that a file can have here.", name=text))
    return record


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return all(
        part and part.strip(". ") and not set(part) & set('\\:*?"<>|\0') and part.isprintable() for part in parts
    )


def folder_of(paths: Paths) -> Path:
    """Where the records are kept."""
    return paths.data / "downloads"


class Journal:
    """The folder with the records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> list[Record]:
        """All records, oldest first. One that can't be read is put aside, and its file's part found again by etag."""
        found = [record for path in sorted(self.folder.glob("*.json")) if (record := self._read(path))]
        return sorted(found, key=lambda record: record.added)

    def reload(self, record_id: str) -> Record | None:
        """As it is on disk now."""
        return self._read(self._file(record_id))

    def save(self, record: Record) -> None:
        """Keep it. Raises OSError; the older version then stands."""
        record.booted = boot_time()
        write_json(self._file(record.id), msgspec.to_builtins(record))

    def remove(self, record: Record) -> None:
        """Forget it; its files are the caller's."""
        for path in (self._file(record.id), self._lock(record.id)):
            with suppress(OSError):
                path.unlink()

    @contextmanager
    def alone(self, record: Record) -> Iterator[None]:
        """One process at a time works on a record. Raises DownloadError of kind ``busy``."""
        with locked(self._lock(record.id)):
            yield

    def _file(self, record_id: str) -> Path:
        return self.folder / f"{record_id}.json"

    def _lock(self, record_id: str) -> Path:
        return self.folder / f"{record_id}.lock"

    def _read(self, path: Path) -> Record | None:
        try:
            return _mistrust(check(msgspec.convert(read_json(path), Record)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, DownloadError):
            with suppress(OSError):
                path.replace(path.with_suffix(".broken"))
            return None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process. Raises DownloadError of kind ``busy``."""
    from filelock import Timeout
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(WeakFileLock(path, timeout=0.2))
        except Timeout:
            raise DownloadError(
                "busy", tr("Another program is downloading this already; it will be listed when it is there.")
            ) from None
        yield


def new(
    repo: str,
    names: Sequence[str],
    sizes: Iterable[int] = (),
    revision: str = "",
    *,
    label: str = "",
    endpoint: str = "",
) -> Record:
    """A download of some files; ``sizes`` as far as they are known. Raises DownloadError."""
    files = [FileRecord(name) for name in names]
    for file, size in zip(files, sizes, strict=False):
        file.size = size
    return check(Record(repo, files, revision or "main", endpoint, label))
