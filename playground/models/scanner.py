"""Looking at all sources at once: names and sizes first, headers after, and no folder waits for another.

Each source has a thread of its own, because a call into a hung network disk never returns. A watcher says of
one that stands still that it doesn't answer; its thread is left behind, and what was known of it is listed
as away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from playground.models.catalog import Catalog
from playground.models.kinds import part_of
from playground.models.model_file import Found, ModelFile, guess, look_at, read
from playground.models.sources import Source
from playground.paths import Paths

State: TypeAlias = Literal["looking", "reading", "done", "not_there", "no_answer"]

PATIENCE_S = 5.0
"""How long one step (a folder's listing, one header) may take before a source is said not to answer."""
BATCH_S = 0.1
"""Headers are told about together, at most so long after they were read."""
_BREATH_S = 0.0005
"""Between two headers, so that the window's thread comes first."""


@dataclass(frozen=True, slots=True)
class Report:
    """News of one source."""

    key: str
    state: State
    models: tuple[ModelFile, ...] = ()
    """All of its files, or those whose headers were read since the last report."""
    all: bool = False
    """Whether ``models`` is the whole list, in the place of what was told before."""


class Scanner:
    """One look at the sources. ``tell`` is called on its threads, in order for each source."""

    def __init__(
        self,
        paths: Paths,
        sources: Sequence[Source],
        catalog: Catalog,
        tell: Callable[[Report], None],
        patience_s: float | None = None,
    ) -> None:
        self._paths = paths
        self._catalog = catalog
        self._tell = tell
        self._patience_s = PATIENCE_S if patience_s is None else patience_s
        self._stopped = threading.Event()
        self._looks = [_Look(source) for source in sources]
        self._ended = threading.Condition()

    def start(self) -> None:
        """Begin; returns at once."""
        for look in self._looks:
            threading.Thread(target=self._run, args=(look,), name=f"library {look.source.key}", daemon=True).start()
        threading.Thread(target=self._watch, name="library watch", daemon=True).start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until every source is done or given up; False when the time is up."""
        with self._ended:
            return self._ended.wait_for(lambda: all(look.over for look in self._looks), timeout_s)

    def stop(self) -> None:
        """Tell nothing any more; threads end with the step that they are in."""
        self._stopped.set()
        with self._ended:
            for look in self._looks:
                look.over = True
            self._ended.notify_all()

    def _run(self, look: _Look) -> None:
        key = look.source.key
        try:
            found = self._list(look)
            if found is None:
                known = tuple(self._catalog.of_source(key)) if look.source.expected else ()
                self._say(look, Report(key, "not_there", known, all=True), over=True)
                return
            models, unread = self._known(look, found)
            self._catalog.forget(key, [one.path for one in found])
            self._say(look, Report(key, "reading" if unread else "done", tuple(models), all=True), over=not unread)
            if unread:
                self._read(look, unread)
        except Exception:
            # Whatever a stranger's disk does must not leave the list waiting.
            self._say(look, Report(key, "no_answer"), over=True)
            raise

    def _list(self, look: _Look) -> list[Found] | None:
        """The source's files; None where none of its places is there."""
        found: dict[str, Found] = {}
        there = False
        for place in look.source.where(self._paths):
            look.beat()
            if not _exists(place):
                continue
            there = True
            for path, origin in look.source.find(place):
                look.beat()
                if self._stopped.is_set():
                    return []
                if path in found or part_of(path)[0] > 1:
                    continue
                try:
                    found[path] = look_at(path, origin)
                except OSError:
                    continue
        return list(found.values()) if there else None

    def _known(self, look: _Look, found: list[Found]) -> tuple[list[ModelFile], list[Found]]:
        """All files as far as they are known, and which are to be read."""
        models, unread = [], []
        for one in found:
            source = look.source.name_of(one.path, one.origin)
            model = self._catalog.model(one, source, look.source.key)
            if model is None:
                unread.append(one)
                model = guess(one, source, look.source.key)
            models.append(model)
        return models, unread

    def _read(self, look: _Look, unread: list[Found]) -> None:
        key = look.source.key
        batch: list[tuple[Found, ModelFile]] = []
        told = time.monotonic()
        for one in unread:
            if self._stopped.is_set():
                return
            batch.append((one, read(one, look.source.name_of(one.path, one.origin), key)))
            look.beat()
            if time.monotonic() - told >= BATCH_S:
                self._catalog.keep(batch)
                self._say(look, Report(key, "reading", tuple(model for _, model in batch)))
                batch, told = [], time.monotonic()
            time.sleep(_BREATH_S)
        self._catalog.keep(batch)
        self._say(look, Report(key, "done", tuple(model for _, model in batch)), over=True)

    def _say(self, look: _Look, report: Report, *, over: bool = False) -> None:
        look.beat()
        if self._stopped.is_set():
            return
        look.listed = look.listed or report.all
        self._tell(report)
        if over:
            with self._ended:
                look.over = True
                self._ended.notify_all()

    def _watch(self) -> None:
        """Gives up on sources that stand still; one that moves again is listened to all the same."""
        while True:
            with self._ended:
                if self._ended.wait_for(lambda: all(look.over for look in self._looks), self._patience_s / 4):
                    return
            now = time.monotonic()
            for look in self._looks:
                if not look.over and now - look.moved > self._patience_s:
                    known = tuple(self._catalog.of_source(look.source.key)) if not look.listed else ()
                    self._say(look, Report(look.source.key, "no_answer", known, all=not look.listed), over=True)


class _Look:
    """How far one source is."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.moved = time.monotonic()
        self.listed = False
        self.over = False

    def beat(self) -> None:
        """It moved."""
        self.moved = time.monotonic()


def merge(by_source: Iterator[Sequence[ModelFile]] | Sequence[Sequence[ModelFile]]) -> list[ModelFile]:
    """The sources' files as one list, in their order; a file that several have (by links) counts once."""
    seen: set[str] = set()
    merged = []
    for models in by_source:
        for model in models:
            identity = model.file_id or model.path
            if identity not in seen:
                seen.add(identity)
                merged.append(model)
    return merged


def _exists(place: Path) -> bool:
    try:
        place.stat()
    except OSError:
        return False
    return True
