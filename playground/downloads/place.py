"""Where the files lie: the Hub's cache layout, ``blobs`` by etag and ``snapshots`` by commit that point to them.

A part lies beside the blobs under a name of ours: the Hub client's own ``….incomplete`` is unique to each call and is
removed at its end, and its ``hf cache prune`` would take ours for a leftover.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from playground.downloads.record import FileRecord
from playground.models.folders import hub_cache

_PLAIN_ETAG = re.compile(r"[0-9A-Za-z_-]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """One repository's folder in the cache."""

    cache: Path
    repo: str

    @property
    def root(self) -> Path:
        """``models--owner--name``."""
        return self.cache / f"models--{self.repo.replace('/', '--')}"

    def blob(self, etag: str) -> Path:
        """A complete and checked file."""
        return self.root / "blobs" / _key(etag)

    def part(self, etag: str) -> Path:
        """What has arrived of it."""
        return self.root / "blobs" / f"{_key(etag)}.part"

    def bad(self, etag: str) -> Path:
        """What arrived whole and was another file than the published one."""
        return self.root / "blobs" / f"{_key(etag)}.wrong-digest"

    def lock(self, etag: str) -> Path:
        """The lock that the Hub's own client takes for this blob, so that the two never meet."""
        return self.cache / ".locks" / self.root.name / f"{_key(etag)}.lock"

    def pointer(self, file: FileRecord) -> Path:
        """The name under which programs find the file."""
        return self.root / "snapshots" / file.commit / file.name

    def find(self, file: FileRecord) -> Path | None:
        """The complete file, as blob or, where the system has no links, in its snapshot."""
        for path in (self.blob(file.etag), self.pointer(file)):
            with suppress(OSError):
                if path.is_file() and path.stat().st_size == file.size:
                    return path
        return None

    def offer(self, files: list[FileRecord], revision: str) -> list[Path]:
        """Give checked files their names, all at once: a split model is never there by half. Raises OSError."""
        for file in files[::-1]:  # the first part, which stands for the model, comes last
            self._point(self.pointer(file), self.blob(file.etag))
        if revision != files[0].commit:
            with suppress(OSError):  # other programs then ask the Hub which commit is meant
                self._set_ref(revision, files[0].commit)
        return [self.pointer(file) for file in files]

    def clear(self, files: list[FileRecord]) -> None:
        """Remove what a cancelled download left, but nothing that a name points to. Never raises."""
        for file in files:
            if not file.etag:
                continue
            unused = [self.part(file.etag), self.bad(file.etag)]
            if file.checked and not self._is_used(self.blob(file.etag)):
                unused.append(self.blob(file.etag))
            for path in unused:
                with suppress(OSError):
                    path.unlink()
        for folder in (self.root / "blobs", self.root / "snapshots", self.root):
            with suppress(OSError):
                folder.rmdir()

    def _point(self, pointer: Path, blob: Path) -> None:
        pointer.parent.mkdir(parents=True, exist_ok=True)
        if not blob.exists() and pointer.is_file():
            return  # it was moved here, see below
        beside = pointer.with_name(f".{pointer.name}.new")
        beside.unlink(missing_ok=True)
        try:
            beside.symlink_to(os.path.relpath(blob, pointer.parent))
        except OSError:  # Windows without the right to make links: the Hub's client moves the file, too
            os.replace(blob, pointer)
            return
        os.replace(beside, pointer)

    def _set_ref(self, revision: str, commit: str) -> None:
        ref = self.root / "refs" / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        beside = ref.with_name(f"{ref.name}.{os.getpid()}.tmp")
        beside.write_text(commit, encoding="utf-8")  # readable as the cache is, which others may share
        os.replace(beside, ref)

    def _is_used(self, blob: Path) -> bool:
        with suppress(OSError):
            target = blob.resolve()
            return any(path.is_symlink() and path.resolve() == target for path in self.root.glob("snapshots/**/*"))
        return True


def place_of(repo: str, cache: Path | None = None) -> Place:
    """A repository's place in the cache in force."""
    return Place(cache or hub_cache(), repo)


def free_at(folder: Path) -> int:
    """Bytes free on the disk that a folder is on, or will be. Raises OSError."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _key(etag: str) -> str:
    """An etag as a file's name; a mirror may invent ones that are none."""
    return etag if _PLAIN_ETAG.match(etag) else hashlib.sha256(etag.encode()).hexdigest()
