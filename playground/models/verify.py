"""Whether a model's file is what was published: its SHA-256 against what is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from playground.models import duplicates, starter
from playground.models.catalog import Catalog
from playground.models.digest import Cancelled, Progress
from playground.models.model_file import ModelFile
from playground.translate import tr

_HEX = re.compile(r"(?:sha256-)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Verified:
    """A file's digest, and the one it should have."""

    sha256: str
    expected: str
    """Empty: nobody said."""
    by: str
    """Who said: “the starter’s publisher”, “the Hub”, “Ollama”; empty: nobody."""

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.expected or self.expected == self.sha256


def expected_digest(path: Path) -> tuple[str, str]:
    """The SHA-256 a file should have and who says so; empty where nobody does. Raises OSError.

    The Hub's cache and Ollama name a file by its digest; the Hub's snapshots link to it.
    """
    if starter.is_starter(path):
        return starter.STARTER.sha256, tr("its publisher")
    real = path.resolve(strict=True)
    found = _HEX.fullmatch(real.name)
    if not found or real.parent.name != "blobs":
        return "", ""
    return found[1], "Ollama" if real.name.startswith("sha256-") else tr("the Hub")


def verify(
    model: ModelFile, catalog: Catalog, progress: Progress | None = None, cancelled: Cancelled | None = None
) -> Verified:
    """Read the whole (first) file and compare. Raises OSError, or GivenUp when cancelled.

    Always reads: a disk that went bad changes no date. What was read is kept for finding duplicates.
    """
    expected, by = expected_digest(Path(model.path))
    catalog.keep_digest(model.path, model.size, model.mtime_ns, duplicates.ends_of(model, catalog), "")
    return Verified(duplicates.whole_digest(model, catalog, progress, cancelled), expected, by)
