"""This side of a download: a queue's folder, a cache, and tries that don't wait long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faulty_hub import REPO, FaultyHub

from playground.downloads import job, record
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError
from playground.downloads.place import Place
from playground.downloads.record import Journal, Record

FILE = "sub/tiny.Q4_0.gguf"
BODY = os.urandom(2_000_000)


class Here:
    """This side: a queue's folder, a cache, and tries that don't wait long."""

    def __init__(self, folder: Path, hub: FaultyHub) -> None:
        self.hub = hub
        self.journal = Journal(folder / "queue")
        self.place = Place(folder / "cache", REPO)
        self.control = Control(patience=Patience(tries=4, first_s=0.01, longest_s=0.02))
        self.offered: list[Path] = []

    def wanted(self, *names: str) -> Record:
        known = self.journal.load()
        return known[0] if known else record.new(REPO, names or [FILE], endpoint=self.hub.url)

    def fetch(self, wanted: Record | None = None) -> Path:
        wanted = wanted or self.wanted()
        job.run(wanted, self.journal, self.place, self.control, self.offered.extend)
        return Path(wanted.paths[0])

    def fault(self, wanted: Record | None = None) -> DownloadError:
        with pytest.raises(DownloadError) as caught:
            self.fetch(wanted)
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "http" not in sentence or "gated" in sentence
        assert not self.snapshots()
        return caught.value

    def snapshots(self) -> list[Path]:
        return [path for path in self.place.root.glob("snapshots/**/*") if not path.is_dir()]

    def blobs(self) -> list[str]:
        return sorted(path.suffix or "blob" for path in self.place.root.glob("blobs/*"))

    def restart(self) -> None:
        """As another process would find it."""
        self.control = Control(patience=self.control.patience)
