"""What llama.cpp says while it loads: kept for errors, read for the sizes of its buffers."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import dataclass

_DEBUG, _WARN, _ERROR, _CONTINUED = 1, 3, 4, 5
_MIB = 1024 * 1024
_BUFFER = re.compile(r"(\S+)\s+(model|KV|RS|compute|output|DSV4 .* state) buffer size =\s*([\d.]+) MiB")
_FLASH = re.compile(r"Flash Attention (enabled|disabled|not supported|was auto, set to enabled)")


@dataclass(slots=True)
class Buffers:
    """Sizes in bytes."""

    weights: int = 0
    repacked: int = 0
    kv: int = 0
    compute: int = 0
    gpu: int = 0


class LogLines:
    """Collects llama.cpp's log; warnings and errors go on to standard error, all of it while loading."""

    def __init__(self) -> None:
        self.loading = True
        self._level = 0
        self._lines: deque[tuple[int, str]] = deque(maxlen=2000)

    def hear(self, level: int, text: str) -> None:
        """One piece of log."""
        level = self._level if level == _CONTINUED else level
        self._level = level
        if level == _DEBUG:
            return
        self._lines.append((level, text))
        if self.loading or level in (_WARN, _ERROR):
            os.write(2, text.encode("utf-8", "replace"))

    def text(self) -> str:
        """All of it."""
        return "".join(text for _, text in self._lines)

    def errors(self) -> str:
        """Errors, else warnings: llama.cpp's own words on a failure."""
        for wanted in (_ERROR, _WARN):
            found = [text.strip() for level, text in self._lines if level == wanted]
            if found:
                return "\n".join(found[-8:])
        return ""

    def buffers(self) -> Buffers:
        """The buffers that the log speaks of."""
        sizes = Buffers()
        for name, kind, mib in _BUFFER.findall(self.text()):
            size = int(float(mib) * _MIB)
            if kind == "model":
                sizes.weights += size
                sizes.repacked += size if "REPACK" in name or "AMX" in name else 0
            elif kind in ("compute", "output"):
                sizes.compute += size
            else:
                sizes.kv += size
            sizes.gpu += size if _on_gpu(name) else 0
        return sizes

    def flash_attention(self) -> bool | None:
        """What “auto” came to; None: not said."""
        found = _FLASH.findall(self.text())
        return found[-1].endswith("enabled") if found else None


def _on_gpu(buffer: str) -> bool:
    """Host memory has “CPU” or “Host” in its buffer's name; BLAS and AMX compute in it."""
    return not any(word in buffer for word in ("CPU", "Host", "BLAS", "AMX"))
