"""The user's folders: by platformdirs, all moved by ``PLAYGROUND_HOME``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APP = "playground"


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders that the app writes to; made when first needed."""

    data: Path
    """Chats."""
    config: Path
    """Settings and presets."""
    cache: Path
    logs: Path
    models: Path
    """Models that the app downloaded or made."""

    @property
    def states(self) -> Path:
        """What long chats left in their engines' memory; can be deleted at any time."""
        return self.cache / "states"

    @property
    def database(self) -> Path:
        """The chats' SQLite file."""
        return self.data / "chats.sqlite3"


def find_paths() -> Paths:
    """The folders in force; touches no disk."""
    home = os.environ.get("PLAYGROUND_HOME")
    if home:
        base = Path(home).expanduser().absolute()
        return Paths(base / "data", base / "config", base / "cache", base / "logs", base / "models")
    data = platformdirs.user_data_path(_APP, appauthor=False)
    return Paths(
        data,
        platformdirs.user_config_path(_APP, appauthor=False),
        platformdirs.user_cache_path(_APP, appauthor=False),
        platformdirs.user_log_path(_APP, appauthor=False),
        data / "models",
    )
