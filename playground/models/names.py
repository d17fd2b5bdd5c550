"""The name a model is shown by."""

from __future__ import annotations

import re
from pathlib import Path

from playground.models.gguf import GgufHeader

_QUANT = re.compile(
    r"[-_. ]((?:ud|i1|imat|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4|tq\d_\d|i?q\d+(?:_[a-z0-9]+)*|gguf))$",
    re.IGNORECASE,
)
_PART = re.compile(r"-\d{5}-of-\d{5}$")
_SAYS_NOTHING = re.compile(
    r"^(ggml[-_ ]?model|model|consolidated|weights|download|unsloth|sha256.*|[0-9a-f]{16,})$", re.IGNORECASE
)


def display_name(header: GgufHeader | None, path: str | Path) -> str:
    """“SmolLM2 135M Instruct”: from the file's name, which is what a model is known by on the Hub.

    ``general.name`` is only the second choice; it often names a training run.
    """
    stem = _bare(Path(path).name)
    inner = _spaced(_bare(header.name)) if header else ""
    if _SAYS_NOTHING.match(stem) or not re.search(r"[A-Za-z]{3}", stem):
        return inner or _from_parts(header) or _spaced(stem) or Path(path).name
    spaced = _spaced(stem)
    # A file's name may have lost its capitals.
    return inner if inner.lower() == spaced.lower() else spaced


def _bare(name: str) -> str:
    """Without ending, part number and quant."""
    name = _PART.sub("", re.sub(r"\.gguf$", "", name, flags=re.IGNORECASE))
    while (cut := _QUANT.sub("", name)) != name and cut:
        name = cut
    return name


def _spaced(name: str) -> str:
    name = re.sub(r"(?<=\d)_(?=\d)", ".", name)
    return re.sub(r"(?<=[A-Za-z0-9)])[-_](?=[A-Za-z0-9(])", " ", name).replace("_", " ").strip()


def _from_parts(header: GgufHeader | None) -> str:
    if header is None:
        return ""
    parts = (
        header.text("general.basename") or header.arch,
        header.size_label,
        header.text("general.finetune"),
    )
    return " ".join(part for part in parts if part)
