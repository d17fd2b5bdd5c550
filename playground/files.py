"""Small files written whole: a reader sees the old one or the new one, never half of either."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from playground.translate import tr

MAX_JSON = 16 * 1024 * 1024
"""Bytes. Our own small files are a thousandth of it; more is not ours."""


def write_whole(path: Path, data: bytes) -> None:
    """Replace the file's content in one step; makes the folder. Raises OSError, the old file then stands."""
    import tempfile  # slow to import, and nothing is written before the window stands

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Keep a value as readable JSON. Raises OSError."""
    write_whole(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))


def read_json(path: Path) -> Any:
    """The value kept in a JSON file. Raises OSError, or ValueError for anything that is not JSON."""
    with path.open("rb") as file:
        data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise ValueError(tr("{name} is larger than {max_json} bytes", name=path.name, max_json=MAX_JSON))
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError(tr("{name} is nested too deeply", name=path.name)) from None
