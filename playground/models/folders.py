"""Where model files of ours and of other programs lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playground.paths import Paths


@dataclass(frozen=True, slots=True)
class Place:
    """A folder to look for models in."""

    source: str
    """As the library shows it."""
    folder: Path
    depth: int = 6
    """How many levels of folders below it are looked into."""


def hub_cache() -> Path:
    """The Hub's cache, by the same variables as huggingface_hub, without importing it."""
    if folder := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(os.path.expandvars(folder)).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(os.path.expandvars(home)).expanduser() / "hub"
    return _xdg("XDG_CACHE_HOME", ".cache") / "huggingface" / "hub"


def places(paths: Paths) -> Iterator[Place]:
    """Our models folder first; then the Hub's cache and other programs' default folders, if they exist."""
    yield Place("models folder", paths.models)
    for place in (Place("Hub cache", hub_cache()), *_others()):
        try:
            if place.folder.is_dir():
                yield place
        except OSError:
            continue


def _others() -> Iterator[Place]:
    home = Path.home()
    yield Place("LM Studio", home / ".lmstudio" / "models")
    yield Place("LM Studio", home / ".cache" / "lm-studio" / "models")
    for data in _program_data():
        yield Place("Jan", data / "Jan" / "data" / "llamacpp" / "models")
        yield Place("Jan", data / "Jan" / "data" / "models")
        yield Place("GPT4All", data / "nomic.ai" / "GPT4All", 2)
    yield Place("Jan", home / "jan" / "models")
    yield Place("llama.cpp cache", _llama_cache(), 2)
    # KoboldCpp has no folder of its own; people keep models beside it.
    for name in ("koboldcpp", "KoboldCpp"):
        yield Place("KoboldCpp", home / name, 2)


def _program_data() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        return [Path(value) for name in ("APPDATA", "LOCALAPPDATA") if (value := os.environ.get(name))]
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support"]
    return [_xdg("XDG_CONFIG_HOME", ".config"), _xdg("XDG_DATA_HOME", ".local/share")]


def _llama_cache() -> Path:
    if folder := os.environ.get("LLAMA_CACHE"):
        return Path(folder)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "llama.cpp"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "llama.cpp"
    return _xdg("XDG_CACHE_HOME", ".cache") / "llama.cpp"


def _xdg(variable: str, default: str) -> Path:
    value = os.environ.get(variable)
    return Path(value) if value else Path.home() / default
