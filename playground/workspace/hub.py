"""The Hub as the window has it: results as they come, one page open, and what its files mean for this machine.

Nothing here blocks: all that asks the Hub or reads the disk runs in the background, and what is no longer wanted
by the time it comes is dropped. The line itself is cut short by the question's own `Wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playground.fit.estimate import Options
from playground.fit.gpu import Gpu
from playground.models.digest import GivenUp
from playground.workspace.ports import Background
from playground.workspace.signal import Signal

if TYPE_CHECKING:
    from playground.hub.choices import Choice
    from playground.hub.client import Hub
    from playground.hub.page import Page
    from playground.hub.remote_model import RemoteModel
    from playground.hub.search import Found, Query
    from playground.hub.shelf import Shelf
    from playground.hub.verdict import Judged

Stage: TypeAlias = Literal["idle", "asking", "ready", "end", "failed"]
"""``ready``: there is more; ``end``: there is nothing more."""


MAX_HEADERS = 12
"""Headers that are kept for going back to a page; each was some megabytes over the line."""


class Wanted:
    """Says of a question whether its answer is still wanted; called from its thread."""

    def __init__(self) -> None:
        self._dropped = False

    def drop(self) -> None:
        """It isn't any more."""
        self._dropped = True

    def __call__(self) -> bool:
        """Whether it was dropped: what the Hub room calls `cancelled`."""
        return self._dropped


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there was no answer: its kind, see `hub.errors.HubFault`, and a sentence."""

    kind: str
    text: str


@dataclass(slots=True)
class OpenPage:
    """A repository on screen; its parts come one after another."""

    repo: str
    stage: Stage = "asking"
    message: str = ""
    """Why it failed."""
    fault: str = ""
    """What kind of failure, of the page or the header, see `Trouble`."""
    page: Page | None = None
    card: str = ""
    header: Stage = "idle"
    header_message: str = ""
    """Why there are no verdicts."""
    model: RemoteModel | None = None
    chosen: Choice | None = None
    judged: list[Judged] = field(default_factory=list)


class HubSearch:
    """One search at a time; a new one drops the one before."""

    def __init__(self, hub: Callable[[], Hub], background: Background) -> None:
        self._hub, self._background = hub, background
        self._wanted = Wanted()
        self._pages: Iterator[list[Found]] | None = None
        self.query: Query | None = None
        self.found: list[Found] = []
        self.stage: Stage = "idle"
        self.message = ""
        self.changed: Signal[[]] = Signal()

    def search(self, query: Query) -> None:
        """Look for something else."""
        self.stop()
        self.query, self.found, self.message = query, [], ""
        wanted = self._wanted

        def begin() -> tuple[Iterator[list[Found]], list[Found] | None]:
            from playground.hub.search import search

            pages = search(self._hub(), query, wanted)
            return pages, next(pages, None)

        self._ask(begin)

    def more(self) -> None:
        """The next page, when the view is near its end."""
        if self.stage == "ready" and self._pages is not None:
            pages = self._pages
            self._ask(lambda: (pages, next(pages, None)))

    def stop(self) -> None:
        """Drop what is under way."""
        self._wanted.drop()
        self._wanted = Wanted()
        self._pages = None
        if self.stage == "asking":
            self.stage = "idle"

    def _ask(self, work: Callable[[], tuple[Iterator[list[Found]], list[Found] | None]]) -> None:
        self.stage = "asking"
        wanted = self._wanted

        def came(answer: Any) -> None:
            if wanted() or answer is None:
                return
            if isinstance(answer, Trouble):
                self.stage, self.message = "failed", answer.text
            else:
                self._pages, page = answer
                self.found += page or ()
                self.stage = "end" if page is None else "ready"
            self.changed.emit()

        self._background(lambda: _answer(work), came)
        self.changed.emit()


class HubPages:
    """The page that is open, with verdicts for the load options that are set."""

    def __init__(
        self,
        hub: Callable[[], Hub],
        background: Background,
        config: Path,
        busy: Callable[[], bool],
        gpu: Callable[[], Gpu] = Gpu,
    ) -> None:
        """``config``: where measurements are kept; ``busy``: someone writes, so none is made now.

        ``gpu``: the one that engines have told of.
        """
        self._hub, self._background, self._gpu = hub, background, gpu
        self._config, self._busy = config, busy
        self._wanted, self._judging = Wanted(), Wanted()
        self._headers: dict[tuple[str, str, str], RemoteModel] = {}
        self.options = Options()
        self.open_page: OpenPage | None = None
        self.shelf: Shelf | None = None
        self.changed: Signal[[]] = Signal()

    def read_shelf(self) -> None:
        """Read the shelf; `changed` tells when it is there."""

        def read() -> Shelf:
            from playground.hub.shelf import read_shelf

            return read_shelf()

        def came(shelf: Shelf) -> None:
            self.shelf = shelf
            self.changed.emit()

        self._background(read, came)

    def open(self, repo: str) -> None:
        """Show a repository: its facts first, then the card, a header, the verdicts."""
        self.close()
        shown = self.open_page = OpenPage(repo)
        wanted = self._wanted

        def read() -> Page:
            from playground.hub.page import parse_repo, read_page

            return read_page(self._hub(), parse_repo(repo)[0], wanted)

        def came(page: Page | Trouble | None) -> None:
            if isinstance(page, Trouble):
                shown.stage, shown.message, shown.fault = "failed", page.text, page.kind
            elif page is not None:
                shown.page, shown.stage = page, "ready"
                self._read_card(shown, page)
                if page.chats:
                    self.choose(page.chats[0] if len(page.chats) == 1 else _preferred(page.chats))
            self.changed.emit()

        self._ask(wanted, read, came)
        self.changed.emit()

    def close(self) -> None:
        """Show none; what is under way is dropped."""
        self._wanted.drop()
        self._judging.drop()
        self._wanted, self._judging = Wanted(), Wanted()
        self.open_page = None

    def choose(self, choice: Choice) -> None:
        """Read this file's header: its verdict is exact then, the others follow from it."""
        shown = self.open_page
        if shown is None or shown.page is None:
            return
        page, wanted = shown.page, self._wanted
        shown.chosen, shown.header = choice, "asking"

        key = page.repo, page.commit, choice.path

        def read() -> RemoteModel:
            from playground.hub.remote_model import read_remote

            return self._headers.get(key) or read_remote(self._hub(), page, choice, wanted)

        def came(model: RemoteModel | Trouble | None) -> None:
            if shown.chosen != choice:
                return
            if isinstance(model, Trouble):
                shown.header, shown.header_message, shown.fault = "failed", model.text, model.kind
            elif model is not None:
                shown.model, shown.header, shown.header_message, shown.fault = model, "ready", "", ""
                self._headers[key] = model
                while len(self._headers) > MAX_HEADERS:
                    self._headers.pop(next(iter(self._headers)))
                self.judge()
            self.changed.emit()

        self._ask(wanted, read, came)

    def set_options(self, options: Options) -> None:
        """Judge for other load options; the newest counts."""
        if options != self.options:
            self.options = options
            self.judge()

    def judge(self) -> None:
        """Judge anew, as when memory was given back."""
        shown = self.open_page
        if shown is None or shown.page is None or shown.model is None:
            return
        self._judging.drop()
        wanted = self._judging = Wanted()
        model, choices, options, measure = shown.model, shown.page.chats, self.options, not self._busy()
        gpu = self._gpu()

        def judge() -> list[Judged]:
            from playground.hub.this_machine import read_machine
            from playground.hub.verdict import judge_all

            if wanted():
                raise GivenUp  # the slider has moved on
            return judge_all(model, choices, options, read_machine(self._config, measure=measure, gpu=gpu))

        def came(judged: list[Judged] | Trouble | None) -> None:
            if isinstance(judged, list):
                shown.judged = judged
            self.changed.emit()

        self._ask(wanted, judge, came)

    def _read_card(self, shown: OpenPage, page: Page) -> None:
        wanted = self._wanted

        def read() -> str:
            from playground.hub.page import read_card

            return read_card(self._hub(), page, wanted)

        def came(card: str | None) -> None:
            # A card that can't be read is told by nothing: the page stands without.
            shown.card = card or ""
            self.changed.emit()

        self._background(lambda: _answer(read, tell=False), lambda card: None if wanted() else came(card))

    def _ask(self, wanted: Wanted, work: Callable[[], object], came: Callable[..., None]) -> None:
        self._background(lambda: _answer(work), lambda answer: None if wanted() else came(answer))


def _answer(work: Callable[[], object], *, tell: bool = True) -> object:
    """What the work gave; `Trouble` where the Hub didn't, None where it was given up."""
    from playground.hub.errors import HubError

    try:
        return work()
    except GivenUp:
        return None
    except HubError as error:
        return Trouble(error.kind, str(error)) if tell else None


def _preferred(chats: Sequence[Choice]) -> Choice:
    from playground.hub.choices import preferred

    return preferred(chats)
