"""The one model that a name means, without waiting for every header on this machine.

A look lists names and dates first, and of files that were read before it knows everything at once. So a name is
decided as soon as all folders are listed, where that can’t be wrong: one model alone has it, and either it is known
from before or the name is its file’s own. Otherwise headers decide, and the look goes on to its end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from playground.models import sources
from playground.models.catalog import Catalog
from playground.models.library import Taken, hits_of, match
from playground.models.model_file import ModelFile, look_at, read
from playground.models.scanner import Report, Scanner
from playground.paths import Paths
from playground.translate import tr

PATIENCE_S = 1.5
"""After that a model that is known from before doesn't wait for folders that haven't answered."""


def find(paths: Paths, text: str, say: Callable[[str], None] = lambda _: None) -> ModelFile:
    """The usable model that a text means. Blocks. Raises `library.NoSuchModel`.

    ``say`` gets a sentence where it was decided before every folder had answered.
    """
    rows = sources.all_sources(paths)
    catalog = Catalog(paths.cache)
    look = _Look(rows)
    scanner = Scanner(paths, rows, catalog, look.take)
    scanner.start()
    try:
        return look.decide(text, say)
    finally:
        scanner.stop()


class _Look:
    """What the scanner has told so far."""

    def __init__(self, rows: list[sources.Source]) -> None:
        self._rows = {row.key: row for row in rows}
        self._taken = Taken(self._rows)
        self._known: set[str] = set()
        """Paths of files that were read before."""
        self._news = threading.Condition()

    def take(self, report: Report) -> None:
        """On the scanner's threads."""
        with self._news:
            self._taken.take(report)
            if report.all:
                self._known |= {model.path for model in report.models if not model.pending}
            self._news.notify_all()

    def decide(self, text: str, say: Callable[[str], None]) -> ModelFile:
        begun = time.monotonic()
        with self._news:
            while any(state in ("looking", "reading") for state in self._taken.states.values()):
                found = self._early(text, time.monotonic() - begun > PATIENCE_S, say)
                if found is not None:
                    return found
                self._news.wait(0.1)
            models = self._taken.models()
        return match([model for model in models if model.kind == "model" and not model.away], text)

    def _early(self, text: str, impatient: bool, say: Callable[[str], None]) -> ModelFile | None:
        silent = [self._rows[key].place for key, state in self._taken.states.items() if state == "looking"]
        if silent and not impatient:
            return None
        there = [m for m in self._taken.models() if m.kind == "model" and not m.away and (m.pending or m.usable)]
        hits = hits_of(there, text)
        if len(hits) != 1:
            return None
        (hit,) = hits
        if hit.path in self._known:
            if silent:
                say(
                    tr("{places} hasn’t answered yet; {label} is known from before.", places=silent[0], label=hit.label)
                )
            return hit
        if not silent and text.casefold().strip() in (Path(hit.path).name.casefold(), Path(hit.path).stem.casefold()):
            return _read(hit)
        return None


def _read(hit: ModelFile) -> ModelFile | None:
    """Its header alone; None where the file can't be used, which the whole look says better."""
    try:
        model = read(look_at(hit.path), hit.source, hit.source_key)
    except OSError:
        return None
    return model if model.usable else None
