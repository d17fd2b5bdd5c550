"""A repository's page: what its model is, the card, and its files as choices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from playground.hub.choices import Choice, RemoteFile, group
from playground.hub.client import Hub
from playground.hub.errors import HubError
from playground.hub.ranges import RemoteSource
from playground.hub.search import bases, read_found, tagged
from playground.models.digest import Cancelled
from playground.translate import tr

CARD = "README.md"
MAX_CARD = 512 * 1024
"""Bytes of a card that are read; longer ones end there."""

_REPO = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$")
_ADDRESS = re.compile(r"^(?:https?://[^/]+/|hf\.co/|huggingface\.co/)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """A repository at one version."""

    repo: str
    commit: str
    """The version that all of this is about; downloads and headers are asked for at it."""
    author: str
    licence: str
    """“apache-2.0”, or a name of its own; empty if unsaid."""
    licence_link: str
    gated: str
    """“auto”: open as soon as its terms are accepted; “manual”: its authors decide; empty: it is open."""
    base: tuple[str, ...]
    n_params: int
    n_ctx_train: int
    arch: str
    task: str
    languages: tuple[str, ...]
    tags: tuple[str, ...]
    downloads: int
    likes: int
    modified: datetime | None
    choices: tuple[Choice, ...]
    """Models first, the smallest first."""
    has_card: bool

    @property
    def chats(self) -> list[Choice]:
        """Choices that can be chatted with."""
        return [choice for choice in self.choices if not choice.problem]


def parse_repo(text: str) -> tuple[str, str]:
    """Repository and quant of “owner/name”, “owner/name:Q4_K_M” or the address of its page. Raises HubError."""
    given = _ADDRESS.sub("", text.strip()).split("?")[0].split("#")[0]
    name, _, quant = given.partition(":")
    parts = [part for part in name.split("/") if part]
    repo = "/".join(parts[:2])
    if len(parts) > 2 and parts[2] in ("blob", "resolve") and len(parts) > 4:
        quant = quant or "/".join(parts[4:])
    elif len(parts) > 2 and parts[2] != "tree":
        repo = name
    if not _REPO.match(repo) or ".." in repo or "--" in repo or repo.endswith((".git", ".gguf")):
        raise HubError(
            "missing", tr("“{name}” is no name of a model on the Hub; they look like “owner/name”.", name=text)
        )
    return repo, quant


def read_page(hub: Hub, repo: str, cancelled: Cancelled, revision: str = "") -> Page:
    """Ask the Hub for a repository. Blocks. Raises HubError, or GivenUp when cancelled."""
    info = hub.ask(
        lambda: hub.api().model_info(repo, revision=revision or None, files_metadata=True), cancelled, repo=repo
    )
    found = read_found(info)
    card = _card(info)
    tags = [tag for tag in info.tags or () if isinstance(tag, str)]
    files = [_file(sibling) for sibling in info.siblings or ()]
    licence = _text(card.get("license")) or found.licence
    named = _text(card.get("license_name"))
    return Page(
        repo=found.repo,
        commit=str(info.sha or ""),
        author=found.author,
        licence=named if licence == "other" and named else licence,
        licence_link=_text(card.get("license_link")),
        gated=info.gated if isinstance(info.gated, str) else "manual" if info.gated else "",
        base=found.base or bases(f"base_model:{name}" for name in _texts(card.get("base_model"))),
        n_params=found.n_params,
        n_ctx_train=found.n_ctx_train,
        arch=found.arch,
        task=found.task,
        languages=_texts(card.get("language")) or tuple(filter(None, [tagged(tags, "language:")])),
        tags=tuple(tags),
        downloads=found.downloads,
        likes=found.likes,
        modified=found.modified,
        choices=tuple(group(files, found.n_params)),
        has_card=any(file.path == CARD for file in files),
    )


def read_card(hub: Hub, page: Page, cancelled: Cancelled) -> str:
    """The card as Markdown, without the table of metadata at its head; a stranger's text. Empty without one.

    Blocks. Raises HubError, or GivenUp when cancelled.
    """
    if not page.has_card:
        return ""
    source = RemoteSource(hub, page.repo, page.commit, CARD, cancelled)
    text = source.head(MAX_CARD).decode("utf-8", "replace").lstrip("\ufeff")
    return _without_metadata(text)


def _without_metadata(text: str) -> str:
    lines = text.splitlines()
    if lines and lines[0].strip() == "---":
        for number, line in enumerate(lines[1:], 1):
            if line.strip() == "---":
                return "\n".join(lines[number + 1 :]).lstrip("\n")
    return "\n".join(lines)


def _card(info: Any) -> dict[str, Any]:
    return dict(info.card_data.to_dict()) if info.card_data is not None else {}


def _file(sibling: Any) -> RemoteFile:
    lfs = sibling.lfs
    size = sibling.size if isinstance(sibling.size, int) else lfs.size if lfs else 0
    return RemoteFile(str(sibling.rfilename), max(0, size), str(lfs.sha256 or "") if lfs else "")


def _text(value: Any) -> str:
    value = value[0] if isinstance(value, list) and value else value
    return value.strip() if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str) and text)
