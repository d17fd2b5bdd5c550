"""The control groups that this process is in: folders with the kernel's limits on it, and its counters of it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def folders(controller: str, root: Path = ROOT, own: Path = OWN) -> list[Path]:
    """Our group's folder of a controller (“memory”, “cpu”), then the ones above it, whose limits count as well.

    Both of version 1's and of version 2's hierarchy; empty where there is neither. A process may be moved, so the
    kernel is asked each time.
    """
    try:
        with open(own, "rb", buffering=0) as file:
            text = file.read(1 << 16).decode("utf-8", "replace")
    except OSError:
        text = ""
    return _existing(text, controller, root)


@lru_cache(maxsize=8)
def _existing(text: str, controller: str, root: Path) -> list[Path]:
    """In a container the path may be the host's, of which only the root is there: the container's own group."""
    found: dict[Path, None] = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controller if controllers else root
        below = top / path.lstrip("/")
        for folder in (below, *below.parents):
            if folder.is_dir():
                found[folder] = None
            if folder == top:
                break
    for folder in (root / controller, root):
        if folder.is_dir():
            found[folder] = None
    return list(found)
