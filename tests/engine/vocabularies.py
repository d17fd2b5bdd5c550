"""Vocabularies in the test's own process: model files loaded without weights, never decoded with."""

from __future__ import annotations

import functools
from pathlib import Path

from playground.engine.binding import lib, listen
from playground.engine.tokens import Vocab


@functools.cache
def vocabulary(path: Path) -> Vocab:
    """Loaded once, kept for all tests."""
    listen(lambda _level, _text: None)
    params = lib.llama_model_default_params()
    params.vocab_only = True
    model = lib.llama_model_load_from_file(str(path).encode(), params)
    assert model, path
    return Vocab(model)


def joined(vocab: Vocab, tokens: list[int]) -> bytes:
    """The bytes of all tokens, control tokens included."""
    return b"".join(vocab.piece(token) for token in tokens)
