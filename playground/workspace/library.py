"""The library as the window has it: every model on this machine, what is known of it, and what can be done with it.

Nothing here blocks. The disk is looked at by the scanner's threads and in the background; everything changes on
the window's thread only, and ``changed`` tells of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.models import duplicates, following, library, notes, remembered, shelf, sources, trash
from playground.models.catalog import Catalog
from playground.models.digest import GivenUp
from playground.models.gguf import GgufError
from playground.models.library import ModelFile, Taken
from playground.models.notes import Note
from playground.models.scanner import Report, Scanner
from playground.models.sources import Source
from playground.paths import Paths
from playground.translate import tr
from playground.workspace.known_models import to_ref
from playground.workspace.lane import ModelRef
from playground.workspace.ports import Background, Post
from playground.workspace.signal import Signal

if TYPE_CHECKING:
    from playground.models.inspect import Inspected
    from playground.models.verify import Verified
    from playground.workspace.jobs import Job, Jobs

MIN_DRAWN = 16
"""Tokens an answer must have for its speed to count."""


class Library:
    """All models, filling in while the disk is looked at."""

    def __init__(self, paths: Paths, post: Post, background: Background, tell: Callable[[str], None]) -> None:
        """``tell`` shows a sentence to the user."""
        self._paths, self._post, self._background, self._tell = paths, post, background, tell
        self._scanner: Scanner | None = None
        self._catalog: Catalog | None = None
        self._taken = Taken(())
        self._look = 0
        self._closed = False
        self.rows: list[Source] = []
        """The sources that were looked at, in order."""
        self.notes: dict[str, Note] = {}
        """By path."""
        self.twins: dict[str, list[ModelFile]] = {}
        """A path to all files of the same content, itself among them."""
        self.scanning = False
        self.changed: Signal[[]] = Signal()
        self.looked: Signal[[list[ModelRef]]] = Signal()
        """A look at the disk is over and found other models than the one before: those that lanes can load."""
        self._told: list[ModelRef] = []
        self._fetched: frozenset[str] = frozenset()
        """Paths in the Hub's cache that this app has put there."""

    @property
    def models(self) -> list[ModelFile]:
        """All files, of whatever kind, in the order of their sources."""
        return self._taken.models()

    @property
    def states(self) -> dict[str, str]:
        """How far each source is, by its key, see `scanner.State`."""
        return self._taken.states

    def arrange(self, text: str = "", sort: str = "name", *, all_kinds: bool = False) -> list[ModelFile]:
        """What a list shows: the models with these words, sorted; image parts and the like only if asked for."""
        shown = [model for model in self.models if all_kinds or model.kind == "model"]
        return shelf.arrange(shown, self.notes, text, sort)

    def note(self, path: str) -> Note:
        """What is known of a model besides its file."""
        return self.notes.get(path, Note())

    def find(self, path: str) -> ModelFile | None:
        """A model by its path."""
        return next((model for model in self.models if model.path == path), None)

    def refresh(self) -> None:
        """Look at the disk; what is shown stays until something better is known."""
        if self._scanner is not None:
            self._scanner.stop()
            self._scanner = None
        self._look += 1
        look, self.scanning = self._look, True
        self.changed.emit()
        self._background(self._open, lambda opened: self._begin(look, *opened))

    def follow(self, jobs: Jobs) -> None:
        """Note of every answer when its model was used, and how fast it was."""
        jobs.ended.connect(self._answered)

    def label(self, path: str, text: str) -> None:
        """Give a model a word of the user's own; empty takes it away."""
        self._change(path, label=text)

    def may_delete(self, model: ModelFile) -> bool:
        """Whether `delete` would do it, as far as can be told without the disk."""
        return (
            model.source_key == "ours"
            or Path(model.path).is_relative_to(self._paths.models)
            or model.path in self._fetched
        )

    def is_shared(self, model: ModelFile) -> bool:
        """Whether other programs find it, too, since it lies in the Hub's cache."""
        return model.path in self._fetched

    def delete(self, path: str, done: Callable[[str], None] = lambda _: None) -> None:
        """Put a model of ours into the trash; ``done`` gets an empty text, or a sentence on why not."""
        model = self.find(path)
        if model is None:
            done(tr("That model isn’t in the library any more."))
            return

        def work() -> str:
            from playground.downloads import fetched

            try:
                fetched.delete(self._paths, model)
            except trash.NotDeleted as error:
                return str(error)
            return ""

        def then(problem: str) -> None:
            if not problem:
                self.notes.pop(path, None)
                self.refresh()
            done(problem)

        self._background(work, then)

    def add_folder(self, folder: str) -> None:
        """List a folder's models from now on."""
        self._with_folder(lambda: remembered.add_folder(self._paths, Path(folder)))

    def remove_folder(self, folder: str) -> None:
        """List them no longer; the folder stays as it is."""
        self._with_folder(lambda: remembered.remove_folder(self._paths, Path(folder)))

    def inspect(self, path: str, reply: Callable[[Inspected | str], None]) -> None:
        """Everything a file says of itself, or a sentence on why that can't be had."""

        def work() -> Inspected | str:
            from playground.models.inspect import inspect

            try:
                return inspect(Path(path))
            except GgufError as error:
                return str(error)

        self._background(work, reply)

    def verify(
        self, path: str, progress: Callable[[float], None], reply: Callable[[Verified | str], None]
    ) -> Callable[[], None]:
        """Read a file whole and compare its digest; a function that cancels. A sentence if it can't be read."""
        cancelled = threading.Event()
        told = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > 0.1:
                told = time.monotonic()
                self._post(lambda: progress(done / max(1, total)))

        def run() -> None:
            from playground.models.verify import verify

            catalog = Catalog(self._paths.cache)
            try:
                found: Verified | str = verify(library.describe(Path(path)), catalog, tell, cancelled.is_set)
            except OSError as error:
                found = tr("“{name}” can’t be read: {reason}.", name=Path(path).name, reason=error.strerror)
            except GivenUp:
                return
            finally:
                catalog.close()
            self._post(lambda: reply(found))

        # A thread of its own: minutes of reading must not keep the background's few threads from others.
        threading.Thread(target=run, name="verify", daemon=True).start()
        return cancelled.set

    def close(self) -> None:
        """Let the disk alone."""
        self._closed = True
        if self._scanner is not None:
            self._scanner.stop()

    def _open(self) -> tuple[list[Source], Catalog, dict[str, Note], frozenset[str]]:
        from playground.downloads import fetched, record

        mine = frozenset(fetched.load(record.folder_of(self._paths)))
        catalog = self._catalog or Catalog(self._paths.cache)
        return sources.all_sources(self._paths), catalog, notes.load(self._paths), mine

    def _begin(
        self, look: int, rows: list[Source], catalog: Catalog, known: dict[str, Note], fetched: frozenset[str]
    ) -> None:
        if look != self._look or self._closed:
            return
        self._catalog, self.rows, self.notes, self._fetched = catalog, rows, known, fetched
        shown, self._taken = self._taken, Taken(row.key for row in rows)
        self._taken.keep(shown)
        self._scanner = Scanner(self._paths, rows, catalog, lambda report: self._post(lambda: self._take(look, report)))
        self._scanner.start()
        self.changed.emit()

    def _take(self, look: int, report: Report) -> None:
        if look != self._look or self._closed:
            return
        self._taken.take(report)
        if all(state not in ("looking", "reading") for state in self.states.values()) and self.scanning:
            self.scanning = False
            self._look_for_twins(look)
            usable = [to_ref(model) for model in self.models if model.usable]
            if usable != self._told:
                self._told = usable
                self.looked.emit(usable)
        self.changed.emit()

    def _look_for_twins(self, look: int) -> None:
        models, catalog = self.models, self._catalog

        def work() -> tuple[list[list[ModelFile]], dict[str, str]]:
            assert catalog is not None
            try:
                moved = following.follow(self._paths, models, catalog)
            except OSError:
                moved = {}  # tried again at the next look
            return duplicates.find(models, catalog), moved

        def then(found: tuple[list[list[ModelFile]], dict[str, str]]) -> None:
            groups, moved = found
            for old, new in moved.items():
                if old in self.notes and new not in self.notes:
                    self.notes[new] = self.notes.pop(old)
            if look == self._look:
                self.twins = {model.path: group for group in groups for model in group}
                self.changed.emit()

        if catalog is not None:
            self._background(work, then)

    def _answered(self, job: Job) -> None:
        speed, drawn = job.node.record.get("tok_s"), job.node.record.get("n_drawn", 0)
        values: dict[str, Any] = {"last_used": time.time()}
        if isinstance(speed, int | float) and speed > 0 and drawn >= MIN_DRAWN:
            values["tok_s"] = round(float(speed), 2)
        self._change(job.engine.path, **values)

    def _change(self, path: str, **values: Any) -> None:
        self.notes[path] = notes.with_values(self.note(path), **values)
        self.changed.emit()
        model, catalog = self.find(path), self._catalog

        def work() -> str:
            try:
                content = following.content_of(model, catalog) if model is not None else ""
                notes.put(self._paths, path, lambda: self.note(path), content)
            except OSError as error:
                return tr("The library’s notes could not be saved: {reason}.", reason=error.strerror)
            return ""

        self._background(work, lambda problem: self._tell(problem) if problem else None)

    def _with_folder(self, change: Callable[[], None]) -> None:
        def work() -> str:
            try:
                change()
            except OSError as error:
                return str(error.strerror or error)
            return ""

        self._background(work, lambda problem: self._tell(problem) if problem else self.refresh())
