"""Repositories of the stand-in Hub, and what the real one's API says of such."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

COMMIT = "c0ffee" + "0" * 34
LARGE = 10_000
"""Bytes from which a file is kept outside git."""


@dataclass
class Stored:
    """A file's content: bytes, or a file on disk that may be one large hole."""

    content: bytes | Path
    sha: str = ""
    """Instead of the true digest, which takes long for a large hole."""

    @cached_property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @cached_property
    def sha256(self) -> str:
        if self.sha:
            return self.sha
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest()
        with self.content.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def is_large(self) -> bool:
        return self.size >= LARGE

    @property
    def oid(self) -> str:
        return self.sha256[:40]

    def part(self, start: int, end: int) -> bytes:
        if isinstance(self.content, bytes):
            return self.content[start:end]
        with self.content.open("rb") as file:
            file.seek(start)
            return file.read(end - start)


@dataclass
class Repo:
    """One model repository."""

    id: str
    files: dict[str, Stored] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    card: dict[str, Any] = field(default_factory=dict)
    gguf: dict[str, Any] | None = None
    downloads: int = 0
    likes: int = 0
    trending: int = 0
    created: str = "2025-01-01T00:00:00.000Z"
    modified: str = "2025-06-01T00:00:00.000Z"
    gated: Any = False
    private: bool = False
    task: str = "text-generation"
    commit: str = COMMIT

    @property
    def author(self) -> str:
        return self.id.partition("/")[0]

    @property
    def n_params(self) -> int:
        return int((self.gguf or {}).get("total", 0))

    def listed(self, expand: list[str]) -> dict[str, Any]:
        """As a list with ``expand`` has it."""
        whole = self._whole()
        return {"_id": self.id, "id": self.id} | {name: whole[name] for name in expand if name in whole}

    def page(self, blobs: bool) -> dict[str, Any]:
        """As ``/api/models/{id}`` has it."""
        siblings = [self._sibling(path, file, blobs) for path, file in self.files.items()]
        return self._whole() | {"siblings": siblings, "cardData": self.card}

    def tree(self) -> list[dict[str, Any]]:
        """As the tree API has it, all levels."""
        return [
            {"type": "file", "path": path, "size": file.size, "oid": file.oid}
            | ({"lfs": {"oid": file.sha256, "size": file.size, "pointerSize": 134}} if file.is_large else {})
            for path, file in self.files.items()
        ]

    def _whole(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "modelId": self.id,
            "author": self.author,
            "sha": self.commit,
            "createdAt": self.created,
            "lastModified": self.modified,
            "downloads": self.downloads,
            "likes": self.likes,
            "trendingScore": self.trending,
            "gated": self.gated,
            "private": self.private,
            "tags": ["gguf", *self.tags],
            "pipeline_tag": self.task,
        } | ({"gguf": self.gguf} if self.gguf else {})

    def _sibling(self, path: str, file: Stored, blobs: bool) -> dict[str, Any]:
        if not blobs:
            return {"rfilename": path}
        lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": 134}
        return {"rfilename": path, "size": file.size, "blobId": file.oid} | ({"lfs": lfs} if file.is_large else {})
