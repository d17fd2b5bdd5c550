"""What a short measurement found best on this machine. Kept by the app, made and used by engines."""

from __future__ import annotations

import msgspec


class Measured(msgspec.Struct, frozen=True):
    """Thread counts and batch size; good as long as ``identity`` is that of the machine and the build."""

    identity: str
    n_threads: int
    """For writing."""
    n_threads_batch: int
    """For prompts."""
    n_ubatch: int = 0
    """0: not measured, llama.cpp's default stands."""
    token_ns: dict[int, int] = {}
    """Thread count to the median time of a token."""
    piece_ns: dict[int, int] = {}
    """Tokens of a prompt's piece to the time of each of its tokens."""
