"""What the harness says to models."""

from __future__ import annotations

import random

_WORDS = (
    "river", "stone", "lantern", "quiet", "harbour", "seven", "window", "maple", "thunder",
    "copper", "meadow", "orbit", "violin", "salt",
)  # fmt: skip
TALK = "Tell me a long story about the sea and the people who live by it."


def long_text(rng: random.Random, words: int) -> str:
    """A prompt that no cache knows; about a token a word for the starter, one a letter for small vocabularies."""
    return " ".join(rng.choice(_WORDS) for _ in range(words)) + ". Go on."
