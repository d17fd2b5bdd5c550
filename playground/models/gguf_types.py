"""What the numbers in a GGUF file mean: tensor types with their sizes, file types with their names.

From llama.cpp's ``ggml/include/ggml.h``, ``ggml/src/ggml-common.h`` and ``include/llama.h``.
"""

from __future__ import annotations

from collections.abc import Mapping

from playground.translate import later, tr

TENSOR_TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36),
    41: ("Q1_0", 128, 18),
    42: ("Q2_0", 64, 18),
}
"""Number to name, values in a block, bytes of a block."""

FILE_TYPES: Mapping[int, str] = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4_MOE",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}
"""``general.file_type`` to the name people use for it."""

_FIRST_BYTES: tuple[tuple[bytes, str, str], ...] = (
    (b"<!DOCTYPE html", "<!DOCTYPE html>", later("a web page saved under that name")),
    (b"<!doctype html", "<!doctype html>", later("a web page saved under that name")),
    (b"<html", "<html>", later("a web page saved under that name")),
    (b"<?xml", "<?xml", later("an XML document, perhaps a server’s refusal")),
    (b"version https://git-lfs", "“version https://git-lfs…”", later("a pointer of Git LFS, not the file itself")),
    (b"PK\x03\x04", "“PK”", later("a ZIP archive or a PyTorch file")),
    (b"\x1f\x8b", "1f 8b", later("a gzip archive; unpack it first")),
    (b"7z\xbc\xaf", "“7z”", later("a 7-Zip archive; unpack it first")),
    (b"%PDF", "“%PDF”", later("a PDF document")),
    (b"\x89PNG", "“PNG”", later("a picture")),
    (b"\xff\xd8\xff", "ff d8 ff", later("a picture")),
    (b"\x7fELF", "“ELF”", later("a program")),
    (b"\x80\x02", "80 02", later("a Python pickle, perhaps PyTorch weights")),
    (b"\x89HDF", "“HDF”", later("an HDF5 file")),
    (b"lmgg", "“ggml”", later("a model in llama.cpp’s format of 2023; look for a GGUF of it")),
    (b"fmgg", "“ggmf”", later("a model in llama.cpp’s format of 2023; look for a GGUF of it")),
    (b"tjgg", "“ggjt”", later("a model in llama.cpp’s format of 2023; look for a GGUF of it")),
    (b"algg", "“ggla”", later("an adapter in llama.cpp’s format of 2023")),
    (b"FUGG", "“FUGG”", later("a GGUF written for big-endian machines")),
)


def what_it_is(head: bytes) -> str:
    """What a file that isn't a GGUF begins with, and what that means, in words without a full stop."""
    if not head.strip(b"\0"):
        return tr("It begins with zeros: a download that was never filled")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, shown, meaning in _FIRST_BYTES:
        if text.startswith(start):
            return tr("It begins with {shown}: {meaning}", shown=shown, meaning=tr(meaning))
    if head[8:10] == b'{"':
        return tr("It begins with a list of tensors in JSON: a safetensors file; look for a GGUF of that model")
    if text[:1] in (b"{", b"["):
        return tr("It begins with “{head}”: a JSON text", head=_printable(text[:16]))
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in head):
        return tr("It begins with “{head}”: a text", head=_printable(head[:24]))
    return tr("It begins with the bytes {head}, not with “GGUF”", head=head[:8].hex(" "))


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else " " for byte in data).strip()
