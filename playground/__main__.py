"""``playground``: the window, or ``playground chat``, ``bench`` and ``models`` in the terminal.

Nothing heavy at module level: this file also starts the engine of a frozen build, which must not load Qt,
and the command line, which must work where Qt can't.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program; the exit code."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(args)
    except KeyboardInterrupt:
        return 130


def _dispatch(args: list[str]) -> int:
    if args[:1] == ["--engine"]:
        from playground.engine.main import main as engine

        return engine()
    if args[:1] == ["--quantizer"]:
        from playground.quantize.worker import main as quantizer

        return quantizer()
    if args[:1] == ["chat"]:
        from playground.cli.chat import main as chat

        return chat(args[1:])
    if args[:1] == ["bench"]:
        from playground.cli.bench import main as bench

        return bench(args[1:])
    if args[:1] == ["models"]:
        from playground.cli.models import main as models

        return models(args[1:])
    return _window(_parse(args))


def _parse(args: list[str]) -> str | None:
    from playground import __version__

    parser = argparse.ArgumentParser(
        prog="playground",
        description="A desktop playground for local language models.",
        epilog="playground chat …  chats in the terminal, playground bench …  measures speed, "
        "playground models …  finds and keeps models; see their --help.",
        allow_abbrev=False,
    )
    parser.add_argument("path", nargs="?", metavar="PATH", help="a GGUF file to open in the window")
    parser.add_argument("--version", action="version", version=f"playground {__version__}")
    path: str | None = parser.parse_args(args).path
    return path


def _window(path: str | None) -> int:
    from playground.cli.display import why_no_window

    if path is not None and (code := _refuse(path)):
        return code
    reason = why_no_window()
    if not reason:
        gc.disable()  # nothing to collect at the start; later the app does it, on the window's thread
        try:
            from playground.app import main as open_window
        except ImportError as error:
            if not _is_qt(error):
                raise
            gc.enable()
            reason = f"The window’s toolkit could not be loaded ({error})."
        else:
            return open_window(path)
    from playground.cli.no_window import run

    return run(reason, path)


def _refuse(path: str) -> int:
    """Say what is wrong with a file before a window opens; 0 if nothing is."""
    from pathlib import Path

    from playground.cli.errors import CliError
    from playground.cli.find_model import check

    try:
        check(Path(path))
    except CliError as error:
        print(f"playground: {error}", file=sys.stderr)
        return error.code
    return 0


def _is_qt(error: ImportError) -> bool:
    """A missing PySide6, or a system library that Qt wants and a bare machine hasn't."""
    return (error.name or "").startswith(("PySide6", "shiboken6", "pyqtgraph")) or ".so" in str(error)


if __name__ == "__main__":
    sys.exit(main())
