"""What was measured on this machine, kept from start to start in one small file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from playground.files import read_json, write_json
from playground.protocol.measured import Measured
from playground.translate import tr

FILE = "machine.json"


def read_machine(folder: Path) -> Measured | None:
    """What is kept in that folder; None where nothing is, or nothing that can be understood. Reads the disk."""
    try:
        return msgspec.convert(read_json(folder / FILE), Measured, strict=False)
    except (OSError, ValueError, msgspec.ValidationError):
        return None


def write_machine(folder: Path, machine: Measured) -> str:
    """Keep it. A sentence when that failed, else empty: it will be measured again. Writes the disk."""
    try:
        write_json(folder / FILE, msgspec.to_builtins(machine, str_keys=True))
    except OSError as error:
        return tr("What was measured could not be kept: {reason}.", reason=error.strerror)
    return ""
