"""How an engine ended, as a state and a sentence."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playground.supervisor import log
from playground.supervisor.starved import Evidence

OutcomeKind: TypeAlias = Literal[
    "closed",  # asked to end, and did
    "ended",  # ended by itself, without a fault
    "memory",  # memory ran out: the system ended it, or gave it none
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
_OTHER_FILE = (
    "The file may be damaged, or of a kind that this llama.cpp can’t run: download it again, or choose another one."
)
_SMALLER = "Choose a smaller context, a smaller quant or a smaller model."
_STARVED: dict[Evidence, str] = {
    "named": "The system ended it because memory ran out.",
    "counted": "The system ended it, most likely because memory ran out.",
    "short": "Something outside the app ended it while memory was nearly used up, which is probably why.",
}
"""Why an engine died by SIGKILL, by how sure that is."""
_NO_MEMORY = re.compile(
    r"bad_alloc|failed to allocate|unable to allocate|out of memory|MemoryError|Cannot allocate memory", re.IGNORECASE
)


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


def of_exit(
    returncode: int, details: str, *, asked: bool, greeted: bool, loaded: bool = True, memory: Evidence = "none"
) -> Outcome:
    """What a child's exit means.

    ``asked``: we had told it to end. ``greeted``: it had said Hello. ``loaded``: it had its model.
    ``memory``: how much points to its having been ended for memory, if it was ended from outside.
    """
    if asked:
        return Outcome("closed", "The engine was closed", "The model was unloaded.", details)
    name = _signal_name(returncode)
    words = log.last_words(details)
    if name == "SIGKILL" and memory in _STARVED:
        return Outcome("memory", "Out of memory", f"{_STARVED[memory]} {_SMALLER}", details)
    if (name == "SIGABRT" or returncode > 0) and _NO_MEMORY.search(words):
        text = f"The engine asked for memory and got none: “{words}”. {_SMALLER}"
        return Outcome("memory", "Out of memory", text, details)
    if name in _CRASHES:
        said = f" Its last words: “{words}”." if words else ""
        advice = _RELOAD if loaded or name == "SIGILL" else _OTHER_FILE
        return Outcome("crashed", "The engine crashed", f"{_CRASHES[name]}{said} {advice}", details)
    if name:
        text = f"Something outside the app ended the engine ({name}). {_RELOAD}"
        if name == "SIGKILL" and memory == "unknown":
            text += " If memory had run out, which this system doesn’t tell, a smaller context or model helps."
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
