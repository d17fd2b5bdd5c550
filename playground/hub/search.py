"""Searching the Hub for GGUF models, page by page as they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from playground.hub.client import Hub
from playground.models.digest import Cancelled
from playground.translate import later, tr

PAGE = 30
"""Results asked for at once."""

SORTS: Mapping[str, tuple[str, str]] = {
    "trending": ("trendingScore", later("What people look at now")),
    "downloads": ("downloads", later("Most downloaded in the last 30 days")),
    "likes": ("likes", later("Most liked")),
    "recent": ("lastModified", later("Changed last")),
    "new": ("createdAt", later("Published last")),
}
"""Name to the Hub's key and what it means."""

TASKS: Mapping[str, str] = {
    "text-generation": later("Writes text"),
    "image-text-to-text": later("Reads pictures and writes text"),
    "any-to-any": later("Takes and gives several kinds"),
    "text-ranking": later("Orders texts"),
    "feature-extraction": later("Turns text into vectors"),
    "translation": later("Translates"),
}
"""The Hub's tasks that GGUF models have; any other of the Hub's can be given too."""

FAMILIES: tuple[str, ...] = (
    "llama", "qwen2", "qwen3", "qwen3_moe", "qwen3_next", "gemma2", "gemma3", "gemma3n", "mistral", "mixtral", "phi3",
    "deepseek_v2", "deepseek_v3", "granite", "granitemoe", "olmo2", "smollm3", "gpt_oss", "glm4", "cohere2",
    "falcon_h1", "lfm2", "mamba", "bitnet",
)  # fmt: skip
"""Tags of families that open-weight models mostly have; any other can be given too."""

LICENCES: tuple[str, ...] = (
    "apache-2.0", "mit", "llama3.1", "llama3.2", "llama3.3", "llama4", "gemma", "cc-by-4.0", "cc-by-nc-4.0",
    "bsd-3-clause", "openrail", "other",
)  # fmt: skip
"""The licences' names on the Hub that open-weight models mostly have."""

LEAST_BITS = 4.5
"""Bits a weight of what is still a good quantization; tells whether a model can fit before its files are known."""

_FIELDS = (
    "author", "createdAt", "downloads", "gated", "gguf", "lastModified", "likes", "pipeline_tag", "private", "tags",
    "trendingScore",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; empty and 0 mean any."""

    text: str = ""
    """A part of the repository's name."""
    author: str = ""
    family: str = ""
    """An architecture or family as tag: “llama”, “qwen3”, “gemma3”; or a base model as “owner/name”."""
    task: str = ""
    licence: str = ""
    language: str = ""
    """“en”, “de”."""
    sort: str = "trending"
    """One of `SORTS`."""
    min_params: int = 0
    max_params: int = 0
    fits_bytes: int = 0
    """Memory that a model of some four bits a weight must fit into."""
    gated: bool | None = None

    @property
    def most_params(self) -> int:
        """Parameters beyond which nothing is wanted, from both limits; 0: no limit."""
        limits = [self.max_params, int(self.fits_bytes * 8 / LEAST_BITS)]
        return min((limit for limit in limits if limit), default=0)


@dataclass(frozen=True, slots=True)
class Found:
    """A repository as a list shows it."""

    repo: str
    author: str
    downloads: int
    likes: int
    licence: str
    gated: bool
    n_params: int
    """0: the Hub doesn't say."""
    arch: str
    n_ctx_train: int
    base: tuple[str, ...]
    """Repositories of the models that it was made from."""
    task: str
    modified: datetime | None
    created: datetime | None

    @property
    def name(self) -> str:
        """Without the author."""
        return self.repo.rpartition("/")[2]


def search(hub: Hub, query: Query, cancelled: Cancelled, page: int = PAGE) -> Iterator[list[Found]]:
    """Results, a page at a time; each page is asked for when it is wanted.

    Blocks while a page is fetched. Raises HubError, ValueError for an unknown order, and GivenUp when cancelled;
    after any of them it is over.
    """
    if query.sort not in SORTS:
        raise ValueError(tr("Sort by {sorts}, not by “{sort}”.", sorts=", ".join(SORTS), sort=query.sort))
    items = hub.ask(lambda: _items(hub, query, page), cancelled)
    while True:
        got = hub.ask(lambda: list(islice(items, page)), cancelled)
        kept = [found for found in map(read_found, got) if _wanted(query, found)]
        if kept or len(got) == page:
            yield kept
        if len(got) < page:
            return


def read_found(info: Any) -> Found:
    """What huggingface_hub's ModelInfo says; nothing of it is believed to be of its kind."""
    tags = [tag for tag in info.tags or () if isinstance(tag, str)]
    gguf = info.gguf if isinstance(info.gguf, dict) else {}
    return Found(
        repo=str(info.id),
        author=str(info.author or info.id.partition("/")[0]),
        downloads=_count(info.downloads),
        likes=_count(info.likes),
        licence=tagged(tags, "license:"),
        gated=bool(info.gated),
        n_params=_count(gguf.get("total")),
        arch=str(gguf.get("architecture") or ""),
        n_ctx_train=_count(gguf.get("context_length")),
        base=bases(tags),
        task=str(info.pipeline_tag or ""),
        modified=info.last_modified,
        created=info.created_at,
    )


def tagged(tags: Iterable[str], prefix: str) -> str:
    """What stands behind the first tag with that beginning."""
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")


def bases(tags: Iterable[str]) -> tuple[str, ...]:
    """“base_model:quantized:owner/name” and “base_model:owner/name” both name the same."""
    names = [tag.removeprefix("base_model:").rpartition(":")[2] for tag in tags if tag.startswith("base_model:")]
    return tuple(dict.fromkeys(name for name in names if "/" in name))


def _items(hub: Hub, query: Query, page: int) -> Iterator[Any]:
    """What ``HfApi.list_models`` asks and gives, but without end in small pages: its ``limit`` is both at once.

    Its pages would be of a thousand, with the template of each model in it: megabytes before the first is seen.
    """
    from huggingface_hub import ModelInfo
    from huggingface_hub.utils import paginate  # type: ignore[attr-defined]  # its list of names is made when run

    api = hub.api()
    tags = ["gguf"]
    tags += [f"license:{query.licence}"] if query.licence else []
    family = f"base_model:{query.family}" if "/" in query.family else query.family
    tags += [tag for tag in (family, query.language) if tag]
    most = query.most_params
    bounds = [f"min:{query.min_params}"] if query.min_params else []
    bounds += [f"max:{most}"] if most else []
    given: dict[str, Any] = {
        "search": query.text,
        "author": query.author,
        "pipeline_tag": query.task,
        "num_parameters": ",".join(bounds),
        "sort": SORTS[query.sort][0],
    }
    params = {name: value for name, value in given.items() if value}
    params |= {"filter": tags, "limit": page, "expand": list(_FIELDS)}
    params |= {} if query.gated is None else {"gated": query.gated}
    for item in paginate(f"{api.endpoint}/api/models", params=params, headers=hub.headers()):
        yield ModelInfo(**item)  # type: ignore[no-untyped-call]


def _wanted(query: Query, found: Found) -> bool:
    """The Hub counts parameters in its own way, and not of all; what it does say is held to."""
    if not found.n_params:
        return True
    return found.n_params >= query.min_params and found.n_params <= (query.most_params or found.n_params)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
