"""Bounds of whole numbers in messages; what lies beyond is no message."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
"""Times, bytes, numbers of requests: they and their differences fit the arrays of figures."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""Tokens, threads, layers: llama.cpp's own 32 bits."""
