"""llama.cpp's chat templates and vocabularies: from the source distribution that the binding was built from."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import peers

HOW = "llama.cpp's source isn't here; run: .venv/bin/python benchmarks/peers.py --source-only"

_MODELS = peers.tree() / "models"

TEMPLATES = sorted(_MODELS.glob("templates/*.jinja"))
"""Chat templates as models bring them; none where the source wasn't fetched."""


def vocabularies(*names: str) -> list[Path]:
    """Model files with nothing but a vocabulary; none where the source wasn't fetched."""
    return [path for name in names if (path := _MODELS / f"ggml-vocab-{name}.gguf").exists()]
