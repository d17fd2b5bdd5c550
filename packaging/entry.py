"""Where a bundle starts. It also is the engine and the quantizer, told apart by their first word."""

from __future__ import annotations

import os
import sys


def give_back_library_path() -> None:
    """Undo the bootloader's LD_LIBRARY_PATH: a browser that we open must load the system's libraries, not ours.

    This process has loaded by it already, and the bootloader of an engine sets it anew.
    """
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is None:
        os.environ.pop("LD_LIBRARY_PATH", None)
    else:
        os.environ["LD_LIBRARY_PATH"] = before


def have_a_locale() -> None:
    """Where none is set, characters are UTF-8, as Python itself settles it (PEP 538); Qt would complain."""
    if sys.platform == "linux" and not any(os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        os.environ["LC_CTYPE"] = "C.UTF-8"


def take_kernels() -> None:
    """In a process that will load llama.cpp: its kernels for this processor, see processors.py."""
    if sys.platform == "linux" and sys.argv[1:2] in (["--engine"], ["--quantizer"]):
        from pathlib import Path

        from processors import load_best

        load_best(Path(__file__).resolve().parent / "llama_cpp" / "lib")


if __name__ == "__main__":
    give_back_library_path()
    have_a_locale()
    take_kernels()
    from playground.__main__ import main

    sys.exit(main())
