"""The shelf: good open-weight models by size, from ``resources/shelf.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from playground.hub.client import Hub
from playground.hub.errors import HubError
from playground.hub.page import Page, read_page
from playground.hub.search import LEAST_BITS
from playground.models.digest import Cancelled
from playground.resources import resource
from playground.translate import tr

FILE = "shelf.toml"


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Models of one size."""

    name: str
    about: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One model."""

    repo: str
    family: str
    size: str
    """Name of its `SizeClass`."""
    n_params: float
    """Billions."""
    active: float
    """Of them, those that compute a token."""
    licence: str
    why: str

    @property
    def name(self) -> str:
        """“gemma-3-270m-it”, from the repository's name."""
        name = self.repo.rpartition("/")[2]
        return name[:-5] if name.lower().endswith("-gguf") else name

    @property
    def least_bytes(self) -> int:
        """Memory for its weights at some four bits each."""
        return int(self.n_params * 1e9 * LEAST_BITS / 8)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All of it, smallest first."""

    sizes: tuple[SizeClass, ...]
    entries: tuple[Entry, ...]

    def of(self, size: SizeClass) -> list[Entry]:
        """The models of a size."""
        return [entry for entry in self.entries if entry.size == size.name]


def read_shelf() -> Shelf:
    """The shelf as it is shipped. Reads a small file."""
    with resource(FILE).open("rb") as file:
        table = tomllib.load(file)
    return Shelf(
        tuple(SizeClass(**row) for row in table["size"]),
        tuple(Entry(**{"active": row["n_params"], **row}) for row in table["model"]),
    )


def look_up(hub: Hub, entry: Entry, cancelled: Cancelled) -> Page | str:
    """The entry's page; or a sentence where the Hub no longer has it, or no file of it to chat with.

    Blocks. Raises HubError for everything that lies with the line, the Hub or the account.
    """
    try:
        page = read_page(hub, entry.repo, cancelled)
    except HubError as error:
        if error.kind == "missing":
            return tr(
                "The Hub no longer has {repo}. Search for “{name}” to find another copy.",
                repo=entry.repo,
                name=entry.name,
            )
        raise
    return page if page.chats else tr("{repo} has no GGUF files any more.", repo=entry.repo)
