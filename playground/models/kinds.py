"""What a GGUF file is besides a model: told by its name at once, by its header for certain."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from playground.models.gguf import GgufHeader
from playground.translate import later

Kind: TypeAlias = Literal["model", "mmproj", "imatrix", "draft", "adapter", "vocabulary"]

KIND_WORDS: dict[Kind, str] = {
    "model": "model",
    "mmproj": later("image part (mmproj)"),
    "imatrix": later("importance matrix"),
    "draft": later("draft head"),
    "adapter": later("adapter (LoRA)"),
    "vocabulary": later("vocabulary only"),
}
"""As lists show it."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})(?:\.gguf)?$", re.IGNORECASE)
_BY_NAME: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"(^|[-_.])mmproj([-_.]|$)", re.IGNORECASE), "mmproj"),
    (re.compile(r"(^|[-_.])imatrix([-_.]|$)", re.IGNORECASE), "imatrix"),
    (re.compile(r"(^|[-_.])(eagle3?|mtp)[-_.](draft|head)|[-_.]draft[-_.]head", re.IGNORECASE), "draft"),
)


def kind_by_name(name: str) -> Kind:
    """What a file's name makes it; “model” when nothing speaks against it."""
    return next((kind for pattern, kind in _BY_NAME if pattern.search(name)), "model")


def kind_of(header: GgufHeader, name: str) -> Kind:
    """What a file is by its header; its name counts only where the header says nothing."""
    said = header.text("general.type")
    if header.arch == "clip" or said == "mmproj":
        return "mmproj"
    if said == "imatrix":
        return "imatrix"
    if said == "adapter":
        return "adapter"
    if header.arch == "eagle3":
        return "draft"
    if header.n_tensors == 0 and header.n_vocab and header.split[1] < 2:
        return "vocabulary"
    return "imatrix" if not header.arch and kind_by_name(name) == "imatrix" else "model"


def part_of(name: str) -> tuple[int, int]:
    """Number from 1 and count of a split model's file by its name; (1, 1) for a whole one."""
    found = _PART.search(name)
    return (int(found[1]), int(found[2])) if found else (1, 1)


def part_names(name: str) -> list[str]:
    """The names of all files of the split model that begins with this one; only itself for a whole one."""
    found = _PART.search(name)
    if not found or int(found[2]) < 2:
        return [name]
    base, ending = name[: found.start()], name[len(name.removesuffix(".gguf").removesuffix(".GGUF")) :]
    # A made-up count must not make a list of a hundred thousand names.
    return [f"{base}-{number:05}-of-{found[2]}{ending}" for number in range(1, min(int(found[2]), 999) + 1)]
