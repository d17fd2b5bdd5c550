"""What app and quantizer say to each other: one order in, events out, one JSON line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

import msgspec

_Message = TypeVar("_Message")

MAX_LINE = 1024 * 1024
"""Bytes."""


class Order(msgspec.Struct, frozen=True):
    """What to make. Paths are absolute."""

    source: str
    """The (first) file of the model."""
    target: str
    """Where to write; nothing has that name yet. Empty for a dry run."""
    file_type: int
    """``LLAMA_FTYPE_…``."""
    threads: int = 0
    """0: as many as this process may use."""
    imatrix: str = ""
    """File of an importance matrix, GGUF or llama.cpp's older form."""
    tensor_types: tuple[tuple[str, str], ...] = ()
    """Pairs of a regular expression on tensor names and a tensor type; the first that matches counts."""
    output_type: str = ""
    """Type of the output tensor; empty: as the mixture says."""
    embedding_type: str = ""
    """Type of the token table; empty: as the mixture says."""
    keep_output: bool = False
    """Leave the output tensor as it is."""
    pure: bool = False
    """All tensors in the base type, no mixture."""
    dry_run: bool = False
    """Only say what would come out."""
    metadata: tuple[tuple[str, str], ...] = ()
    """Texts to write into the new file's metadata."""


class Working(msgspec.Struct, tag="working", frozen=True):
    """How far it is."""

    done: int
    """Bytes of the source's tensors that are behind it."""
    total: int
    tensor: str
    """The one in work."""


class Planned(msgspec.Struct, tag="planned", frozen=True):
    """The end of a dry run."""

    size: int
    """Bytes of all tensors."""
    types: dict[str, int]
    """Tensors of each type."""
    n_fallback: int
    """Tensors whose rows didn't fit the wanted type."""
    needs_imatrix: bool


class Made(msgspec.Struct, tag="made", frozen=True):
    """The end of a real run: the file is written."""

    seconds: float
    n_fallback: int


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The end of a run that came to nothing."""

    message: str
    """A sentence for the user."""
    details: str = ""
    """llama.cpp's own words."""


Event: TypeAlias = Working | Planned | Made | Failed
End: TypeAlias = Planned | Made | Failed

_encode = msgspec.json.Encoder().encode
_decode_order = msgspec.json.Decoder(Order).decode
_decode_event = msgspec.json.Decoder(Event).decode


def encode(message: Order | Event) -> bytes:
    """A message as a line."""
    return _encode(message) + b"\n"


def decode_order(line: bytes) -> Order:
    """An order. Raises msgspec.MsgspecError."""
    return _read(_decode_order, line)


def decode_event(line: bytes) -> Event:
    """An event. Raises msgspec.MsgspecError."""
    event: Event = _read(_decode_event, line)
    return event


def _read(decode: Callable[[bytes], _Message], line: bytes) -> _Message:
    """What isn't text or is nested without end is no message either."""
    try:
        return decode(line)
    except (UnicodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
