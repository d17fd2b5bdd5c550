"""A model as several files, as llama.cpp's own tool splits it: only the first names the architecture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np


def split(path: Path, folder: Path, counts: Sequence[int]) -> list[Path]:
    """Into as many files as there are ``counts`` and one more: that many tensors in each, the last has the rest."""
    reader = gguf.GGUFReader(path)
    tensors = list(reader.tensors)
    n = len(counts) + 1
    names = [folder / f"{path.stem}-{number:05}-of-{n:05}.gguf" for number in range(1, n + 1)]
    at = 0
    for number, name in enumerate(names):
        writer = gguf.GGUFWriter(name, "llama")
        if number == 0:
            for key, field in reader.fields.items():
                if not key.startswith("GGUF.") and key != "general.architecture":
                    sub = field.types[1] if len(field.types) > 1 else None
                    writer.add_key_value(key, field.contents(), field.types[0], sub)
        else:
            writer.kv_data[0].pop("general.architecture")
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", n)
        writer.add_int32("split.tensors.count", len(tensors))
        end = at + counts[number] if number < len(counts) else len(tensors)
        for tensor in tensors[at:end]:
            writer.add_tensor(tensor.name, np.array(tensor.data), raw_dtype=tensor.tensor_type)
        at = end
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return names
