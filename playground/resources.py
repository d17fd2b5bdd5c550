"""Where the shipped files are: beside the package when installed, at the top level in a checkout."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Path of a shipped file, e.g. ``resource("icons", "plus.svg")``."""
    installed = _HERE / "_resources"
    return (installed if installed.is_dir() else _HERE.parent / "resources").joinpath(*parts)
