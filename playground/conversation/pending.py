"""Writes that are not on disk yet: the latest of each thing wins, growing texts are paced."""

from __future__ import annotations

from typing import TypeAlias

from playground.conversation.rows import Write

Key: TypeAlias = tuple[str, str]
"""What a write is about: ``("node", id)``, ``("grow", id)``, ``("chat", id)``, ``("title", id)``…"""

PACE_S = 0.5
"""Seconds between two writes of the same growing text."""


class Pending:
    """An ordered set of writes. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._writes: dict[Key, Write] = {}
        self._grown: dict[str, float] = {}
        """When a node's growing text was last taken."""

    def __len__(self) -> int:
        return len(self._writes)

    def put(self, key: Key, write: Write) -> None:
        """Write this soon. Turns keep their place, which is their order of creation; others go to the end."""
        if key[0] == "node":
            self._writes.pop(("grow", key[1]), None)
            self._grown.pop(key[1], None)
        else:
            self._writes.pop(key, None)
        self._writes[key] = write

    def grow(self, node_id: str, write: Write) -> None:
        """Write this within ``PACE_S``, unless something newer comes."""
        self._writes[("grow", node_id)] = write

    def wait_s(self, now: float) -> float | None:
        """Seconds until something is due; None when nothing is pending."""
        if not self._writes:
            return None
        return max(0.0, min(self._due(key) for key in self._writes) - now)

    def take(self, now: float, everything: bool) -> dict[Key, Write]:
        """Remove and return what is due, or all."""
        taken = {key: write for key, write in self._writes.items() if everything or self._due(key) <= now}
        for key in taken:
            del self._writes[key]
            if key[0] == "grow":
                self._grown[key[1]] = now
        return taken

    def give_back(self, batch: dict[Key, Write]) -> None:
        """Put back what could not be written, below what came since."""
        newer = self._writes
        merged: dict[Key, Write] = {}
        for key, write in batch.items():
            if key[0] == "node":
                merged[key] = newer.get(key, write)
            elif key not in newer and not (key[0] == "grow" and ("node", key[1]) in newer):
                merged[key] = write
        self._writes = merged | newer

    def _due(self, key: Key) -> float:
        return self._grown.get(key[1], float("-inf")) + PACE_S if key[0] == "grow" else float("-inf")
