"""Ollama's models: files named by their digest, and manifests that say which of them is which model.

A manifest lies at ``manifests/HOST/OWNER/MODEL/TAG`` and lists layers; the layer of the media type below is
a GGUF in ``blobs/sha256-DIGEST``. The default folders: ``OLLAMA_MODELS``, ``~/.ollama/models``, and that of
the Linux service's own user.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

_MODEL = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_USUAL = ("registry.ollama.ai", "library")
"""Host and owner that Ollama itself leaves out of a name."""
MAX_MANIFEST = 1024 * 1024
"""Bytes; a real one has some hundred."""
MAX_MANIFESTS = 2_000


def folders() -> list[Path]:
    """Where Ollama keeps its models."""
    places = [Path.home() / ".ollama" / "models"]
    if own := os.environ.get("OLLAMA_MODELS"):
        places.insert(0, Path(own).expanduser())
    if sys.platform.startswith("linux"):
        places.append(Path("/usr/share/ollama/.ollama/models"))
    return places


def find(folder: Path) -> Iterator[tuple[str, str]]:
    """The model files of one such folder, each with the name Ollama has for it. Never raises."""
    manifests = folder / "manifests"
    for path in islice(_walk(manifests, 4), MAX_MANIFESTS):
        blob = _model_blob(path)
        if blob is not None and (folder / "blobs" / blob).is_file():
            yield str(folder / "blobs" / blob), _name(path.relative_to(manifests).parts)


def _walk(folder: Path, levels: int) -> Iterator[Path]:
    """The files exactly so many levels below."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if is_folder and levels > 1:
            yield from _walk(Path(entry.path), levels - 1)
        elif not is_folder and levels == 1:
            yield Path(entry.path)


def _model_blob(manifest: Path) -> str | None:
    """The file name of a manifest's model; None where it has none or can't be read."""
    try:
        with manifest.open("rb") as file:
            said: Any = json.loads(file.read(MAX_MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    layers = said.get("layers") if isinstance(said, dict) else None
    for layer in layers if isinstance(layers, list) else []:
        if isinstance(layer, dict) and layer.get("mediaType") == _MODEL:
            # The digest becomes a path, so nothing but a digest may stand there.
            digest = _DIGEST.fullmatch(str(layer.get("digest")))
            return f"sha256-{digest[1]}" if digest else None
    return None


def _name(parts: tuple[str, ...]) -> str:
    """“llama3.2:3b”, “hf.co/owner/name:Q4_K_M”."""
    host, owner, model, tag = parts
    front = [] if (host, owner) == _USUAL else [owner] if host == _USUAL[0] else [host, owner]
    return f"{'/'.join([*front, model])}:{tag}"
