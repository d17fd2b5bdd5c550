"""A model in several files, as llama.cpp splits it: ``NAME-00001-of-00003.gguf`` and those beside it."""

from __future__ import annotations

import re
from pathlib import Path

from playground.engine.header import Header, LoadError, check
from playground.translate import tr

_FIRST = re.compile(r"(.*)-00001-of-(\d{5})\.gguf", re.DOTALL)
_MOST = 999


def parts_of(path: Path) -> list[Path]:
    """The file, or all parts of a model in several, going by its name."""
    found = _FIRST.fullmatch(path.name)
    if found is None or not 1 < int(found[2]) <= _MOST:
        return [path]
    return [path.with_name(f"{found[1]}-{n:05}-of-{found[2]}.gguf") for n in range(1, int(found[2]) + 1)]


def check_model(path: str) -> Header:
    """The header of the first file with the tensors of all. Raises LoadError when llama.cpp could not load them."""
    header = check(path)
    count = header.number("split.count")
    if count < 2:
        return header
    name, number = Path(path).name, header.number("split.no") + 1
    if number != 1:
        raise LoadError(
            "other",
            tr(
                "“{name}” is part {number} of a model in {count} files. Put all parts in one folder and open the "
                "first.",
                name=name,
                number=number,
                count=count,
            ),
        )
    parts = parts_of(Path(path))
    if len(parts) != count:
        raise LoadError(
            "other",
            tr(
                "“{name}” is the first of {count} files, and by their names llama.cpp finds the others: it must end in "
                "“-00001-of-{count:05}.gguf”. Give all parts the names that they were published with.",
                name=name,
                count=count,
            ),
        )
    for n, part in enumerate(parts[1:], 2):
        if not part.exists():
            raise LoadError(
                "missing",
                tr(
                    "Part {n} of {count} is missing: “{part}”. Put all parts in one folder with “{name}”.",
                    n=n,
                    count=count,
                    part=part.name,
                    name=name,
                ),
            )
        header.tensors += check(str(part)).tensors
    if not header.tensors:
        raise LoadError(
            "unsupported", tr("“{name}” and its parts hold no weights. Choose the model itself.", name=name)
        )
    return header
