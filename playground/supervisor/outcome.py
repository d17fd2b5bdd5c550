"""How an engine ended, as a state and a sentence."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from playground.supervisor import log

OutcomeKind: TypeAlias = Literal[
    "closed",  # asked to end, and did
    "ended",  # ended by itself, without a fault
    "memory",  # the system ended it because memory ran out
    "killed",  # ended from outside
    "crashed",  # a fault in llama.cpp
    "failed",  # gave up with an error
    "could_not_start",
    "stranger",  # spoke another version, or no messages at all
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An engine's end."""

    kind: OutcomeKind
    title: str
    """A few words: “The engine crashed”."""
    text: str
    """A sentence or two: what happened, what to do."""
    details: str = ""
    """The end of its log."""

    @property
    def is_fault(self) -> bool:
        """Whether someone has to be told."""
        return self.kind not in ("closed", "ended")


_CRASHES = {
    "SIGSEGV": "llama.cpp read memory it must not read.",
    "SIGABRT": "llama.cpp stopped itself at a failed check.",
    "SIGBUS": "A part of the model file could not be read; it was changed, cut short or its disk went away.",
    "SIGILL": "llama.cpp was built for a newer processor than this one.",
    "SIGFPE": "llama.cpp divided by zero.",
    "SIGTRAP": "llama.cpp stopped itself at a failed check.",
}
_WINDOWS_CRASHES = {0xC0000005: "SIGSEGV", 0xC0000409: "SIGABRT", 0xC000001D: "SIGILL", 0xC0000006: "SIGBUS"}
_RELOAD = "Reload the model to go on."


def could_not_start(reason: str, details: str = "") -> Outcome:
    """The process never came to speak; ``reason`` is a sentence."""
    return Outcome("could_not_start", "The engine could not start", reason, details)


def stranger(reason: str, details: str = "") -> Outcome:
    """It sent something that isn't a message of ours; ``reason`` is a clause without a full stop."""
    text = (
        f"The engine was ended because {reason}. Close the app and start it again; "
        "if that doesn’t help, install it anew."
    )
    return Outcome("stranger", "The engine did not make sense", text, details)


def of_exit(returncode: int, details: str, *, asked: bool, greeted: bool, out_of_memory: bool) -> Outcome:
    """What a child's exit means.

    ``asked``: we had told it to end. ``greeted``: it had said Hello. ``out_of_memory``: the system's
    own counters say that it ended a process for memory meanwhile.
    """
    if asked:
        return Outcome("closed", "The engine was closed", "The model was unloaded.", details)
    name = _signal_name(returncode)
    words = log.last_words(details)
    if name == "SIGKILL" and out_of_memory:
        text = (
            "The system ended it, most likely because memory ran out. "
            "Choose a smaller context, a smaller quant or a smaller model."
        )
        return Outcome("memory", "Out of memory", text, details)
    if name in _CRASHES:
        said = f" Its last words: “{words}”." if words else ""
        return Outcome("crashed", "The engine crashed", f"{_CRASHES[name]}{said} {_RELOAD}", details)
    if name:
        text = f"Something outside the app ended the engine ({name}). {_RELOAD}"
        return Outcome("killed", "The engine was killed", text, details)
    if not greeted:
        return could_not_start(_start_reason(words, returncode), details)
    if returncode == 0:
        return Outcome("ended", "The engine ended", f"The engine ended by itself. {_RELOAD}", details)
    said = f": “{words}”" if words else f" (exit code {returncode})"
    return Outcome("failed", "The engine failed", f"The engine gave up{said}. {_RELOAD}", details)


def _start_reason(words: str, returncode: int) -> str:
    if "llama_cpp" in words or "libllama" in words or "libggml" in words:
        return (
            f"llama.cpp could not be loaded: “{words}”. Install it with “pip install llama-cpp-python”, "
            "and see that it was built for this machine."
        )
    if words:
        return f"The engine ended before it was ready: “{words}”."
    return f"The engine ended before it was ready (exit code {returncode})."


def _signal_name(returncode: int) -> str:
    if returncode >= 0:
        return _WINDOWS_CRASHES.get(returncode & 0xFFFFFFFF, "")
    if os.name == "nt":
        return _WINDOWS_CRASHES.get(returncode & 0xFFFFFFFF, "")
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


def oom_kills() -> int | None:
    """How many processes the kernel has ended for memory so far, in our cgroup and on this machine.

    Read before and after an engine's life: a higher figure is the evidence. None where Linux doesn't say.
    """
    counts = [_counter(path) for path in (*_cgroup_files(), Path("/proc/vmstat"))]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _cgroup_files() -> list[Path]:
    """The files that count a cgroup's out-of-memory kills: version 2's and version 1's."""
    try:
        lines = Path("/proc/self/cgroup").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    files: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        below = path.lstrip("/")
        if not controllers:
            files += _first(Path("/sys/fs/cgroup"), below, "memory.events")
        elif "memory" in controllers.split(","):
            files += _first(Path("/sys/fs/cgroup/memory"), below, "memory.oom_control")
    return files


def _first(root: Path, below: str, name: str) -> list[Path]:
    """In a container the path may be the host's; then its own root counts."""
    return [path for path in (root / below / name, root / name) if path.is_file()][:1]


def _counter(path: Path) -> int | None:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
