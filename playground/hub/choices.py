"""A repository's files as choices: one for each quantization, its parts together, and what isn't a chat model aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.hub.errors import HubError
from playground.models.gguf_cursor import size_text
from playground.models.kinds import Kind, kind_by_name, part_of
from playground.models.names import bare, quant_in_name
from playground.translate import later, tr

_MEANT_FOR: dict[Kind, str] = {
    "model": later("a model"),
    "mmproj": later("the image part of a model, which is loaded beside it"),
    "imatrix": later("an importance matrix, which a quantizer weighs by"),
    "draft": later("a draft, which guesses ahead for a larger model"),
    "adapter": later("an adapter (LoRA), which is loaded onto a model"),
    "vocabulary": later("a vocabulary without weights"),
}

PREFERRED = ("Q4_K_M", "Q4_K_XL", "Q4_K_S", "Q4_0", "MXFP4_MOE", "IQ4_XS", "Q5_K_M", "Q4_1", "Q8_0")
"""What is offered first where nothing else decides: a good model at less than five bits a weight."""

_FOLDER_QUANT = re.compile(r"^((?:UD-)?(?:I?Q\d\w*|BF16|F16|F32|FP16|MXFP4\w*|NVFP4|TQ\d_\d))$", re.IGNORECASE)
_LEAST_BITS, _MOST_BITS = 0.9, 33.0
"""Bits a weight; outside of them the count of parameters is that of another model."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository."""

    path: str
    """In the repository, with its folders."""
    size: int
    """Bytes."""
    sha256: str = ""
    """Empty for small files, which the Hub keeps in git."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is downloaded together and loaded as one."""

    name: str
    """Of the model: the file's name without quant, part and ending."""
    quant: str
    """“Q4_K_M”; empty where the name has none."""
    kind: Kind
    files: tuple[RemoteFile, ...]
    """All parts, in their order."""
    n_parts: int
    """As the names say: more than there are files while an upload isn't finished."""
    bits_per_weight: float = 0.0
    """0: the number of parameters isn't known."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def path(self) -> str:
        """Of its first part, by which it is opened."""
        return self.files[0].path

    @property
    def label(self) -> str:
        """“Q4_K_M”, or the name where there is no quant."""
        return self.quant or self.name

    @property
    def is_complete(self) -> bool:
        """Whether all parts are there."""
        return len(self.files) == self.n_parts

    @property
    def problem(self) -> str:
        """Why it can't be chatted with, as a sentence; empty where it can."""
        if self.kind != "model":
            return tr("This is {what}.", what=tr(_MEANT_FOR[self.kind]))
        if not self.is_complete:
            return tr("The Hub has {files} of its {n_parts} parts.", files=len(self.files), n_parts=self.n_parts)
        return ""


def group(files: Iterable[RemoteFile], n_params: int = 0) -> list[Choice]:
    """A repository's GGUF files as choices, models first, the smallest first."""
    found: dict[tuple[str, int], list[tuple[int, RemoteFile]]] = {}
    for file in files:
        lower = file.path.lower()
        if lower.endswith(".gguf") or kind_of(file.path) == "imatrix":
            number, count = part_of(file.path)
            key = (file.path[: -len("-00001-of-00001.gguf")] if count > 1 else file.path, count)
            found.setdefault(key, []).append((number, file))
    choices = [_make(parts, count, n_params) for (_, count), parts in found.items()]
    order = list(_MEANT_FOR)
    return sorted(choices, key=lambda choice: (order.index(choice.kind), choice.size, choice.path))


def kind_of(path: str) -> Kind:
    """What a file is by its name, as people name them on the Hub; its header has the last word."""
    folders, _, name = path.lower().rpartition("/")
    words = re.split(r"[-_. ]", name)
    # A name with MTP further on is a whole model that has such heads; in front it is the heads alone.
    if words[0] == "mtp" or "mtp" in folders.split("/") or "draft" in words:
        return "draft"
    if name.endswith("imatrix.dat"):
        return "imatrix"
    kind = kind_by_name(name)
    # “…-imatrix-Q4_K_M.gguf” is a model that was weighed by one.
    return "model" if kind == "imatrix" and quant_in_name(name) else kind


def models(choices: Iterable[Choice]) -> list[Choice]:
    """Those that can be chatted with."""
    return [choice for choice in choices if not choice.problem]


def pick(choices: Sequence[Choice], quant: str, repo: str = "") -> Choice:
    """The choice that ``repo:quant`` names; without a quant the preferred one.

    ``quant`` may be a quant in any case, a file's path, or a part of its name that only one has. Raises HubError.
    """
    usable = models(choices)
    if not usable:
        raise HubError("file", _nothing(choices, repo))
    if not quant:
        return preferred(usable)
    wanted = quant.lower()
    tests = (
        lambda choice: choice.path.lower() == wanted or choice.path.lower().rpartition("/")[2] == wanted,
        lambda choice: choice.quant.lower() in (wanted, f"ud-{wanted}"),
        lambda choice: wanted in choice.path.lower(),
    )
    for test in tests:
        matching = [choice for choice in usable if test(choice)]
        if len(matching) == 1:
            return matching[0]
        if matching:
            exact = [choice for choice in matching if choice.quant.lower() == wanted]
            if len(exact) == 1:
                return exact[0]
            names = ", ".join(choice.path for choice in matching[:6])
            raise HubError(
                "file",
                tr(
                    "“{quant}” fits several files of {repo}: {names}. Give one of these names.",
                    quant=quant,
                    repo=repo,
                    names=names,
                ),
            )
    known = ", ".join(dict.fromkeys(choice.label for choice in usable))
    raise HubError("file", tr("{repo} has no “{quant}”; it has {known}.", repo=repo, quant=quant, known=known))


def preferred(usable: Sequence[Choice]) -> Choice:
    """What most people want of these: a common quant of four bits, else the smallest file."""
    for quant in PREFERRED:
        for choice in usable:
            if choice.quant.upper().removeprefix("UD-") == quant:
                return choice
    return usable[0]


def _make(parts: list[tuple[int, RemoteFile]], count: int, n_params: int) -> Choice:
    files = tuple(file for _, file in sorted(parts, key=lambda part: part[0]))
    path = files[0].path
    name = path.rpartition("/")[2]
    kind = kind_of(path)
    size = sum(file.size for file in files)
    bits = 8 * size / n_params if n_params and kind == "model" and len(files) == count else 0.0
    return Choice(
        name=bare(name),
        quant=_quant(path),
        kind=kind,
        files=files,
        n_parts=count,
        bits_per_weight=bits if _LEAST_BITS <= bits <= _MOST_BITS else 0.0,
    )


def _quant(path: str) -> str:
    """From the file's name, or from the folder that is called so."""
    folder, _, name = path.rpartition("/")
    quant = quant_in_name(name)
    if not quant and (found := _FOLDER_QUANT.match(folder.rpartition("/")[2])):
        return found[1].upper()
    # Unsloth's mixtures are other files than the plain ones of the same name, and lie beside them.
    before = name.upper().rfind(quant) if quant else -1
    mixed = before > 0 and re.search(r"(^|[-_.])UD[-_]$", name.upper()[:before])
    return f"UD-{quant}" if mixed else quant


def _nothing(choices: Sequence[Choice], repo: str) -> str:
    if not choices:
        return tr("{repo} has no GGUF files. Look for a repository with “GGUF” in its name.", repo=repo)
    whole = next((choice for choice in choices if choice.kind == "model"), None)
    if whole is not None:
        return tr("No model of {repo} is complete: {problem}", repo=repo, problem=whole.problem)
    first = choices[0]
    return tr(
        "{repo} has no model to chat with, only {what} ({size}).",
        repo=repo,
        what=tr(_MEANT_FOR[first.kind]),
        size=size_text(first.size),
    )
