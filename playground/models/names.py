"""The name a model is shown by."""

from __future__ import annotations

import os
import re
from pathlib import Path

from playground.models.gguf import GgufHeader

_QUANT = re.compile(
    r"[-_. ]((?:ud|i1|imat|bf16|f16|f32|fp16|fp32|mxfp4(?:_moe)?|nvfp4|tq\d_\d|i?q\d+(?:_[a-z0-9]+)*|gguf))$",
    re.IGNORECASE,
)
_PART = re.compile(r"-\d{5}-of-\d{5}$")
_DECIMAL = re.compile(r"(?<=\d)_(?=\d)")
_JOIN = re.compile(r"(?<=[A-Za-z0-9)])[-_](?=[A-Za-z0-9(])")
_ENDING = re.compile(r"\.gguf$", re.IGNORECASE)
_SIZE = re.compile(r"(\d+x)?\d+(\.\d+)?[bmt]([-_]?a\d+(\.\d+)?[bm])?", re.IGNORECASE)
_OTHER_NAMES = {"FP16": "F16", "FP32": "F32", "MXFP4": "MXFP4_MOE"}
_SAYS_NOTHING = re.compile(
    r"^(ggml[-_ ]?model|model|consolidated|weights|download|unsloth|sha256.*|[0-9a-f]{16,})$", re.IGNORECASE
)


def display_name(header: GgufHeader | None, path: str | Path) -> str:
    """“SmolLM2 135M Instruct”: from the file's name, which is what a model is known by on the Hub.

    ``general.name`` is only the second choice; it often names a training run.
    """
    file = os.path.basename(os.fspath(path))
    stem = bare(file)
    inner = _spaced(bare(header.name)) if header else ""
    if _SAYS_NOTHING.match(stem) or not re.search(r"[A-Za-z]{3}", stem):
        return inner or _from_parts(header) or _spaced(stem) or file
    spaced = _spaced(stem)
    # A file's name may have lost its capitals.
    return inner if inner.lower() == spaced.lower() else spaced


def in_unicode(text: str) -> str:
    """A text to show, where a file's name in another encoding is in it."""
    return text.encode("utf-8", "replace").decode()


def bare(name: str) -> str:
    """A file's name without ending, part number and quant."""
    name = _PART.sub("", _ENDING.sub("", name))
    while (cut := _QUANT.sub("", name)) != name and cut:
        name = cut
    return name


def quant_in_name(name: str) -> str:
    """“Q4_K_M” from “model-Q4_K_M.gguf”; empty where a name has none."""
    stem = _PART.sub("", _ENDING.sub("", name))
    found = _QUANT.search(stem)
    quant = found[1].upper() if found else ""
    return "" if quant in ("GGUF", "UD", "I1", "IMAT") else _OTHER_NAMES.get(quant, quant)


def family(name: str) -> str:
    """“Qwen3” from “Qwen3 0.6B Base”: the words before the size, or the first one."""
    words = name.split()
    before = next((n for n, word in enumerate(words) if _SIZE.fullmatch(word)), 1)
    return " ".join(words[: max(1, before)])


def _spaced(name: str) -> str:
    return _JOIN.sub(" ", _DECIMAL.sub(".", name)).replace("_", " ").strip()


def _from_parts(header: GgufHeader | None) -> str:
    if header is None:
        return ""
    parts = (
        header.said("general.basename") or header.arch,
        header.size_label,
        header.said("general.finetune"),
    )
    return " ".join(part for part in parts if part)
