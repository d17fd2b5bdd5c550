"""The file types llama.cpp can quantize to, each one row: the bits it comes to, and which tensors get which type.

Names and numbers: ``tools/quantize/quantize.cpp`` and ``include/llama.h``; the mixtures: ``src/llama-quant.cpp``.
A mixture's rule is a type, or (type, share of the layers, other type): so many layers get the first one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from playground.translate import later, tr

Rule: TypeAlias = str | tuple[str, float, str]

_HALF = 0.5
"""Of the layers: the first and the last eighth, and every third between."""
_EIGHTH = 0.125


@dataclass(frozen=True, slots=True)
class FileType:
    """A row."""

    name: str
    number: int
    """``LLAMA_FTYPE_…``."""
    base: str
    """Tensor type of all that no rule speaks of."""
    help: str
    mixture: Mapping[str, Rule] = field(default_factory=dict)
    """Part of a layer (“v”, “q”, “k”, “o”, “down”, “gate”, “up”) to its rule."""
    shared: Mapping[str, Rule] = field(default_factory=dict)
    """Replaces rules of ``mixture`` where four or more query heads share a key."""
    embedding: str = ""
    """Type of the token table where the output has a tensor of its own; empty: ``base``."""
    output: str = "Q6_K"
    """Type of the output tensor, or of the table that serves as one."""
    low_bit: bool = False
    """Useless without an importance matrix: llama.cpp refuses most models without one."""


FILE_TYPES: tuple[FileType, ...] = (
    FileType("Q8_0", 7, "Q8_0", later("8.5 bits; as good as the original for nearly everything"), output="Q8_0"),
    FileType("Q6_K", 18, "Q6_K", later("6.6 bits; hardly to be told from the original")),
    FileType("Q5_K_M", 17, "Q5_K", later("5.7 bits; very small losses"), {"v": ("Q6_K", _HALF, "Q5_K"), "down": ("Q6_K", _HALF, "Q5_K")}),
    FileType("Q5_K_S", 16, "Q5_K", later("5.5 bits")),
    FileType("Q5_1", 9, "Q5_1", later("6 bits; an older form, for rows that K-quants can’t cut")),
    FileType("Q5_0", 8, "Q5_0", later("5.5 bits; an older form, for rows that K-quants can’t cut")),
    FileType("Q4_K_M", 15, "Q4_K", later("4.9 bits; the usual choice"), {"v": ("Q6_K", _HALF, "Q4_K"), "down": ("Q6_K", _HALF, "Q4_K")}),
    FileType("Q4_K_S", 14, "Q4_K", later("4.6 bits"), {"v": ("Q5_K", _EIGHTH, "Q4_K"), "down": ("Q5_K", _EIGHTH, "Q4_K")}),
    FileType("Q4_1", 3, "Q4_1", later("5 bits; an older form")),
    FileType("Q4_0", 2, "Q4_0", later("4.5 bits; an older form, fast on processors that repack it")),
    FileType("IQ4_NL", 25, "IQ4_NL", later("4.5 bits, values spaced unevenly; slow to make"), {"down": ("Q5_K", _EIGHTH, "IQ4_NL")}, {"v": "Q5_K"}),
    FileType("IQ4_XS", 30, "IQ4_XS", later("4.3 bits, values spaced unevenly; slow to make"), {"down": ("Q5_K", _EIGHTH, "IQ4_XS")}, {"v": "Q5_K"}),
    FileType("MXFP4_MOE", 38, "Q8_0", later("experts in 4.25 bits of floating point, all else Q8_0"), {"experts": "MXFP4"}, output="Q8_0"),
    FileType("Q3_K_L", 13, "Q3_K", later("4.3 bits"), {"v": "Q5_K", "down": "Q5_K", "o": "Q5_K"}),
    FileType("Q3_K_M", 12, "Q3_K", later("3.9 bits; losses show"), {"v": "Q4_K", "down": "Q4_K", "o": "Q4_K"}),
    FileType("Q3_K_S", 11, "Q3_K", later("3.6 bits; clear losses")),
    FileType("IQ3_M", 27, "IQ3_S", later("3.7 bits; slow to make"), {"v": "Q4_K", "down": ("Q4_K", _EIGHTH, "IQ3_S"), "o": "Q4_K"}),
    FileType("IQ3_S", 26, "IQ3_S", later("3.5 bits; slow to make"), {}, {"v": "Q4_K"}),
    FileType("IQ3_XS", 22, "IQ3_S", later("3.3 bits; slow to make"), {"q": "IQ3_XXS", "k": "IQ3_XXS", "gate": ("IQ3_XXS", 0.75, "IQ3_S"), "up": ("IQ3_XXS", 0.75, "IQ3_S")}, {"v": "Q4_K"}, low_bit=True),
    FileType("IQ3_XXS", 23, "IQ3_XXS", later("3.1 bits; slow to make"), {"v": "IQ3_S", "q": "IQ2_S", "k": "IQ2_S", "o": "IQ3_S", "down": ("Q4_K", _EIGHTH, "Q3_K")}, {"v": "Q4_K"}, embedding="IQ3_S", output="Q5_K", low_bit=True),
    FileType("Q2_K", 10, "Q2_K", later("3.4 bits; large losses"), {"v": "Q3_K", "down": "Q3_K", "o": "Q3_K"}, {"v": "Q4_K"}),
    FileType("Q2_K_S", 21, "Q2_K", later("2.7 bits; large losses"), {"down": ("Q4_K", _EIGHTH, "Q2_K")}, {"v": "Q4_K"}, low_bit=True),
    FileType("IQ2_M", 29, "IQ2_S", later("2.7 bits; slow to make"), {"v": "IQ3_S", "o": "IQ3_S", "down": ("IQ3_S", _EIGHTH, "IQ2_S")}, {"v": "Q4_K"}, embedding="IQ3_S", output="Q5_K", low_bit=True),
    FileType("IQ2_S", 28, "IQ2_XS", later("2.5 bits; slow to make"), {"v": "IQ3_S", "o": "IQ3_S", "down": ("IQ3_S", _EIGHTH, "IQ2_XS")}, {"v": "Q4_K"}, embedding="IQ3_S", output="Q5_K", low_bit=True),
    FileType("IQ2_XS", 20, "IQ2_XS", later("2.3 bits; slow to make"), {"v": "Q2_K", "down": ("Q2_K", _EIGHTH, "IQ2_XS")}, {"v": "Q4_K"}, embedding="Q2_K", output="Q5_K", low_bit=True),
    FileType("IQ2_XXS", 19, "IQ2_XXS", later("2.1 bits; slow to make"), {"v": "Q2_K", "down": ("Q2_K", _EIGHTH, "IQ2_XXS")}, {"v": "Q4_K"}, embedding="Q2_K", output="Q5_K", low_bit=True),
    FileType("IQ1_M", 31, "IQ1_M", later("1.8 bits; a curiosity"), {"v": "Q2_K", "o": "IQ2_XXS", "down": ("Q2_K", _EIGHTH, "IQ1_M")}, {"v": "Q4_K"}, embedding="Q2_K", output="Q5_K", low_bit=True),
    FileType("IQ1_S", 24, "IQ1_S", later("1.6 bits; a curiosity"), {"v": "Q2_K", "o": "IQ2_XXS", "down": ("Q2_K", _EIGHTH, "IQ1_S")}, {"v": "Q4_K"}, embedding="Q2_K", output="Q5_K", low_bit=True),
    FileType("TQ2_0", 37, "TQ2_0", later("2.1 bits, for models trained with three values a weight"), embedding="Q4_K"),
    FileType("TQ1_0", 36, "TQ1_0", later("1.7 bits, for models trained with three values a weight"), embedding="Q4_K"),
    FileType("Q2_0", 41, "Q2_0", later("2.25 bits in groups of 64"), embedding="Q4_K"),
    FileType("Q1_0", 40, "Q1_0", later("1.1 bits, for models trained with two values a weight")),
    FileType("F16", 1, "F16", later("16 bits of floating point")),
    FileType("BF16", 32, "BF16", later("16 bits of floating point, with the range of 32")),
    FileType("F32", 0, "F32", later("32 bits of floating point")),
)  # fmt: skip
"""Best first within each kind."""

BY_NAME: Mapping[str, FileType] = MappingProxyType({row.name: row for row in FILE_TYPES})
_ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "MXFP4": "MXFP4_MOE"}
FLOATS = frozenset({"F32", "F16", "BF16", "F64"})
"""Tensor types that no quantizer has touched."""


class NoSuchType(LookupError):
    """A name that is no file type; the message is a sentence for the user."""


def file_type(name: str) -> FileType:
    """A row by its name, in any case; llama-quantize's short names go too. Raises NoSuchType."""
    wanted = name.strip().upper().replace("-", "_")
    found = BY_NAME.get(_ALIASES.get(wanted, wanted))
    if found is None:
        raise NoSuchType(
            tr(
                "There is no type “{name}”. There are: {value}.",
                name=name,
                value=", ".join(row.name for row in FILE_TYPES),
            )
        )
    return found
