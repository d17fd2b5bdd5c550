"""Where model files of ours and of other programs lie."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

MAX_SETTINGS = 1024 * 1024
"""Bytes of another program's settings that are looked at."""


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


def lm_studio() -> list[Path]:
    """LM Studio's models: its home, which a pointer file may move, and the folder chosen in its settings."""
    homes = [Path.home() / ".lmstudio", Path.home() / ".cache" / "lm-studio"]
    if moved := _read(Path.home() / ".lmstudio-home-pointer").strip():
        homes.insert(0, Path(moved))
    chosen = [_named(home / "settings.json", "downloadsFolder") for home in homes]
    return [*(Path(folder) for folder in chosen if folder), *(home / "models" for home in homes)]


def jan() -> list[Path]:
    """Jan's models: below its data folder, which its settings may move."""
    roots = [data / "Jan" for data in _program_data()]
    chosen = [_named(root / "settings.json", "data_folder") for root in roots]
    datas = [*(Path(folder) for folder in chosen if folder), *(root / "data" for root in roots), Path.home() / "jan"]
    return [folder for data in datas for folder in (data / "llamacpp" / "models", data / "models")]


def gpt4all() -> list[Path]:
    """GPT4All's models: its download folder, which its settings may move."""
    found = [data / "nomic.ai" / "GPT4All" for data in _program_data()]
    for data in _program_data():
        for line in _read(data / "nomic.ai" / "GPT4All.ini").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "modelPath" and value.strip():
                found.insert(0, Path(value.strip()))
    return found


def koboldcpp() -> list[Path]:
    """KoboldCpp has no folder of its own; people keep models beside it."""
    return [Path.home() / name for name in ("koboldcpp", "KoboldCpp")]


def llama_cpp() -> list[Path]:
    """What llama.cpp's own programs download into."""
    return [_llama_cache()]


def _read(path: Path) -> str:
    """A small text of another program; empty if there is none."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_SETTINGS).decode("utf-8", "replace")
    except OSError:
        return ""


def _named(path: Path, key: str) -> str:
    """A text from another program's JSON settings; empty if there is none."""
    try:
        said = json.loads(_read(path) or "{}")
    except (ValueError, RecursionError):
        return ""
    value = said.get(key) if isinstance(said, dict) else None
    return value if isinstance(value, str) else ""


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
