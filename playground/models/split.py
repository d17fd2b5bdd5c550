"""A model in several files read as one: the first file's header with what the others hold."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from playground.models.gguf import GgufHeader, read_header
from playground.models.kinds import part_names


def read_whole_header(path: str | os.PathLike[str]) -> GgufHeader:
    """Like `read_header`; of the first file of several with the tensors of all that its name leads to.

    Raises GgufError, also where one of the others is missing or damaged.
    """
    first = Path(path)
    header = read_header(first)
    number, count = header.split
    names = part_names(first.name)
    if number == 0 and count > 1 and len(names) == count:
        for name in names[1:]:
            _add(header, read_header(first.with_name(name)))
    return header


def _add(header: GgufHeader, part: GgufHeader) -> None:
    header.n_tensors += part.n_tensors
    header.tensor_bytes += part.tensor_bytes
    header.n_params += part.n_params
    header.types = dict(Counter(header.types) + Counter(part.types))
    header.type_bytes = dict(Counter(header.type_bytes) + Counter(part.type_bytes))
    header.tensors += part.tensors
