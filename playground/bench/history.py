"""Every result is kept: one JSON line each, appended and synced, so that a crash costs at most the last line."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from playground.bench.result import Result
from playground.files import write_whole

MAX_READ = 64 * 1024 * 1024
"""Bytes; of a longer file the newest part counts. That is some seventy thousand results."""
FILE = "bench.jsonl"

_decoder = msgspec.json.Decoder(Result)


@dataclass(slots=True)
class Kept:
    """What a file held."""

    results: list[Result] = field(default_factory=list)
    """Oldest first."""
    damaged: int = 0
    """Lines that are no results; they are passed over and stay."""


class History:
    """The file of results in the data folder. Touches the disk: never on the window's thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def append(self, results: Iterable[Result]) -> None:
        """Keep results. Raises OSError."""
        lines = b"".join(msgspec.json.encode(result) + b"\n" for result in results)
        if not lines:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    lines = b"\n" + lines  # the last line was cut off in a crash
            file.write(lines)
            os.fsync(file.fileno())

    def load(self) -> Kept:
        """All results; what can't be understood is counted. Raises OSError, but not for a file that isn't there."""
        kept = Kept()
        for line in self._lines():
            result = _read(line)
            if result is None:
                kept.damaged += 1
            else:
                kept.results.append(result)
        return kept

    def forget(self, runs: Collection[str]) -> None:
        """Take out all results of these runs. Raises OSError; the file then stands as it was."""
        lines = ((line, _read(line)) for line in self._lines())
        write_whole(self.path, b"".join(line + b"\n" for line, one in lines if one is None or one.run not in runs))

    def _lines(self) -> list[bytes]:
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(max(0, size - MAX_READ))
                lines = file.read(MAX_READ).split(b"\n")
        except FileNotFoundError:
            return []
        return [line for line in (lines[1:] if size > MAX_READ else lines) if line.strip()]


def _read(line: bytes) -> Result | None:
    """A line as a result; None for what is none."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def before(result: Result, results: Sequence[Result]) -> Result | None:
    """The newest earlier result of the same model, machine, options and test."""
    earlier = [other for other in results if other.key == result.key and other.run < result.run]
    return max(earlier, key=lambda other: (other.run, other.test_time), default=None)


def by_run(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results by run, the newest run first."""
    runs: dict[str, list[Result]] = {}
    for result in results:
        runs.setdefault(result.run, []).append(result)
    return dict(sorted(runs.items(), reverse=True))


def matching(result: Result, others: Sequence[Result]) -> Result | None:
    """The result of another run to set beside this one: the same test, of the same model and options if it has it.

    None where several would do equally well, for then none would be the right one.
    """
    close = [other for other in others if other.test == result.test]
    if len(close) > 1:
        for key in (_whole_key, _options_key, _model_key):
            equal = [other for other in close if key(other) == key(result)]
            if len(equal) == 1:
                return equal[0]
    return close[0] if len(close) == 1 else None


def _whole_key(result: Result) -> object:
    return result.key


def _options_key(result: Result) -> object:
    return result.options_key


def _model_key(result: Result) -> object:
    return result.model_key
