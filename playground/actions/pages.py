"""The window's pages: one row each. Toolbar, keys and palette derive from it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Page:
    """One page. The composition root knows how to make it."""

    id: str
    title: str
    help: str
    key: str
    """Qt's portable key name."""


CHAT = "chat"
PAGES = (
    Page(CHAT, "Chat", "Lanes, plots and settings", "Alt+1"),
    Page("models", "Models", "What is on this machine, and what the Hugging Face Hub has", "Alt+2"),
    Page("bench", "Bench", "How fast models read and write on this machine", "Alt+3"),
)
